"""What stands at the end of a training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import MEASURED, RESULT, change
from vitlab.report.summary import summary

BALANCED = MEASURED["test_top1"] | {
    "name": "balanced_accuracy",
    "title": "balanced accuracy",
    "over": "classes",
    "counts_right": False,
}


@pytest.fixture
def run(make_run: Callable[..., Path]) -> Callable[..., Path]:
    """`run({"cat": 95, "dog": 5}, test_top1=0.95)`: a run with so many test images of each class, and such figures."""

    def make(classes: dict[str, int], **figures: float) -> Path:
        folder = make_run()
        change(folder / "spec.json", metrics=MEASURED | {"test_balanced_accuracy": BALANCED})
        change(folder / "result.json", metrics=RESULT | figures)
        splits: dict[str, Any] = {"test": {"images": sum(classes.values()), "classes": classes}}
        change(folder / "data.json", found={"layout": "", "splits": splits})
        return folder

    return make


def test_an_accuracy_of_even_classes_stands_alone(run: Callable[..., Path]) -> None:
    folder = run({"cat": 50, "dog": 50}, test_top1=0.95, test_balanced_accuracy=0.95)
    assert summary(folder) == "test top-1 95.00 %, 75.4 s"


def test_one_of_uneven_classes_stands_beside_the_majority(run: Callable[..., Path]) -> None:
    folder = run({"cat": 95, "dog": 5}, test_top1=0.95, test_balanced_accuracy=0.5)
    assert summary(folder) == "test top-1 95.00 % (always saying cat: 95.00 %), balanced accuracy 50.00 %, 75.4 s"


def test_without_a_look_at_the_data_the_score_stands_alone(make_run: Callable[..., Path]) -> None:
    assert summary(make_run()) == "test top-1 98.06 %, 75.4 s"


def test_what_has_not_finished_says_why(make_run: Callable[..., Path]) -> None:
    assert summary(make_run(status="failed", reason="no memory")) == "failed: no memory"
