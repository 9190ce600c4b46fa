"""Every kind of picture against what a person sees in it; the pixels are worked out by hand."""

import io
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from vitlab.data.decode import SUFFIXES, Frame, Unreadable, decode

SIZE = (6, 4)
SMALL = Frame(SIZE)
GREY = Frame(SIZE, in_chans=1)


def stored(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def ramp(low: int, high: int) -> np.ndarray:
    """[6, 4], rising from `low` to `high`."""
    return np.linspace(low, high, 24).round().astype(np.int64).reshape(SIZE)


def grey(values: np.ndarray) -> torch.Tensor:
    """Values [h, w] as an RGB picture's pixels."""
    return torch.from_numpy(values.astype(np.uint8)).expand(3, *values.shape)


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF"])
def test_colour_of_the_right_size_stays_as_it_is(colours: np.ndarray, kind: str):
    pixels = decode(stored(Image.fromarray(colours), kind), SMALL)
    assert pixels.dtype == torch.uint8
    assert torch.equal(pixels, torch.from_numpy(colours).permute(2, 0, 1))


def test_files_and_bytes_are_the_same(tmp_path: Path, colours: np.ndarray):
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert torch.equal(decode(tmp_path / "a.png", SMALL), decode((tmp_path / "a.png").read_bytes(), SMALL))


def test_colour_to_grey_is_brightness(colours: np.ndarray):
    brightness = torch.from_numpy(colours).double() @ torch.tensor([0.299, 0.587, 0.114]).double()
    assert (decode(stored(Image.fromarray(colours), "PNG"), GREY)[0] - brightness).abs().max() <= 0.51


def test_grey_and_bilevel():
    values = ramp(0, 255)
    assert torch.equal(decode(stored(Image.fromarray(values.astype(np.uint8)), "PNG"), SMALL), grey(values))
    black_and_white = Image.fromarray(values > 100)
    assert black_and_white.mode == "1"
    assert torch.equal(decode(stored(black_and_white, "PNG"), SMALL), grey(255 * (values > 100)))


# ------------------------------------------------------------------------------------------------------- transparency


def test_transparency_lies_on_white():
    opaque = np.full((*SIZE, 4), (200, 100, 0, 255), np.uint8)
    opaque[0, :, 3] = 0
    opaque[1, :, 3] = 51  # a fifth
    pixels = decode(stored(Image.fromarray(opaque), "PNG"), SMALL)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert pixels[:, 1, 0].tolist() == [244, 224, 204]
    assert pixels[:, 2, 0].tolist() == [200, 100, 0]


def test_grey_with_alpha():
    values = np.stack([ramp(0, 100), np.full(SIZE, 255)], axis=2).astype(np.uint8)
    values[0, 0] = 7, 0
    expected = ramp(0, 100)
    expected[0, 0] = 255
    picture = stored(Image.fromarray(values, "LA"), "PNG")
    assert torch.equal(decode(picture, SMALL), grey(expected))
    assert torch.equal(decode(picture, GREY), grey(expected)[:1])


@pytest.mark.parametrize(("kind", "transparency"), [("PNG", 1), ("PNG", bytes([255, 0, 255])), ("GIF", 1)])
def test_a_palette_with_transparency(kind: str, transparency: int | bytes):
    picture = Image.new("P", (SIZE[1], SIZE[0]), 2)
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    picture.putpixel((0, 0), 1)
    pixels = decode(stored(picture, kind, transparency=transparency), SMALL)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert pixels[:, 5, 3].tolist() == [70, 80, 90]


def test_one_colour_declared_transparent(colours: np.ndarray):
    first = tuple(int(value) for value in colours[0, 0])
    pixels = decode(stored(Image.fromarray(colours), "PNG", transparency=first), SMALL)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert torch.equal(pixels[:, 1:], torch.from_numpy(colours).permute(2, 0, 1)[:, 1:])


# ---------------------------------------------------------------------------------------------------- deep pictures


def test_16_bits_are_scaled_and_not_cut_off():
    values = ramp(0, 65_535)
    picture = Image.fromarray(values.astype(np.uint16))
    assert picture.mode == "I;16"
    for kind in ("PNG", "TIFF"):
        assert torch.equal(decode(stored(picture, kind), SMALL), grey(np.rint(values / 257)))


# ---------------------------------------------------------------------------------------------------- other colours


def without_adobe(jpeg: bytes) -> bytes:
    """A JPEG without the segment that says that Adobe wrote it."""
    start = jpeg.index(b"\xff\xee")
    return jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4]) :]


def test_cmyk_of_adobe_and_of_others():
    """Adobe stores the inks upside down and says so; without its mark they mean what they are."""
    picture = Image.new("CMYK", (SIZE[1], SIZE[0]), (0, 255, 255, 0))  # magenta and yellow ink: red
    jpeg = stored(picture, "JPEG", quality=100)
    assert (decode(jpeg, SMALL).float().mean((1, 2)) - torch.tensor([255, 0, 0])).abs().max() <= 3
    upside_down = Image.new("CMYK", picture.size, (255, 0, 0, 255))
    other = without_adobe(stored(upside_down, "JPEG", quality=100))  # Pillow turns the inks round when it writes, too
    assert (decode(other, SMALL).float().mean((1, 2)) - torch.tensor([255, 0, 0])).abs().max() <= 3
    assert torch.equal(decode(stored(picture, "TIFF"), SMALL)[:, 0, 0], torch.tensor([255, 0, 0]))


def test_inks_and_palettes_are_no_bands():
    for mode, kind, bands in (("CMYK", "TIFF", 4), ("CMYK", "JPEG", 4), ("P", "PNG", 2)):
        with pytest.raises(Unreadable, match=f"it has 3 bands, and data.in_chans={bands}"):
            decode(stored(Image.new(mode, (SIZE[1], SIZE[0])), kind), Frame(SIZE, in_chans=bands))


def test_lab():
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    flat = Image.new("RGB", (SIZE[1], SIZE[0]), (180, 120, 60))
    found = decode(stored(to_lab.apply(flat), "TIFF"), SMALL).float().mean((1, 2))
    assert (found - torch.tensor([180, 120, 60])).abs().max() <= 3


# ------------------------------------------------------------------------------------------- orientation, frames


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation: int, kind: str):
    upright = np.zeros((8, 16), np.uint8)
    upright[:4, :8] = 255  # white at the upper left
    turned = {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.T,
        6: np.rot90(upright),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    pixels = decode(stored(Image.fromarray(turned.copy()), kind, exif=exif), Frame((8, 16), 1, "exact"))[0]
    assert (pixels.float() - torch.from_numpy(upright)).abs().mean() < 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_counts(kind: str):
    first, second = (Image.new("RGB", (SIZE[1], SIZE[0]), colour) for colour in ((0, 0, 255), (255, 0, 0)))
    pixels = decode(stored(first, kind, save_all=True, append_images=[second]), SMALL)
    assert (pixels[:, 0, 0].float() - torch.tensor([0, 0, 255])).abs().max() <= 5


# ------------------------------------------------------------------------------------------------------------- size


def striped(height: int, width: int) -> np.ndarray:
    """Columns that are black, red, green and blue, in equal parts."""
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    return np.broadcast_to(colours[np.arange(width) * 4 // width], (height, width, 3)).copy()


def test_crop_cuts_the_ends_of_the_longer_side():
    pixels = decode(stored(Image.fromarray(striped(20, 80)), "PNG"), Frame((10, 20)))
    expected = torch.from_numpy(striped(10, 40)[:, 10:30]).permute(2, 0, 1)
    assert torch.equal(pixels[:, :, [0, 5, 14, 19]], expected[:, :, [0, 5, 14, 19]])


def test_squash_keeps_everything_and_changes_proportions():
    pixels = decode(stored(Image.fromarray(striped(40, 80)), "PNG"), Frame((20, 20), fit="squash"))
    assert torch.equal(pixels[:, :, [2, 7, 12, 17]], torch.from_numpy(striped(20, 4)).permute(2, 0, 1))


def test_pad_keeps_everything_between_grey_bars():
    pixels = decode(stored(Image.fromarray(striped(40, 80)), "PNG"), Frame((40, 40), fit="pad"))
    assert pixels[:, :10].unique().tolist() == pixels[:, 30:].unique().tolist() == [128]
    assert torch.equal(pixels[:, 10:30, [5, 15, 25, 35]], torch.from_numpy(striped(20, 4)).permute(2, 0, 1))


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_pixels_are_interpolated_as_asked(fit: str, interpolation: str):
    """As Pillow does it, but for rounding, which is antialiased as well."""
    picture = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    frame = Frame((20, 20), 3, fit, interpolation=interpolation)
    expected = Image.fromarray(picture).resize((20, 20), getattr(Image.Resampling, interpolation.upper()))
    made = decode(stored(Image.fromarray(picture), "PNG"), frame).permute(1, 2, 0).int()
    assert (made - torch.from_numpy(np.array(expected)).int()).abs().max() <= 1


def test_exact_refuses_another_size():
    with pytest.raises(Unreadable, match="its size is 9 × 7, not 4 × 6"):
        decode(stored(Image.new("L", (9, 7)), "PNG"), Frame(SIZE, fit="exact"))


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7), (300, 300)])
def test_any_size_becomes_ours(size: tuple[int, int], fit: str):
    for frame in (Frame((11, 5), 3, fit), Frame((5, 11), 1, fit)):
        assert decode(stored(Image.new("RGB", size, "white"), "PNG"), frame).shape == frame.shape


def test_a_large_jpeg_is_decoded_at_a_scale_that_is_still_twice_ours(monkeypatch: pytest.MonkeyPatch):
    drafted, draft = [], JpegImageFile.draft
    monkeypatch.setattr(JpegImageFile, "draft", lambda self, *a: (draft(self, *a), drafted.append(self.size))[0])
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    jpeg = stored(Image.fromarray(noise).resize((800, 592), Image.Resampling.BICUBIC), "JPEG", quality=95)
    whole = stored(Image.open(io.BytesIO(jpeg)), "PNG")
    for side, size in ((30, (100, 74)), (60, (200, 148)), (130, (400, 296)), (300, (800, 592))):
        frame = Frame((side, side))
        assert (decode(jpeg, frame).float() - decode(whole, frame).float()).abs().mean() < 1
        assert drafted.pop() == size


# -------------------------------------------------------------------------------------------------------- unreadable


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_unreadable(content: bytes, tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(content)
    for source in (content, tmp_path / "a.jpg"):
        with pytest.raises(Unreadable):
            decode(source, SMALL)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_picture_that_was_cut_off_is_unreadable(kind: str):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = stored(Image.fromarray(noise), kind)
    for frame in (SMALL, GREY, Frame((8, 8), fit="squash")):
        with pytest.raises(Unreadable):
            decode(whole[: len(whole) // 2], frame)


def test_a_picture_that_would_fill_the_memory_is_unreadable(monkeypatch: pytest.MonkeyPatch):
    picture = stored(Image.new("L", (30, 30)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(Unreadable, match="decompression bomb"):
        decode(picture, SMALL)


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path):
    with pytest.raises(Unreadable, match="No such file"):
        decode(tmp_path / "a.png", SMALL)


def test_suffixes_are_those_of_formats_that_are_read():
    Image.init()
    assert set(Image.registered_extensions()) >= SUFFIXES


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists the threads of a process")
def test_torch_starts_no_threads_of_its_own():
    """Every worker would get a team of torch's threads, which wait for work by turning in circles."""
    jpeg = stored(Image.new("RGB", (640, 480)), "JPEG")
    counts: list[int] = []

    def work() -> None:
        for frame in (Frame((9, 9)), *(Frame((400, 300), c, fit) for c in (1, 3) for fit in ("crop", "squash", "pad"))):
            decode(jpeg, frame)
            counts.append(len(list(Path("/proc/self/task").iterdir())))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
    finally:
        torch.set_num_threads(before)
    assert max(counts) <= counts[0]


# ------------------------------------------------------------------------------------------------------------- peer


@pytest.mark.peer
@pytest.mark.parametrize(("size", "to"), [((64, 48), 24), ((60, 100), 30), ((48, 64), 96)])
def test_torchvision_sees_the_same(size: tuple[int, int], to: int):
    """Resize and CenterCrop of Pillow's picture; the two round differently."""
    v2 = pytest.importorskip("torchvision.transforms.v2")
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    steps = [v2.Resize(to, v2.InterpolationMode.BICUBIC), v2.CenterCrop(to), v2.PILToTensor()]
    ours = decode(stored(picture, "PNG"), Frame((to, to)))
    margin = 4  # we cut first: at two edges the filter does not see what was cut off
    inner = (..., slice(margin, -margin), slice(margin, -margin))
    difference = (v2.Compose(steps)(picture).int() - ours.int()).abs()
    assert difference[inner].max() <= 1
    assert difference.float().mean() < 2
