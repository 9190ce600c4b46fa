"""What a GPU trains is what a CPU trains: the same batches, and losses that fall as they do there. Skipped without one.

Precision, kernel and stack are crossed, so that a combination that does not learn says which of them it is.
"""

from dataclasses import replace

import pytest
import torch

from vitlab.data.splits import carve
from vitlab.recipes import changed, recipe
from vitlab.train.machine.choices import Choices
from vitlab.train.step.assemble import build_loop

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
GPU, STEPS, BATCH = "cuda", 60, 64


@pytest.fixture(scope="session")
def trained(digits):
    """`trained(seeds, device="cuda", …choices)`: mean losses of the last twenty of sixty steps, one a run."""

    def train(seeds, **choices):
        spec = changed(recipe("digits"), {"batch_size": BATCH, "epochs": None, "steps": STEPS})
        chosen = Choices(**({"micro_batch": BATCH} | choices))
        indices, _ = carve(digits.train.labels, spec.val_fraction, spec.val_seed)
        images = replace(digits, train=digits.train.to(chosen.device))
        loop = build_loop([replace(spec, seed=seed) for seed in seeds], images, indices, chosen)
        for step in range(STEPS):
            if step == STEPS - 20:
                loop.meter.read()
            loop.step()
        return [line["train_loss"] for line in loop.meter.read()]

    return train


@pytest.fixture(scope="session")
def expected(trained):
    """The same on a CPU, in single precision."""
    return trained((0, 1, 2), device="cpu", precision="fp32", kernel="explicit")


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)], ids=["alone", "stacked"])
@pytest.mark.parametrize("kernel", ["explicit", "fused"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_losses_fall_as_on_a_cpu(trained, expected, precision, kernel, seeds):
    found = trained(seeds, device=GPU, precision=precision, kernel=kernel)
    assert found == pytest.approx(expected[: len(seeds)], rel=0.02 if precision == "fp32" else 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)], ids=["alone", "stacked"])
def test_r0_s_batches_are_the_cpu_s(digits, seeds):
    """Labels to rounding; pixels but for a few at which two roundings fall apart."""
    spec = changed(recipe("digits"), {"batch_size": BATCH, "augment": [*recipe("r0_cifar10").augment]})
    indices, _ = carve(digits.train.labels, 0.1, 0)
    batches = []
    for device in ("cpu", GPU):
        images = replace(digits, train=digits.train.to(device))
        specs = [replace(spec, seed=seed) for seed in seeds]
        batches.append(build_loop(specs, images, indices, Choices(device=device, micro_batch=BATCH)).loader.batch(7))
    ours, theirs = batches
    assert torch.equal(ours.keys, theirs.keys.cpu())
    assert torch.allclose(ours.targets, theirs.targets.cpu(), atol=1e-6)
    assert ((ours.images - theirs.images.cpu()).abs() > 0.05).float().mean() < 0.01
