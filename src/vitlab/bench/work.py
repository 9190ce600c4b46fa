"""The work that is timed: a training step, or a forward pass, on the same made-up pictures for everybody."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vitlab.base.spec import to_dict
from vitlab.bench.contest import Contestant
from vitlab.data.images import Images, ImageSet
from vitlab.data.sets._base import DataSpec
from vitlab.models.cost import cost
from vitlab.models.spec import ViTSpec
from vitlab.tasks._base import LOGITS
from vitlab.train.machine.autotune import choose
from vitlab.train.machine.choices import Choices, Overrides, has_fast_bf16
from vitlab.train.spec import OptimSpec, RunSpec
from vitlab.train.step.assemble import build_loop

STEPS = 10_000  # of the run that the work is taken from: a training that is worth choosing for

BATCH = 128  # images
CALL_FLOPS = 4e10  # on a CPU, at most: some seconds

Mode = Literal["train", "infer"]


@dataclass(frozen=True)
class Job:
    """The work: a model's architecture, a batch, a device, and whether contestants may compile."""

    mode: Mode
    model: ViTSpec
    batch_size: int
    device: torch.device
    compiled: bool = False

    @property
    def has_bf16(self) -> bool:
        """Whether the device multiplies bf16 in hardware: where it does not nobody computes in it."""
        return self.device.type != "cpu" or has_fast_bf16()

    def images(self) -> Tensor:
        """Normally distributed pictures [B, C, height, width], the same for everybody."""
        shape = (self.batch_size, self.model.in_chans, *self.model.img_size)
        return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(self.device)

    def labels(self) -> Tensor:
        """Labels [B]."""
        return (torch.arange(self.batch_size) % self.model.num_classes).to(self.device)


def usual_batch(mode: Mode, model: ViTSpec, device: torch.device) -> int:
    """How many images a batch has if nobody says; on a CPU a power of two of which a call takes seconds."""
    spent = cost(model)
    fitting = int(CALL_FLOPS / (spent.step_flops if mode == "train" else spent.flops))
    return BATCH if device.type != "cpu" else min(BATCH, 1 << max(0, fitting.bit_length() - 1))


def peer_work(
    job: Job, model: nn.Module, logits: Callable[[nn.Module, Tensor], Tensor], autocast: bool
) -> Callable[[], object]:
    """A training step as most people write it, with PyTorch's fused AdamW; or a forward pass."""
    model = model.to(job.device)
    images, labels = job.images(), job.labels()
    forward = torch.compile(logits) if job.compiled else logits

    def context() -> AbstractContextManager[object]:
        return torch.autocast(job.device.type, torch.bfloat16) if autocast else nullcontext()

    if job.mode == "infer":
        model.eval()

        @torch.inference_mode()
        def infer() -> Tensor:
            with context():
                return forward(model, images)

        return infer
    optimiser = torch.optim.AdamW(model.train().parameters(), lr=1e-3, weight_decay=0.05, fused=True)

    def step() -> None:
        with context():
            loss = cross_entropy(forward(model, images), labels, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def ours(job: Job, overrides: Overrides) -> tuple[Contestant, Choices]:
    """vitlab's training step as `vitlab train` runs it, gathering and normalising pictures included; or its forward."""
    spec, pictures = _run(job)
    indices = torch.arange(len(pictures.train))
    overrides = replace(overrides, device=str(job.device), compiled=job.compiled)
    choices = choose(overrides, [spec], pictures, indices)
    on_device = replace(pictures, train=pictures.train.to(job.device))
    loop = build_loop([spec], on_device, indices, choices)
    setting = f"{choices.precision}, {choices.kernel} attention" + (", compiled" if choices.compiled else "")
    if job.mode == "train":
        return Contestant("vitlab", setting, job.batch_size, loop.step), choices
    images = job.images()[None].to(choices.compute_dtype)
    targets = nn.functional.one_hot(job.labels(), job.model.num_classes)[None].to(choices.master_dtype)
    keys = torch.zeros(1, job.batch_size, dtype=torch.int64, device=job.device)
    loop.state.compute_with_evaluated()

    @torch.inference_mode()
    def infer() -> Tensor:
        return loop.scores(images, targets, keys, None).outputs[LOGITS]

    return Contestant("vitlab", setting, job.batch_size, infer), choices


def _run(job: Job) -> tuple[RunSpec, ImageSet]:
    """A run on made-up pictures with the bench's model."""
    model, count = job.model, 2 * job.batch_size
    pixels = torch.randint(0, 256, (count, model.in_chans, *model.img_size), dtype=torch.uint8)
    pictures = Images(pixels, torch.arange(count) % model.num_classes)
    mean, std = (0.5,) * model.in_chans, (0.25,) * model.in_chans
    names = tuple(map(str, range(model.num_classes)))

    class MadeUp(DataSpec):
        img_size, in_chans, num_classes = model.img_size, model.in_chans, model.num_classes

    optim, data = OptimSpec(weight_decay=0.05, decay_on="all"), MadeUp(mean, std)
    spec = RunSpec(model=model, data=data, batch_size=job.batch_size, steps=STEPS, val_fraction=0, optim=optim)
    return spec, ImageSet(pictures, pictures, names, mean, std, data.frame)


def plain(model: ViTSpec) -> str | None:
    """Why the peers cannot build this model, or None: they know the plain ViT only."""
    usual = to_dict(ViTSpec())
    varied = ("patch_embed", "pos_embed", "block", "mixer", "attention", "mlp", "pool", "head", "cls_token")
    extra = ("num_registers", "qk_norm", "layer_scale", "drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout")
    values = to_dict(model)
    changed = [name for name in (*varied, *extra, "final_norm") if values[name] != usual[name]]
    return f"differs from the plain ViT in {', '.join(changed)}" if changed else None
