"""`vitlab study`: what a person sees of plans, runs, mistakes."""

import json

import pytest

from tests.report.outcomes import comparison, outcome, t
from vitlab import api
from vitlab.base.errors import UserError

FILE = {
    "question": "Which positions?",
    "base": {"recipe": "digits_small", "model.depth": 1, "model.embed_dim": 16, "model.num_heads": 2, "steps": 4,
             "optim.schedule.warmup_steps": 1},
    "design": {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"]}},
    "num_seeds": 2,
    "verdicts": False,
}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    """Write a study file with some of its values changed."""

    def write(**changes):
        path = tmp_path / "positions.json"
        path.write_text(json.dumps(FILE | changes))
        return path

    return write


def test_a_dry_run_shows_every_cell_and_trains_nothing(vitlab, file, tmp_path):
    answer = vitlab("study", file(), "--dry-run", "--out", tmp_path / "out", "--json")
    assert (answer.code, answer.err) == (0, "")
    said = json.loads(answer.out)
    assert [cell["name"] for cell in said["cells"]] == ["baseline", "model.pos_embed none"]
    baseline, without = said["cells"]
    assert baseline["num_params"] - without["num_params"] == 17 * 16
    assert (baseline["steps"], baseline["images_seen"], said["runs"]) == (4, 4 * 64, 4)
    assert baseline["training_flops"] == 3 * 4 * 64 * baseline["flops"]
    assert said["seconds"] > 0
    assert not (tmp_path / "out").exists()


def test_a_dry_run_for_people(vitlab, file):
    answer = vitlab("study", file(), "--dry-run", "--seeds", 5, "--set", "steps=10")
    assert "2 cells, 10 runs; about" in answer.out
    assert "Which positions?" in answer.out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"design": {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "lerned"]}}}, "lerned"),
        ({"design": {"name": "one_at_time", "factors": {}}}, "did you mean one_at_a_time"),
        ({"metric": "test_top2"}, "metric=test_top2"),
        ({"num_seeds": 0}, "num_seeds=0"),
        ({"base": "digit"}, "unknown recipe 'digit'"),
    ],
)
def test_a_mistake_is_told_in_a_line(vitlab, file, changes, said):
    answer = vitlab("study", file(**changes), "--dry-run")
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_all_bad_cells_are_named(vitlab, file):
    bad = {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "nan"], "model.num_heads": [2, 3]}}
    answer = vitlab("study", file(design=bad), "--dry-run")
    assert answer.code == 2
    assert "model.pos_embed nan" in answer.err
    assert "model.num_heads 3" in answer.err


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing.py", "nothing.py: no such study file; `vitlab list studies` names those that come with vitlab"),
        ("position", "unknown study 'position'; did you mean positions"),
        ("digits", "digits is a recipe, not a study\n"),
    ],
)
def test_a_study_that_is_not_there(vitlab, what, said):
    answer = vitlab("study", what, "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"vitlab: {said}")


@pytest.mark.parametrize(
    ("what", "folder"),
    [
        ("positions", "positions"),
        ("positions:digits", "positions_digits"),
        ("mine/positions.py:digits", "positions_digits"),
        ("mine.json", "mine"),
    ],
)
def test_the_folder_that_is_called_as_the_study(vitlab, monkeypatch, what, folder):
    def refuse(what, out, **how):
        raise UserError(f"{what} in {out}")

    monkeypatch.setattr(api, "study", refuse)
    assert vitlab("study", what).err == f"vitlab: {what} in runs/{folder}\n"


@pytest.mark.slow
def test_it_trains_answers_and_reports(vitlab, file, tmp_path):
    out = tmp_path / "out"
    answer = vitlab("study", file(), "--out", out, "--jobs", 1, "--no-stack", "--json")
    assert (answer.code, answer.err) == (0, "")
    said = json.loads(answer.out)
    assert said["study"]["missing"] == []
    assert said["report"] == str(out / "report.html")
    assert (out / "report.html").exists()
    again = vitlab("study", file(), "--out", out, "--seeds", 3, "--jobs", 1, "--no-stack")
    assert again.code == 0
    assert len(list(out.rglob("result.json"))) == 6


@pytest.mark.slow
def test_an_executor_s_settings_are_json(vitlab, tmp_path):
    words = ("study", "positions:digits", "--dry-run", "--json")
    by_name, by_settings = (json.loads(vitlab(*words, "--on", on).out) for on in ("local", '{"name": "local"}'))
    assert by_name["cells"] == by_settings["cells"]
    assert "unknown executor 'nowhere'" in vitlab(*words, "--on", "nowhere").err


def test_what_leans_is_decided_by_the_command_that_is_printed(vitlab, tmp_path, monkeypatch):
    """Whatever was set on the command line stands in the plan."""
    leaning = comparison("a", "x", -0.004, t(-0.009, 0.001), "not distinguishable", seeds_needed=9)
    monkeypatch.setattr(api, "study", lambda *args, **how: outcome(leaning))
    folder = tmp_path / "of mine"
    told = vitlab("study", "positions:digits", "--steps", "20", "--out", folder)
    assert f"vitlab study '{folder}/plan.json' --out '{folder}' --seeds 9\n" in told.out
