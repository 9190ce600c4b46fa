"""Two cells on ten test images, worked out image by image."""

from dataclasses import replace

import pytest

from vitlab.study.outcome import outcome
from vitlab.study.sampling import images_of_split

PLAIN = {0: [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], 1: [1, 1, 1, 1, 1, 1, 0, 1, 0, 0]}
DEEP = {0: [1, 1, 1, 1, 1, 0, 0, 0, 0, 1], 1: [1, 1, 1, 1, 0, 0, 0, 1, 0, 0]}


@pytest.fixture
def study(study_of, records):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2))
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            found.run(cell, seed, test_top1=sum(right) / 10)
            found.predictions(cell, seed, right)
    return found


def error_of(found):
    (comparison,) = outcome(found.folder.path).comparisons
    return comparison.test_set_error


def test_the_error_of_a_difference_written_out(study):
    """deep - plain, the mean of two seeds, image by image; the standard error of the mean of ten."""
    differences = [0, 0, 0, 0, -0.5, -1, -0.5, 0, 0, 0.5]
    mean = sum(differences) / 10
    variance = sum((each - mean) ** 2 for each in differences) / 9
    assert error_of(study) == pytest.approx((variance / 10) ** 0.5, rel=1e-12)
    assert error_of(study) == pytest.approx(0.13017, abs=1e-5)


def test_it_is_over_the_seeds_that_both_cells_have(study):
    study.run("deep", 1, "failed", reason="diverged", steps=1)
    differences = [0, 0, 0, 0, 0, -1, -1, 0, 0, 1]
    mean = sum(differences) / 10
    variance = sum((each - mean) ** 2 for each in differences) / 9
    assert error_of(study) == pytest.approx((variance / 10) ** 0.5, rel=1e-12)


def test_without_predictions_there_is_none(study):
    for seed in (0, 1):
        (study.place("deep", seed) / "predictions.npz").unlink()
    assert error_of(study) is None


@pytest.mark.parametrize(("right", "labels"), [([1] * 10, [1] * 10), ([1] * 12, None)])
def test_cells_that_are_tested_on_other_images_have_none(study, right, labels):
    for seed in (0, 1):
        study.predictions("deep", seed, right, labels)
    assert error_of(study) is None


@pytest.mark.parametrize("metric", ["test_loss", "val_top1"])
def test_only_accuracy_on_the_test_split_has_one(study_of, records, metric):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric=metric))
    for cell, by_seed in (("plain", PLAIN), ("deep", DEEP)):
        for seed, right in by_seed.items():
            found.run(cell, seed, **{metric: sum(right) / 10})
            found.predictions(cell, seed, right)
    assert error_of(found) is None


def test_how_many_images_the_split_of_the_metric_has(study_of, records):
    found = records(study_of({"plain": {}, "deep": {"model.depth": 4}}, num_seeds=2, metric="val_top1"))
    plain, deep = found.plan.cells
    assert images_of_split(found.folder, found.plan, plain) is None
    found.run("plain", 1, val_top1=0.5)
    assert images_of_split(found.folder, found.plan, plain) == 10
    assert images_of_split(found.folder, replace(found.plan, metric="test_loss"), plain) == 40
    assert images_of_split(found.folder, found.plan, deep) is None
