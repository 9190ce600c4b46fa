"""What a task makes of an auxiliary part: its loss is added, and both losses teach what both depend on."""

import pytest
import torch
from torch.nn.functional import one_hot

from vitlab.models.vit import build
from vitlab.tasks import classify

pytestmark = pytest.mark.usefixtures("double")

TAUGHT = {  # auxiliary part -> a parameter that both losses depend on
    "auto_encoder": "auxiliary.encoder.0.weight",
    "decoder": "patch_embed.proj.weight",
}


@pytest.fixture
def batch(normal):
    return normal(4, 3, 8, 12), one_hot(torch.tensor([0, 3, 1, 4]), 5).to(torch.float64)


def scored(model, images, targets):
    """What classification makes of them in an evaluation."""
    return classify.Spec().build(model.spec)(model, images, targets, torch.arange(len(images)), None)


def model_with(tiny_spec, name, weight=1.0):
    return build(tiny_spec(auxiliary={"name": name, "weight": weight}), seed=1).double()


@pytest.mark.parametrize("name", TAUGHT)
def test_the_objective_is_the_loss_and_the_auxiliary_loss(name, tiny_spec, batch):
    images, targets = batch
    model = model_with(tiny_spec, name)
    scores = scored(model, images, targets)
    cross_entropy = -(targets * model(images).log_softmax(-1)).sum(-1)
    auxiliary = model.auxiliary(images, model.patch_embed(images)).loss
    assert (auxiliary > 0.1).all()
    torch.testing.assert_close(scores.objective, cross_entropy + auxiliary, rtol=0, atol=1e-12)
    torch.testing.assert_close(scores.metrics["loss"], cross_entropy, rtol=0, atol=1e-12)
    torch.testing.assert_close(scores.metrics["auxiliary_loss"], auxiliary, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", TAUGHT)
def test_a_gradient_reaches_the_encoder_from_both_losses(name, tiny_spec, batch):
    images, targets = batch
    model = model_with(tiny_spec, name)
    taught = model.get_parameter(TAUGHT[name])

    def gradient(weight):
        model.auxiliary.weight = weight
        loss = scored(model, images, targets).objective.sum()
        return torch.autograd.grad(loss, taught)[0]

    from_task, from_both = gradient(0.0), gradient(1.0)
    outputs = model.outputs(images)
    from_auxiliary = torch.autograd.grad(outputs.auxiliary_loss.sum(), taught)[0]
    assert from_task.abs().max() > 1e-6
    assert from_auxiliary.abs().max() > 1e-6
    torch.testing.assert_close(from_both, from_task + from_auxiliary, rtol=0, atol=1e-12)


def test_the_code_is_what_the_logits_gain(tiny_spec, batch):
    """With an encoder of zeros the code is selu(0) = 0, and the model is the one without the part."""
    images, _ = batch
    model, plain = model_with(tiny_spec, "auto_encoder"), build(tiny_spec(), seed=1).double()
    assert not torch.allclose(model(images), plain(images), rtol=0, atol=1e-6)
    for parameter in model.auxiliary.encoder.parameters():
        parameter.detach().zero_()
    torch.testing.assert_close(model(images), plain(images), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", TAUGHT)
def test_the_auxiliary_loss_is_in_single_precision_where_the_model_is_not(name, tiny_spec, batch):
    loss = model_with(tiny_spec, name).bfloat16().outputs(batch[0].bfloat16()).auxiliary_loss
    assert loss.dtype == torch.float32
