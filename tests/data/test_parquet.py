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


def put(folder: Path, *names: str) -> Path:
    """Files of these names, whose content does not matter."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("name", ["test", "validation", "val", "valid"])
def test_the_held_out_split_has_one_of_four_names(pets: Path, write_shard: Callable[..., np.ndarray], name: str):
    write_shard(pets / TRAIN, 3, NAMES, side=8)
    assert parquet.find(pets).files.keys() == {"train"}
    write_shard(pets / f"{name}-00000-of-00001.parquet", 2, NAMES, side=8)
    found = parquet.find(pets)
    assert found.files["test"] == [pets / f"{name}-00000-of-00001.parquet"]
    assert found.layout == f"train, {name}"
    assert found.notes == (() if name == "test" else (f"{name} is the test split",))
    assert parquet.row_counts(found.files) == {"train": [(TRAIN, 3)], "test": [(found.files["test"][0].name, 2)]}


def test_a_held_out_split_can_be_chosen(pets: Path, pictures: np.ndarray):
    (pets / "valid.parquet").write_bytes((pets / TEST).read_bytes())
    files = parquet.find(pets).files
    assert (files["val"], files["test"]) == ([pets / "valid.parquet"], [pets / TEST])
    chosen = parquet.find(pets, held_out="valid")
    assert chosen.files == {"train": [pets / TRAIN], "test": [pets / "valid.parquet"]}
    assert chosen.notes == ("valid is the test split", "not read: test, in no split (data.splits chooses)")
    swapped = parquet.find(pets, {"train": "test", "test": "train"}).files
    assert (swapped["train"], swapped["test"]) == ([pets / TEST], [pets / TRAIN])
    with pytest.raises(DataError, match="has no dev/; it has test, train, valid"):
        parquet.find(pets, held_out="dev")


def test_all_files_may_be_one_split(pets: Path, pictures: np.ndarray):
    assert parquet.find(pets, {}).files == {"train": [pets / TEST, pets / TRAIN]}


@pytest.mark.parametrize("names", [("pets.parquet",), ("0000.parquet", "0001.parquet"), ("data/a.parquet",)])
def test_files_that_are_not_called_after_splits_are_a_set_without(tmp_path: Path, names: tuple[str, ...]):
    found = parquet.find(put(tmp_path, *names))
    assert found.files == {"train": [tmp_path / name for name in names]}
    assert found.layout.startswith("no splits, all of ")


@pytest.mark.parametrize("place", ["", "train/"])
def test_what_is_said_of_pictures_is_no_table_of_pictures(tmp_path: Path, place: str):
    put(tmp_path, f"{place}metadata.parquet")
    assert not parquet.has_shards(tmp_path)


def test_what_could_be_splits_or_not_is_refused_with_both_readings(tmp_path: Path):
    put(tmp_path, "X_train.parquet", "X_test.parquet")
    with pytest.raises(DataError) as caught:
        parquet.find(tmp_path)
    for reading in ('data.splits={"test": "X_test", "train": "X_train"}', "one set without splits: data.splits={}"):
        assert reading in str(caught.value)
    assert parquet.find(tmp_path, {"test": "X_test"}).files == {"test": [tmp_path / "X_test.parquet"]}


def test_files_may_lie_in_a_folder_called_data(pets: Path, pictures: np.ndarray):
    (pets / "data").mkdir()
    for name in (TRAIN, TEST):
        (pets / name).rename(pets / "data" / name)
    assert parquet.has_shards(pets)
    assert parquet.find(pets).files == {"train": [pets / "data" / TRAIN], "test": [pets / "data" / TEST]}
    assert not parquet.has_shards(pets.parent)


@pytest.mark.parametrize("place", ["", "default"])
def test_the_hubs_own_branch_of_parquet_files_is_read(tmp_path: Path, place: str):
    folder = put(tmp_path / place, "train/0000.parquet", "train/0001.parquet", "validation/0000.parquet")
    assert parquet.has_shards(tmp_path)
    found = parquet.find(tmp_path)
    assert found.files == {
        "train": [folder / "train/0000.parquet", folder / "train/0001.parquet"],
        "test": [folder / "validation/0000.parquet"],
    }
    assert found.notes == ("validation is the test split",)


def test_of_several_configurations_one_must_be_named(tmp_path: Path):
    put(tmp_path, "coarse/train/0000.parquet", "fine/train/0000.parquet")
    with pytest.raises(DataError, match=r"has a set in each of coarse, fine; name one of them, such as .*/coarse"):
        parquet.find(tmp_path)
    assert parquet.find(tmp_path / "fine").files == {"train": [tmp_path / "fine/train/0000.parquet"]}


def test_numbers_in_names_are_those_of_shards(tmp_path: Path):
    names = ["test.parquet", "train-0.parquet", "train_1.parquet", "train-00002-0123456789abcdef.parquet"]
    files = parquet.find(put(tmp_path, *names)).files
    assert (len(files["train"]), len(files["test"])) == (3, 1)


def test_a_folder_without_parquet_files_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"has no parquet files such as train-\*\.parquet, nor train/\*\.parquet"):
        parquet.find(put(tmp_path, "train/cat/1.png"))


def test_what_is_left_out_is_said(tmp_path: Path):
    put(tmp_path, "train.parquet", "extra.parquet", "train/cat/1.png", "more/x.parquet", ".git/1.png", "docs/a.txt")
    assert parquet.find(tmp_path).notes == (
        "not read: extra, in no split (data.splits chooses)",
        f"not read: pictures in train/, beside the tables; folder:{tmp_path} reads them",
        f"not read: parquet files in more/, beside the others; parquet:{tmp_path}/more/ reads them",
    )


def test_footers_tell_the_columns(pets: Path, pictures: np.ndarray):
    assert parquet.columns(parquet.find(pets).files) == tables.Columns("img", "label", tuple(NAMES))
