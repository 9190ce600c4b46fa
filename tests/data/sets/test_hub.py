"""A hub that is made of local files: `datasets.load_dataset` is replaced, everything else is real."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.base.spec import from_dict
from vitlab.data.encoded import Encoded
from vitlab.data.rows import Rows
from vitlab.data.sets.hub import Spec

NAMES = ["cat", "dog", "cow"]


@pytest.fixture
def hub(
    tmp_path: Path, cache_folder: Path, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A hub with the set `org/pets`, nine pictures and four to validate; `hub["asked"]` is what it was asked for."""
    sizes = {"train": 9, "validation": 4}
    for split, count in sizes.items():
        write_shard(tmp_path / f"{split}.parquet", count, NAMES, side=8, seed=count)
    state: dict[str, Any] = {"splits": list(sizes), "asked": []}
    real = datasets.load_dataset

    def load_dataset(path: str, name: str | None, *, revision: str | None, streaming: bool) -> Any:
        state["asked"].append((path, name, revision))
        if path != "org/pets":
            raise datasets.exceptions.DatasetNotFoundError(f"{path} is not on the hub")
        files = {split: str(tmp_path / f"{split}.parquet") for split in state["splits"]}
        return real("parquet", data_files=files, cache_dir=str(tmp_path / "hub"), streaming=streaming)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return state


def spec(**settings: object) -> Spec:
    return from_dict(Spec, {"repo": "org/pets", "img_size": 8, **settings})


def test_it_is_opened_as_asked(hub: dict[str, Any]):
    found = spec(config="small", revision="v2").load()
    assert hub["asked"] == [("org/pets", "small", "v2")]
    assert (found.class_names, len(found.train), len(found.test)) == (tuple(NAMES), 9, 4)
    assert spec().resolved() == spec(num_classes=3)


def test_in_memory_or_not_it_is_the_same_set(hub: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    small = spec().load()
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: 0)
    monkeypatch.setattr("vitlab.data.cache.read", lambda _: None)
    large = spec().load()
    assert isinstance(large.train, Encoded)
    assert torch.equal(large.train.ask(torch.arange(9))(), small.train.pixels)
    assert large.train.name(2) == "hub:org/pets train, row 2"


def test_without_a_held_out_split_one_is_made(hub: dict[str, Any]):
    hub["splits"] = ["train"]
    assert spec().load().test.labels.bincount().tolist() == [1, 1, 1]
    with pytest.raises(DataError, match="hub:org/pets has no held-out split, and a streamed set cannot be divided"):
        spec(streaming=True).load()


def test_what_is_left_out_is_in_the_record(hub: dict[str, Any], tmp_path: Path):
    shutil.copy(tmp_path / "train.parquet", tmp_path / "extra.parquet")
    hub["splits"].append("extra")
    for streaming in (False, True):
        notes = spec(streaming=streaming).load().found.notes
        assert notes == ("validation is the test split", "not read: extra, in no split (data.splits chooses)")


def test_splits_of_other_names_are_a_set_without(hub: dict[str, Any], tmp_path: Path):
    for year in ("y2019", "y2020"):
        shutil.copy(tmp_path / "train.parquet", tmp_path / f"{year}.parquet")
    hub["splits"] = ["y2019", "y2020"]
    assert len(spec().load_held_out().test) == 18
    assert spec().load().found.layout == "no splits, all of y2019, y2020"


def test_a_split_that_is_not_there_is_named(hub: dict[str, Any]):
    with pytest.raises(DataError, match="hub:org/pets has no dev/; it has train, validation"):
        spec(held_out="dev").load()
    hub["splits"] = ["validation"]
    with pytest.raises(DataError, match="there is a test split only: a model can be evaluated on it"):
        spec().load()


def test_a_set_that_is_not_there_is_named(hub: dict[str, Any]):
    with pytest.raises(DataError, match="hub:org/birds cannot be opened: org/birds is not on the hub"):
        spec(repo="org/birds").load()


def test_a_stream_has_the_same_pictures(hub: dict[str, Any]):
    whole, found = spec().load(), spec(streaming=True).load()
    assert found.train.reader(0).read(9)[1].bincount().tolist() == whole.train.labels.bincount().tolist()
    assert torch.equal(next(found.test.batches(4))[0], whole.test.pixels)
    assert spec(streaming=True).resolved() == spec(streaming=True, num_classes=3)


def test_a_stream_is_counted_and_surveyed_once(hub: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    assert spec(streaming=True).load().train.samples_per_epoch == 9
    monkeypatch.setattr(Rows, "__iter__", None)
    again = spec(streaming=True).load()
    assert (again.train.samples_per_epoch, len(again.test)) == (9, 4)
    with pytest.raises(TypeError):  # of another revision nothing is known
        spec(streaming=True, revision="v2").load()


def test_what_a_set_says_of_its_size_is_believed():
    def streamed(splits: datasets.SplitDict | None) -> dict[str, Any]:
        return {"train": SimpleNamespace(info=datasets.DatasetInfo(splits=splits))}

    said = datasets.SplitDict({"train": datasets.SplitInfo("train", num_examples=9)})
    assert spec().num_rows(streamed(said)) == 9
    assert spec().num_rows(streamed(None)) is None
