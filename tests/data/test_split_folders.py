import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from vitlab.base.errors import DataError
from vitlab.base.spec import with_settings
from vitlab.cli.options import settings
from vitlab.data.layout import Folders, read_layout
from vitlab.data.sets.folder import Spec
from vitlab.data.split_folders import split_folders


def counts(found: Folders) -> dict[str, int]:
    return {split: sum(map(len, classes)) for split, classes in found.pictures.items()}


def refusal(root: Path, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        read_layout(root, **settings)  # type: ignore[arg-type]
    return str(caught.value)


def offered(message: str) -> list[object]:
    """The values of `data.splits` that a message offers, as the command line reads them."""
    typed = [settings(shlex.split(words)) for words in re.findall(r"--set ('[^']*')", message)]
    return [with_settings(Spec(path="pets"), {"splits": changes["data.splits"]}).splits for changes in typed]


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "val", "eval"), ("train_images", "test_images")])
def test_splits_without_class_folders_do_not_become_the_classes(put: Callable[..., Path], names: tuple[str, ...]):
    for name in names:
        root = put(name)
    (root / "labels.csv").touch()
    message = refusal(root)
    assert "called like splits, but they have no folder for every class; labels.csv is not read" in message
    assert offered(message) == [{}]
    assert read_layout(root, splits={}).class_names == tuple(sorted(names))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train", "seg_test"),
        ("training_set", "test_set"),
        ("X_train", "X_test"),
        ("train-images", "my.test"),
        ("TrainData", "ValData"),
        ("train2017", "val2017"),
        ("trainset", "testset"),
        ("train", "test_set"),
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_names_with_a_split_s_word_have_two_readings(put: Callable[..., Path], train: str, test: str, archive: bool):
    for name, count in ((train, 3), (test, 2)):
        for animal in ("cat", "dog"):
            root = put(f"{name}/{name}/{animal}" if archive else f"{name}/{animal}", count)
    first, second = offered(refusal(root))
    assert sorted(first.values()) == sorted([train, test])
    found = read_layout(root, first)
    assert (found.class_names, list(counts(found).values())) == (("cat", "dog"), [6, 4])
    if train == "train":
        assert second == {"train": "train"}
        assert counts(read_layout(root, second)) == {"train": 6}
    else:
        assert second == {}
        assert read_layout(root, second).class_names == tuple(sorted([train, test]))


def test_a_split_without_class_folders_beside_one_with_them(put: Callable[..., Path]):
    put("train_images/cat")
    put("train_images/dog")
    assert offered(refusal(put("test_images"))) == [{"train": "train_images"}, {}]


def test_ordinary_names_have_one_reading(put: Callable[..., Path]):
    for name in ("train_station", "crash_test", "evaluators", "airport"):
        root = put(name)
    assert split_folders(root, None, None) == {"train": root}
    for name in ("train/a", "train/b", "test/a", "test/b", "test_hard/a"):
        other = put(f"more/{name}") / "more"
    assert set(split_folders(other, None, None)) == {"train", "test"}


def test_a_held_out_split_that_is_chosen_is_no_riddle(put: Callable[..., Path]):
    for place in ("train/a", "train/b", "val/a", "val/b", "test_hard/a", "test_hard/b"):
        root = put(place)
    assert split_folders(root, None, "test_hard")["test"] == root / "test_hard"
    assert offered(refusal(root))[0] == {"train": "train", "val": "val", "test": "test_hard"}


@pytest.mark.parametrize("held_out", ["eval", "evaluation"])
def test_the_hub_s_names_of_test_splits(put: Callable[..., Path], held_out: str):
    for place in ("train/a", "train/b", f"{held_out}/a", f"{held_out}/b"):
        root = put(place)
    assert split_folders(root, None, None) == {"train": root / "train", "test": root / held_out}


def test_splits_in_an_archive_of_their_own_name(put: Callable[..., Path]):
    for place in ("train/train/a", "train/train/b", "test/a", "test/b"):
        root = put(place)
    assert counts(read_layout(root)) == {"train": 4, "test": 4}


def test_splits_inside_classes_are_not_pooled_in_silence(put: Callable[..., Path]):
    for place in ("cat/train", "cat/test", "dog/train", "dog/test"):
        root = put(place)
    message = refusal(root)
    assert "pets/cat has test/, train/ in it. If it is the data set, name that folder" in message
    assert offered(message) == [{}]
    assert counts(read_layout(root, splits={})) == {"train": 8}


def test_an_unlabelled_test_split_can_be_left_out(put: Callable[..., Path]):
    for place in ("train/cat", "train/dog", "test/unknown"):
        root = put(place)
    message = refusal(root)
    assert "only test/ has unknown" in message
    (splits,) = offered(message)
    assert counts(read_layout(root, splits)) == {"train": 4}


def test_a_test_split_without_pictures_can_be_left_out(put: Callable[..., Path]):
    for place, count in (("train/cat", 2), ("train/dog", 2), ("test/cat", 0), ("test/dog", 0)):
        root = put(place, count)
    message = refusal(root)
    assert f"no image in class 'cat', 'dog' of {root / 'test'}. Add images, or leave it out: " in message
    assert offered(message) == [{"train": "train"}]


def test_a_split_that_is_a_link_to_the_other_is_named(put: Callable[..., Path]):
    put("train/cat")
    root = put("train/dog")
    os.symlink("train", root / "test")
    assert refusal(root) == f"{root / 'train'} and {root / 'test'} are one folder, by a link: remove the link"


def test_no_refusal_grows_with_the_data(put: Callable[..., Path]):
    for number in range(100):
        root = put(f"c{number:03}", 1)
    assert refusal(root, splits={"train": "foo"}) == f"{root} has no foo/; it has c000, c001, c002 and 97 more"
