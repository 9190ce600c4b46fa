import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab import api
from vitlab.augment.ops import center_crop
from vitlab.base.errors import DataError, SpecError, UserError
from vitlab.base.spec import from_dict
from vitlab.checkpoints.trained import EquippedViT
from vitlab.data.decode import Frame, decode
from vitlab.data.sets._base import DataSpec
from vitlab.models.vit import build
from vitlab.predict import picture_files, predict
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify

BEFORE = Preprocessing((8, 12), "crop", (), (0.5, 0.25, 0.0), (0.5, 0.25, 1.0), tuple("abcde"))
FRAME = Frame((8, 12))


def trained(model, preprocessing=BEFORE, task=classify.Spec()):
    """The same weights in a model that knows what pictures go through."""
    equipped = EquippedViT(model.spec, preprocessing, task)
    equipped.load_state_dict(model.state_dict())
    return equipped


def normalised(pixels: np.ndarray) -> torch.Tensor:
    """[H, W, C] -> [C, H, W]"""
    mean, std = (torch.tensor(values)[:, None, None] for values in (BEFORE.mean, BEFORE.std))
    return (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - mean) / std


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)


def test_a_picture_goes_the_way_that_it_would_go_in_an_evaluation(tmp_path, pixels, tiny_spec):
    """Decoded to its frame, through the operations, normalised."""
    Image.fromarray(pixels).resize((40, 30)).save(tmp_path / "a.png")
    before = replace(BEFORE, img_size=(10, 14), ops=(center_crop.Spec(size=(8, 12)),))
    model = build(tiny_spec())
    (found,) = predict(trained(model, before, classify.Spec()), [tmp_path / "a.png"])
    window = decode(tmp_path / "a.png", Frame((10, 14)))[:, 1:9, 1:13] / 255
    image = (window - torch.tensor(before.mean)[:, None, None]) / torch.tensor(before.std)[:, None, None]
    expected = model(image[None]).softmax(-1)[0].sort(descending=True)
    assert [name for name, _ in found.classes] == ["abcde"[index] for index in expected.indices]
    torch.testing.assert_close(torch.tensor([p for _, p in found.classes]), expected.values)


def test_a_photograph_is_turned_upright(tmp_path, pixels):
    """Orientation 6: the camera was turned, the first row of what is stored is the right side."""
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.rot90(pixels).copy()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(decode(tmp_path / "a.png", FRAME).permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_a_picture_is_seen_as_in_training(tmp_path, monkeypatch, pixels, fit):
    """A folder's pictures, and the same files predicted: transparent, turned, of another size, with another fit."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    exif = Image.Exif()
    exif[274] = 8
    with_alpha = np.dstack([pixels, np.arange(96, dtype=np.uint8).reshape(8, 12)])
    for place in ("train/a", "train/b", "test/a", "test/b"):
        (tmp_path / "pets" / place).mkdir(parents=True)
        Image.fromarray(with_alpha).resize((50, 40)).save(tmp_path / "pets" / place / "b.png", exif=exif)
    trained = from_dict(
        DataSpec, {"name": "folder", "path": str(tmp_path / "pets"), "img_size": [8, 12], "fit": fit}
    ).load()
    assert torch.equal(decode(tmp_path / "pets/train/a/b.png", Frame((8, 12), fit=fit)), trained.train.pixels[0])


def test_a_picture_in_hand_goes_the_way_of_its_file(tmp_path, pixels, tiny_spec, randomise):
    """Pillow's pictures, turned ones too, and arrays: the same probabilities as of the file."""
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(pixels).resize((40, 30)).save(tmp_path / "a.png", exif=exif)
    model = trained(randomise(build(tiny_spec())))
    in_hand = Image.open(tmp_path / "a.png")
    grey = Image.fromarray(pixels).convert("L")
    grey.save(tmp_path / "grey.png")
    files = predict(model, [tmp_path / "a.png", tmp_path / "grey.png"])
    given = predict(model, [in_hand, np.asarray(grey)])
    assert [found.classes for found in files] == [found.classes for found in given]
    assert [found.path for found in predict(model, [in_hand, grey])] == ["picture 0", "picture 1"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((8, 12, 3), dtype=np.float32), "expected 8-bit values"),
        (np.zeros((3, 8, 12), dtype=np.uint8), r"\[rows, columns, channels\]"),
        (np.zeros((0, 12, 3), dtype=np.uint8), r"shape \[0, 12, 3\] is no picture"),
        (torch.zeros(3, 8, 12), "a NumPy array, and not a Tensor"),
        (7, "and not a int"),
    ],
)
def test_what_is_no_picture_is_refused(given, said, tiny_spec):
    with pytest.raises(DataError, match=said):
        list(predict(trained(build(tiny_spec())), [given]))


def test_many_pictures_come_back_in_their_order(tmp_path, pixels, tiny_spec, randomise):
    """More than one batch of them, with some that cannot be read in between."""
    model = trained(randomise(build(tiny_spec())))
    for number in range(70):
        Image.fromarray(np.roll(pixels, number, axis=1)).save(tmp_path / f"{number:02}.png")
    for number in (3, 40):
        (tmp_path / f"{number:02}.png").write_text("no picture")
    found = list(predict(model, picture_files([tmp_path])))
    assert [int(each.path[-6:-4]) for each in found] == list(range(70))
    assert [number for number, each in enumerate(found) if each.reason] == [3, 40]
    alone = [next(predict(model, [tmp_path / f"{number:02}.png"])) for number in (0, 41, 69)]
    for single, together in zip(alone, (found[0], found[41], found[69]), strict=True):
        assert [name for name, _ in single.classes] == [name for name, _ in together.classes]
        assert [p for _, p in single.classes] == pytest.approx([p for _, p in together.classes], abs=1e-5)


def test_no_classes_of_a_picture_are_none_to_ask_for(tmp_path, pixels, tiny_spec):
    with pytest.raises(UserError, match="top=0: must be at least 1"):
        list(predict(trained(build(tiny_spec())), [pixels], top=0))


def test_a_plain_model_does_not_know_what_goes_before(pixels):
    with pytest.raises(SpecError, match=r"a ViT does not know .* vitlab\.load"):
        api.predict(api.create("r0_vit"), [pixels])


def test_a_model_without_a_head_predicts_nothing(tmp_path, pixels, tiny_spec):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    headless = trained(build(tiny_spec(num_classes=0)), replace(BEFORE, class_names=()))
    with pytest.raises(UserError, match="has no head"):
        list(predict(headless, [tmp_path / "a.png"]))
    assert headless(headless.prepare([tmp_path / "a.png"])).shape == (1, 16)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(3, 8, 12), r"no batch axis: image\[None\]"),
        (torch.zeros(1, 3, 8, 12, dtype=torch.uint8), r"were not normalised; model\.prepare"),
        (torch.full((1, 3, 8, 12), 255.0), "with values up to 255 were not normalised"),
    ],
)
def test_images_that_were_not_prepared_are_refused(images, said, tiny_spec):
    with pytest.raises(SpecError, match=said):
        trained(build(tiny_spec()))(images)


def test_folders_are_searched_through_and_through(tmp_path, pixels):
    (tmp_path / "deep/er").mkdir(parents=True)
    for name in ("b.PNG", "deep/a.jpg", "deep/er/c.webp"):
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "deep/._a.jpg").write_text("what macOS knows of a.jpg")
    os.mkfifo(tmp_path / "deep/pipe.png")  # to open it would wait for ever
    assert [path.name for path in picture_files([tmp_path])] == ["b.PNG", "a.jpg", "c.webp"]
    assert picture_files([tmp_path / "b.PNG", tmp_path / "deep/er"]) == [
        tmp_path / "b.PNG",
        tmp_path / "deep/er/c.webp",
    ]


def test_what_is_absent_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.png does not exist"):
        picture_files([tmp_path / "nowhere.png"])
    with pytest.raises(DataError, match="no picture in"):
        picture_files([tmp_path])


def test_the_most_probable_classes_come_first(tmp_path, pixels, tiny_spec, randomise):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    model = randomise(build(tiny_spec()))
    (found,) = predict(trained(model, BEFORE, classify.Spec()), [tmp_path / "a.png"], top=3)
    expected = model(normalised(pixels)[None]).softmax(-1)[0].sort(descending=True)
    assert [name for name, _ in found.classes] == ["abcde"[index] for index in expected.indices[:3]]
    assert [value for _, value in found.classes] == pytest.approx(expected.values[:3].tolist())


def test_a_model_trained_with_sigmoids_is_read_with_sigmoids(tmp_path, pixels, tiny_spec, randomise):
    """Then every class has a probability of its own, and they need not sum to one."""
    Image.fromarray(pixels).save(tmp_path / "a.png")
    model = randomise(build(tiny_spec()))
    (found,) = predict(trained(model, BEFORE, classify.Spec(loss="sigmoid")), [tmp_path / "a.png"], top=1)
    logits = model(normalised(pixels)[None])
    assert found.classes[0][1] == pytest.approx(float(logits.detach().sigmoid().max()))


def test_an_unreadable_picture_has_a_reason_and_the_others_their_classes(tmp_path, pixels, tiny_spec):
    (tmp_path / "a.png").write_text("not a picture")
    Image.fromarray(pixels).save(tmp_path / "b.png")
    model = build(tiny_spec())
    broken, whole = predict(trained(model, BEFORE, classify.Spec()), [tmp_path / "a.png", tmp_path / "b.png"])
    assert (broken.classes, whole.reason) == ((), None)
    assert "not a picture" in (broken.reason or "")
    assert len(whole.classes) == 5
