"""The crop of a picture as it is stored, against the crop of the same picture's pixels in memory."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from tests.augment.pictures import pictures
from vitlab.augment.ops import center_crop, flip, mix, original_crop, resized_crop
from vitlab.augment.pipeline import Pipeline, check_ops, final_size
from vitlab.augment.stored import Cuts
from vitlab.base.errors import SpecError
from vitlab.data.decode import Frame, decode
from vitlab.data.images import Images
from vitlab.data.sets import folder
from vitlab.rng import sample_keys
from vitlab.train.machine.choices import Choices
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import loader_of

KEYS = sample_keys(torch.tensor([0]), torch.arange(40))
FRAME = Frame((12, 12))


def crop(**settings: object) -> original_crop.Spec:
    return original_crop.Spec(**{"size": (10, 8), "scale": (0.1, 0.6)} | settings)


def cut_out(stored: bytes, op: original_crop.Spec, frame: Frame = FRAME) -> torch.Tensor:
    """Forty crops of one stored picture [40, C, *size]."""
    cuts = Cuts(op, op.draws(KEYS)).one_by_one(*frame.img_size)
    return torch.stack([decode(stored, frame, cut) for cut in cuts])


def of_pixels(pixels: torch.Tensor, op: original_crop.Spec) -> torch.Tensor:
    """The same crops of a picture's pixels [C, H, W]."""
    return op.apply(pixels.expand(40, *pixels.shape), KEYS[0])


def saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def photograph(rows: int, columns: int) -> np.ndarray:
    """[rows, columns, 3], smooth, and another colour at every place."""
    down, across = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return np.stack([255 * across, 255 * down, 127 + 120 * np.sin(9 * across + 5 * down)], axis=-1).astype(np.uint8)


def test_of_pictures_in_memory_it_is_the_other_inception_crop():
    images, settings = pictures(40, 3, 24, 30), {"size": (9, 11), "interpolation": "bicubic"}
    expected = resized_crop.Spec(**settings).apply(images, KEYS[0])
    assert torch.equal(original_crop.Spec(**settings).apply(images, KEYS[0]), expected)
    pipelines = [
        Pipeline((kind.Spec(**settings), flip.Spec()), (0.5,) * 3, (0.2,) * 3, 10)
        for kind in (resized_crop, original_crop)
    ]
    given = Images(images, torch.arange(40) % 10)
    seen = [
        pipeline(given.ask(torch.arange(40)[None], pipeline.cuts(KEYS))(), given.labels[None], KEYS)[0]
        for pipeline in pipelines
    ]
    assert torch.equal(*seen)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_it_is_taken_of_all_that_the_file_has(interpolation: str):
    values, op = photograph(30, 90), crop(interpolation=interpolation)
    stored = saved(Image.fromarray(values), "PNG")
    whole = torch.from_numpy(values).permute(2, 0, 1)
    assert torch.equal(cut_out(stored, op), of_pixels(whole, op))
    squared = decode(stored, Frame((30, 30)))
    assert not torch.equal(of_pixels(squared, op), of_pixels(whole, op))


def test_the_borders_of_a_wide_picture_are_seen():
    values = np.zeros((20, 80, 3), np.uint8)
    values[:, :20], values[:, -20:] = (255, 0, 0), (0, 255, 0)  # a squared one would have neither
    crops = cut_out(saved(Image.fromarray(values), "PNG"), crop(scale=(0.05, 0.2)))
    red, green = ((crops[:, channel] == 255).any() for channel in (0, 1))
    assert red
    assert green


def test_grey_and_transparent_pictures_and_those_of_many_bands():
    values = photograph(30, 50)
    grey = saved(Image.fromarray(values).convert("L"), "PNG")
    assert cut_out(grey, crop(), Frame((12, 12), in_chans=1)).shape == (40, 1, 10, 8)
    clear = Image.merge("RGBA", [*Image.fromarray(values).split(), Image.new("L", (50, 30), 0)])
    assert (cut_out(saved(clear, "PNG"), crop()) == 255).all()  # on white
    buffer = io.BytesIO()
    bands = np.concatenate([values, values[..., :2]], axis=-1)
    tifffile.imwrite(buffer, bands, photometric="minisblack", planarconfig="contig")
    expected = of_pixels(torch.from_numpy(bands).permute(2, 0, 1), crop())
    assert torch.equal(cut_out(buffer.getvalue(), crop(), Frame((12, 12), in_chans=5)), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright_before_it_is_cropped(orientation: int):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = saved(Image.fromarray(photograph(40, 64)), "PNG", exif=exif)
    rows, columns = (64, 40) if orientation > 4 else (40, 64)
    upright = decode(stored, Frame((rows, columns), fit="exact"))
    assert torch.equal(cut_out(stored, crop()), of_pixels(upright, crop()))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_smaller_scale_and_looks_the_same(
    orientation: int, monkeypatch: pytest.MonkeyPatch
):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = saved(Image.fromarray(photograph(480, 640)), "JPEG", quality=95, exif=exif)
    op, sizes, draft = crop(size=(20, 20)), [], JpegImageFile.draft

    def watched(picture: JpegImageFile, mode: str | None, size: tuple[int, int]) -> object:
        drafted = draft(picture, mode, size)
        sizes.append(picture.size)
        return drafted

    monkeypatch.setattr(JpegImageFile, "draft", watched)
    crops = cut_out(stored, op)
    assert set(sizes) == {(160, 120), (80, 60)}
    upright = decode(stored, Frame((640, 480) if orientation == 6 else (480, 640), fit="exact"))
    difference = (crops.int() - of_pixels(upright, op).int()).abs().float()
    assert difference.mean() < 2  # a box's edge may lie half a pixel of the small picture beside its place


def test_a_box_is_never_empty_and_never_outside():
    stored = saved(Image.fromarray(photograph(3, 500)), "JPEG")
    assert cut_out(stored, crop(scale=(0.01, 0.02), ratio=(1.0, 1.0))).shape == (40, 3, 10, 8)


def test_it_comes_first_and_once():
    with pytest.raises(SpecError, match="original_crop works on stored and cannot follow flip"):
        check_ops((flip.Spec(), crop()), 3)
    with pytest.raises(SpecError, match="original_crop and original_crop: a picture is cropped once"):
        check_ops((crop(), crop()), 3)
    assert final_size((crop(), flip.Spec()), (12, 12)) == (10, 8)
    assert final_size((original_crop.Spec(),), (12, 14)) == (12, 14)


# ------------------------------------------------------------------------------------------------------ training


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two classes of wide pictures, no two alike."""
    for number in range(24):
        path = tmp_path / "photographs" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph(20, 40 + number)).save(path)
    return tmp_path / "photographs"


@pytest.fixture
def run(photographs: Path, tiny_spec) -> RunSpec:
    data = folder.Spec(path=str(photographs), img_size=(12, 12), num_classes=2)
    model = tiny_spec(img_size=(8, 8), num_classes=2)
    augment = (original_crop.Spec(size=(8, 8)), flip.Spec(), mix.Spec(prob=1.0))
    return RunSpec(
        model=model, data=data, augment=augment, preprocess=(center_crop.Spec(size=(8, 8)),), batch_size=6, steps=3
    )


def batches(run: RunSpec, part: slice | None = None, steps: tuple[int, ...] = (0, 1, 2)) -> list[torch.Tensor]:
    images = run.load_images()
    loader = loader_of([run], images, torch.arange(len(images.train)), Choices(), part)
    return [loader.batch(step).images for step in steps]


def test_small_sets_are_left_as_they_are_stored_where_crops_are_taken_of_that(run: RunSpec):
    assert type(run.load_images().train).__name__ == "Encoded"
    assert type(run.data.load().train).__name__ == "Images"


def test_batches_follow_from_keys_alone(run: RunSpec):
    whole = batches(run)
    assert whole[0].shape == (1, 6, 3, 8, 8)
    assert not torch.equal(whole[0], whole[1])
    for one, other in zip(whole[1:], batches(run, steps=(1, 2)), strict=True):  # as a resumed run asks
        assert torch.equal(one, other)
    for mine, all_of_it in zip(batches(run, slice(2, 5)), whole, strict=True):  # as a process of several asks
        assert torch.equal(mine, all_of_it[:, 2:5])
