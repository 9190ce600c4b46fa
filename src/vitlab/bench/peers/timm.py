"""timm's VisionTransformer: the same architecture, weight for weight."""

from collections.abc import Iterator

from torch import Tensor, nn

from vitlab.bench.contest import Contestant
from vitlab.bench.work import Job, peer_work


def _build(job: Job, fused: bool) -> nn.Module:
    from timm.layers import set_fused_attn
    from timm.models.vision_transformer import VisionTransformer

    spec = job.model
    set_fused_attn(fused)  # what TIMM_FUSED_ATTN sets; read when a model is built
    try:
        return VisionTransformer(
            img_size=spec.img_size,
            patch_size=spec.patch_size,
            in_chans=spec.in_chans,
            num_classes=spec.num_classes,
            embed_dim=spec.embed_dim,
            depth=spec.depth,
            num_heads=spec.num_heads,
            mlp_ratio=spec.mlp_ratio,
            qkv_bias=spec.qkv_bias,
        )
    finally:
        set_fused_attn(True)


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    return model(images)


def contestants(job: Job) -> Iterator[Contestant]:
    """As it comes (float32, fused attention); then bf16 autocast, with fused and with explicit attention."""
    for setting, fused, autocast in (
        ("float32, fused attention", True, False),
        ("float32, TIMM_FUSED_ATTN=0", False, False),
        ("bf16 autocast, fused attention", True, True),
        ("bf16 autocast, TIMM_FUSED_ATTN=0", False, True),
    ):
        work = peer_work(job, _build(job, fused), _logits, autocast)
        yield Contestant("timm", setting, job.batch_size, work)
