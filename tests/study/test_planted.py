"""Truths that we planted ourselves, found by really training: a task that needs positions, and copies of a component.

The label of a picture is the quadrant in which a bright square stands. A model that does not know where its patches are
cannot do better than a guess, one in four; a copy of a component does what the component does, whatever it is called.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vitlab.nn.pos_embed.learned as original
from tests.study.conftest import OVERRIDES
from vitlab import api
from vitlab.study import autotune
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import factor

SIDE, CLASSES = 8, ("lower-left", "lower-right", "upper-left", "upper-right")
COPY, RENAMED = "copies_of_mine.the_same", "copies_of_mine.renamed"
IMAGES = {"train": 100, "test": 50}  # of every class


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Grey pictures, a 2 × 2 square somewhere in a quadrant, under noise."""
    drawn = np.random.default_rng(0)
    for split, count in IMAGES.items():
        for name in CLASSES:
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = drawn.normal(90, 30, (SIDE, SIDE))
                row = drawn.integers(0, 3) + 4 * name.startswith("lower")
                column = drawn.integers(0, 3) + 4 * name.endswith("right")
                pixels[row : row + 2, column : column + 2] += 90
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "pictures"


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two components of somebody's own: learned positions word for word, and with another name for the parameter.

    Weights are drawn by the parameter's name: of the first copy they are the original's, of the second others.
    """
    folder = tmp_path / "own" / "copies_of_mine"
    folder.mkdir(parents=True)
    text = Path(original.__file__).read_text()
    (folder / "__init__.py").touch()
    (folder / "the_same.py").write_text(text)
    renamed = text.replace("self.weight", "self.table").replace('{"weight": ', '{"table": ')
    assert renamed.count("table") - text.count("table") == 4
    (folder / "renamed.py").write_text(renamed)
    monkeypatch.syspath_prepend(tmp_path / "own")
    for name in [name for name in sys.modules if name.partition(".")[0] == "copies_of_mine"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.slow
def test_what_needs_positions_is_worse_without_and_a_copy_is_no_different(
    study_of, pictures, copies, tmp_path, monkeypatch
):
    monkeypatch.setattr(autotune, "SECONDS", 0.01)
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    data = {
        "name": "folder",
        "path": str(pictures),
        "img_size": [SIDE, SIDE],
        "in_chans": 1,
        "num_classes": 4,
        "mean": [0.37],
        "std": [0.2],
    }
    base = {"data": data, "augment": [], "steps": 300, "batch_size": 32, "evaluate_every": 100.0}
    base |= {"model.patch_size": SIDE // 2, "optim.lr": 1e-2}  # a quadrant is a patch
    positions = factor("model.pos_embed", "learned", "none", COPY, RENAMED, name="positions")
    study = study_of(one_at_a_time.Spec((positions,)), base, num_seeds=6, baseline_seeds=6, verdicts=True)
    said = api.study(study, tmp_path / "study", overrides=OVERRIDES, jobs=1, stack=True)
    assert said.complete
    none, copy, renamed = said.comparisons

    assert said.cell("baseline").score.mean > 0.8
    assert abs(said.cell("positions none").score.mean - 0.25) < 0.06
    assert (none.decision.verdict, none.decision.p_runs) == ("worse", pytest.approx(2 / 924))
    assert none.decision.quoted.high < -0.5
    assert none.decision.picture_error > 0

    assert copy.decision.verdict == "not distinguishable"
    assert (copy.decision.value, copy.decision.p_holm, copy.correlation) == (0, 1, pytest.approx(1))
    assert copy.decision.picture_error == 0
    for ours, theirs in zip(said.cell("baseline").runs, said.cell(copy.cell).runs, strict=True):
        assert {n: v for n, v in ours.metrics.items() if "top" in n or "loss" in n} == {
            n: v for n, v in theirs.metrics.items() if "top" in n or "loss" in n
        }

    assert renamed.decision.verdict == "not distinguishable"
    assert renamed.decision.value != 0
    assert renamed.decision.probably_missed < 0.2  # an effect like that of no positions would have been seen
