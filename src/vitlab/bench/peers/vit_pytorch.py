"""vit-pytorch's ViT: two more layer norms around the patch embedding, and never a bias on q, k and v."""

from collections.abc import Iterator

from torch import Tensor, nn

from vitlab.bench.contest import Contestant
from vitlab.bench.work import Job, peer_work

DIFFERS = "two more layer norms in the patch embedding, no qkv bias"


def _build(job: Job) -> nn.Module:
    from vit_pytorch import ViT

    spec = job.model
    return ViT(
        image_size=spec.img_size,
        patch_size=spec.patch_size,
        num_classes=spec.num_classes,
        dim=spec.embed_dim,
        depth=spec.depth,
        heads=spec.num_heads,
        dim_head=spec.dims().head_dim,
        mlp_dim=spec.dims().mlp_dim,
        channels=spec.in_chans,
    )


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    return model(images)


def contestants(job: Job) -> Iterator[Contestant]:
    """As it comes (float32, explicit attention); then under bf16 autocast."""
    for setting, autocast in (("float32", False), ("bf16 autocast", True)):
        yield Contestant(
            "vit_pytorch", setting, job.batch_size, peer_work(job, _build(job), _logits, autocast), DIFFERS
        )
