"""More cases of data as people have them: sets that cannot be opened, grey pictures, the order of the classes."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from tests.fieldcases.conftest import CHOICES
from tests.reading import read_json
from vitlab import api
from vitlab.base.errors import DataError, SpecError
from vitlab.records.predictions import read_predictions
from vitlab.report.write import write_report

pytestmark = pytest.mark.slow

# --------------------------------------------------------------------------------------------------- 14: words, numbers


@pytest.fixture
def table_of(tmp_path) -> Callable[[list[object]], Path]:
    """`table_of(["cat", "dog"] * 8)`: a parquet folder whose two splits have a picture for each label."""

    def make(labels: list[object], name: str = "q") -> Path:
        for split in ("train", "test"):
            stored = [io.BytesIO() for _ in labels]
            for number, buffer in enumerate(stored):
                noise = np.random.default_rng([number, split == "test"]).integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(noise).save(buffer, "PNG")
            images = [{"bytes": buffer.getvalue(), "path": None} for buffer in stored]
            features = {"image": datasets.Image(), "label": datasets.Value("string" if labels[0] == "dog" else "int64")}
            table = datasets.Dataset.from_dict({"image": images, "label": labels}, features=datasets.Features(features))
            (tmp_path / name).mkdir(exist_ok=True)
            table.to_parquet(tmp_path / name / f"{split}-00000-of-00001.parquet")
        return tmp_path / name

    return make


def test_14_words_in_a_column_are_classes(table_of, run):
    """Case 14: labels are words, not numbers: sorted, the same in all splits."""
    data = read_json(run(table_of(["dog", "cat"] * 8)) / "data.json")
    assert data["classes"] == ["cat", "dog"]
    assert data["found"]["splits"]["test"]["classes"] == {"cat": 8, "dog": 8}


def test_39_classes_that_are_numbers_may_be_fewer_elsewhere(table_of, run):
    score = api.evaluate(run(table_of([0, 1, 2, 3] * 4)), str(table_of([1, 3] * 4, "x")))
    assert (score.images, score.classes, score.known) == (8, ("1", "3"), ("0", "1", "2", "3"))


def test_14_identifiers_are_renumbered_on_request(table_of, run):
    """Case 14: nothing allocates by the largest label, and no message grows with the data."""
    table = table_of([10**12, 7] * 8)
    with pytest.raises(DataError) as caught:
        run(table)
    assert "data.renumber=true" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert read_json(run(table, **{"data.renumber": True}) / "data.json")["classes"] == ["7", "1000000000000"]


# ------------------------------------------------------------------------------------------------------- 17: hub sets


def test_17_a_set_with_a_loading_script_names_its_parquet_branch(tmp_path, vitlab, monkeypatch):
    """Case 17: a hub set that still has a loading script."""
    import datasets

    (tmp_path / "old").mkdir()
    (tmp_path / "old/old.py").write_text("import datasets")
    real = datasets.load_dataset
    monkeypatch.setattr(datasets, "load_dataset", lambda _, *more, **named: real(str(tmp_path / "old"), *more, **named))
    answer = vitlab("train", "pictures", "--data", "hub:org/old", "--out", tmp_path / "run")
    assert answer.code == 2
    assert "needs a loading script, which `datasets` no longer runs" in answer.err
    assert "data.revision=refs/convert/parquet" in answer.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("something else"), "something else"),
        (NotImplementedError(), "NotImplementedError"),
        (KeyError("train"), "KeyError 'train'"),
        (ImportError("no module named soundfile"), "no module named soundfile"),
    ],
)
def test_17_whatever_datasets_raises_is_a_message(monkeypatch, error, said):
    """Case 17: no error of the library is a traceback."""

    def load_dataset(*_, **__):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match=f"hub:org/pets cannot be opened: {said}"):
        api.look("hub:org/pets")


# ----------------------------------------------------------------------------------------------------- 21: grey digits


def test_21_grey_pictures_are_grey_everywhere(tmp_path, run):
    """Case 21: channels agree in loader, normalisation and model, and pictures of other modes are made grey."""
    for label in ("one", "seven"):
        for number in range(6):
            shades = np.random.default_rng(number).integers(0, 100, (28, 28), dtype=np.uint8)
            shades[:, 4 : 8 if label == "one" else 20] = 240
            (tmp_path / "g" / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(shades).save(tmp_path / "g" / label / f"{number}.png")
    grey = Image.open(tmp_path / "g/one/0.png")
    assert grey.mode == "L"
    grey.convert("RGBA").save(tmp_path / "rgba.png")
    grey.convert("RGB").save(tmp_path / "colour.jpg", quality=100)
    trained = run(tmp_path / "g", **{"data.in_chans": 1, "data.img_size": 28, "model.patch_size": 7})
    assert read_json(trained / "spec.json")["spec"]["model"]["in_chans"] == 1
    assert len(read_json(trained / "preprocessing.json")["mean"]) == 1
    said = api.predict(trained, [tmp_path / name for name in ("g/one/0.png", "rgba.png", "colour.jpg")])
    probabilities = [dict(prediction.classes) for prediction in said]
    assert probabilities[1] == probabilities[0]
    assert probabilities[2] == pytest.approx(probabilities[0], abs=0.01)


def test_21_a_colour_recipe_on_grey_pictures_says_what_to_set(tree, tmp_path):
    """Case 21: a recipe's normalisation of three channels does not fit one."""
    settings = {"data": str(tree("g", ["a", "b"], 4)), "data.in_chans": 1}
    with pytest.raises(SpecError, match=r"mean=.*has 1 channel; set data\.mean and data\.std to 1 number each"):
        api.train("r0_cifar10", tmp_path / "run", settings=settings, overrides=CHOICES)


# ------------------------------------------------------------------------------------------------ 42: order of classes

TWELVE = [str(number) for number in range(12)]
AS_TEXT = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"]


def _shade(label: str) -> Image.Image:
    return Image.new("RGB", (8, 8), (20 * int(label), 200, 255 - 20 * int(label)))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder a class, named 0 to 11, and all pictures of a class alike."""
    for split, count in (("train", 4), ("test", 2)):
        for label in TWELVE:
            for number in range(count):
                path = tmp_path / "o" / split / label / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                _shade(label).save(path)
    return tmp_path / "o"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """The same as parquet files whose labels are the numbers."""
    (tmp_path / "p").mkdir()
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    for split, count in (("train", 4), ("test", 2)):
        labels = [label for label in TWELVE for _ in range(count)]
        rows = {"image": [_bytes(label) for label in labels], "label": [int(label) for label in labels]}
        table = datasets.Dataset.from_dict(rows, features=kinds)
        table.to_parquet(tmp_path / "p" / f"{split}-00000-of-00001.parquet")
    return tmp_path / "p"


def _bytes(label: str) -> dict[str, object]:
    buffer = io.BytesIO()
    _shade(label).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def test_42_columns_records_and_predictions_agree_on_the_order_of_the_classes(folders, run):
    """Case 42: class 2 is the fifth folder, everywhere; and wherever a person looks it is called 2."""
    trained = run(folders, steps=30)
    classes = read_json(trained / "data.json")["classes"]
    assert classes == read_json(trained / "preprocessing.json")["class_names"] == AS_TEXT
    stored = read_predictions(trained)
    assert [classes[label] for label in stored.labels] == [label for label in AS_TEXT for _ in range(2)]
    for label, probabilities in zip(stored.labels, stored.probabilities, strict=True):
        (said,) = api.predict(trained, [folders / "train" / classes[label] / "0.png"], top=12)
        by_name = dict(zip(classes, probabilities.tolist(), strict=True))
        assert {name: by_name[name] for name, _ in said.classes} == pytest.approx(dict(said.classes), abs=1e-5)
    assert stored.confusion().sum(axis=1).tolist() == [2] * 12
    write_report(trained)
    matrix = (trained / "report_figures/confusion.svg").read_text(encoding="utf-8")
    assert re.findall(r'<text aria-label="(\w+)"', matrix) == 2 * AS_TEXT  # beside the rows, then below the columns


def test_42_a_table_of_numbers_has_another_order_and_is_matched_by_name(folders, shards, run):
    """Case 42: numbers sort as numbers; scores of the same pictures are the same all the same."""
    assert api.look(str(folders)).classes == tuple(AS_TEXT)
    assert api.look(str(shards)).classes == tuple(TWELVE)
    for data, name in ((folders, "by_folders"), (shards, "by_shards")):
        trained = run(data, name, steps=30)
        scores = [api.evaluate(trained, str(other)).values for other in (folders, shards)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-6)
        assert scores[0]["test_loss"] != pytest.approx(np.log(12), abs=1e-3)
