import pytest
import torch
from torch import nn

from vitlab.bench.work import ours, peer_work, plain, usual_batch
from vitlab.models.spec import preset
from vitlab.train.machine.choices import Overrides

OVERRIDES = Overrides(precision="fp32", kernel="explicit", threads=1)


def test_our_training_step_is_the_loop_that_trains(job):
    contestant, choices = ours(job("train"), OVERRIDES)
    assert contestant.setting == "fp32, explicit attention"
    loop = contestant.work.__self__
    before = [master.clone() for master in loop.state.weights.masters]
    contestant.work()
    assert loop.state.step == 1
    assert any((now != then).any() for now, then in zip(loop.state.weights.masters, before, strict=True))
    assert choices.precision == "fp32"


def test_our_forward_gives_logits_for_every_image(job):
    contestant, _ = ours(job("infer"), OVERRIDES)
    assert contestant.work().shape == (1, 4, 10)


@pytest.mark.parametrize("autocast", [False, True])
def test_a_peers_training_step_changes_its_weights(job, autocast):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))
    before = model[1].weight.detach().clone()
    peer_work(job("train"), model, lambda m, x: m(x), autocast)()
    assert (model[1].weight != before).any()


def test_a_peers_forward_is_in_evaluation_mode_and_changes_nothing(job):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 8 * 8, 10))
    work = peer_work(job("infer"), model, lambda m, x: m(x), autocast=False)
    torch.testing.assert_close(work(), work(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("mode", "model", "device", "images"),
    [
        ("train", "r0_vit", "cpu", 32),  # 36 of 1.1 GFLOPs
        ("infer", "r0_vit", "cpu", 64),
        ("train", "vit_base_patch16_224", "cpu", 1),
        ("train", "vit_base_patch16_224", "cuda", 128),
    ],
)
def test_a_call_on_a_cpu_takes_seconds_unless_somebody_says_how_many_images_it_has(mode, model, device, images):
    assert usual_batch(mode, preset(model), torch.device(device)) == images


def test_a_model_that_no_peer_has_is_named(job):
    assert plain(job("train").model) is None
    assert "pos_embed" in plain(job("train", pos_embed="sincos2d").model)
