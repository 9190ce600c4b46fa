from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.base.errors import DataError, SpecError
from vitlab.base.spec import from_dict, to_dict, with_settings
from vitlab.data.encoded import Encoded
from vitlab.data.images import Images
from vitlab.data.sets._base import DataSpec
from vitlab.data.sets.folder import Spec


@pytest.fixture
def put(tmp_path: Path, cache_folder: Path) -> Callable[..., Path]:
    """`put("train/cat", 3)`: three pictures 10 × 8 in that folder of the set `pets`, shades of grey from `first` on."""

    def write(place: str, count: int, first: int = 0) -> Path:
        folder = tmp_path / "pets" / place
        folder.mkdir(parents=True, exist_ok=True)
        for shade in range(first, first + count):
            Image.new("L", (10, 8), shade).save(folder / f"{shade:03}.png")
        return tmp_path / "pets"

    return write


@pytest.fixture
def pets(put: Callable[..., Path]) -> Path:
    """Three cats and two dogs to train on, one of each to test."""
    for place, count, first in (("train/cat", 3, 0), ("train/dog", 2, 10), ("test/cat", 1, 20), ("test/dog", 1, 30)):
        put(place, count, first)
    return put(".", 0)


def spec(path: Path, **settings: object) -> Spec:
    return from_dict(Spec, {"path": str(path), "img_size": 4, "in_chans": 1, **settings})


def shades(images: Images) -> list[int]:
    return images.pixels[:, 0, 0, 0].tolist()


# ----------------------------------------------------------------------------------------------------------- layouts


def test_classes_are_folders_in_order_of_their_names(pets: Path):
    found = spec(pets).load()
    assert found.class_names == ("cat", "dog")
    assert shades(found.train) == [0, 1, 2, 10, 11]
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1]
    assert (shades(found.test), found.test.labels.tolist()) == ([20, 30], [0, 1])
    assert (found.order, found.unreadable) == ("exact", {"train": (), "test": ()})


@pytest.mark.parametrize("name", ["test", "val", "validation", "valid", "Val"])
def test_the_held_out_split_has_one_of_four_names(pets: Path, name: str):
    (pets / "test").rename(pets / name)
    assert shades(spec(pets).load().test) == [20, 30]


def test_a_held_out_split_can_be_chosen(pets: Path, put: Callable[..., Path]):
    for place in ("dev/cat", "dev/dog"):
        put(place, 1, 40)
    assert shades(spec(pets, held_out="dev").load().test) == [40, 40]
    with pytest.raises(DataError, match="pets has no other/"):
        spec(pets, held_out="other").load()


@pytest.mark.parametrize("inside", ["", "train/"])
def test_without_a_held_out_split_a_tenth_of_every_class_is_one(put: Callable[..., Path], inside: str):
    put(f"{inside}cat", 30)
    pets = put(f"{inside}dog", 20, 100)
    found = spec(pets).load()
    assert found.test.labels.bincount().tolist() == [3, 2]
    assert sorted(shades(found.train) + shades(found.test)) == [*range(30), *range(100, 120)]
    assert shades(spec(pets, test_fraction=0.5).load().test) != shades(found.test)


def test_pictures_may_lie_deeper_and_other_files_beside_them(pets: Path, put: Callable[..., Path]):
    put("train/cat/small/white", 1, 77)
    put("train/.hidden", 1)
    put("train/cat/.hidden", 1)
    (pets / "train/cat/notes.txt").write_text("no picture")
    (pets / "train/cat/._001.png").write_text("what a Mac leaves")
    (pets / "train/cat/000.png").rename(pets / "train/cat/000.PNG")
    found = spec(pets).load()
    assert (found.class_names, shades(found.train)) == (("cat", "dog"), [0, 1, 2, 77, 10, 11])


def test_a_class_may_have_the_name_of_a_split(put: Callable[..., Path]):
    for name in ("bus", "test", "train"):
        pets = put(name, 4)
    assert spec(pets).load().class_names == ("bus", "test", "train")


def test_it_is_looked_for_where_data_sets_lie(pets: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITLAB_DATA", str(pets.parent))
    assert spec(Path("pets")).load().class_names == ("cat", "dog")


# ----------------------------------------------------------------------------------------------------------- storage


@pytest.mark.slow
def test_in_memory_or_not_it_is_the_same_set(pets: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    put("train/cat", 200)
    (pets / "train/cat/050.png").write_bytes(b"broken")
    found = {}
    for memory in (0, 1 << 40):
        monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda memory=memory: memory)
        found[memory] = spec(pets).load()
    large, small = found.values()
    assert (type(large.train), type(small.train)) == (Encoded, Images)
    assert large.unreadable == small.unreadable == {"train": ("train/cat/050.png",), "test": ()}
    assert torch.equal(large.train.labels, small.train.labels)
    assert torch.equal(large.train.ask(torch.arange(len(large.train)))(), small.train.pixels)


def test_a_changed_picture_is_decoded_again(pets: Path):
    assert shades(spec(pets).load().train)[0] == 0
    Image.new("L", (10, 8), 255).resize((300, 300)).save(pets / "train/cat/000.png")
    assert shades(spec(pets).load().train)[0] == 255


def test_what_is_said_of_a_set_is_not_out_of_date(pets: Path, put: Callable[..., Path]):
    assert spec(pets).load().found.notes == ()
    put("more/cat", 1)
    assert "not read: more/ (1 picture), which is in no split" in spec(pets).load().found.notes


def test_a_link_to_nowhere_is_an_unreadable_picture(pets: Path):
    (pets / "train/cat/x.jpg").symlink_to(pets / "nothing.jpg")
    with pytest.raises(DataError, match=r"1 of 6 train pictures are unreadable .*train/cat/x\.jpg: .*No such file"):
        spec(pets).load()


def test_fit_and_channels(pets: Path):
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:, :8] = 255
    Image.fromarray(picture).save(pets / "train/cat/000.png")
    for fit, white in (("crop", 1 / 2), ("squash", 1 / 2), ("pad", 1 / 4)):
        found = from_dict(Spec, {"path": str(pets), "img_size": [4, 4], "fit": fit}).load()
        assert found.train.pixels.shape == (5, 3, 4, 4)
        assert found.frame.fit == fit
        assert (found.train.pixels[0] > 200).float().mean().item() == pytest.approx(white, abs=1e-6)


# -------------------------------------------------------------------------------------------------------- the spec


def test_what_a_look_tells_is_written_in(pets: Path):
    assert spec(pets).num_classes is None
    resolved = spec(pets).resolved()
    assert resolved == spec(pets, num_classes=2)
    assert resolved.resolved() is resolved
    assert from_dict(DataSpec, to_dict(resolved)) == resolved


def test_another_number_of_classes_is_refused(pets: Path):
    with pytest.raises(DataError, match=r"data\.num_classes=3, and there are 2 classes: cat, dog"):
        spec(pets, num_classes=3).load()


def test_the_normalisation_follows_the_channels():
    colour = Spec(path="pets")
    assert (colour.img_size, colour.in_chans, len(colour.mean), len(colour.std)) == ((224, 224), 3, 3, 3)
    grey = with_settings(colour, {"in_chans": 1})
    brightness = sum(weight * mean for weight, mean in zip((0.299, 0.587, 0.114), colour.mean, strict=True))
    assert grey.mean == pytest.approx([brightness], abs=1e-3)
    assert len(grey.std) == 1
    assert with_settings(colour, {"in_chans": 1, "mean": [0.5]}).mean == (0.5,)
    with pytest.raises(SpecError, match=r"mean=\(0.5, 0.5, 0.5\): folder has 1 channel; "):
        with_settings(colour, {"in_chans": 1, "mean": [0.5, 0.5, 0.5]})


@pytest.mark.parametrize(
    "wrong", [{"in_chans": 0}, {"img_size": 0}, {"num_classes": 0}, {"test_fraction": 1.0}, {"test_fraction": 0.0}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]):
    with pytest.raises(SpecError, match=next(iter(wrong))):
        from_dict(Spec, {"path": "pets", **wrong})


# ---------------------------------------------------------------------------------------------------------- mistakes


def test_what_is_missing_is_named(pets: Path, put: Callable[..., Path], tmp_path: Path):
    with pytest.raises(DataError, match=r"there is no folder .*/dogs"):
        spec(tmp_path / "dogs").load()
    put("../empty", 0)
    with pytest.raises(DataError, match="empty has no pictures; pictures are looked for in CLASS/…, or train/CLASS"):
        spec(tmp_path / "empty").load()
    with pytest.raises(DataError, match="cat has pictures, but no folder for every class"):
        spec(pets / "train/cat").load()
    put("train/eel", 0)
    put("test/eel", 0)
    with pytest.raises(DataError, match=r"no image in class 'eel' of .*/train"):
        spec(pets).load()


def test_splits_with_different_classes_are_refused(pets: Path, put: Callable[..., Path]):
    put("train/cow", 1)
    assert "test/ has no picture of cow" in spec(pets).load().found.notes
    put("test/eel", 1)
    with pytest.raises(DataError, match="different classes: only test/ has eel"):
        spec(pets).load()


def test_a_folder_too_high_is_not_taken_for_a_class(pets: Path):
    with pytest.raises(
        DataError,
        match=r"one class only, pets, and nothing to tell it from; if its classes are in .*/pets, name that folder",
    ):
        spec(pets.parent, held_out=None).load()


def test_a_split_without_the_other_is_refused(pets: Path):
    (pets / "train").rename(pets / "seen")
    with pytest.raises(
        DataError, match=r"pets has test/, but no train/ .* all of its folders are classes: --set 'data\.splits"
    ):
        spec(pets).load()
    assert shades(spec(pets, splits={"train": "seen", "test": "test"}).load().train) == [0, 1, 2, 10, 11]
    assert spec(pets, splits={}).load().class_names == ("seen", "test")


def test_parquet_files_are_not_pictures(put: Callable[..., Path]):
    pets = put(".", 0)
    (pets / "train-00000-of-00001.parquet").write_bytes(b"")
    with pytest.raises(DataError, match="pets holds parquet files"):
        spec(pets).load()
