"""An encoder that is given some of the patches: it computes what it would if the others were not looked at."""

import pytest
import torch
from torch.func import functional_call, vmap

from tests.conftest import mostly_slow
from vitlab.base.errors import SpecError
from vitlab.base.spec import component_class, component_names
from vitlab.models.sites import wrap
from vitlab.models.vit import ViT
from vitlab.nn.attention._base import Attention
from vitlab.nn.kernel import use_kernel
from vitlab.nn.pos_embed._base import PosEmbedSpec

pytestmark = pytest.mark.usefixtures("double")

PLACES = ("stem", "every_layer", "every_layer_shared")
VISIBLE = torch.tensor([[0, 4, 5], [3, 1, 2]])  # of six patches, in two rows; other ones of each image
MIXING = ("conv_stem", "overlapping", "spt", "pixel_cnn", "resnet")
NO_PREFIX = {"cls_token": False, "num_registers": 0, "pool": "mean"}
WHOLE = {"attention": ("linformer", "nystrom", "gpsa"), "mixer": ("fft", "token_mlp", "pooling")}


def embeddings():
    """Every position embedding, in every place that it may have."""
    for name in component_names(PosEmbedSpec.family):
        placed = "place" in component_class(PosEmbedSpec, name).__dataclass_fields__
        yield from ({"name": name, "place": place} for place in PLACES) if placed else [{"name": name}]


def named(settings):
    return "-".join(settings.values())


EMBEDDINGS = list(embeddings())


@pytest.fixture
def model_of(tiny_spec, randomise):
    """`model_of(pos_embed="rope2d")`: a model whose every weight is random, with a cls token and a register."""

    def make(**changed):
        return randomise(ViT(tiny_spec(**({"cls_token": True, "num_registers": 1, "num_heads": 2} | changed))))

    return make


def unseen(visible, tokens, prefix):
    """Which of so many tokens no other may look at, [B, 1, 1, N]"""
    seen = torch.zeros(len(visible), tokens, dtype=torch.bool)
    seen[:, :prefix] = True
    seen.scatter_(1, visible + prefix, True)
    return ~seen[:, None, None, :]


def with_masked_keys(model, tokens, visible):
    """The oracle: the encoder on all tokens, where nobody looks at a hidden one."""
    hidden = unseen(visible, tokens.shape[1], model.num_prefix_tokens)

    def masked(call, q, k, v, bias=None, keys=None):
        nothing = torch.zeros(hidden.shape, dtype=q.dtype).masked_fill(hidden, float("-inf"))
        return call(q, k, v, nothing.expand(-1, 1, q.shape[2], -1) + (0 if bias is None else bias), keys)

    for module in model.modules():
        if isinstance(module, Attention):
            wrap(module, masked)
    return model.encode(tokens)


def chosen(tokens, visible, prefix):
    """Of all tokens the prefix and the visible patches."""
    rows = torch.cat([torch.arange(prefix).expand(len(visible), -1), visible + prefix], dim=1)
    return tokens[torch.arange(len(tokens))[:, None], rows]


@pytest.mark.parametrize("pos_embed", EMBEDDINGS, ids=named)
@pytest.mark.parametrize(
    "prefix", [{}, {"cls_token": False, "num_registers": 0, "pool": "mean"}], ids=["prefix", "none"]
)
def test_it_is_attention_that_sees_no_hidden_patch(model_of, normal, pos_embed, prefix):
    model = model_of(pos_embed=pos_embed, **prefix)
    tokens = model.embed(model.patches(normal(2, 3, 8, 12)).patches)
    found = model.encode(tokens, visible=VISIBLE)
    assert found.shape == (2, model.num_prefix_tokens + 3, 16)
    expected = chosen(with_masked_keys(model, tokens, VISIBLE), VISIBLE, model.num_prefix_tokens)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("pos_embed", mostly_slow(EMBEDDINGS), ids=named)
def test_all_patches_in_their_order_are_the_whole(model_of, normal, pos_embed):
    model = model_of(pos_embed=pos_embed)
    tokens = model.embed(model.patches(normal(2, 3, 8, 12)).patches)
    everything = model.encode(tokens, visible=torch.arange(6).expand(2, -1))
    torch.testing.assert_close(everything, model.encode(tokens), rtol=0, atol=1e-11)


@pytest.mark.parametrize("pos_embed", mostly_slow(EMBEDDINGS), ids=named)
def test_stacked_runs_see_their_own(model_of, normal, pos_embed):
    """Two runs of different weights, each with other visible patches, through `vmap`."""
    model, other = model_of(pos_embed=pos_embed), model_of(pos_embed=pos_embed)
    use_kernel(model, "explicit")  # which is what can be stacked on a CPU
    images = normal(2, 2, 3, 8, 12)
    visible = torch.stack([VISIBLE, VISIBLE.flip(0)])
    weights = {
        name: torch.stack([one, dict(other.named_parameters())[name] + 0.1]) for name, one in model.named_parameters()
    }

    class Encoding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, images, visible):
            return self.model.encode(self.model.embed(self.model.patches(images).patches), visible=visible)

    def one(weights, images, visible):
        named = {f"model.{name}": tensor for name, tensor in weights.items()}
        return functional_call(encoding, named, (images, visible))

    encoding = Encoding()
    stacked = vmap(one)(weights, images, visible)
    for run in range(2):
        alone = one({name: tensor[run] for name, tensor in weights.items()}, images[run], visible[run])
        torch.testing.assert_close(stacked[run], alone, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", [name for name in component_names("vitlab.nn.patch_embed") if name not in MIXING])
def test_what_is_hidden_does_not_show(model_of, normal, name):
    """Other pixels in the hidden patches change nothing."""
    model = model_of(patch_embed=name)
    grid = model.spec.dims().num_patches
    visible = torch.arange(0, grid, 2).expand(2, -1)
    images, other = normal(2, 3, 8, 12), normal(2, 3, 8, 12) + 1
    hidden = hidden_pixels(model, visible)
    changed = torch.where(hidden, other, images)
    first, second = (
        model.encode(model.embed(model.patches(pictures).patches), visible=visible) for pictures in (images, changed)
    )
    assert torch.equal(first, second)
    assert not torch.equal(model(images), model(changed))


def hidden_pixels(model, visible):
    """[8, 12] whether a pixel is in a patch that is not visible in the first image"""
    height, width = model.spec.dims().patch_size
    rows, columns = 8 // height, 12 // width
    shown = torch.zeros(rows * columns, dtype=torch.bool)
    shown[visible[0]] = True
    return ~shown.view(rows, columns).repeat_interleave(height, 0).repeat_interleave(width, 1)


@pytest.mark.parametrize("name", MIXING)
def test_a_patch_embedding_that_would_show_what_is_hidden_is_refused(model_of, name):
    small = {"patch_size": 4, "img_size": [8, 12]}
    model = model_of(patch_embed=name, **small)
    with pytest.raises(SpecError, match=rf"patch_embed={name} mixes neighbouring patches.*legal: .*linear"):
        model.encode(torch.zeros(2, 8, 16), visible=VISIBLE)


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, names in WHOLE.items() for name in names])
def test_a_mixer_that_needs_all_patches_is_refused(model_of, family, name):
    model = model_of(**{family: name, "pos_embed": "learned"})
    with pytest.raises(SpecError, match=rf"{family}={name} needs all patches; legal: "):
        model.encode(torch.zeros(2, 8, 16), visible=VISIBLE)


@pytest.mark.parametrize("family", ["attention", "mixer"])
def test_every_other_mixer_takes_them(model_of, normal, family):
    for name in component_names(f"vitlab.nn.{family}"):
        if name not in WHOLE[family]:
            model = model_of(**{family: name, "pos_embed": "learned"})
            tokens = model.embed(model.patches(normal(2, 3, 8, 12)).patches)
            found, turned = (model.encode(tokens, visible=order) for order in (VISIBLE, VISIBLE.flip(1)))
            assert torch.allclose(found[:, 2:].flip(1), turned[:, 2:], rtol=0, atol=1e-10), name
