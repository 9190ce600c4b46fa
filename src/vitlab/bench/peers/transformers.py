"""Hugging Face's ViTForImageClassification: the same architecture, with q, k and v as three layers."""

from collections.abc import Iterator

from torch import Tensor, nn

from vitlab.bench.contest import Contestant
from vitlab.bench.work import Job, peer_work


def _build(job: Job, attention: str) -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    spec = job.model
    config = ViTConfig(
        image_size=spec.img_size,
        patch_size=spec.patch_size,
        num_channels=spec.in_chans,
        hidden_size=spec.embed_dim,
        num_hidden_layers=spec.depth,
        num_attention_heads=spec.num_heads,
        intermediate_size=spec.dims().mlp_dim,
        qkv_bias=spec.qkv_bias,
    )
    config.num_labels = spec.num_classes
    config._attn_implementation = attention
    return ViTForImageClassification(config)


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    return model(images).logits


def contestants(job: Job) -> Iterator[Contestant]:
    """As it comes (float32, fused attention); then bf16 autocast, with fused and with explicit attention."""
    for setting, attention, autocast in (
        ("float32, sdpa", "sdpa", False),
        ("bf16 autocast, sdpa", "sdpa", True),
        ("bf16 autocast, eager attention", "eager", True),
    ):
        work = peer_work(job, _build(job, attention), _logits, autocast)
        yield Contestant("transformers", setting, job.batch_size, work)
