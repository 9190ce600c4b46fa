import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from vitlab.base import kept
from vitlab.data import cache
from vitlab.data.images import Images, Splits

SPLITS = Splits(
    Images(torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2), torch.tensor([1, 0])),
    Images(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), torch.tensor([1])),
    ("gull", "øre"),
    {"train": (), "test": ("test/øre/3.jpg", "test/gull/7.png")},
)


def test_what_is_written_is_read(tmp_path: Path):
    entry = tmp_path / "new" / "set.npz"
    cache.write(entry, SPLITS)
    found = cache.read(entry)
    assert found is not None
    assert found.class_names == SPLITS.class_names
    assert torch.equal(found.train.pixels, SPLITS.train.pixels)
    assert torch.equal(found.train.labels, SPLITS.train.labels)
    assert torch.equal(found.test.labels, SPLITS.test.labels)
    assert found.unreadable == SPLITS.unreadable
    assert [file.name for file in entry.parent.iterdir()] == ["set.npz"]  # nothing temporary stays


def test_absent_truncated_or_altered_entries_are_none(tmp_path: Path):
    entry = tmp_path / "set.npz"
    assert cache.read(entry) is None
    cache.write(entry, SPLITS)
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2])
    assert cache.read(entry) is None
    place = whole.index(SPLITS.train.pixels.numpy().tobytes())
    entry.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
    assert cache.read(entry) is None


def test_an_entry_is_named_for_its_source(tmp_path: Path, cache_folder: Path):
    file = tmp_path / "a.parquet"
    file.write_bytes(b"one")
    first = cache.entry("set", "layout", [file])
    assert first.parent == cache_folder
    assert cache.entry("set", "layout", [file]) == first
    assert cache.entry("set", "other layout", [file]) != first
    file.write_bytes(b"three")
    assert cache.entry("set", "layout", [file]) != first


def test_files_that_look_alike_are_told_apart(tmp_path: Path):
    """Archives, `cp -p` and `rsync -t` keep names, sizes and times."""
    files = [tmp_path / folder / "train.parquet" for folder in ("one", "two")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(b"like")
        os.utime(file, (1e9, 1e9))
    first, second = ([file] for file in files)
    assert cache.entry("set", "layout", first) != cache.entry("set", "layout", second)
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert cache.entry("set", "layout", [tmp_path / "link/train.parquet"]) == cache.entry("set", "layout", first)


def test_content_is_noticed_whose_size_and_time_were_restored(tmp_path: Path):
    file = tmp_path / "a.png"
    file.write_bytes(b"one")
    os.utime(file, (1e9, 1e9))
    before, changed = cache.state([file]), file.stat().st_ctime_ns
    assert cache.state([file]) == before
    file.write_bytes(b"two")
    os.utime(file, (1e9, 1e9))
    while file.stat().st_ctime_ns == changed:  # a file system's clock ticks every few milliseconds
        os.utime(file, (1e9, 1e9))
    assert cache.state([file]) != before


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    cache.write(tmp_path / "file" / "set.npz", SPLITS)
    assert cache.read(tmp_path / "file" / "set.npz") is None


def test_a_set_that_would_fill_the_disk_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = SPLITS.train.pixels.nbytes + SPLITS.test.pixels.nbytes
    for free, stays in ((4 * pixels, False), (5 * pixels + 100_000, True)):  # names and labels take their part
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        cache.write(tmp_path / "set.npz", SPLITS)
        assert (tmp_path / "set.npz").exists() is stays


def test_facts_are_remembered_unless_they_are_damaged(tmp_path: Path):
    place = tmp_path / "new" / "set.json"
    assert not kept.read_facts(place)
    kept.keep_facts(place, {"unreadable": {"train": {"7": "cut off"}}})
    assert kept.read_facts(place)["unreadable"] == {"train": {"7": "cut off"}}
    place.write_text(place.read_text()[:-5])
    assert not kept.read_facts(place)
    kept.keep_facts(tmp_path / "new" / "set.json" / "below", {})  # no folder, and no error


def test_without_a_home_nothing_is_kept_and_it_is_said(monkeypatch: pytest.MonkeyPatch):
    for name in ("VITLAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert "set VITLAB_CACHE to a folder that can be written" in kept.why_nothing()
    place = cache.entry("set", "facts")
    cache.write(place, SPLITS)
    kept.keep_facts(place.with_suffix(".json"), {"a": 1})
    assert cache.read(place) is None
    assert kept.read_facts(place.with_suffix(".json")) == {}


def test_a_list_is_not_overwritten_by_another(cache_folder: Path):
    one, other = cache.write_list("unreadable-train", ["a"]), cache.write_list("unreadable-train", ["ø", "b"])
    assert one is not None
    assert other is not None
    assert (one.read_text(encoding="utf-8"), other.read_text(encoding="utf-8")) == ("a\n", "ø\nb\n")
    assert cache.write_list("unreadable-train", ["a"]) == one
