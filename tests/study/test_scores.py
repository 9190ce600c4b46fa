"""What runs scored of every picture."""

from dataclasses import replace

import numpy as np
import pytest

from vitlab.base.errors import DataError
from vitlab.study.outcome import outcome
from vitlab.study.scores import cell_scores, images_of_split

PLAIN = {0: [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], 1: [1, 1, 1, 1, 1, 1, 0, 1, 0, 0]}
DEEP = {0: [1, 1, 1, 1, 1, 0, 0, 0, 0, 1], 1: [1, 1, 1, 1, 0, 0, 0, 1, 0, 0]}


@pytest.fixture
def study(study_of, records):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2))
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            found.run(cell, seed, test_top1=sum(right) / 10)
            found.pictures(cell, seed, right)
    return found


def error_of(found):
    (comparison,) = outcome(found.folder.path).comparisons
    return comparison.decision.picture_error


def residual(by_seed):
    """The mean square of what neither runs nor pictures explain, two runs of ten pictures written out."""
    table = np.array(list(by_seed.values()), float)
    left = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    return (left**2).sum() / 9


def test_the_error_of_a_difference_written_out(study):
    """deep - plain, the mean of two seeds, image by image; less what is only the noise of two runs."""
    differences = np.array([0, 0, 0, 0, -0.5, -1, -0.5, 0, 0, 0.5])
    variance = differences.var(ddof=1) - residual(PLAIN) / 2 - residual(DEEP) / 2
    assert error_of(study) == pytest.approx((variance / 10) ** 0.5, rel=1e-12)


def test_it_is_over_the_runs_that_finished(study):
    study.run("deep", 1, "failed", reason="its process was killed", steps=1)
    said = outcome(study.folder.path)
    assert said.no_pictures == ""
    assert said.cell("deep").score.n == 1


@pytest.mark.parametrize(
    ("right", "labels", "score"), [([1] * 10, [1] * 10, 1.0), ([1] * 12, None, 1.0), (None, None, 1.0)]
)
def test_where_pictures_are_others_or_were_not_kept_only_seeds_count(study, right, labels, score):
    for seed in (0, 1):
        study.run("deep", seed, test_top1=score)
        if right is None:
            (study.place("deep", seed) / "pictures.npz").unlink()
        else:
            study.pictures("deep", seed, right, labels)
    said = outcome(study.folder.path)
    assert said.no_pictures == (
        "deep, seed 0, has kept no top1 of test images"
        if right is None
        else "deep, seed 0, was tested on other images than plain, seed 0"
    )
    assert error_of(study) is None


def test_pictures_of_another_run_are_not_believed(study):
    study.pictures("deep", 1, [1] * 10)
    with pytest.raises(
        DataError, match=r"deep, seed 1: the mean top1 of its pictures\.npz is 1, and its result has 0\.5"
    ):
        outcome(study.folder.path)


@pytest.mark.parametrize("metric", ["test_loss", "val_top1"])
def test_only_what_was_kept_counts(study_of, records, metric):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric=metric))
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            found.run(cell, seed, **{metric: sum(right) / 10})
            found.pictures(cell, seed, right)
    assert error_of(found) is None


def test_validated_pictures_count_where_a_study_compares_by_them(study_of, records):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric="val_top1"))
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            found.run(cell, seed, val_top1=sum(right) / 10, test_top1=0.25)
            found.pictures(cell, seed, right, split="val")
            found.pictures(cell, seed, [1, 0, 0, 0])
    assert outcome(found.folder.path).no_pictures == ""
    differences = np.array([0, 0, 0, 0, -0.5, -1, -0.5, 0, 0, 0.5])
    variance = differences.var(ddof=1) - residual(PLAIN) / 2 - residual(DEEP) / 2
    assert error_of(found) == pytest.approx((variance / 10) ** 0.5, rel=1e-12)


def test_pictures_count_for_the_mean_recall_of_the_classes(study_of, records):
    """Nine pictures of one class and one of the other, which is right in one run of two."""
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric="test_balanced_accuracy"))
    labels = [0] * 8 + [1] * 2
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            recalls = sum(right[:8]) / 8, sum(right[8:]) / 2
            found.run(cell, seed, test_balanced_accuracy=sum(recalls) / 2, test_top1=sum(right) / 10)
            found.pictures(cell, seed, right, labels)
    said = outcome(found.folder.path)
    assert said.no_pictures == ""
    assert said.cell("deep").score.picture_error > 0
    study_scores = cell_scores(found.folder, found.plan, said.cells).cells
    for name, cell in study_scores.items():
        for seed, scores in cell.pictures.items():
            assert scores.mean() == pytest.approx(cell.by_seed[seed], rel=1e-12), name


def test_how_many_images_the_split_of_the_metric_has(study_of, records):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric="val_top1"))
    plain, deep = found.plan.cells
    assert images_of_split(found.folder, found.plan, plain) is None
    found.run("plain", 1, val_top1=0.5)
    assert images_of_split(found.folder, found.plan, plain) == 10
    assert images_of_split(found.folder, replace(found.plan, metric="test_loss"), plain) == 40
    assert images_of_split(found.folder, found.plan, deep) is None
