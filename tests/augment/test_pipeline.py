from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from vitlab.augment.ops import color_jitter, crop, erase, flip, mix
from vitlab.augment.ops._base import OpSpec, PixelOp
from vitlab.augment.pipeline import _STAGES, Pipeline
from vitlab.base.errors import SpecError
from vitlab.base.spec import component_class, component_names
from vitlab.rng import sample_keys, uniform

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
GENERATOR = torch.Generator().manual_seed(0)
PIXELS = torch.randint(0, 256, (3, 8, 3, 12, 12), dtype=torch.uint8, generator=GENERATOR)
LABELS = torch.randint(0, 5, (3, 8), generator=GENERATOR)
KEYS = sample_keys(torch.tensor([0, 1, 2]), torch.arange(8))
PER_SAMPLE = (crop.Spec(), flip.Spec(), erase.Spec(p=0.5))


def pipeline(*ops: OpSpec, dtype: torch.dtype = torch.float32) -> Pipeline:
    return Pipeline(ops, MEAN, STD, 5, dtype)


def test_without_operations_it_normalises_and_makes_one_hot_targets():
    images, targets = pipeline(dtype=torch.float64)(PIXELS, LABELS, KEYS)
    mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (MEAN, STD))
    assert torch.allclose(images, (PIXELS.double() / 255 - mean) / std, atol=1e-12, rtol=0)
    assert torch.equal(targets, torch.nn.functional.one_hot(LABELS, 5).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_images_have_the_dtype_asked_for_and_targets_at_least_float32(dtype: torch.dtype):
    ops = (*PER_SAMPLE, mix.Spec(prob=1))
    images, targets = pipeline(*ops, dtype=dtype)(PIXELS, LABELS, KEYS)
    exact, exact_targets = pipeline(*ops, dtype=torch.float64)(PIXELS, LABELS, KEYS)
    assert (images.dtype, targets.dtype) == (dtype, torch.float32)
    assert torch.allclose(images.double(), exact, atol=8 * torch.finfo(dtype).eps)
    assert exact_targets.dtype == torch.float64
    assert torch.allclose(targets.double(), exact_targets, atol=1e-6)


def test_the_pixels_given_are_not_changed():
    before = PIXELS.clone()
    pipeline(*PER_SAMPLE, mix.Spec(prob=1))(PIXELS, LABELS, KEYS)
    assert torch.equal(PIXELS, before)


def test_it_depends_on_the_keys_only():
    torch.manual_seed(0)
    first = pipeline(*PER_SAMPLE, mix.Spec(prob=1))(PIXELS, LABELS, KEYS)
    torch.manual_seed(1)
    again = pipeline(*PER_SAMPLE, mix.Spec(prob=1))(PIXELS, LABELS, KEYS)
    other = pipeline(*PER_SAMPLE, mix.Spec(prob=1))(PIXELS, LABELS, KEYS + 1)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_micro_batches_and_single_runs_see_the_same():
    whole = pipeline(*PER_SAMPLE)(PIXELS, LABELS, KEYS)[0]
    halves = [pipeline(*PER_SAMPLE)(PIXELS[:, p], LABELS[:, p], KEYS[:, p])[0] for p in (slice(0, 3), slice(3, 8))]
    assert torch.equal(torch.cat(halves, dim=1), whole)
    ops = (*PER_SAMPLE, mix.Spec(prob=1))
    alone = pipeline(*ops)(PIXELS[1:2], LABELS[1:2], KEYS[1:2])[0]
    assert torch.equal(alone, pipeline(*ops)(PIXELS, LABELS, KEYS)[0][1:2])


@pytest.mark.parametrize("batch_ops", [(), (mix.Spec(prob=1),), (mix.Spec(prob=1), mix.Spec(prob=1, per="sample"))])
@pytest.mark.parametrize("part", [slice(0, 3), slice(3, 8), slice(0, 4), slice(7, 8), slice(0, 8)])
def test_a_part_of_a_batch_is_that_part_of_the_whole(batch_ops: tuple[OpSpec, ...], part: slice):
    whole = pipeline(*PER_SAMPLE, *batch_ops)
    rows = whole.needed(KEYS, part)
    run = torch.arange(3)[:, None]
    given = (PIXELS, LABELS) if rows is None else (PIXELS[run, rows], LABELS[run, rows])
    expected = [each[:, part] for each in whole(PIXELS, LABELS, KEYS)]
    assert all(torch.equal(a, b) for a, b in zip(whole(*given, KEYS, rows), expected, strict=True))


@dataclass(frozen=True)
class Stamp(PixelOp):
    """Writes what it draws into its column."""

    column: int

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        images = images.clone()
        images[..., self.column] = (uniform(keys, "stamp", 1) * 256).to(torch.uint8)[:, :, None]
        return images


def test_the_same_operation_twice_draws_independent_numbers():
    pixels, labels = torch.zeros(1, 5000, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, 5000, dtype=torch.long)
    keys = sample_keys(torch.tensor([0]), torch.arange(5000))
    images, _ = Pipeline((Stamp(0), Stamp(1)), (0.0,), (1.0,), 2)(pixels, labels, keys)
    assert torch.corrcoef(images[0, :, 0, 0].T)[0, 1].abs() < 4 / 5000**0.5


def test_stages_follow_each_other():
    with pytest.raises(SpecError, match="crop works on pixels and cannot follow erase, which works on normalised"):
        pipeline(erase.Spec(), crop.Spec())
    with pytest.raises(SpecError, match="erase works on normalised and cannot follow mix, which works on batch"):
        pipeline(flip.Spec(), mix.Spec(), erase.Spec())
    pipeline(flip.Spec(), crop.Spec(), flip.Spec(), erase.Spec(), mix.Spec())


def of_bands(channels: int, *ops: OpSpec) -> Pipeline:
    return Pipeline(ops, (0.5,) * channels, (0.25,) * channels, 5)


@pytest.mark.parametrize("channels", [2, 4, 10])
def test_bands_go_through_every_operation_alone_and_stacked(channels: int):
    sized = {"resize": {"size": (12, 12)}, "center_crop": {"size": (12, 12)}}
    made = [component_class(OpSpec, name)(**sized.get(name, {})) for name in component_names(OpSpec.family)]
    made.append(color_jitter.Spec(0.4, 0.4, 0.4))
    ops = sorted((op for op in made if isinstance(op, OpSpec)), key=lambda op: _STAGES.index(op.stage))
    pixels = torch.randint(0, 256, (3, 8, channels, 12, 12), dtype=torch.uint8, generator=GENERATOR)
    for some_ops in (*((op,) for op in ops), ops):
        images, _ = of_bands(channels, *some_ops)(pixels, LABELS, KEYS)
        assert images.shape == pixels.shape
        assert images.isfinite().all()


def test_hue_of_bands_is_refused_where_the_pipeline_is_made():
    with pytest.raises(SpecError, match=r"color_jitter\.hue=0\.1: must be 0 for images of 4 channels"):
        of_bands(4, color_jitter.Spec(hue=0.1))
    for channels in (1, 3):
        of_bands(channels, color_jitter.Spec(hue=0.1))


@pytest.mark.parametrize("name", component_names(OpSpec.family))
def test_every_operation_has_the_size_it_announces_and_is_finite(name: str):
    op = component_class(OpSpec, name)(**{"size": (9, 7)} if name in ("resize", "center_crop") else {})
    assert isinstance(op, OpSpec)
    images, targets = pipeline(op)(PIXELS, LABELS, KEYS)
    assert images.shape[-2:] == (op.out_size(12, 12) if isinstance(op, PixelOp) else (12, 12))
    assert images.isfinite().all()
    assert torch.allclose(targets.sum(-1), torch.ones(3, 8))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_it_is_the_same_and_the_host_never_waits():
    whole = pipeline(*PER_SAMPLE, mix.Spec(prob=1, per="sample"))
    arguments = [tensor.cuda() for tensor in (PIXELS, LABELS, KEYS)]
    whole(*arguments)  # the constants go to the device once
    torch.cuda.set_sync_debug_mode("error")
    try:
        images, targets = whole(*arguments)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    expected = whole(PIXELS, LABELS, KEYS)
    assert torch.allclose(images.cpu(), expected[0], atol=1e-5)
    assert torch.allclose(targets.cpu(), expected[1], atol=1e-6)
