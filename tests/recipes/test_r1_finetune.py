"""R1's setting 2 against its written description, and the slips of its published run."""

import pytest

from vitlab.models.cost import num_params
from vitlab.recipes import recipe


def test_model_and_training():
    spec = recipe("r1_finetune")
    assert num_params(spec.model) == 86_167_396
    assert (spec.model.img_size, spec.data.name, spec.val_fraction) == ((384, 384), "cifar100", 0.0)
    optim = spec.optim
    assert (optim.optimizer.name, optim.optimizer.momentum, optim.lr, optim.weight_decay) == ("sgd", 0.0, 1e-3, 0.0)
    assert (spec.batch_size, spec.epochs, optim.schedule.name) == (8 * 64, 30, "constant")
    enlarged, flip, rotate, window = spec.augment
    assert (enlarged.name, enlarged.size) == ("resize", (384, 384))
    assert (flip.name, rotate.name, rotate.degrees) == ("flip", "rotate", 0.02)
    assert (window.name, window.size, window.scale, window.ratio) == ("resized_crop", (384, 384), (0.8, 1), (1, 1))


def test_what_the_published_run_did_otherwise():
    right, published = recipe("r1_finetune"), recipe("r1_finetune:published")
    assert (published.data.mean, published.data.std) == ((0, 0, 0), (1, 1, 1))
    assert published.steps == 30 * (50_000 // 512) == 2_910
    assert (published.evaluate_with_dropout, right.evaluate_with_dropout) == (True, False)
    assert (published.model, published.optim) == (right.model, right.optim)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r1_finetune", "r1_finetune:published"])
def test_two_steps_of_small_pictures(two_small_steps, name):
    assert two_small_steps(name)["images_seen"] == 8
