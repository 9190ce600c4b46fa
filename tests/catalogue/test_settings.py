"""The settings as the source has them: the same as those of the specs, which import torch."""

import dataclasses
import importlib
import typing

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, Spec, component_names, with_settings
from vitlab.catalogue.settings import MODEL, RUN, check, legal_names, named, settings
from vitlab.models.spec import ViTSpec
from vitlab.recipes import recipe
from vitlab.train.spec import RunSpec


def paths(cls, prefix=""):
    """The paths that the specs themselves have."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        yield prefix + field.name
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, Component):
            for name in component_names(hint.family):
                yield from paths(importlib.import_module(f"{hint.family}.{name}").Spec, f"{prefix}{field.name}.")
        elif isinstance(hint, type) and issubclass(hint, Spec):
            yield from paths(hint, f"{prefix}{field.name}.")


@pytest.mark.slow
@pytest.mark.parametrize(("known", "cls"), [(RUN, RunSpec), (MODEL, ViTSpec)])
def test_they_are_those_of_the_specs(known, cls):
    assert {setting.path for setting in settings(known)} == set(paths(cls))


def test_each_is_listed_once_with_type_and_default():
    listed = list(settings(RUN))
    assert len(listed) == len({setting.path for setting in listed})
    assert named("lr") == [("optim.lr", "float", "0.001")]
    assert {setting.path for setting in named("eps")} >= {"model.norm.eps", "optim.optimizer.eps"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("modle.depth", 3),
        ("lr", 0.1),
        ("model.attenton", "linear"),
        ("model.attention", "lineer"),
        ("model.depth", "deep"),
        ("model.final_norm", "before"),
        ("model", "B/17"),
        ("steps", 1.5),
        ("weights", "first"),
        ("model.img_size", [1, 2, 3]),
        ("optim.clip_norm", "much"),
        ("model.norm.epsilon", 1e-6),
        ("optim.schedule.warmup_step", 3),
        ("optim.optimizer.betas", "few"),
        ("task.label_smoothin", 0.1),
    ],
)
def test_what_is_refused_at_once_the_specs_refuse_too(path, value):
    said = []
    for refuse in (lambda: check("run", {path: value}), lambda: with_settings(recipe("digits"), {path: value})):
        with pytest.raises(SpecError) as caught:
            refuse()
        said.append(str(caught.value))
    assert said[0].partition(";")[0] == said[1].partition(";")[0]  # the words, but for what is near


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("epochs", "none"),
        ("optim.rule", "sgd"),
        ("optim.decay_on", "kernels"),
        ("model.img_size", 32),
        ("model.attention", "somebodys.attention"),
        ("model.attention.scale", 3),
        ("optim.schedule.factor", 0.1),
        ("model", "r0_vit:100"),
        ("data", "pets/"),
        ("augment.0.padding", 2),
        ("augment", ["flip"]),
    ],
)
def test_what_may_be_is_left_to_the_specs(path, value):
    check("run", {path: value})


@pytest.mark.parametrize("settings", [{"model.attention": "somebodys.attention"}, {"model.attention.name": "mine"}])
def test_what_somebody_s_own_component_has_is_left_to_it(settings):
    check("run", settings | {"model.attention.of_somebody": 3})
    check("run", {"model.attention.of_somebody": 3}, own=True)  # in a spec that may have one of somebody's own


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model.attention": "linear", "model.attention.scale": "x"}, "unknown setting 'model.attention.scale'"),
        ({"optim.update": {"name": "sam"}, "optim.update.rh": 0.1}, "did you mean optim.update.rho"),
        ({"augment.0.scael": 2}, "did you mean augment.0.scale"),
        ({"augment.0": "flip", "augment.0.scale": 2}, "unknown setting 'augment.0.scale'"),
        ({"data.fitt": "crop"}, "did you mean data.fit"),
        ({"data": ".", "data.fitt": "crop"}, "did you mean data.fit"),
    ],
)
def test_settings_below_a_component_are_those_of_the_one_that_is_set_or_of_any(settings, said):
    with pytest.raises(SpecError, match=said):
        check("run", settings)


def test_settings_of_data_alone():
    check("data", {"class_depth": 2, "data.white": 4095})
    with pytest.raises(SpecError, match=r"did you mean data\.class_depth"):
        check("data", {"class_deph": 2})


def test_a_model_s_settings_go_by_both_names():
    check("model", {"depth": 3, "model.pool": "mean"})
    with pytest.raises(SpecError, match="unknown setting 'depht'; did you mean depth"):
        check("model", {"depht": 3})


def test_the_names_that_may_stand_somewhere():
    assert legal_names(RUN, "model.pool") == component_names("vitlab.nn.pool")
    assert legal_names(RUN, "model.final_norm") == ("before_pool", "after_pool", "none")
    assert "r0_vit" in legal_names(RUN, "model")
    assert legal_names(RUN, "epochs") == legal_names(RUN, "no.such.setting") == ()


def test_a_marked_field_has_the_default_inside_its_mark():
    found = {setting.path: setting.default for name in ("norm_pre", "mlp_bias", "path") for setting in named(name)}
    assert (found["model.norm_pre"], found["model.mlp_bias"]) == ("False", "True")
    assert found["data.path"] == "required"  # of a folder; ImageNet's has one
