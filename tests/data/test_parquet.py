import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data import cache, parquet, tables
from vitlab.data.parquet import Layout, read

NAMES = ["cat", "dog", "cow"]
LAYOUT = Layout("pets", hub="somebody/pets", image="img", label="label", shape=(3, 8, 8))
TRAIN, TEST = "train-00000-of-00001.parquet", "test-00000-of-00001.parquet"


@pytest.fixture
def pets(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path))
    return tmp_path / "pets"


@pytest.fixture
def pictures(pets: Path, write_shard: Callable[..., np.ndarray]) -> np.ndarray:
    write_shard(pets / TEST, 3, NAMES, side=8, seed=1)
    return write_shard(pets / TRAIN, 3, NAMES, side=8)


def test_webp_and_png_come_back_as_they_were(pictures: np.ndarray):
    splits = read(LAYOUT)
    assert splits.class_names == tuple(NAMES)
    assert splits.train.pixels.dtype == torch.uint8
    assert np.array_equal(splits.train.pixels.numpy(), pictures.transpose(0, 3, 1, 2))
    assert splits.train.labels.tolist() == splits.test.labels.tolist() == [0, 1, 2]
    assert not torch.equal(splits.test.pixels, splits.train.pixels)


def test_shards_follow_each_other(pets: Path, write_shard: Callable[..., np.ndarray]):
    parts = [write_shard(pets / f"train-0000{i}-of-00002.parquet", 3, NAMES, side=8, seed=i) for i in (0, 1)]
    write_shard(pets / TEST, 3, NAMES, side=8)
    assert np.array_equal(read(LAYOUT).train.pixels.numpy(), np.concatenate(parts).transpose(0, 3, 1, 2))
    (pets / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(DataError, match=r"has 1 of the 2 files train-\*-of-00002.parquet"):
        read(LAYOUT)


def test_the_second_time_nothing_is_decoded(pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    first = read(LAYOUT)
    monkeypatch.setattr(tables, "open_files", None)
    assert torch.equal(read(LAYOUT).train.pixels, first.train.pixels)


def test_a_damaged_cache_is_made_again(pictures: np.ndarray, cache_folder: Path):
    read(LAYOUT)
    (entry,) = cache_folder.iterdir()
    entry.write_bytes(b"PK\x03\x04 rubbish")
    assert np.array_equal(read(LAYOUT).train.pixels.numpy(), pictures.transpose(0, 3, 1, 2))
    assert cache.read(entry) is not None


def test_changed_files_are_decoded_again(pets: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]):
    read(LAYOUT)
    changed = write_shard(pets / TRAIN, 3, NAMES, side=8, seed=5)
    assert np.array_equal(read(LAYOUT).train.pixels.numpy(), changed.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_missing_split_is_named(pets: Path, pictures: np.ndarray, split: str):
    (pets / f"{split}-00000-of-00001.parquet").unlink()
    with pytest.raises(DataError, match=rf"pets has no {split}-\*\.parquet"):
        read(LAYOUT)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(pets: Path, pictures: np.ndarray, kept: float):
    whole = (pets / TEST).read_bytes()
    (pets / TEST).write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match=f"{TEST} cannot be read"):
        read(LAYOUT)


def test_a_file_with_altered_bytes_is_named(pets: Path, pictures: np.ndarray):
    whole = bytearray((pets / TEST).read_bytes())
    start = whole.index(b"RIFF")  # the first WebP picture
    whole[start : start + 40] = bytes(40)
    (pets / TEST).write_bytes(whole)
    with pytest.raises(DataError, match=f"none may be left out.: {TEST}, row 0: it is not a picture"):
        read(LAYOUT)


def test_pictures_of_another_size_are_refused(pets: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]):
    write_shard(pets / TEST, 3, NAMES, side=9)
    with pytest.raises(DataError, match=f"3 of 3 test .*: {TEST}, row 0: its size is 9 × 9, not 8 × 8"):
        read(LAYOUT)


def test_a_missing_column_is_named(pets: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]):
    write_shard(pets / TEST, 3, NAMES, side=8, label="kind")
    with pytest.raises(DataError, match=f"{TEST} has no column label; it has img, kind"):
        read(LAYOUT)
    write_shard(pets / TRAIN, 3, NAMES, side=8, label="kind")
    with pytest.raises(DataError, match=f"{TRAIN} has no column label; it has img, kind"):
        read(LAYOUT)


def test_without_files_and_network_it_says_what_to_put_where(pets: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    def unreachable(name: str, *_: object, **__: object) -> None:
        raise ConnectionError(f"cannot reach {name}")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(DataError) as caught:
        read(LAYOUT)
    for part in (str(pets), "somebody/pets", "train-*.parquet", "test-*.parquet", "img, label", "VITLAB_DATA"):
        assert part in str(caught.value)


def test_the_hub_stands_in_for_the_files(
    pets: Path, tmp_path: Path, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    import datasets

    files = {"train": tmp_path / TRAIN, "test": tmp_path / TEST}
    pictures = [write_shard(file, 3, NAMES, side=8, seed=seed) for seed, file in enumerate(files.values())]
    opened = tables.open_files({split: [file] for split, file in files.items()})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, *_, **__: {"somebody/pets": opened}[name])
    splits = read(LAYOUT)
    assert np.array_equal(splits.train.pixels.numpy(), pictures[0].transpose(0, 3, 1, 2))
    assert np.array_equal(splits.test.pixels.numpy(), pictures[1].transpose(0, 3, 1, 2))
    monkeypatch.setattr(datasets, "load_dataset", None)
    assert torch.equal(read(LAYOUT).test.pixels, splits.test.pixels)  # from the cache


def test_progress_bars_are_left_as_they_were(pictures: np.ndarray, cache_folder: Path):
    import datasets

    for hidden in (False, True):
        (datasets.disable_progress_bars if hidden else datasets.enable_progress_bars)()
        read(LAYOUT)
        assert datasets.are_progress_bars_disabled() is hidden
        shutil.rmtree(cache_folder)


# ------------------------------------------------------------------------------------------------- any folder of them


@pytest.mark.parametrize("name", ["test", "validation", "val", "valid"])
def test_the_held_out_split_has_one_of_four_names(pets: Path, write_shard: Callable[..., np.ndarray], name: str):
    write_shard(pets / TRAIN, 3, NAMES, side=8)
    assert parquet.split_files(pets).keys() == {"train"}
    write_shard(pets / f"{name}-00000-of-00001.parquet", 2, NAMES, side=8)
    files = parquet.split_files(pets)
    assert files["test"] == [pets / f"{name}-00000-of-00001.parquet"]
    assert parquet.row_counts(files) == {"train": [(TRAIN, 3)], "test": [(files["test"][0].name, 2)]}


def test_a_held_out_split_can_be_chosen(pets: Path, pictures: np.ndarray):
    (pets / "valid.parquet").write_bytes((pets / TEST).read_bytes())
    found = parquet.split_files(pets)
    assert (found["val"], found["test"]) == ([pets / "valid.parquet"], [pets / TEST])
    assert parquet.split_files(pets, held_out="valid") == {
        "train": [pets / TRAIN],
        "test": [pets / "valid.parquet"],
    }
    swapped = parquet.split_files(pets, {"train": "test", "test": "train"})
    assert (swapped["train"], swapped["test"]) == ([pets / TEST], [pets / TRAIN])
    with pytest.raises(DataError, match="has no dev/; it has test, train, valid"):
        parquet.split_files(pets, held_out="dev")


def test_all_files_may_be_one_split(pets: Path, pictures: np.ndarray):
    assert parquet.split_files(pets, {}) == {"train": [pets / TEST, pets / TRAIN]}


def test_files_may_lie_in_a_folder_called_data(pets: Path, pictures: np.ndarray):
    (pets / "data").mkdir()
    for name in (TRAIN, TEST):
        (pets / name).rename(pets / "data" / name)
    assert parquet.has_shards(pets)
    assert parquet.split_files(pets) == {"train": [pets / "data" / TRAIN], "test": [pets / "data" / TEST]}
    assert not parquet.has_shards(pets.parent)


def test_footers_tell_the_columns(pets: Path, pictures: np.ndarray):
    assert parquet.columns(parquet.split_files(pets)) == tables.Columns("img", "label", tuple(NAMES))
