from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vitlab.report.run import RunRecord
from vitlab.report.together import _mean, _seconds_per_epoch, draw_together

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
    alone = SimpleNamespace(history=history, env={})
    np.testing.assert_allclose(_seconds_per_epoch(alone), [(0.5, 10.0), (1.5, 30.0)])
    one_of_five = SimpleNamespace(history=history, env={"stacked_runs": 5})
    np.testing.assert_allclose(_seconds_per_epoch(one_of_five), [(0.5, 2.0), (1.5, 6.0)])


@pytest.mark.slow
def test_every_system_is_named_and_all_files_are_there(tmp_path):
    drawings = draw_together({"VIT": [run(), run(top1=0.6)], "VITL": [run(seconds_per_epoch=20.0)]}, tmp_path)
    assert [drawing.title for drawing in drawings] == [
        *("Validation loss, nats", "Validation top-1, %", "Latency, seconds / epoch"),
    ]
    for name in ("loss", "accuracy", "latency"):
        assert (tmp_path / f"together_{name}.png").stat().st_size > 8_000
        assert ">VITL<" in (tmp_path / f"together_{name}.svg").read_text()
    assert "VIT, VITL" in drawings[0].alt
    assert "peeks" not in drawings[0].svg


@pytest.mark.slow
def test_the_data_of_a_picture_stand_beside_it(tmp_path):
    draw_together({"VIT": [replace(run(top1=0.5), spec={"seed": 7})]}, tmp_path)
    assert (
        tmp_path / "together_accuracy.csv"
    ).read_text() == "system,seed,epoch,value\nVIT,7,0.5,50.0\nVIT,7,1.0,50.0\n"


@pytest.mark.slow
def test_a_curve_of_the_test_split_is_marked(tmp_path):
    drawings = draw_together({"VIT": [run("test")]}, tmp_path)
    assert [drawing.title for drawing in drawings[:2]] == ["Test loss, nats (peeks)", "Test top-1, % (peeks)"]


@pytest.mark.slow
def test_training_is_drawn_where_nothing_was_held_out(tmp_path):
    assert draw_together({"VIT": [run("train")]}, tmp_path)[0].title == "Training loss, nats"


@pytest.mark.slow
def test_many_systems_get_a_frame_each_with_the_first_in_all(tmp_path):
    systems = {name: [run()] for name in "abcdefgh"}
    draw_together(systems, tmp_path)
    svg = (tmp_path / "together_loss.svg").read_text()
    assert [f">{name}<" in svg for name in "abcdefgh"] == [False] + [True] * 7
    assert svg.count("gray, dashed: a") == 1
    assert svg.count('id="axes_') == 7  # the last place of four rows of two is empty
    assert svg.count("stroke-dasharray") == 7 + 1


def test_the_mean_is_of_the_seeds_measured_at_the_same_epochs():
    short, long = np.array([[1.0, 10.0]]), np.array([[1.0, 20.0], [2.0, 30.0]])
    np.testing.assert_array_equal(_mean([short, long, 2 * long * [0.5, 1]]), [[1.0, 30.0], [2.0, 45.0]])
    assert _mean([np.empty((0, 2))]).shape == (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("history", [[], [{"epoch": 1.0, "seconds": None, "val_top1": None}]])
def test_a_run_without_figures_leaves_its_place_empty(history, tmp_path):
    draw_together({"VIT": [replace(EMPTY, history=history)], "VITX": [run()]}, tmp_path)
    assert ">VITX<" in (tmp_path / "together_loss.svg").read_text()


def test_what_nobody_recorded_is_not_drawn(tmp_path):
    assert draw_together({"VIT": [EMPTY]}, tmp_path) == []
