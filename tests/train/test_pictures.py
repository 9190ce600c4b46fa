"""Trainings on pictures of one's own: where they are stored makes no difference, and the record says what was seen."""

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.reading import read_json
from vitlab.base.errors import Interrupted, UserError
from vitlab.records.predictions import read_predictions
from vitlab.train.spec import RunSpec
from vitlab.train.step.loop import Loop

CLASSES = ("ape", "bee")
CUT_OFF = "train/bee/059.png"
BUFFER = 16


def picture(label: int, number: int) -> Image.Image:
    """Noise, darker or brighter by class, of a size that changes from picture to picture."""
    generator = np.random.default_rng([label, number])
    return Image.fromarray(generator.integers(90 * label, 90 * label + 120, (10 + number % 3, 12), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of sixty pictures to train on, of which one is cut off, and of five to test."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    for split, count in (("train", 60), ("val", 5)):
        for label, name in enumerate(CLASSES):
            (tmp_path / "pets" / split / name).mkdir(parents=True)
            for number in range(count):
                picture(label, number).save(tmp_path / "pets" / split / name / f"{number:03}.png")
    cut_off = tmp_path / "pets" / CUT_OFF
    cut_off.write_bytes(cut_off.read_bytes()[:70])
    return tmp_path / "pets"


@pytest.fixture
def shards(folder: Path, tmp_path: Path) -> Path:
    """The same pictures in parquet files, two shards of each split."""
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(CLASSES))})
    (tmp_path / "shards").mkdir()
    for split, name in (("train", "train"), ("val", "validation")):
        for label, inside in enumerate(CLASSES):
            files = sorted((folder / split / inside).iterdir())
            rows = [{"image": {"bytes": f.read_bytes(), "path": f.name}, "label": label} for f in files]
            table = datasets.Dataset.from_list(rows, features=features)
            table.to_parquet(tmp_path / "shards" / f"{name}-{label:05}-of-00002.parquet")
    return tmp_path / "shards"


@pytest.fixture
def pets_run(tiny_run: Callable[..., RunSpec], everything_random: dict[str, Any]) -> Callable[..., RunSpec]:
    """`pets_run(folder, streaming=True)`: twelve steps on these pictures, with everything random."""

    def make(path: Path, name: str = "folder", **settings: Any) -> RunSpec:
        data = {"name": name, "path": str(path), "img_size": 8, "in_chans": 1, **settings}
        val_fraction = 0.0 if settings.get("streaming") else 0.1
        return tiny_run({"data": data, **everything_random, "val_fraction": val_fraction, "evaluate_every": 0.5})

    return make


@pytest.mark.slow
def test_in_memory_or_left_encoded_it_is_the_same_run(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pets_run: Callable[..., RunSpec],
    run_tiny: Callable[..., dict[str, Any]],
    records_of: Callable[[Path], dict[str, Any]],
):
    spec = pets_run(folder)
    run_tiny(spec, tmp_path / "decoded")
    (tmp_path / "cache").rename(tmp_path / "elsewhere")  # where the decoded pictures are kept
    monkeypatch.setattr("vitlab.data.ingest.fits", lambda *_: False)
    run_tiny(spec, tmp_path / "encoded")
    assert all("train_pixels" not in np.load(entry) for entry in (tmp_path / "cache").glob("*.npz"))
    assert records_of(tmp_path / "encoded") == records_of(tmp_path / "decoded")
    for record in ("data.json", "preprocessing.json"):
        assert read_json(tmp_path / "encoded" / record) == read_json(tmp_path / "decoded" / record)


@pytest.mark.slow
def test_unreadable_pictures_are_listed(
    folder: Path, tmp_path: Path, pets_run: Callable[..., RunSpec], run_tiny: Callable[..., dict[str, Any]]
):
    run_tiny(pets_run(folder), tmp_path / "run")
    known = read_json(tmp_path / "run/data.json")
    assert known["order"] == "exact"
    assert known["train"] == {"images": 107, "unreadable": 1, "names": [CUT_OFF]}
    assert known["val"] == {"images": 12, "unreadable": 0, "names": []}
    assert known["test"] == {"images": 10, "unreadable": 0, "names": []}


@pytest.mark.slow
def test_a_stream_that_was_killed_and_stopped_goes_on_as_if_it_was_not(
    shards: Path,
    tmp_path: Path,
    pets_run: Callable[..., RunSpec],
    run_tiny: Callable[..., dict[str, Any]],
    records_of: Callable[[Path], dict[str, Any]],
    at_step: Callable[[int, Callable[[Loop], None]], None],
):
    spec = pets_run(shards, "parquet", streaming=True, buffer=BUFFER)
    run_tiny(spec, tmp_path / "straight")
    at_step(4, lambda _: sys.exit("killed"))  # which loses what came after the checkpoint of step 3
    with pytest.raises(SystemExit, match="killed"):
        run_tiny(spec, tmp_path / "again")
    assert read_json(tmp_path / "again/data.json")["train"]["unreadable"] == 1
    at_step(8, lambda _: signal.raise_signal(signal.SIGTERM))  # in the second epoch
    with pytest.raises(Interrupted):
        run_tiny(spec, tmp_path / "again", resume=True)
    run_tiny(spec, tmp_path / "again", resume=True)
    assert records_of(tmp_path / "again") == records_of(tmp_path / "straight")
    for run in ("again", "straight"):
        known = read_json(tmp_path / run / "data.json")
        assert known["order"] == f"a shuffle within a buffer of {BUFFER} images, because the set is streamed"
        assert (known["train"]["images"], known["train"]["unreadable"]) == (120, 1)
        found = known["found"]["splits"]
        assert (found["train"]["images"], found["test"]["classes"]) == (120, {"ape": 5, "bee": 5})
        assert found["test"]["fingerprint"]
        assert known["train"]["names"] == [f"{shards} train shard 1, row 59 (059.png)"]


@pytest.mark.slow
def test_a_run_goes_on_with_data_that_were_moved_and_not_with_others(
    folder: Path,
    tmp_path: Path,
    pets_run: Callable[..., RunSpec],
    run_tiny: Callable[..., dict[str, Any]],
    records_of: Callable[[Path], dict[str, Any]],
    at_step: Callable[[int, Callable[[Loop], None]], None],
):
    run_tiny(pets_run(folder), tmp_path / "straight")
    at_step(4, lambda _: sys.exit("killed"))
    with pytest.raises(SystemExit, match="killed"):
        run_tiny(pets_run(folder), tmp_path / "run")
    folder.rename(tmp_path / "moved")
    others = tmp_path / "others"
    shutil.copytree(tmp_path / "moved", others)
    picture(1, 99).save(others / "train/bee/000.png")
    with pytest.raises(UserError, match="other names or contents"):
        run_tiny(pets_run(others), tmp_path / "run", resume=True)
    run_tiny(pets_run(tmp_path / "moved"), tmp_path / "run", resume=True)
    assert records_of(tmp_path / "run") == records_of(tmp_path / "straight")


@pytest.mark.slow
def test_a_picture_of_many_bands_can_be_among_the_mistakes(
    tmp_path: Path, pets_run: Callable[..., RunSpec], run_tiny: Callable[..., dict[str, Any]]
):
    values = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 4), dtype=np.uint8)
    for number, pixels in enumerate(values):
        place = tmp_path / "bands" / CLASSES[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place)
    four = {"in_chans": 4, "mean": [0.5] * 4, "std": [0.25] * 4}
    run_tiny(pets_run(tmp_path / "bands", **four), tmp_path / "run")
    predictions = read_predictions(tmp_path / "run")
    assert predictions is not None
    assert predictions.mistake_pixels.shape[1:] == (8, 8, 3)
