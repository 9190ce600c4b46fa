"""What every operation on pixels owes the pipeline, see `vitlab.augment.ops._base`."""

import pytest
import torch

from tests.augment.pictures import pictures
from vitlab.augment import chosen
from vitlab.augment.ops._base import OpSpec, PixelOp
from vitlab.base.spec import component_class, component_names, from_dict, to_dict
from vitlab.rng import sample_keys

SETTINGS = {  # where the defaults are none, or do little
    "center_crop": [{"size": (11, 20)}],
    "color_jitter": [{"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}],
    "crop": [{}, {"size": (30, 20)}, {"fill": "reflect"}],
    "rand_augment": [{}, {"space": "google", "magnitude": 15.0, "scale": 10.0, "interpolation": "bilinear"}],
    "resize": [{"size": (20, 41)}],
    "original_crop": [{}, {"size": (9, 50)}],
    "resized_crop": [{}, {"size": (9, 50), "interpolation": "bicubic"}],
    "auto_augment": [{}, {"policy": "imagenet", "fill": 128, "interpolation": "bilinear"}],
}
OPS = [
    component_class(OpSpec, name)(**settings)
    for name in component_names(OpSpec.family)
    if issubclass(component_class(OpSpec, name), PixelOp)
    for settings in SETTINGS.get(name, [{}])
]
KEYS = sample_keys(torch.tensor([0]), torch.arange(64))[0]
every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
HUED = component_class(OpSpec, "color_jitter")(hue=0.1)  # the one setting that needs colours
OPS.append(HUED)
every_op_and_kind = pytest.mark.parametrize(
    ("op", "channels"),
    [(op, channels) for op in OPS for channels in (1, 3, 4) if op is not HUED or channels in (1, 3)],
    ids=lambda value: getattr(value, "name", value),
)


@every_op_and_kind
def test_pixels_come_out_in_the_size_that_was_announced(op: PixelOp, channels: int):
    images = pictures(64, channels, 24, 30)
    before = images.clone()
    augmented = op.apply(images, KEYS)
    assert augmented.dtype == torch.uint8
    assert augmented.shape == (64, channels, *op.out_size(24, 30))
    assert torch.equal(images, before)


@every_op
def test_micro_batches_see_the_same(op: PixelOp):
    images = pictures(64, 3, 24, 30)
    parts = [op.apply(images[part], KEYS[part]) for part in (slice(0, 1), slice(1, 20), slice(20, 64))]
    assert torch.equal(torch.cat(parts), op.apply(images, KEYS))


@every_op
def test_it_depends_on_the_keys_only(op: PixelOp):
    images = pictures(64, 3, 24, 30)
    torch.manual_seed(0)
    first = op.apply(images, KEYS)
    torch.manual_seed(1)
    assert torch.equal(op.apply(images, KEYS), first)
    if op.name not in ("resize", "center_crop"):
        assert not torch.equal(op.apply(images, KEYS + 1), first)


@every_op_and_kind
def test_away_from_the_cpu_nobody_looks_at_a_value(op: PixelOp, channels: int):
    images = torch.empty(64, channels, 24, 30, dtype=torch.uint8, device="meta")  # has none
    assert op.apply(images, KEYS.to("meta")).shape == (64, channels, *op.out_size(24, 30))


@every_op_and_kind
def test_work_for_the_chosen_and_work_for_all_give_the_same(
    op: PixelOp, channels: int, monkeypatch: pytest.MonkeyPatch
):
    images = pictures(64, channels, 24, 30)
    expected = op.apply(images, KEYS)
    monkeypatch.setattr(chosen, "only_chosen", chosen.all_then_select)
    assert torch.equal(op.apply(images, KEYS), expected)


@every_op
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_it_is_the_same_and_the_host_never_waits(op: PixelOp):
    images = pictures(64, 3, 24, 30)
    arguments = images.cuda(), KEYS.cuda()
    op.apply(*arguments)  # the constants go to the device once
    torch.cuda.set_sync_debug_mode("error")
    try:
        augmented = op.apply(*arguments)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    difference = (augmented.cpu().int() - op.apply(images, KEYS).int()).abs()
    # a level where a sum is rounded, and another pixel where two are equally near
    assert (difference > 1).float().mean() < 0.01


@every_op
def test_settings_can_be_written_and_read(op: PixelOp):
    assert from_dict(type(op), {key: value for key, value in to_dict(op).items() if key != "name"}) == op
