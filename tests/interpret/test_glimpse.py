"""A glimpse is what the model says, kept where it can be computed."""

import numpy as np
import pytest
import torch

from vitlab import api
from vitlab.checkpoints.trained import load
from vitlab.interpret.attention import attention_maps
from vitlab.interpret.glimpse import first_picture, glimpse, keep_glimpses
from vitlab.recipes import recipe
from vitlab.records.glimpse import FILE, read_glimpse
from vitlab.study.design import one_at_a_time
from vitlab.study.outcome import outcome
from vitlab.study.spec import StudySpec, choice


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of three cells that have barely begun to learn."""
    folder = tmp_path_factory.mktemp("glimpses") / "study"
    parts = (
        choice("mixer", {"attention": {}, "pooling": {"model.mixer": "pooling"}}),
        choice("pooling", {"cls": {}, "mean": {"model.pool": "mean", "model.cls_token": False}}),
    )
    spec = StudySpec("?", recipe("digits_small"), one_at_a_time.Spec(parts), num_seeds=1, verdicts=False)
    api.study(spec, folder, jobs=1, stack=False, settings={"steps": 2, "evaluate_every": 100})
    return folder


@pytest.mark.slow
def test_it_is_of_the_last_blocks_attention_on_the_first_test_picture(study):
    run = study / "runs/baseline/seed-0"
    trained, found = load(run), read_glimpse(run)
    pixels = first_picture(trained.data)
    np.testing.assert_array_equal(found.picture, pixels.movedim(0, -1).numpy())
    prepare = trained.preprocessing.pipeline(10)
    nothing = torch.zeros(1, 1, dtype=torch.int64)
    images, _ = prepare(pixels[None, None], nothing, nothing)
    whole = attention_maps(trained.model, images[0])
    expected = whole[-1, 0, :, 0, 1:].mean(0).reshape(4, 4)
    np.testing.assert_allclose(found.attention, expected.numpy(), atol=1e-6)
    assert 0 < found.attention.sum() < 1  # the rest is what cls pays to itself
    assert found.positions[2, 2] == pytest.approx(1, abs=1e-6)
    assert torch.equal(attention_maps(trained.model, images[0], layers=[-1])[0], whole[-1])
    assert torch.equal(attention_maps(trained.model, images[0], layers=[1, 0]), whole.flip(0))


@pytest.mark.slow
def test_without_cls_all_patches_look_and_without_attention_none(study):
    mean, pooled = (read_glimpse(study / f"runs/{name}/seed-0") for name in ("pooling-mean", "mixer-pooling"))
    assert mean.attention.sum() == pytest.approx(1, abs=1e-5)
    assert pooled.attention is None
    assert pooled.positions is not None


@pytest.mark.slow
def test_weights_that_are_gone_leave_no_glimpse_and_no_error(study):
    run = study / "runs/baseline/seed-0"
    before = glimpse(load(run), first_picture(load(run).data))
    (run / FILE).unlink()
    for checkpoint in (run / "checkpoint").iterdir():
        checkpoint.rename(run / checkpoint.name)
    keep_glimpses(study, outcome(study))
    assert not (run / FILE).exists()
    for checkpoint in run.glob("step-*"):
        checkpoint.rename(run / "checkpoint" / checkpoint.name)
    keep_glimpses(study, outcome(study))
    np.testing.assert_array_equal(read_glimpse(run).attention, before.attention)
