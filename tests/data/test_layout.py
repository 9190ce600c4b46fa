import inspect
import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from vitlab.base.errors import DataError
from vitlab.data.layout import read_layout
from vitlab.data.sets.folder import Spec


@pytest.fixture
def pets(put: Callable[..., Path]) -> Path:
    """Two pictures each of cats and dogs."""
    put("cat")
    return put("dog")


def said(root: Path, **settings: object) -> str:
    return "\n".join(read_layout(root, **settings).notes)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- what is a picture


def test_a_pipe_is_no_picture(pets: Path):
    os.mkfifo(pets / "cat/pipe.png")
    os.symlink("pipe.png", pets / "cat/link.png")
    found = read_layout(pets)
    assert found.pictures["train"] == [["cat/0.png", "cat/1.png"], ["dog/0.png", "dog/1.png"]]
    assert found.not_pictures == {"pipe or device": 2}


def test_a_link_that_leads_to_itself_is_said(pets: Path):
    os.symlink("eel", pets / "eel")
    os.symlink("more", pets / "cat/more")
    os.symlink("9.png", pets / "cat/9.png")
    found = read_layout(pets)
    assert found.pictures["train"][0] == ["cat/0.png", "cat/1.png", "cat/9.png"]  # unreadable, which decoding finds
    assert found.notes == ("not read: eel, which is linked to nothing that is there",)
    assert found.not_pictures == {"no suffix": 1}


@pytest.mark.slow
def test_folders_may_be_deeper_than_calls(pets: Path, put: Callable[..., Path]):
    deep = "cat" + "/d" * 300
    put(deep, 1)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        cats = read_layout(pets).pictures["train"][0]
        names = read_layout(pets, class_depth=None).class_names
    finally:
        sys.setrecursionlimit(limit)
    assert cats == ["cat/0.png", "cat/1.png", f"{deep}/0.png"]
    assert names == ("cat", deep, "dog")


# -------------------------------------------------------------------------------------------------------------- names


def test_the_order_of_pictures_is_that_of_one_spelling_of_unicode(put: Callable[..., Path]):
    """A Mac's spelling, `e` and an accent, would stand before `f`, and the other one behind it."""
    names = {}
    for form in ("NFC", "NFD"):
        for folder in ("cat", "dog"):
            root = put(f"{form}/{folder}/{unicodedata.normalize(form, 'é')}", 1) / form
            put(f"{form}/{folder}/f", 1)
            for name in ("f.png", unicodedata.normalize(form, "é.png")):
                (root / folder / name).touch()
        files = Spec(path=str(root)).source().open().splits["train"].stored
        names[form] = [files.identity(row) for row in range(8)]
    assert names["NFC"] == names["NFD"]


def test_names_are_one_line_and_one_class_each(pets: Path):
    for name in (b"a\nb", b"caf\xe9", rb"caf\xe9"):
        os.mkdir(os.fsencode(pets) + b"/" + name)
        Path(os.fsdecode(os.fsencode(pets) + b"/" + name + b"/0.png")).touch()
    Path(os.fsdecode(os.fsencode(pets) + b"/cat/x.\xe9\xe9")).touch()
    found = read_layout(pets)
    assert found.class_names == (r"a\nb", r"caf\\xe9", r"caf\xe9", "cat", "dog")
    assert (found.notes, found.not_pictures) == ((), {r".\xe9\xe9": 1})


# ------------------------------------------------------------------------------------------------ what is to be said


@pytest.mark.parametrize("stray", [0, 1])
def test_classes_one_level_deeper_are_said_though_a_picture_lies_above(put: Callable[..., Path], stray: int):
    for place in ("animals/cat", "animals/dog", "plants/fir", "plants/oak"):
        put(place)
    root = put("animals", stray)
    assert f"8 of their {8 + stray} pictures lie in 4 folders in them: if those are the classes, set" in said(root)
    deeper = said(root, class_depth=2)
    assert "data.class_depth" not in deeper
    assert (f"in no class: 1 picture in {root / 'animals'}" in deeper) == (stray > 0)


def test_a_few_pictures_deeper_are_not_taken_for_classes(pets: Path, put: Callable[..., Path]):
    for name in "abc":
        put(f"cat/{name}", 1)
    assert said(pets) == ""


def test_a_table_beside_the_pictures_is_said(pets: Path):
    (pets / "labels.csv").touch()
    assert said(pets) == "labels.csv is not read; the classes are the folders"
    (pets / "cat/metadata.csv").touch()
    with pytest.raises(DataError, match=r"no folder for every class; metadata\.csv is not read"):
        read_layout(pets / "cat")


def test_no_note_grows_with_the_data(put: Callable[..., Path]):
    for number in range(50):
        for place in (f"train/{number}/a", f"train/{number}/b", f"other{number}/a"):
            put(place, 1)
        root = put(f"train/{number}", 1)
    told = said(root, class_depth=2)
    assert "in no class: 50 pictures in " in told
    assert "other0/ (1 picture), other1/ (1 picture), other10/ (1 picture) and 47 more, which are in no split" in told


# ---------------------------------------------------------------------------------------------------- nothing to read


@pytest.mark.parametrize(("suffix", "why"), [(".HEIC", r"4 \.heic; \.heic: convert them to JPEG"), ("", "4 no suffix")])
def test_files_that_are_no_pictures_explain_an_empty_class(pets: Path, suffix: str, why: str):
    for file in pets.rglob("*.png"):
        file.rename(file.with_suffix(suffix))
    with pytest.raises(DataError, match=f"no image in class 'cat', 'dog' of .*; left out as no images.*: {why}"):
        read_layout(pets)


def test_a_class_that_is_a_link_to_another_is_named(pets: Path):
    os.symlink("dog", pets / "hound")
    with pytest.raises(DataError, match=r"pets/dog and .*pets/hound are one folder, by a link"):
        read_layout(pets)
