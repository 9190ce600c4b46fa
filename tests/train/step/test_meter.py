import torch

from vitlab.train.step.meter import Meter


def totals(*losses):
    return {"loss": torch.tensor(losses), "top1": torch.ones(len(losses))}


def test_means_are_over_samples_and_start_anew():
    meter = Meter(2, torch.device("cpu"))
    meter.add(totals(6.0, 1.0), 3, 0)
    meter.add(totals(4.0, 3.0), 1, 1)
    assert meter.read() == [{"train_loss": 2.5, "train_top1": 0.5}, {"train_loss": 1.0, "train_top1": 0.5}]
    meter.add(totals(8.0, 2.0), 2, 2)
    assert [means["train_loss"] for means in meter.read()] == [4.0, 1.0]


def test_the_first_bad_step_of_each_run_is_remembered():
    meter = Meter(3, torch.device("cpu"))
    for step, losses in enumerate([(1.0, 1.0, 1.0), (1.0, float("inf"), 1.0), (1.0, float("nan"), float("nan"))]):
        meter.add(totals(*losses), 1, step)
    assert meter.failed_at() == [None, 1, 2]
    meter.read()
    assert meter.failed_at() == [None, 1, 2]


def test_an_auxiliary_loss_that_is_not_finite_is_bad_too():
    meter = Meter(2, torch.device("cpu"))
    meter.add(totals(1.0, 1.0) | {"auxiliary_loss": torch.tensor([1.0, float("inf")])}, 1, 7)
    assert meter.failed_at() == [None, 7]


def test_saved_and_restored_in_the_middle():
    meter, fresh = Meter(2, torch.device("cpu")), Meter(2, torch.device("cpu"))
    meter.add(totals(0.1, 0.2), 4, 0)
    fresh.restore([meter.save(0), meter.save(1)], torch.float32)
    for each in (meter, fresh):
        each.add(totals(0.3, 0.7), 4, 1)
    assert meter.read() == fresh.read()
