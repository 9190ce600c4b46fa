import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vitlab.base.errors import DataError, SpecError
from vitlab.base.spec import from_dict
from vitlab.data import tables
from vitlab.data.encoded import Encoded
from vitlab.data.images import Images, ImageSet, Stream
from vitlab.data.paths import local_folder
from vitlab.data.sets.parquet import Spec

NAMES = ["cat", "dog", "cow"]


@pytest.fixture
def pictures(
    tmp_path: Path, cache_folder: Path, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> np.ndarray:
    """A set `pets`, 8 × 8: two training shards, of nine and six pictures, which come back, and four to validate."""
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path))
    write_shard(tmp_path / "pets/validation-00000-of-00001.parquet", 4, NAMES, side=8, seed=2)
    shards = [
        write_shard(tmp_path / f"pets/train-0000{i}-of-00002.parquet", count, NAMES, side=8, seed=i)
        for i, count in enumerate((9, 6))
    ]
    return np.concatenate(shards).transpose(0, 3, 1, 2)


def spec(**settings: object) -> Spec:
    return from_dict(Spec, {"path": "pets", "img_size": 8, **settings})


def test_columns_classes_and_splits_are_found(pictures: np.ndarray):
    found = spec().load()
    assert found.class_names == tuple(NAMES)
    assert np.array_equal(found.train.pixels.numpy(), pictures)
    assert found.train.labels.tolist() == [i % 3 for i in range(9)] + [i % 3 for i in range(6)]
    assert len(found.test) == 4


def test_in_memory_or_not_it_is_the_same_set(pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: 0)
    large = spec().load()
    assert isinstance(large.train, Encoded)
    assert np.array_equal(large.train.ask(torch.arange(15))().numpy(), pictures)
    assert large.train.name(10) == "train-00001-of-00002.parquet, row 1"


def test_the_second_time_nothing_is_opened(pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    spec().load()
    monkeypatch.setattr(tables, "open_files", None)
    assert np.array_equal(spec().load().train.pixels.numpy(), pictures)


def test_what_a_look_tells_is_written_in(pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "open_files", None)  # footers tell
    assert spec().resolved() == spec(num_classes=3)


def test_numbers_without_names_are_classes(tmp_path: Path, pictures: np.ndarray):
    import datasets

    for file in (tmp_path / "pets").iterdir():
        table = datasets.Dataset.from_parquet(str(file), keep_in_memory=True, cache_dir=str(tmp_path / "scratch"))
        table.cast_column("label", datasets.Value("int64")).to_parquet(file)
    assert spec().resolved().num_classes == 3
    assert spec().load().class_names == ("0", "1", "2")
    with pytest.raises(DataError, match=r"pets does not name its classes: a streamed set then needs data\.num"):
        spec(streaming=True).load()
    assert spec(streaming=True, num_classes=3).load().class_names == ("0", "1", "2")


def test_what_is_left_out_is_in_the_record(
    tmp_path: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    assert spec().load().found.notes == ("validation is the test split",)
    write_shard(tmp_path / "pets/extra.parquet", 3, NAMES, side=8)
    for streaming in (False, True):
        found = spec(streaming=streaming).load().found
        assert found.notes == ("validation is the test split", "not read: extra, in no split (data.splits chooses)")
        assert found.layout.startswith("train, validation")


def test_a_table_without_splits_is_divided_to_train_and_evaluated_whole(
    tmp_path: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]
):
    write_shard(tmp_path / "birds/all.parquet", 9, NAMES, side=8)
    birds = spec(path="birds")
    assert (len(birds.load().train), len(birds.load().test)) == (6, 3)
    assert len(birds.load_held_out().test) == 9


def test_sets_that_look_alike_are_told_apart(tmp_path: Path, cache_folder: Path, write_shard: Callable[..., object]):
    """Two folders whose files have the same names, sizes and times, as archives and copies keep them."""
    sets = [tmp_path / "one", tmp_path / "two"]
    for folder, names in zip(sets, (["cat", "dog"], ["owl", "emu"]), strict=True):
        for split in ("train", "test"):
            write_shard(folder / f"{split}.parquet", 4, names, side=8)
            os.utime(folder / f"{split}.parquet", (1e9, 1e9))
    assert [spec(path=str(folder)).load().class_names for folder in sets] == [("cat", "dog"), ("owl", "emu")]


# ---------------------------------------------------------------------------------------------------------- mistakes


def test_one_class_can_be_looked_at_and_evaluated_but_not_trained_on(
    tmp_path: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]
):
    write_shard(tmp_path / "birds/train.parquet", 9, ["owl"], side=8)
    birds = spec(path="birds")
    assert birds.look().class_names == birds.load_held_out().class_names == ("owl",)
    for as_stored in (False, True):
        with pytest.raises(DataError, match=r"one class only, owl, and nothing to tell it from; .*data\.label="):
            birds.load(as_stored)


def test_mistakes_are_named(tmp_path: Path, pictures: np.ndarray, write_shard: Callable[..., np.ndarray]):
    with pytest.raises(DataError, match="has no column photo; it has img, label"):
        spec(image="photo").load()
    with pytest.raises(DataError, match="its column label holds no pictures"):
        spec(image="label").load()
    with pytest.raises(DataError, match=r"data\.num_classes=4, and there are 3 classes"):
        spec(num_classes=4).load()
    with pytest.raises(DataError, match="there is no folder birds"):
        spec(path="birds").load()
    write_shard(tmp_path / "pets/validation-00000-of-00001.parquet", 4, NAMES[:2], side=8)
    with pytest.raises(DataError, match="different columns or classes"):
        spec().load()


@pytest.mark.parametrize("streaming", [False, True])
def test_shards_that_are_missing_or_truncated_are_named(tmp_path: Path, pictures: np.ndarray, streaming: bool):
    shard = tmp_path / "pets/train-00001-of-00002.parquet"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{shard.name} cannot be read, it may be truncated"):
        spec(streaming=streaming).load()
    shard.unlink()
    with pytest.raises(DataError, match=r"has 1 of the 2 files train-\*-of-00002\.parquet"):
        spec(streaming=streaming).load()


@pytest.mark.parametrize("field", ["buffer", "samples_per_epoch"])
def test_settings_that_cannot_be_are_refused(field: str):
    with pytest.raises(SpecError, match=f"{field}=0"):
        spec(**{field: 0})


# --------------------------------------------------------------------------------------------------------- streaming


def test_a_stream_has_the_same_pictures_in_an_order_of_its_own(pictures: np.ndarray):
    found, whole = spec(streaming=True, buffer=4).load(), spec().load()
    assert isinstance(found.train, Stream)
    assert "buffer of 4 images, because the set is streamed" in found.order
    assert (found.class_names, found.train.samples_per_epoch) == (tuple(NAMES), 15)
    pixels, labels = found.train.reader(seed=3).read(15)
    order = [int((whole.train.pixels == one).all((1, 2, 3)).nonzero()) for one in pixels]
    assert sorted(order) == list(range(15)) != order
    assert torch.equal(whole.train.labels[order], labels)
    batches = list(found.test.batches(3))
    assert torch.equal(torch.cat([pixels for pixels, _ in batches]), whole.test.pixels)
    assert torch.equal(found.test.labels, whole.test.labels)


def test_a_stream_cannot_be_divided(tmp_path: Path, pictures: np.ndarray):
    (tmp_path / "pets/validation-00000-of-00001.parquet").unlink()
    with pytest.raises(DataError, match="pets has no held-out split"):
        spec(streaming=True).load()
    assert len(spec().load().test) == 3


def test_an_epoch_can_be_chosen(pictures: np.ndarray):
    assert spec(streaming=True, samples_per_epoch=7).load().train.samples_per_epoch == 7


# ------------------------------------------------------------------------------------------------------ the real one


@pytest.fixture
def imagenette(cache_folder: Path) -> str:
    if local_folder("imagenette96") is None:
        pytest.skip("imagenette96 is absent; set VITLAB_DATA to the folder it lies in")
    return "imagenette96"


def load(path: str, **settings: object) -> ImageSet:
    return from_dict(Spec, {"path": path, "img_size": 64, **settings}).load()


@pytest.mark.data
@pytest.mark.slow
def test_imagenette_in_memory_and_not(imagenette: str, monkeypatch: pytest.MonkeyPatch):
    small = load(imagenette)
    assert isinstance(small.train, Images)
    assert (len(small.train), len(small.test), small.class_names[0]) == (9_469, 3_925, "tench")
    assert small.unreadable == {"train": (), "test": ()}
    normal = (small.train.pixels.double() / 255).mean((0, 2, 3))
    assert torch.allclose(normal, torch.tensor(small.mean).double(), atol=0.05)
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: 1 << 20)
    monkeypatch.setattr("vitlab.data.cache.read", lambda _: None)
    large = load(imagenette)
    assert isinstance(large.train, Encoded)
    some = torch.randint(9_469, (2, 100), generator=torch.Generator().manual_seed(0))
    assert torch.equal(large.train.ask(some)(), small.train.pixels[some])


@pytest.mark.data
@pytest.mark.slow
def test_imagenette_streamed(imagenette: str):
    whole, found = load(imagenette, in_chans=1), load(imagenette, in_chans=1, streaming=True, buffer=500)
    assert torch.equal(found.test.labels, whole.test.labels)
    (pixels, labels), *_ = found.test.batches(256)
    assert torch.equal(pixels, whole.test.pixels[:256])
    reader = found.train.reader(seed=0)
    parts = [reader.read(count) for count in [256] * 36 + [253]]
    pixels, labels = (torch.cat(kind) for kind in zip(*parts, strict=True))
    assert torch.equal(labels.bincount(), whole.train.labels.bincount())
    assert torch.equal(pixels.long().sum((0, 1)), whole.train.pixels.long().sum((0, 1)))
    reader.go_to(9_000)
    assert torch.equal(reader.read(469)[0], pixels[9_000:])
