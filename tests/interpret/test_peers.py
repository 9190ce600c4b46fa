"""The maps of converted models against those of the libraries that they come from, with their own kernels unfused."""

import pytest
import torch

from vitlab.checkpoints import published
from vitlab.checkpoints.trained import of_published
from vitlab.interpret.attention import attention_maps
from vitlab.interpret.rollout import rollout

pytestmark = [pytest.mark.peer, pytest.mark.usefixtures("double")]
SIZES = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 4, "num_classes": 5}


def converted(tensors, tmp_path, **settings):
    torch.save(tensors, tmp_path / "weights.pt")
    return of_published(published.read(tmp_path / "weights.pt", settings=settings)).model.double().eval()


@pytest.mark.parametrize(
    "more", [{}, {"reg_tokens": 2}, {"class_token": False, "global_pool": "avg"}, {"qk_norm": True}]
)
def test_of_timm(more, tmp_path, normal):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    theirs = timm.models.vision_transformer.VisionTransformer(**SIZES, **more).double().eval()
    caught = []
    for block in theirs.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_pre_hook(lambda module, given: caught.append(given[0]))
    images = normal(2, 3, 32, 32)
    with torch.no_grad():
        theirs(images)
    ours = converted(theirs.state_dict(), tmp_path, num_heads=4)
    torch.testing.assert_close(attention_maps(ours, images), torch.stack(caught), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2"])
def test_of_transformers_and_rollout_as_its_users_compute_it(kind, tmp_path, normal):
    """Rollout as it is written on the web for the attentions that transformers gives: a product of normalised means."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        image_size=32, patch_size=8, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96
    )
    config._attn_implementation = "eager"
    theirs = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    theirs.save_pretrained(tmp_path)
    images = normal(2, 3, 32, 32)
    ours = of_published(published.read(tmp_path)).model.double().eval()
    with torch.no_grad():
        attentions = torch.stack(theirs.double()(images, output_attentions=True).attentions)
    close = 1e-10 if kind == "Dinov2" else 1e-7  # the softmax of the other two is in single precision there, always
    torch.testing.assert_close(attention_maps(ours, images), attentions, rtol=0, atol=close)
    result = torch.eye(attentions.shape[-1])
    for attention in attentions:
        fused = attention.mean(dim=1) + torch.eye(attention.shape[-1])
        result = torch.matmul(fused / fused.sum(dim=-1, keepdim=True), result)
    torch.testing.assert_close(rollout(ours, images), result, rtol=0, atol=close)
