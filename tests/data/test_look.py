"""Fingerprints, copies and levels; and trees of pictures drawn at random, of which nothing may be lost."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, reject
from hypothesis import strategies as st
from PIL import Image

from vitlab.base.errors import DataError
from vitlab.data.images import Images, Splits
from vitlab.data.look import copies, counted_copies, fingerprint, look_at
from vitlab.data.sets.folder import Spec


def digests(*contents: int) -> np.ndarray:
    return np.array([[content] * 16 for content in contents], np.uint8)


def test_copies_have_the_same_number_and_what_is_there_once_has_none():
    found = copies({"train": digests(1, 2, 1, 3), "test": digests(3, 4)})
    train, test = found["train"].tolist(), found["test"].tolist()
    assert train[0] == train[2] > 0
    assert train[3] == test[0] > 0
    assert train[1] == test[1] == 0
    assert counted_copies(found) == {"train": 1, "train, test": 1}


@pytest.mark.parametrize("change", ["name", "class", "content", "order"])
def test_a_fingerprint_changes_with_whatever_changes(change):
    names, labels, content, classes = ["a", "b"], torch.tensor([0, 1]), digests(1, 2), ["cat", "dog"]
    before = fingerprint(content, labels, classes, names.__getitem__)
    assert before == fingerprint(content.copy(), labels.clone(), tuple(classes), names.__getitem__)
    if change == "name":
        names = ["a", "c"]
    elif change == "class":
        classes = ["cat", "emu"]
    elif change == "content":
        content = digests(1, 3)
    else:
        content, labels, names = content[::-1], labels.flip(0), names[::-1]
    assert fingerprint(content, labels, classes, names.__getitem__) != before


def test_decoded_pictures_have_a_fingerprint_of_their_pixels():
    pixels = torch.arange(12, dtype=torch.uint8).reshape(3, 1, 2, 2)
    splits = Splits(Images(pixels, torch.tensor([0, 1, 0])), Images(pixels[:1], torch.tensor([0])), ("no", "yes"))
    found, content = look_at(splits)
    assert found.splits["train"].classes == {"no": 2, "yes": 1}
    assert found.copies == {"train, test": 1}
    assert content["train"].tolist().count(0) == 2


# ------------------------------------------------------------------------------------------------- trees at random

PLACES = st.lists(st.sampled_from(["", "inner", "inner/more", "Ünïcode", "."]), min_size=1, max_size=3)
MODES = st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
NAMES = st.sampled_from(["a", "b", "größe", "x y", "100%"])


@st.composite
def trees(draw):
    """Files by path below the root: content, or the path that a link leads to."""
    files: dict[str, object] = {}
    for split in draw(st.sampled_from([("",), ("train", "test"), ("Training", "val", "testing")])):
        for label in draw(st.sets(NAMES, min_size=2, max_size=3)) | {"a", "b"}:
            for number in range(draw(st.integers(2, 4))):
                place = draw(st.sampled_from(["", "inner/", "inner/more/"]))
                kind = draw(st.sampled_from(["picture"] * 6 + ["text", "hidden", "link"]))
                base = f"{split}/" if split else ""
                path = f"{base}{label}/{place}{number}"
                if kind == "picture" or number == 0:
                    files[f"{path}.{draw(st.sampled_from(['png', 'PNG', 'tif']))}"] = (
                        draw(MODES),
                        draw(st.integers(0, 5)),
                    )
                elif kind == "text":
                    files[f"{path}.txt"] = "no picture"
                elif kind == "hidden":
                    files[f"{base}{label}/{place}.{number}.png"] = "hidden"
                else:
                    files[f"{base}{label}/{place}link{number}"] = Path(draw(st.sampled_from([".", "..", "../.."])))
    return files


def write(root: Path, files: dict[str, object]) -> set[str]:
    """The tree on the disk; the paths of its pictures."""
    pictures = set()
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            file.symlink_to(content)
        elif isinstance(content, str):
            file.write_text(content, encoding="utf-8")
        else:
            mode, shade = content
            mode = "RGB" if mode == "CMYK" and not path.endswith("tif") else mode
            kind = "TIFF" if path.endswith("tif") else "PNG"
            if mode == "I;16":
                Image.fromarray(np.full((4, 4), 1000 * shade, np.uint16)).save(file, kind)
            else:
                Image.new("RGB", (4, 4), (40 * shade, 3, 9)).convert(mode).save(file, kind)
            pictures.add(path)
    return pictures


@pytest.mark.slow
@given(trees())
def test_every_picture_is_used_once_and_no_split_shares_a_file(files):
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["VITLAB_CACHE"] = f"{scratch}/cache"
        root = Path(scratch) / "set"
        pictures = write(root, files)
        spec = Spec(path=str(root), img_size=(4, 4))
        try:
            listing, before = spec.source().open(), spec.look().found
        except DataError:  # a class that the training split lacks, or too few pictures for a test split
            reject()
        used = [split.name(row) for split in listing.splits.values() for row in range(len(split))]
        assert sorted(used) == sorted(pictures)
        shutil.move(root, f"{scratch}/moved")
        moved = Spec(path=f"{scratch}/moved", img_size=(4, 4))
        assert moved.look().found.changes(before) == []
        changed = Path(scratch) / "moved" / sorted(pictures)[0]
        Image.new("RGB", (5, 5), "red").save(changed, "PNG")
        assert moved.look().found.changes(before) != []
