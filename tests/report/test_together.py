from dataclasses import replace

import numpy as np
import pytest

from vitlab.report.run import RunRecord
from vitlab.report.together import _seconds_per_epoch, draw_together

EMPTY = RunRecord(
    status="finished",
    reason=None,
    recipe=None,
    id=None,
    spec={},
    env={},
    history=[],
    metrics={},
    class_names=(),
    pictures=None,
    predictions=None,
    missing={},
)


def run(split="val", seconds_per_epoch=10.0, top1=0.5):
    history = [
        {"epoch": epoch, "seconds": seconds_per_epoch * epoch, f"{split}_loss": 2 - epoch, f"{split}_top1": top1}
        for epoch in (0.5, 1.0)
    ]
    return replace(EMPTY, history=history)


def test_latency_is_what_an_epoch_took_since_the_evaluation_before():
    history = [{"epoch": 0.5, "seconds": 5.0}, {"epoch": 1.5, "seconds": 35.0}]
    np.testing.assert_allclose(_seconds_per_epoch(history), [(0.5, 10.0), (1.5, 30.0)])


def test_every_system_is_named_and_both_files_are_there(tmp_path):
    drawing = draw_together({"VIT": [run(), run(top1=0.6)], "VITL": [run(seconds_per_epoch=20.0)]}, tmp_path)
    svg = (tmp_path / "together.svg").read_text()
    assert (tmp_path / "together.png").stat().st_size > 10_000
    for words in ("VIT", "VITL", "validation loss", "latency, seconds / epoch"):
        assert words in svg
    assert "VIT, VITL" in drawing.alt
    assert "peeks" not in svg


def test_a_curve_of_the_test_split_is_marked(tmp_path):
    draw_together({"VIT": [run("test")]}, tmp_path)
    assert "(peeks)" in (tmp_path / "together.svg").read_text()


@pytest.mark.parametrize("history", [[], [{"epoch": 1.0, "seconds": 3.0, "val_top1": None}]])
def test_a_run_without_figures_leaves_its_place_empty(history, tmp_path):
    draw_together({"VIT": [replace(EMPTY, history=history)], "VITX": [run()]}, tmp_path)
    assert "VITX" in (tmp_path / "together.svg").read_text()
