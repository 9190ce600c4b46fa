"""Reading a run's records: what is absent has a reason, what is damaged is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.report.conftest import change, predictions
from vitlab.base.errors import DataError
from vitlab.report.run import Predictions, read_run, wilson_interval

MakeRun = Callable[..., Path]


def test_a_finished_run(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert (run.status, run.recipe, run.data_name, run.missing) == ("finished", "digits", "digits", {})
    assert len(run.history) == 12
    assert run.predictions is not None
    assert run.predictions.num_correct == 353


@pytest.mark.parametrize(
    ("data", "name"),
    [({"name": "folder", "path": "pets"}, "folder:pets"), ({"name": "hub", "repo": "a/b"}, "hub:a/b"), ({}, None)],
)
def test_a_set_is_called_what_it_is_called_by_a_user(make_run: MakeRun, data: dict[str, str], name: str | None) -> None:
    folder = make_run()
    change(folder / "spec.json", spec={"data": data})
    assert read_run(folder).data_name == name


def test_what_is_absent_is_absent_with_the_reason(make_run: MakeRun) -> None:
    folder = make_run()
    names = ["env.json", "result.json", "preprocessing.json", "data.json", "metrics.jsonl", "predictions.npz"]
    for name in names:
        (folder / name).unlink()
    run = read_run(folder)
    assert sorted(run.missing) == sorted(names)
    assert run.status == "unfinished"
    assert run.reason is not None
    assert (run.metrics, run.history, run.predictions, run.pictures) == ({}, [], None, None)
    assert run.class_name(3) == "class 3"


def test_predictions_may_be_left_out(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "predictions.npz").write_bytes(b"nobody reads it")
    run = read_run(folder, with_predictions=False)
    assert (run.predictions, run.missing) == (None, {"predictions.npz": "predictions were not read"})


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"spec\.json does not exist"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "name", ["spec.json", "env.json", "result.json", "preprocessing.json", "data.json", "predictions.npz"]
)
def test_a_damaged_file_is_refused_by_name(make_run: MakeRun, name: str) -> None:
    folder = make_run()
    (folder / name).write_bytes((folder / name).read_bytes()[:20])
    with pytest.raises(DataError, match=rf"{name} is damaged"):
        read_run(folder)


def test_a_cut_last_line_is_left_out_but_not_one_in_the_middle(make_run: MakeRun) -> None:
    metrics = make_run() / "metrics.jsonl"
    lines = metrics.read_text().splitlines()
    metrics.write_text("\n".join([*lines, lines[0][:30]]))
    assert len(read_run(metrics.parent).history) == len(lines)
    metrics.write_text("\n".join([*lines[:3], lines[3][:30], *lines[4:]]))
    with pytest.raises(DataError, match=r"metrics\.jsonl is damaged at line 4"):
        read_run(metrics.parent)


@pytest.mark.parametrize(
    ("record", "values", "message"),
    [
        ("result.json", {"metrics": {"test_top1": "98 %"}}, "test_top1 is '98 %'"),
        ("result.json", {"metrics": [1]}, "expected settings by name"),
        ("result.json", {"status": "fine"}, "status is 'fine'"),
        ("spec.json", {"spec": None}, "spec is None"),
        ("data.json", {"test": 360}, "test is 360, expected settings by name"),
        ("data.json", {"val": {}}, "val has None images"),
        ("data.json", {"train": {"images": 1, "names": "a.png"}}, "names in train are 'a.png'"),
    ],
)
def test_values_that_cannot_be(make_run: MakeRun, record: str, values: dict[str, Any], message: str) -> None:
    folder = make_run()
    change(folder / record, **values)
    with pytest.raises(DataError, match=message):
        read_run(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(3, int)}, "do not fit probabilities"),
        ({"labels": np.full(360, 10)}, "not classes from 0 to 9"),
        ({"split": np.array("holdout")}, "split is 'holdout'"),
        ({"mistakes": np.full(7, 360)}, "not indices of 360 images"),
        ({"mistakes": np.full(7, 100)}, "classified rightly"),
        ({"mistake_pixels": np.zeros((7, 8, 8, 2), np.uint8)}, "not 7 pictures"),
        ({"mistake_pixels": np.zeros((7, 8, 8, 3))}, "not 7 pictures"),
        ({"labels": np.array([{}] * 360)}, "damaged"),  # a pickle, which must never be opened
    ],
)
def test_predictions_that_do_not_fit_together(make_run: MakeRun, changes: dict[str, Any], message: str) -> None:
    folder = make_run()
    np.savez(folder / "predictions.npz", **predictions(10, 1, 7) | changes)
    with pytest.raises(DataError, match=message):
        read_run(folder)


def test_confusion_and_the_commonest_mistakes() -> None:
    labels, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 2, 2])
    nothing = np.zeros(0, int), np.zeros((0, 8, 8, 1), np.uint8)
    found = Predictions("test", labels, np.eye(3, dtype=np.float32)[predicted], *nothing)
    assert found.confusion().tolist() == [[1, 2, 0], [0, 1, 1], [0, 0, 1]]
    assert found.most_confused(15) == [(0, 1, 2), (1, 2, 1)]
    assert found.most_confused(1) == [(0, 1, 2)]
    assert found.num_correct == 3


@pytest.mark.parametrize(("successes", "trials"), [(353, 360), (0, 10), (10, 10), (1, 2), (9_800, 10_000)])
def test_wilson_interval_is_scipys(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high))
