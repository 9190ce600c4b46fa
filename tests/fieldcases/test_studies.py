"""Studies as people run them: changed, crashing, without a difference, on data that change underneath."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fieldcases.conftest import CHOICES, picture
from tests.study.conftest import Records
from vitlab import api
from vitlab.base.errors import SpecError, UserError
from vitlab.records.outcome import Outcome
from vitlab.report.beside import Beside
from vitlab.report.forest import differences, scores
from vitlab.report.pareto import tradeoffs
from vitlab.study.outcome import outcome
from vitlab.study.study_dir import StudyDir

BASE = {
    "recipe": "digits_small",
    "model.embed_dim": 16,
    "model.depth": 1,
    "model.num_heads": 2,
    "epochs": None,
    "steps": 6,
    "optim.schedule": "cosine",
    "evaluate_every": 1,
}
POSITIONS = {"model.pos_embed": ["learned", "none"]}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """`file(question="What?")`: a study file, two cells of two seeds, with settings changed; its path."""

    def write(name: str = "study", **changes: Any) -> str:
        design = {"name": "one_at_a_time", "factors": POSITIONS}
        values = {"question": "Which?", "num_seeds": 2, "verdicts": False, "base": BASE, "design": design} | changes
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(values), encoding="utf-8")
        return str(path)

    return write


def factors(levels: list[str]) -> dict[str, Any]:
    """A design of one factor."""
    return {"name": "one_at_a_time", "factors": {"model.pos_embed": levels}}


def train(file: str, out: Path, **more: Any) -> Outcome:
    """Run by run, one after the other."""
    return api.study(file, out, overrides=CHOICES, jobs=1, stack=False, **more)


# --------------------------------------------------------------------------------------------------- 51: other settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"design": factors(["learned", "none", "rope2d"])},
            [
                "  design.factors.model.pos_embed.levels [learned, none] → [learned, none, rope2d]",
                "Cells that are the same: baseline, model.pos_embed none",
                "Cells that are new: model.pos_embed rope2d",
            ],
        ),
        (
            {"design": factors(["learned", "rope2d"])},
            [
                "  design.factors.model.pos_embed.levels [learned, none] → [learned, rope2d]",
                "Cells that are the same: baseline",
                "Cells that are new: model.pos_embed rope2d",
                "Cells that are gone: model.pos_embed none",
            ],
        ),
        ({"question": "Why?"}, ["  question Which? → Why?", "Cells that are the same: baseline, model.pos_embed none"]),
        (
            {"base": BASE | {"optim.lr": 0.5}, "num_seeds": 3},
            ["  base.optim.lr 0.004 → 0.5", "Cells that are changed: baseline, model.pos_embed none"],
        ),
    ],
)
def test_51_a_study_that_is_another_one_says_what_differs(file, tmp_path, changes, said):
    """Case 51: one more value is to be tried: the refusal names levels and cells, and the two ways on."""
    StudyDir(tmp_path / "S").claim(api.plan_study(file()).plan.as_record())
    with pytest.raises(UserError) as caught:
        StudyDir(tmp_path / "S").claim(api.plan_study(file(**changes)).plan.as_record())
    first, *lines, way_on, command = str(caught.value).splitlines()
    assert first.endswith("/S: the study there has other settings:")
    assert lines == said
    assert way_on == "Take another --out; or go on with the study that is there:"
    assert command == f"  vitlab study {tmp_path}/S/plan.json --out {tmp_path}/S"


# --------------------------------------------------------------------------------------------------- 52: a cell crashes

FRAGILE = '''"""Attention with a bug."""

from dataclasses import dataclass

from vitlab.nn.attention._base import Attention, AttentionSpec


class Fragile(Attention):
    calls = 0

    def forward(self, q, k, v, bias=None, keys=None):
        Fragile.calls += 1
        if Fragile.calls > 4:
            raise RuntimeError("a bug of mine")
        return self.weights(q, k, bias) @ v

    def weights(self, q, k, bias=None):
        return (q @ k.transpose(-1, -2)).softmax(-1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """No settings."""

    def build(self, dims):
        return Fragile()
'''


@pytest.mark.slow
def test_52_cells_that_crash_or_diverge_leave_the_others_alone(file, tmp_path, monkeypatch, vitlab):
    """Case 52: the others finish, every reason is said, the comparisons say over how many seeds they are; code 2."""
    package = tmp_path / "own" / "parts_of_mine"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "fragile.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path / "own")
    hot = {"optim.lr": 1e30, "optim.clip_norm": None}
    mine = {"model.attention": "parts_of_mine.fragile"}
    cells = {"plain": {}, "hot": hot, "mine": mine, "none": {"model.pos_embed": "none"}}
    study = file(design={"name": "listed", "entries": cells})
    words = (
        "study",
        study,
        "--out",
        tmp_path / "S",
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--jobs",
        "1",
        "--stack",
        "--trust",
    )
    answer = vitlab(*words)
    assert answer.code == 2
    assert "mine, 2 seeds: RuntimeError: a bug of mine; training its runs one by one" in answer.out
    assert "none instead of plain:" in answer.out
    assert "hot: 2 of 2 runs diverged" in answer.out
    assert "mine instead of plain: no answer; mine: no run has a score; 0 of 2 against 2 seeds" in answer.out
    assert "4 of 8 runs have no score (2 diverged)" in answer.out
    told = answer.out[answer.out.index("failed; where the cause is gone, --retry tries them again:") :].splitlines()
    assert told[1].startswith("  hot, seed 0: the loss or a weight of seed 0 stopped being a finite number at step ")
    assert told[3:5] == [f"  mine, seed {seed}: RuntimeError: a bug of mine" for seed in (0, 1)]
    assert 'raise RuntimeError("a bug of mine")' in (tmp_path / "S/workers.log").read_text(encoding="utf-8")
    (package / "fragile.py").write_text(FRAGILE.replace("> 4", "> 1e9"))
    again = vitlab(*words, "--retry")
    assert again.code == 2  # the other cell still diverges
    assert "2 of 8 runs have no score (2 diverged)" in again.out


# ----------------------------------------------------------------------------------------------- 54: all the same score


@pytest.fixture
def scored(file, tmp_path) -> Callable[..., Outcome]:
    """`scored({"baseline": 0.5}, seeds=6)`: the outcome where all seeds of a cell score so, or else 1."""

    def make(values: dict[str, float], seeds: int, **changes: Any) -> Outcome:
        records = Records(api.read_study(file(num_seeds=seeds, **changes)), tmp_path / "S")
        for cell in (cell.name for cell in records.plan.cells):
            records.scores(cell, dict.fromkeys(range(seeds), values.get(cell, 1.0)))
        return outcome(tmp_path / "S")

    return make


def test_54_a_test_set_that_cannot_tell_cells_apart_is_called_that(scored):
    """Case 54: every seed is right on every picture: no verdict but that nothing can be distinguished."""
    found = scored({}, seeds=6, verdicts=True)
    (comparison,) = found.comparisons
    assert comparison.decision.verdict == "not distinguishable"
    assert comparison.decision.p_holm == 1
    assert api.answers(found)[:2] == [
        "baseline reaches 100.0 % test top-1, 6 seeds",
        "model.pos_embed none instead of learned: not distinguishable, the same score at each of 6 seeds; "
        "40 test images are too few or too easy to tell them apart",
    ]


def test_54_the_same_difference_at_every_seed_is_no_certainty(scored):
    """Case 54: a spread of zero would make any difference infinitely sure."""
    found = scored({"baseline": 0.5}, seeds=6, verdicts=True)
    (comparison,) = found.comparisons
    assert (comparison.decision.p, comparison.decision.verdict) == (None, None)
    assert (
        "no answer; +50.0 points, 6 seeds; no run differs from another of its cell, so nothing can be tested"
        in (api.answers(found)[1])
    )


def test_54_one_seed_is_no_test(scored):
    """Case 54: `--seeds 1`: refused with what would do; or trained, and nothing claimed."""
    with pytest.raises(SpecError, match=r"num_seeds=1: 1 of 1 claim could not be decided.*--seeds 4 can decide all"):
        scored({"baseline": 0.5}, seeds=1, verdicts=True)
    told = api.answers(scored({"baseline": 0.5}, seeds=1))
    assert told[1].endswith("+50.0 points, 1 seed")
    assert "no verdicts: the plan asks for none; a difference seen here may be chance" in told


@pytest.mark.slow
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_54_pictures_of_no_difference_have_axes_that_can_be_read(scored, score):
    """Case 54: no axis is stretched to rounding errors."""
    cells = dict.fromkeys(["baseline", "model.pos_embed none"], score)
    beside = Beside()
    found = scored(cells, seeds=3)
    assert differences(found, beside) is not None
    assert scores(found, beside) is not None
    tradeoffs(found, beside)
    drawn = {name: content.decode() for name, content in beside.items() if name.endswith(".svg")}
    assert "differences.svg" in drawn
    assert any(name.startswith("pareto") for name in drawn)
    assert not any(re.search(r">1e\S*</text>", svg) for svg in drawn.values())
    assert re.search(r">−1(\.0+)?</text>", drawn["differences.svg"])


# ------------------------------------------------------------------------------------------------- 55: data that change


@pytest.fixture
def on_pictures(file, tree, tmp_path) -> str:
    """A study file on a folder of pictures of two classes."""
    data = tree("d", ["a", "b"], 12)
    small = {"name": "folder", "path": str(data), "img_size": 8, "num_classes": 2}
    return file(base=BASE | {"recipe": "pictures", "data": small, "model.patch_size": 4, "val_fraction": 0})


def results(out: Path) -> dict[str, int]:
    """When each run's result was written."""
    return {
        str(path.parent.relative_to(out / "runs")): path.stat().st_mtime_ns for path in out.glob("runs/*/*/result.json")
    }


@pytest.mark.slow
def test_55_a_study_does_not_go_on_with_other_pictures(on_pictures, tmp_path):
    """Case 55: cells that saw different pictures would be compared all the same."""
    out = tmp_path / "S"
    assert train(on_pictures, out).complete
    shutil.rmtree(out / "runs/model.pos-embed-none")
    before = results(out)
    for number in range(40):
        picture(tmp_path / f"d/a/more{number}.png", 50_000 + number)
    found = train(on_pictures, out)
    assert results(out) == before
    assert len(found.missing) == 2
    assert all("the data are not those of" in said and "train images of a: 11 → " in said for said in found.missing)
    assert "no answer" in api.answers(found)[1]
    for path in (tmp_path / "d/a").glob("more*.png"):
        path.unlink()
    assert train(on_pictures, out, retry=True).complete


@pytest.mark.slow
def test_55_a_run_that_was_deleted_is_trained_again_alone(on_pictures, tmp_path):
    """Case 55: the others are left as they are."""
    out = tmp_path / "S"
    first = train(on_pictures, out)
    before = results(out)
    shutil.rmtree(out / "runs/baseline/seed-1")
    assert train(on_pictures, out).cells[0].scores("test_loss") == first.cells[0].scores("test_loss")
    after = results(out)
    assert [name for name in after if after[name] != before[name]] == ["baseline/seed-1"]
