"""The ViT paper's Table 3, its ImageNet row."""

from vitlab.models.cost import cost
from vitlab.recipes import recipe


def test_table_3():
    spec = recipe("vit_imagenet")
    assert cost(spec.model).num_params == 86_567_656
    assert (spec.batch_size, spec.epochs) == (4096, 300)
    optim = spec.optim
    assert (optim.rule.name, optim.rule.beta1, optim.rule.beta2) == ("adamw", 0.9, 0.999)
    assert (optim.lr, optim.weight_decay, optim.clip_norm) == (3e-3, 0.3, 1.0)
    assert (optim.schedule.name, optim.schedule.warmup_steps) == ("cosine", 10_000)
    assert spec.model.embed_dropout == spec.model.mixer_dropout == spec.model.mlp_dropout == 0.1


def test_two_steps_of_small_pictures(two_small_steps):
    assert two_small_steps("vit_imagenet")["images_seen"] == 8
