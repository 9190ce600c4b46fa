"""What records say, against SciPy and numbers worked out by hand. Nothing is trained."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import DataError
from vitlab.base.files import write_json
from vitlab.records.data import DataRecord, SplitRecord
from vitlab.records.execution import CellCosts, CellExecution
from vitlab.records.outcome import COSTS, Outcome
from vitlab.study.design import factorial, one_at_a_time
from vitlab.study.outcome import outcome
from vitlab.study.spec import factor

DEEP, WIDE = {"model.depth": 4}, {"model.embed_dim": 32}
CELLS = {"plain": {}, "deep": DEEP, "wide": WIDE}
PLAIN = {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.83}
SCORES = {"plain": PLAIN, "deep": {0: 0.70, 1: 0.73, 2: 0.70, 3: 0.74}, "wide": {0: 0.81, 1: 0.81, 2: 0.82, 3: 0.83}}
PLAIN_8 = {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.83, 4: 0.815, 5: 0.825, 6: 0.795, 7: 0.835}
SHARP = {
    "plain": {seed: PLAIN_8[seed] for seed in range(5)},
    "deep": {0: 0.70, 1: 0.73, 2: 0.70, 3: 0.74, 4: 0.71},
    "wide": {0: 0.81, 1: 0.81, 2: 0.82, 3: 0.83, 4: 0.82},
}


def welch(a, b, axis=0):
    variances = (each.var(axis, ddof=1) / each.shape[axis] for each in (a, b))
    return np.abs(a.mean(axis) - b.mean(axis)) / np.sqrt(sum(variances))


def values(scores):
    return np.array([scores[seed] for seed in sorted(scores)])


@pytest.fixture
def filled(study_of, records):
    """`filled(scores, metric=…)`: the records of a listed study with these scores by cell and seed."""

    def fill(scores=SCORES, cells=CELLS, num_seeds=4, metric="test_top1", folder="study", **more):
        same = {} if more.get("paired") else {"baseline_seeds": num_seeds}
        found = records(study_of(cells, num_seeds=num_seeds, metric=metric, **same, **more), folder)
        for cell, by_seed in scores.items():
            found.scores(cell, by_seed, metric)
        return found

    return fill


def answers(found):
    return outcome(found.folder.path)


def measured(found, busy=1.0, **cells):
    """Record what was measured of the cells in three rounds: seconds of a step and of an image, the middle round's."""
    pace = (1.1, 1.0, 0.9)
    costs = {
        name: CellCosts(tuple(step * each for each in pace), tuple(image * each for each in pace), (1.0, busy, 1.0))
        for name, (step, image) in cells.items()
    }
    found.folder.note_executions({"cpu": "any"}, {})
    found.folder.note_costs({"cpu": "any"}, costs)


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
    assert (score.interval.low, score.interval.high) == pytest.approx((low, high), rel=1e-12)
    assert (score.n, score.median, score.lowest, score.highest) == (4, pytest.approx(0.815), 0.80, 0.83)
    assert score.seed_error == pytest.approx(stats.sem(values(PLAIN)), rel=1e-12)


def test_a_validation_metric_has_the_images_of_its_split(filled):
    said = answers(filled(metric="val_top1"))
    assert (said.images, bool(said.no_pictures)) == (10, True)


def test_a_loss_is_better_lower(filled):
    assert answers(filled(metric="test_loss")).better == "lower"


def test_cells_with_test_sets_of_their_own_are_counted_on_these(filled):
    found = filled()
    for seed in range(4):
        place = found.place("wide", seed)
        replace(DataRecord.read(place), test=SplitRecord(90)).write(place)
    said = answers(found)
    assert said.images is None
    assert [cell.images for cell in said.cells] == [40, 40, 90]


def test_a_cells_costs(filled):
    found = filled()
    measured(found, plain=(0.02, 1e-4), deep=(0.025, 1e-4), wide=(0.02, 1e-4))
    said = answers(found)
    planned = next(cell for cell in found.plan.cells if cell.name == "deep")
    assert said.cell("deep").costs == {
        "num_params": planned.num_params,
        "flops": planned.flops,
        "seconds_per_image": 1e-4,
        "seconds_per_step": 0.025,
        "activation_bytes": planned.activation_bytes,
    }
    ratio = said.cell("deep").ratios["seconds_per_step"]
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.25, 1.25, 1.25))  # the pace cancels in each round
    assert said.cell("plain").ratios == {}
    assert not said.was_loaded
    assert set(COSTS) == set(said.cell("deep").costs)


# --------------------------------------------------------------------------------------------------------- comparisons


def test_differences_are_decided_by_both_tests_with_holm(filled):
    deep, wide = answers(filled(num_seeds=5, scores=SHARP, verdicts=True)).comparisons
    for compared, name in ((deep, "deep"), (wide, "wide")):
        cell, plain = values(SHARP[name]), values(SHARP["plain"])
        peer = stats.permutation_test((cell, plain), welch, alternative="greater", n_resamples=np.inf)
        assert compared.decision.p_runs == pytest.approx(peer.pvalue, rel=1e-9)
        assert compared.decision.value == pytest.approx(cell.mean() - plain.mean(), rel=1e-9)
    assert deep.decision.p_holm == pytest.approx(2 * max(deep.decision.p_runs, deep.decision.p_crossed), rel=1e-9)
    assert (deep.decision.verdict, wide.decision.verdict) == ("worse", "not distinguishable")
    assert (deep.cell, deep.against, deep.says) == ("deep", "plain", "deep instead of plain")
    assert deep.correlation == pytest.approx(stats.pearsonr(values(SHARP["deep"]), values(PLAIN_8)[:5]).statistic)


def test_a_paired_study_is_decided_seed_by_seed(filled):
    shared = np.linspace(0, 0.3, 9)
    scores = {"plain": dict(enumerate(0.5 + shared)), "deep": dict(enumerate(0.49 + shared + 0.001 * np.arange(9) % 3))}
    cells = {"plain": {}, "deep": DEEP}
    (paired,), (apart,) = (
        answers(filled(scores, cells, num_seeds=9, verdicts=True, paired=is_paired, folder=str(is_paired))).comparisons
        for is_paired in (True, False)
    )
    differences = values(scores["deep"]) - values(scores["plain"])
    assert paired.decision.p_crossed == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=1e-6)
    assert paired.decision.p_runs == pytest.approx(2 / 2**9)
    assert (paired.decision.verdict, apart.decision.verdict) == ("worse", "not distinguishable")
    assert paired.correlation > 0.99


def test_what_pictures_are_worth_is_in_every_interval(filled):
    """Ten pictures that one cell has right and the other wrong, the same at every seed: no other seeds, and chance."""
    found = filled(num_seeds=4, scores={})
    for cell, shares in (("plain", (30, 31, 32, 31)), ("deep", (24, 25, 26, 25)), ("wide", (30, 31, 32, 31))):
        for seed, right in enumerate(shares):
            found.run(cell, seed, test_top1=right / 40)
            found.pictures(cell, seed, [1] * right + [0] * (40 - right))
    said = answers(found)
    assert said.no_pictures == ""
    score, (deep, wide) = said.cell("plain").score, said.comparisons
    assert score.interval.high - score.interval.low > 2 * (score.seed_interval.high - score.seed_interval.low)
    # Six of forty; a little of that is the noise of single runs, which seeds have already
    assert deep.decision.picture_error == pytest.approx((0.15 * 0.85 / 39) ** 0.5, rel=0.15)
    assert deep.decision.picture_error < (0.15 * 0.85 / 39) ** 0.5
    assert deep.decision.seed_error < 0.5 * deep.decision.picture_error
    assert wide.decision.picture_error == 0.0  # what both have right and wrong alike cancels
    assert [each.decision.verdict for each in said.comparisons] == [None, None]  # none were asked for


def test_a_higher_loss_is_worse(filled):
    deep, _ = answers(filled(metric="test_loss", num_seeds=5, scores=SHARP, verdicts=True)).comparisons
    assert (deep.decision.verdict, deep.decision.value < 0) == ("better", True)


def test_what_leans_says_how_many_seeds_would_decide_it(filled):
    leaning = {seed: score - 0.016 for seed, score in PLAIN_8.items()}
    scores = {"plain": PLAIN_8, "deep": leaning, "wide": PLAIN_8}
    deep, wide = answers(filled(scores, num_seeds=8, verdicts=True)).comparisons
    assert deep.decision.leans
    assert 8 < deep.seeds_needed < 30
    assert (wide.seeds_needed, wide.reasons["seeds_needed"]) == (None, "it does not lean")


def test_runs_that_are_lost_are_counted_and_earn_nothing(filled):
    better = {"plain": PLAIN_8, "deep": {seed: score + 0.1 for seed, score in PLAIN_8.items()}, "wide": PLAIN_8}
    found = filled(better, num_seeds=8, verdicts=True)
    place = found.place("deep", 3)
    write_json(place / "result.json", {"status": "failed", "reason": "no number", "metrics": {}, "diverged": True})
    said = answers(found)
    deep, _ = said.comparisons
    assert said.cell("deep").lost == "1 of 8 runs diverged"
    assert (deep.decision.verdict, deep.decision.reasons["verdict"]) == (None, "deep: 1 of 8 runs diverged")
    assert deep.decision.quoted.low > 0


def test_a_run_that_learned_nothing_is_one(filled):
    found = filled({**SCORES, "deep": {0: 0.6, 1: 0.55, 2: 0.62, 3: 0.64}})
    for seed in range(4):
        place = found.place("deep", seed)
        record = json.loads((place / "data.json").read_text())
        split = {"images": 40, "classes": {"ant": 20, "bee": 20}}
        write_json(place / "data.json", {**record, "found": {"layout": "", "splits": {"test": split}}})
    said = answers(found)
    assert [run.learned_nothing for run in said.cell("deep").runs] == [
        True,
        True,
        True,
        False,
    ]  # .5 + 1.645 · .079 = .630
    assert said.cell("deep").lost == "3 of 4 runs did no better than naming the largest class"
    assert said.cell("plain").lost == ""  # how often classes occur is not known


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
    assert first.decision.value == pytest.approx(0.4 / 3)
    assert second.decision.value == pytest.approx(0.2 / 3)


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


def test_a_comparison_is_over_the_seeds_that_each_has(filled):
    found = filled({"plain": {0: 0.8, 1: 0.82, 2: 0.81}, "deep": {1: 0.73, 2: 0.70, 3: 0.1}, "wide": {}})
    deep, wide = answers(found).comparisons
    assert deep.decision.value == pytest.approx(0.51 - 0.81)
    assert (wide.decision.value, wide.decision.reasons["value"]) == (None, "wide: no run has a score")


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
    assert (plain.tuned.failed, plain.tuned.at_an_edge) == ({}, True)
    assert plain.spec["optim"]["lr"] == 0.2
    assert plain.scores("test_top1") == {0: 0.4, 1: 0.5}
    assert [run.folder for run in plain.runs] == ["runs/plain/0.2/seed-0", "runs/plain/0.2/seed-1"]
    assert (deep.tuned.value, deep.tuned.scores) == (None, {"0.1": None, "0.2": None})
    assert (deep.tuned.failed, deep.tuned.at_an_edge) == ({"0.1": "seed 0: diverged"}, False)
    why = "the tuning of this cell has not finished; optim.lr 0.1, seed 0: diverged"
    assert said.missing == (f"deep, seed 0: not trained yet: {why}", f"deep, seed 1: not trained yet: {why}")


def test_a_study_without_a_grid_tunes_nothing(filled):
    assert answers(filled()).cell("plain").tuned is None


# ------------------------------------------------------------------------------------------------------------- effects


@pytest.fixture
def crossed(study_of, records):
    """Two factors of two levels; scores of six seeds: 0.5 + 0.1·deep + 0.02·big - 0.04·both, and noise of .001."""
    design = factorial.Spec((factor("model.depth", 2, 4, name="depth"), factor("batch_size", 16, 48, name="batch")))
    found = records(study_of(design, num_seeds=6, baseline_seeds=6, verdicts=True))
    noise = iter(np.random.default_rng(0).normal(0, 1e-3, 24))
    for deep, depth in enumerate((2, 4)):
        for big, batch in enumerate((16, 48)):
            score = 0.5 + 0.1 * deep + 0.02 * big - 0.04 * deep * big
            found.scores(f"depth {depth}, batch {batch}", {s: score + next(noise) for s in range(6)})
    return found


def test_a_factorial_has_main_effects_and_interactions(crossed):
    said = answers(crossed)
    depth, batch, both = said.effects
    assert (depth.factors, batch.factors, both.factors) == (("depth",), ("batch",), ("depth", "batch"))
    assert depth.decision.value == pytest.approx(0.08, abs=2e-3)  # on average over batches
    assert batch.decision.value == pytest.approx(0.0, abs=2e-3)
    assert both.decision.value == pytest.approx(-0.04, abs=3e-3)
    assert [each.decision.verdict for each in said.effects] == ["better", "not distinguishable", "worse"]


def test_one_correction_goes_over_comparisons_and_effects(crossed):
    said = answers(crossed)
    assert len(said.decisions) == 3 + 3
    smallest = min(decision.p for decision in said.decisions)
    assert min(decision.p_holm for decision in said.decisions) == pytest.approx(6 * smallest, rel=1e-9)


def test_a_cell_without_scores_leaves_its_effects_without(crossed):
    for seed in range(6):
        crossed.run("depth 4, batch 48", seed, "failed", reason="no pictures", steps=1)
    assert [each.decision.value for each in answers(crossed).effects] == [None, None, None]


def test_other_designs_have_no_effects(filled):
    assert answers(filled()).effects == ()


# -------------------------------------------------------------------------------------------------------------- fronts


def test_who_is_not_beaten_on_score_and_cost(filled):
    """deep costs more than plain and scores less; wide costs most and scores best."""
    found = filled()
    assert answers(found).fronts == dict.fromkeys(("num_params", "flops", "activation_bytes"), ("plain", "wide"))
    measured(found, plain=(0.03, 0.01), deep=(0.02, 0.02), wide=(0.01, 0.03))
    fronts = answers(found).fronts
    assert (fronts["seconds_per_step"], fronts["seconds_per_image"]) == (("wide",), ("plain", "wide"))


def test_what_was_timed_is_held_against_the_pace_of_the_training(filled):
    found = filled({})
    for cell, seconds in (("plain", 10.0), ("deep", 25.0), ("wide", 10.0)):
        found.run(cell, 0, test_top1=0.8, train_seconds=seconds, steps=100)
    measured(found, plain=(0.02, 1e-4), deep=(0.025, 1e-4), wide=(0.02, 1e-4))
    way = CellExecution({}, "stacked", {}, None)
    other = CellExecution({}, "one by one", {}, None)
    found.folder.note_executions({"cpu": "any"}, {"plain": way, "deep": way, "wide": other})
    said = answers(found)
    deep, wide = (said.cell(name).ratios["seconds_per_step"] for name in ("deep", "wide"))
    assert (deep.value, deep.trained, deep.is_doubtful) == (pytest.approx(1.25), pytest.approx(2.5), True)
    assert (wide.trained, wide.is_doubtful) == (None, False)  # trained in another way
    assert "seconds_per_step" not in said.fronts  # what the training's pace contradicts ranks nothing
    assert "seconds_per_image" in said.fronts


def test_times_of_a_machine_with_other_work_rank_nothing(filled):
    found = filled()
    measured(found, busy=0.6, plain=(0.03, 0.01), deep=(0.02, 0.02), wide=(0.01, 0.03))
    said = answers(found)
    assert (said.busy, said.was_loaded) == (0.6, True)
    assert set(said.fronts) == {"num_params", "flops", "activation_bytes"}
    assert said.cell("deep").costs["seconds_per_step"] == 0.02


def test_cells_that_were_not_timed_together_have_no_times(filled):
    found = filled()
    measured(found, plain=(0.03, 0.01), deep=(0.02, 0.02))
    assert answers(found).cell("plain").costs["seconds_per_step"] is None


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
        "print(said.comparisons[0].decision.reasons['verdict']); "
        "print([name for name in ('torch', 'torchvision', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["the plan asks for no verdicts", "[]"]


def test_every_setting_that_a_design_says_is_in_the_outcome(study_of, records):
    design = one_at_a_time.Spec((factor("model.depth", 2, 4, name="depth"),))
    said = answers(records(study_of(design)))
    assert [(cell.name, cell.levels) for cell in said.cells] == [
        ("baseline", {"depth": "2"}),
        ("depth 4", {"depth": "4"}),
    ]
