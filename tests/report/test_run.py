"""Reading a run's records: what is absent has a reason, what is damaged is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import change
from vitlab.base.errors import DataError
from vitlab.report.run import read_run

MakeRun = Callable[..., Path]


def test_a_finished_run(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert (run.status, run.declaration.recipe, run.data_name, run.missing) == ("finished", "digits", "digits", {})
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
    names = ["env.json", "result.json", "data.json", "metrics.jsonl", "predictions.npz"]
    for name in names:
        (folder / name).unlink()
    run = read_run(folder)
    assert sorted(run.missing) == sorted(names)
    assert run.status == "unfinished"
    assert run.reason is not None
    assert (run.metrics, run.history, run.predictions, run.data) == ({}, [], None, None)
    assert run.class_name(3) == "class 3"


def test_predictions_may_be_left_out(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "predictions.npz").write_bytes(b"nobody reads it")
    run = read_run(folder, with_predictions=False)
    assert (run.predictions, run.missing) == (None, {"predictions.npz": "predictions were not read"})


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"spec\.json does not exist"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["spec.json", "env.json", "result.json", "data.json", "predictions.npz"])
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
        ("result.json", {"metrics": {"test_top1": "98 %"}}, r"metrics\.test_top1='98 %': expected a number, or null"),
        ("result.json", {"metrics": {"test_top1": True}}, r"metrics\.test_top1=True: expected a number, or null"),
        ("result.json", {"metrics": {"flops": float("inf")}}, r"metrics\.flops=inf: expected a number, or null"),
        ("result.json", {"metrics": [1]}, "expected values by name"),
        ("result.json", {"status": "fine"}, "status='fine': legal: finished, failed, interrupted"),
        ("spec.json", {"spec": None}, "spec=None"),
        ("spec.json", {"spec": ...}, "spec is missing"),
        ("data.json", {"test": 360}, "test: expected settings, got 360"),
        ("data.json", {"val": {}}, r"val\.images is missing"),
        ("data.json", {"train": {"images": 1, "names": "a.png"}}, r"train\.names='a.png': expected a list"),
    ],
)
def test_values_that_cannot_be(make_run: MakeRun, record: str, values: dict[str, Any], message: str) -> None:
    folder = make_run()
    change(folder / record, **values)
    with pytest.raises(DataError, match=message):
        read_run(folder)
