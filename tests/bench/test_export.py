"""Exports beside the run that they are of."""

import pytest

from tests.cli.conftest import finished as finished  # the fixture
from vitlab.base.errors import UserError
from vitlab.bench.export import bench_export
from vitlab.report.speed import markdown


def test_a_program_gives_the_runs_answers_and_is_timed(finished):
    figures = bench_export(str(finished), ("torch_export",), rounds=2)
    (row,) = figures["exports"]
    assert (figures["images"], row["format"]) == (360, "torch_export")
    assert row["same_class"] >= 359
    assert row["largest_difference"] < 1e-4
    assert [point["batch"] for point in row["latency"]] == [1, 32]
    assert all(point["times_as_fast"] > 0 for point in row["latency"])
    figures["env"]["command"] = "vitlab bench export runs/digits"
    said = "\n".join(markdown(figures))
    assert "classified alike, of 360 test images" in said
    assert "| torch_export | 36" in said


def test_a_model_without_test_images_is_refused(tmp_path, tiny_spec):
    from tests.checkpoints.saving import meta_of, save_model
    from vitlab.models.vit import build

    model = build(tiny_spec())
    folder = save_model(tmp_path / "checkpoint", model, meta_of(model.spec))
    with pytest.raises(UserError, match="no test images to compare on"):
        bench_export(str(folder))
