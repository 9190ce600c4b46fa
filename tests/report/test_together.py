from dataclasses import replace

import numpy as np
import pytest

from vitlab.models.spec import ViTSpec
from vitlab.records.run import Environment, Result, RunDeclaration
from vitlab.report.beside import Beside
from vitlab.report.run import RunRecord
from vitlab.report.together import EPOCHS, STEPS, _latency, _mean, draw_together
from vitlab.tasks import classify

METRICS = {
    f"{split}_{metric.name}": metric
    for split in ("train", "val", "test")
    for metric in classify.Spec().metrics(ViTSpec())
}
EMPTY = RunRecord(
    declaration=RunDeclaration("", "", {}, METRICS, "val_top1"),
    environment=None,
    data=None,
    result=Result("finished"),
    history=[],
    predictions=None,
    missing={},
)


def run(split="val", seconds_per_epoch=10.0, top1=0.5, seed=None):
    history = [
        {"epoch": epoch, "seconds": seconds_per_epoch * epoch, f"{split}_loss": 2 - epoch, f"{split}_top1": top1}
        for epoch in (0.5, 1.0)
    ]
    spec = {} if seed is None else {"seed": seed}
    return replace(EMPTY, history=history, declaration=replace(EMPTY.declaration, spec=spec))


@pytest.fixture
def drawn(tmp_path):
    """`drawn(systems)`: the drawings, with their files in `tmp_path`."""

    def draw(systems):
        beside = Beside()
        drawings = draw_together(systems, beside)
        beside.save(tmp_path)
        return drawings

    return draw


def test_latency_is_what_an_epoch_took_since_the_evaluation_before():
    history = [{"epoch": 0.5, "seconds": 5.0}, {"epoch": 1.5, "seconds": 35.0}]
    alone = replace(EMPTY, history=history)
    np.testing.assert_allclose(_latency(alone, EPOCHS), [(0.5, 10.0), (1.5, 30.0)])
    one_of_five = replace(EMPTY, history=history, environment=Environment(stacked_runs=5))
    np.testing.assert_allclose(_latency(one_of_five, EPOCHS), [(0.5, 2.0), (1.5, 6.0)])


def test_a_short_last_interval_is_told_with_the_one_before():
    """Between the last evaluation and the end a few steps may lie: their time is noise, and was drawn as a spike."""
    history = [{"epoch": at, "seconds": seconds} for at, seconds in ((1.0, 10.0), (2.0, 20.0), (2.05, 25.0))]
    found = _latency(replace(EMPTY, history=history), EPOCHS)
    np.testing.assert_allclose(found, [(1.0, 10.0), (2.05, 15.0 / 1.05)])
    by_step = [{"step": step, "seconds": 0.5 * step} for step in (50, 100)]
    np.testing.assert_allclose(_latency(replace(EMPTY, history=by_step), STEPS), [(50, 500.0), (100, 500.0)])


@pytest.mark.slow
def test_the_same_steps_and_other_epochs_are_drawn_by_step(drawn, tmp_path):
    def of(epochs):
        history = [{"epoch": epochs * n, "step": 50 * n, "seconds": 1.0 * n, "val_top1": 0.5} for n in (1, 2)]
        return replace(EMPTY, history=history)

    drawings = drawn({"all": [of(1.0)], "a third": [of(3.0)]})
    assert drawings[-1].title == "Latency, ms / step"
    assert (tmp_path / "together_top1.csv").read_text().startswith("cell,seed,step,value\nall,,50.0,50.0\n")


@pytest.mark.slow
def test_every_system_is_named_and_all_files_are_there(drawn, tmp_path):
    drawings = drawn({"VIT": [run(), run(top1=0.6)], "VITL": [run(seconds_per_epoch=20.0)]})
    assert [drawing.title for drawing in drawings] == [
        *("Validation top-1, %", "Validation loss, nats", "Latency, seconds / epoch"),
    ]
    for name in ("loss", "top1", "latency"):
        assert (tmp_path / f"together_{name}.png").stat().st_size > 8_000
        assert ">VITL<" in (tmp_path / f"together_{name}.svg").read_text()
    assert "VIT, VITL" in drawings[0].alt
    assert "peeks" not in drawings[0].wide


@pytest.mark.slow
def test_the_data_of_a_picture_stand_beside_it(drawn, tmp_path):
    drawn({"VIT": [run(top1=0.5, seed=7)]})
    assert (tmp_path / "together_top1.csv").read_text() == "cell,seed,epoch,value\nVIT,7,0.5,50.0\nVIT,7,1.0,50.0\n"


@pytest.mark.slow
def test_a_curve_of_the_test_split_is_marked(drawn):
    drawings = drawn({"VIT": [run("test")]})
    assert [drawing.title for drawing in drawings[:2]] == ["Test top-1, % (peeks)", "Test loss, nats (peeks)"]


@pytest.mark.slow
def test_training_is_drawn_where_nothing_was_held_out(drawn):
    assert drawn({"VIT": [run("train")]})[0].title == "Training top-1, %"


@pytest.mark.slow
def test_many_systems_get_a_frame_each_with_the_first_in_all(drawn, tmp_path):
    systems = {name: [run()] for name in "abcdefgh"}
    drawings = drawn(systems)
    svg = (tmp_path / "together_loss.svg").read_text()
    assert [f">{name}<" in svg for name in "abcdefgh"] == [False] + [True] * 7
    assert svg.count("stroke-dasharray") == 7
    assert drawings[0].tall is not None


def test_the_mean_is_of_the_seeds_measured_at_the_same_epochs():
    short, long = np.array([[1.0, 10.0]]), np.array([[1.0, 20.0], [2.0, 30.0]])
    np.testing.assert_array_equal(_mean([short, long, 2 * long * [0.5, 1]]), [[1.0, 30.0], [2.0, 45.0]])
    assert _mean([np.empty((0, 2))]).shape == (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("history", [[], [{"epoch": 1.0, "seconds": None, "val_top1": None}]])
def test_a_run_without_figures_leaves_its_place_empty(history, drawn, tmp_path):
    drawn({"VIT": [replace(EMPTY, history=history)], "VITX": [run()]})
    assert ">VITX<" in (tmp_path / "together_loss.svg").read_text()


def test_what_nobody_recorded_is_not_drawn(drawn):
    assert drawn({"VIT": [EMPTY]}) == []
