import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.augment.ops import center_crop
from vitlab.base.errors import DataError
from vitlab.base.spec import from_dict
from vitlab.checkpoints.trained import Trained
from vitlab.data.decode import Frame, decode
from vitlab.data.sets._base import DataSpec
from vitlab.learner import Learner
from vitlab.models.vit import build
from vitlab.predict import picture_files, predict
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify

BEFORE = Preprocessing((8, 12), "crop", (), (0.5, 0.25, 0.0), (0.5, 0.25, 1.0), tuple("abcde"))
FRAME = Frame((8, 12))


def trained(model, preprocessing=BEFORE, task=classify.Spec()):
    return Trained(Learner(model, task.build(model.spec)), task, preprocessing, None, None)


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
