"""A model and its task as one module."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from vitlab.learner import TASK, Learner, build_learner, features_of_one, of_model, of_task, scores_of_one, together
from vitlab.models.vit import build
from vitlab.tasks import classify
from vitlab.tasks._base import Scores, Task, TaskSpec


class Scaled(Task):
    """The first logit times a number that is learned."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(1, 1)

    def forward(self, model, images, targets, keys, noise):
        value = self.project(model(images, noise)[:, :1])[:, 0]
        return Scores(value, {"loss": value.detach()}, {"value": value})


@dataclass(frozen=True)
class ScaledSpec(TaskSpec):
    def build(self, model):
        return Scaled()


@pytest.fixture
def learner(tiny_spec):
    return build_learner(tiny_spec(), ScaledSpec(), seed=3)


def batch(normal, runs=()):
    return normal(*runs, 4, 3, 8, 12), torch.zeros(*runs, 4, 5), torch.arange(4).expand(*runs, 4)


def test_names_tell_the_models_tensors_from_the_tasks(learner):
    tensors = learner.tensors()
    model, task = of_model(tensors), of_task(tensors)
    assert model.keys() == dict(learner.model.named_parameters()).keys()
    assert task.keys() == {"project.weight", "project.bias"}
    assert together(model, task) == tensors
    assert learner.kinds().keys() == tensors.keys()
    assert learner.kinds()[f"{TASK}project.weight"] == "kernel"


def test_a_task_changes_no_initial_weight_of_the_model(learner, tiny_spec):
    alone = build(tiny_spec(), seed=3)
    assert all(torch.equal(learner.model.get_parameter(name), tensor) for name, tensor in alone.named_parameters())


def test_the_tasks_weights_follow_the_seed_too(learner, tiny_spec):
    again, other = (build_learner(tiny_spec(), ScaledSpec(), seed=seed) for seed in (3, 4))
    assert torch.equal(again.task.project.weight, learner.task.project.weight)
    assert not torch.equal(other.task.project.weight, learner.task.project.weight)


def test_a_task_without_parameters_leaves_the_models_alone(tiny_spec):
    learner = build_learner(tiny_spec(), classify.Spec(), 0)
    assert of_task(learner.tensors()) == {}


def test_it_computes_with_the_tensors_that_it_is_given(learner, normal):
    images, targets, keys = batch(normal)
    before = learner.scores(images, targets, keys, None).objective
    learner.install({name: nn.Parameter(torch.zeros_like(tensor)) for name, tensor in learner.tensors().items()})
    assert isinstance(learner, Learner)
    assert (learner.scores(images, targets, keys, None).objective == 0).all()
    assert not (before == 0).all()


def test_a_stack_of_one_has_a_run_axis(learner, normal):
    images, targets, keys = batch(normal, (1,))
    scores, alone = (
        scores_of_one(learner)(images, targets, keys, None),
        learner.scores(images[0], targets[0], keys[0], None),
    )
    assert torch.equal(scores.objective, alone.objective[None])
    assert torch.equal(scores.metrics["loss"], alone.metrics["loss"][None])
    assert torch.equal(scores.outputs["value"], alone.outputs["value"][None])
    assert torch.equal(features_of_one(learner)(images), learner.model.representation(images[0])[None])
