"""The filters of the first layer, and their principal components."""

import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.base.spec import component_names
from vitlab.interpret.patches import filter_components, patch_filters
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")
REFUSED = {"spt", "pixels"}  # matrices over shifted patches, over single pixels


def test_planted_components_are_found_in_the_order_of_their_size(tiny_spec, normal):
    model = ViT(tiny_spec())
    bases = torch.linalg.qr(normal(48, 2)).Q.T
    weights = torch.stack([normal(model.spec.embed_dim) * 5, normal(model.spec.embed_dim)], dim=1)
    weights = weights - weights.mean(0)
    weights[:, 1] -= weights[:, 0] * (weights[:, 0] @ weights[:, 1]) / weights[:, 0].square().sum()
    model.patch_embed.proj.weight.data = (weights @ bases).unflatten(1, (3, 4, 4)) + 0.3
    found = filter_components(model, 4)
    assert found.filters.shape == (4, 3, 4, 4)
    for component, base in zip(found.filters[:2], bases, strict=True):
        assert float((component.flatten() @ base).abs()) == pytest.approx(1, abs=1e-9)
        assert float(component.flatten()[component.flatten().abs().argmax()]) > 0
    sizes = weights.square().sum(0)
    torch.testing.assert_close(found.share[:2], sizes / sizes.sum(), rtol=1e-9, atol=0)
    assert float(found.share[2:].sum()) < 1e-20


@pytest.mark.parametrize("name", component_names("vitlab.nn.patch_embed"))
def test_every_embedding_has_filters_or_says_that_it_has_none(name, tiny_spec):
    sizes = {"img_size": [32, 32], "patch_size": [16, 16]} if name in ("resnet", "conv_stem") else {}
    model = ViT(tiny_spec(patch_embed=name, **sizes))
    if name in REFUSED:
        with pytest.raises(UserError, match=f"patch_embed={name} does not begin with filters"):
            patch_filters(model)
    else:
        assert patch_filters(model).shape[1] == 3
        assert filter_components(model).filters.flatten(1).norm(dim=1).allclose(torch.ones(()))
