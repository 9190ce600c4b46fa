"""What records say, against SciPy and numbers worked out by hand. Nothing is trained."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import DataError
from vitlab.records.data import DataRecord, SplitRecord
from vitlab.records.execution import CellExecution
from vitlab.records.outcome import COSTS, Outcome
from vitlab.study.design import factorial, one_at_a_time
from vitlab.study.outcome import outcome
from vitlab.study.spec import factor

DEEP, WIDE = {"model.depth": 4}, {"model.embed_dim": 32}
CELLS = {"plain": {}, "deep": DEEP, "wide": WIDE}
PLAIN = {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.83}
SCORES = {"plain": PLAIN, "deep": {0: 0.70, 1: 0.73, 2: 0.70, 3: 0.74}, "wide": {0: 0.81, 1: 0.81, 2: 0.82, 3: 0.83}}


def values(scores):
    return np.array([scores[seed] for seed in sorted(scores)])


@pytest.fixture
def filled(study_of, records):
    """`filled(scores, metric=…)`: the records of a listed study with these scores by cell and seed."""

    def fill(scores=SCORES, cells=CELLS, num_seeds=4, metric="test_top1", **more):
        found = records(study_of(cells, num_seeds=num_seeds, metric=metric, **more))
        for cell, by_seed in scores.items():
            found.scores(cell, by_seed, metric)
        return found

    return fill


def answers(found):
    return outcome(found.folder.path)


def measured(found, **cells):
    """Record what was measured of some cells: seconds of a step and of an image."""
    costs = {name: CellExecution({}, "", {}, step, image, None) for name, (step, image) in cells.items()}
    found.folder.note_executions({"cpu": "any"}, costs)


# --------------------------------------------------------------------------------------------------------------- cells


def test_it_says_what_was_asked(filled):
    said = answers(filled())
    assert (said.question, said.design, said.metric) == ("What does it do?", "listed", "test_top1")
    assert (said.equal, said.better, said.seeds, said.images) == ("steps", "higher", (0, 1, 2, 3), 40)
    assert said.complete
    assert said.missing == ()
    assert [cell.name for cell in said.cells] == ["plain", "deep", "wide"]
    assert said.cell("deep").settings == DEEP
    assert (said.cell("deep").against, said.cell("plain").against) == ("plain", None)


def test_a_cells_score_is_that_of_its_seeds(filled):
    score = answers(filled()).cell("plain").score
    low, high = stats.t.interval(0.95, 3, values(PLAIN).mean(), stats.sem(values(PLAIN)))
    assert score.mean == pytest.approx(0.815, abs=1e-12)
    assert score.std == pytest.approx(np.std([0.80, 0.82, 0.81, 0.83], ddof=1), rel=1e-12)
    assert (score.t_interval.low, score.t_interval.high) == pytest.approx((low, high), rel=1e-12)
    assert score.n == 4


def test_balanced_accuracy_is_compared_and_has_no_binomial_error(filled):
    """Its error over images depends on how many each class has."""
    said = answers(filled(metric="test_balanced_accuracy"))
    assert (said.better, said.cell("plain").score.mean) == ("higher", pytest.approx(0.815, abs=1e-12))
    assert said.cell("plain").errors is None
    assert [compared.test_set_error for compared in said.comparisons] == [None, None]


def test_both_errors_of_an_accuracy(filled):
    errors = answers(filled()).cell("plain").errors
    assert errors.images == 40
    assert errors.seed_error == pytest.approx(stats.sem(values(PLAIN)), rel=1e-12)
    assert errors.test_set_error == pytest.approx((0.815 * 0.185 / 40) ** 0.5, rel=1e-12)


def test_a_validation_metric_has_the_images_of_its_split(filled):
    said = answers(filled(metric="val_top1"))
    assert (said.images, said.cell("plain").errors.images) == (10, 10)


def test_a_loss_is_better_lower_and_no_share_of_images(filled):
    said = answers(filled(metric="test_loss"))
    assert said.better == "lower"
    assert said.cell("plain").errors is None


def test_cells_with_test_sets_of_their_own_are_counted_on_these(filled):
    found = filled()
    for seed in range(4):
        place = found.place("wide", seed)
        replace(DataRecord.read(place), test=SplitRecord(90)).write(place)
    said = answers(found)
    assert said.images is None
    assert [cell.images for cell in said.cells] == [40, 40, 90]
    assert said.cell("wide").errors.images == 90


def test_a_cells_costs(filled):
    found = filled()
    measured(found, deep=(0.025, 1e-4))
    said = answers(found)
    planned = next(cell for cell in found.plan.cells if cell.name == "deep")
    assert said.cell("deep").costs == {
        "num_params": planned.num_params,
        "flops": planned.flops,
        "seconds_per_image": 1e-4,
        "seconds_per_step": 0.025,
        "activation_bytes": planned.activation_bytes,
    }
    assert said.cell("plain").costs["seconds_per_step"] is None
    assert set(COSTS) == set(said.cell("deep").costs)


# --------------------------------------------------------------------------------------------------------- comparisons


def test_differences_seed_by_seed_decided_with_holm(filled):
    deep, wide = answers(filled()).comparisons
    p_deep = stats.ttest_rel(values(SCORES["deep"]), values(PLAIN)).pvalue
    p_wide = stats.ttest_rel(values(SCORES["wide"]), values(PLAIN)).pvalue
    assert p_deep < 0.025 < p_wide
    assert deep.comparison.p_holm == pytest.approx(2 * p_deep, rel=1e-9)
    assert wide.comparison.p_holm == pytest.approx(p_wide, rel=1e-9)
    assert (deep.comparison.verdict, wide.comparison.verdict) == ("worse", "not distinguishable")
    assert deep.comparison.difference.mean == pytest.approx(np.mean([-0.10, -0.09, -0.11, -0.09]), rel=1e-9)
    assert deep.comparison.difference.sign_flip.p == 2 / 16
    assert (deep.cell, deep.against, deep.says) == ("deep", "plain", "deep instead of plain")


def test_what_these_seeds_could_have_shown(filled):
    """The effect that is shown with 80 % at the level .05 / 2, by the noncentral t distribution."""
    _, wide = answers(filled()).comparisons
    std = np.std(values(SCORES["wide"]) - values(PLAIN), ddof=1)
    effect = wide.sensitivity.smallest_effect
    critical, shift = stats.t.isf(0.05 / 2 / 2, 3), effect / std * 2
    assert wide.sensitivity.level == 0.025
    assert stats.nct.sf(critical, 3, shift) + stats.nct.cdf(-critical, 3, shift) == pytest.approx(0.8, abs=1e-6)


def test_a_higher_loss_is_worse(filled):
    deep, _ = answers(filled(metric="test_loss")).comparisons
    assert (deep.comparison.verdict, deep.comparison.difference.mean < 0) == ("better", True)


def test_each_cell_of_a_walk_is_compared_with_the_one_before_it(study_of, records, base_run):
    from vitlab.study.design.recipe_diff import Spec

    found = records(study_of(Spec(base_run({"model.depth": 3, "optim.lr": 1e-3})), num_seeds=3))
    for cell, scores in (
        ("baseline", (0.5, 0.6, 0.7)),
        ("1 model.depth", (0.6, 0.8, 0.8)),
        ("2 optim.lr", (0.6, 0.9, 0.9)),
    ):
        found.scores(cell, dict(enumerate(scores)))
    first, second = answers(found).comparisons
    assert (first.against, second.against) == ("baseline", "1 model.depth")
    assert first.comparison.difference.mean == pytest.approx(0.4 / 3)
    assert second.comparison.difference.mean == pytest.approx(0.2 / 3)


def test_a_study_of_one_cell_has_no_comparison(filled):
    said = answers(filled({"plain": PLAIN}, {"plain": {}}))
    assert said.comparisons == ()
    assert said.cell("plain").score.n == 4


# ------------------------------------------------------------------------------------------------------ what is missing


def test_what_is_missing_is_named_with_its_reason(filled):
    found = filled({"plain": PLAIN, "deep": {0: 0.7, 3: 0.74}})
    found.run("deep", 1, "failed", reason="the loss stopped being a number", steps=7)
    found.run("deep", 2, "interrupted", reason="signal 15", steps=3, test_top1=0.99)  # no score of a run that goes on
    found.folder.note_failure(found.place("wide", 0), "its process was killed")
    said = answers(found)
    assert not said.complete
    assert said.missing == (
        "deep, seed 1: failed: the loss stopped being a number",
        "deep, seed 2: interrupted: signal 15",
        "wide, seed 0: failed: its process was killed",
        "wide, seed 1: not trained yet",
        "wide, seed 2: not trained yet",
        "wide, seed 3: not trained yet",
    )
    assert (said.cell("deep").score.n, said.cell("deep").score.mean) == (2, pytest.approx(0.72))
    assert (said.cell("wide").score.n, said.cell("wide").score.mean) == (0, None)


def test_a_comparison_is_over_the_seeds_that_both_have(filled):
    found = filled({"plain": {0: 0.8, 1: 0.82, 2: 0.81}, "deep": {1: 0.73, 2: 0.70, 3: 0.1}, "wide": {}})
    deep, wide = answers(found).comparisons
    difference = deep.comparison.difference
    assert (difference.seeds, difference.only_baseline, difference.only_cell) == ((1, 2), (0,), (3,))
    assert difference.mean == pytest.approx(-0.10)
    assert (wide.comparison.verdict, wide.comparison.reasons["verdict"]) == (None, "no seed in common")
    p = stats.ttest_rel([0.73, 0.70], [0.82, 0.81]).pvalue
    assert deep.comparison.p_holm == pytest.approx(min(1, 2 * p), rel=1e-9)  # corrected for wide, which was planned


def test_a_finished_run_without_the_metric_has_no_score(filled):
    found = filled({"plain": PLAIN})
    found.run("deep", 0, test_loss=0.5)
    said = answers(found)
    assert said.cell("deep").scores("test_top1") == {}
    assert said.cell("plain").scores("test_top1") == PLAIN


def test_before_anything_is_trained_all_is_missing(study_of, records):
    said = answers(records(study_of(CELLS, num_seeds=2)))
    assert len(said.missing) == 6
    assert said.images is None
    assert said.fronts == {}
    assert all(cell.score.mean is None for cell in said.cells)


def test_a_damaged_plan_is_told(filled):
    found = filled()
    path = found.folder.path / "plan.json"
    record = json.loads(path.read_text())
    del record["cells"][1]["says"]
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"plan\.json is damaged: cells\.1\.says is missing"):
        answers(found)


# -------------------------------------------------------------------------------------------------------------- tuning


def test_a_tuned_cell_is_what_its_best_value_scored(study_of, records):
    found = records(study_of({"plain": {}, "deep": DEEP}, tune=factor("optim.lr", 0.1, 0.2), num_seeds=2))
    for value, score in (("0.1", 0.4), ("0.2", 0.6)):
        found.run("plain", 0, value=value, val_top1=score, test_top1=1 - score)
    found.run("plain", 1, val_top1=0.3, test_top1=0.5)
    found.run("deep", 0, "failed", value="0.1", reason="diverged", steps=1)
    said = answers(found)
    plain, deep = said.cells
    assert (plain.tuned.setting, plain.tuned.value) == ("optim.lr", "0.2")
    assert (plain.tuned.metric, plain.tuned.scores) == ("val_top1", {"0.1": 0.4, "0.2": 0.6})
    assert plain.spec["optim"]["lr"] == 0.2
    assert plain.scores("test_top1") == {0: 0.4, 1: 0.5}
    assert [run.folder for run in plain.runs] == ["runs/plain/0.2/seed-0", "runs/plain/0.2/seed-1"]
    assert (deep.tuned.value, deep.tuned.scores) == (None, {"0.1": None, "0.2": None})
    why = "the tuning of this cell has not finished; optim.lr 0.1, seed 0: diverged"
    assert said.missing == (f"deep, seed 0: not trained yet: {why}", f"deep, seed 1: not trained yet: {why}")


def test_a_study_without_a_grid_tunes_nothing(filled):
    assert answers(filled()).cell("plain").tuned is None


# ------------------------------------------------------------------------------------------------------------- effects


@pytest.fixture
def crossed(study_of, records):
    """Two factors of two levels; scores of three seeds: 0.5 + 0.1·deep + 0.02·big - 0.04·both + seed/100."""
    design = factorial.Spec((factor("model.depth", 2, 4, name="depth"), factor("batch_size", 16, 48, name="batch")))
    found = records(study_of(design, num_seeds=3))
    noise = iter(np.random.default_rng(0).normal(0, 1e-3, 12))
    for deep, depth in enumerate((2, 4)):
        for big, batch in enumerate((16, 48)):
            score = 0.5 + 0.1 * deep + 0.02 * big - 0.04 * deep * big
            found.scores(f"depth {depth}, batch {batch}", {s: score + s / 100 + next(noise) for s in range(3)})
    return found


def test_a_factorial_has_main_effects_and_interactions(crossed):
    said = answers(crossed)
    depth, batch, both = said.effects.effects
    assert (depth.factors, batch.factors, both.factors) == (("depth",), ("batch",), ("depth", "batch"))
    assert depth.contrasts[0].mean == pytest.approx(0.08, abs=2e-3)  # on average over batches
    assert batch.contrasts[0].mean == pytest.approx(0.0, abs=2e-3)
    assert both.contrasts[0].mean == pytest.approx(-0.04, abs=3e-3)
    y = {cell.name: values(cell.scores("test_top1")) for cell in said.cells}
    within = (y["depth 4, batch 16"] + y["depth 4, batch 48"] - y["depth 2, batch 16"] - y["depth 2, batch 48"]) / 2
    assert depth.p == pytest.approx(stats.ttest_1samp(within, 0).pvalue, rel=1e-9)
    assert said.no_effects is None


def test_a_seed_that_a_cell_lacks_is_left_out_of_the_effects(crossed):
    crossed.run("depth 4, batch 48", 1, "failed", reason="diverged", steps=1)
    effects = answers(crossed).effects
    assert (effects.seeds, effects.left_out) == ((0, 2), (1,))


def test_why_there_are_no_effects(crossed):
    for seed in range(3):
        crossed.run("depth 4, batch 48", seed, "failed", reason="diverged", steps=1)
    said = answers(crossed)
    assert said.effects is None
    assert said.no_effects == "no seed has a score in every cell: effects within seeds cannot be computed"


def test_other_designs_have_no_effects_and_need_no_reason(filled):
    said = answers(filled())
    assert (said.effects, said.no_effects) == (None, None)


# -------------------------------------------------------------------------------------------------------------- fronts


def test_who_is_not_beaten_on_score_and_cost(filled):
    """deep costs more than plain and scores less; wide costs most and scores best."""
    found = filled()
    assert answers(found).fronts == dict.fromkeys(("num_params", "flops", "activation_bytes"), ("plain", "wide"))
    measured(found, plain=(0.03, 0.01), deep=(0.02, 0.02), wide=(0.01, 0.03))
    fronts = answers(found).fronts
    assert (fronts["seconds_per_step"], fronts["seconds_per_image"]) == (("wide",), ("plain", "wide"))


def test_the_front_of_a_loss_has_the_lowest(filled):
    assert answers(filled(metric="test_loss")).fronts["flops"] == ("plain", "deep")


def test_a_cell_without_a_score_is_on_no_front(filled):
    found = filled({"plain": PLAIN, "deep": SCORES["deep"]})
    assert answers(found).fronts["num_params"] == ("plain",)


# ------------------------------------------------------------------------------------------------------------- records


def test_study_json_is_the_outcome(filled):
    found = filled()
    said = answers(found)
    said.write(found.folder.path)
    record = json.loads((found.folder.path / "study.json").read_text())
    assert record.pop("schema") == Outcome.schema
    assert Outcome.read(found.folder.path) == said


@pytest.mark.slow
def test_it_is_read_without_torch(filled):
    """In a process of its own, since this one has torch."""
    found = filled()
    code = (
        "import sys; from pathlib import Path; from vitlab.study.outcome import outcome; "
        f"said = outcome(Path({str(found.folder.path)!r})); "
        "print(said.comparisons[0].comparison.verdict); "
        "print([name for name in ('torch', 'torchvision', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["worse", "[]"]


def test_every_setting_that_a_design_says_is_in_the_outcome(study_of, records):
    design = one_at_a_time.Spec((factor("model.depth", 2, 4, name="depth"),))
    said = answers(records(study_of(design)))
    assert [(cell.name, cell.levels) for cell in said.cells] == [
        ("baseline", {"depth": "2"}),
        ("depth 4", {"depth": "4"}),
    ]
