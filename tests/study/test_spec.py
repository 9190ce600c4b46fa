import json
from dataclasses import replace

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.identity import spec_id
from vitlab.base.spec import from_dict, to_dict, with_settings
from vitlab.nn.pos_embed import learned
from vitlab.study.design import listed, one_at_a_time
from vitlab.study.design._base import Factor, Level
from vitlab.study.spec import StudySpec, choice, factor, label

LR = factor("optim.lr", 1e-3, 3e-3)


@pytest.fixture
def study(study_of):
    return study_of({"plain": {}, "deep": {"model.depth": 3}}, tune=LR, num_seeds=3)


def test_it_is_read_back_from_json_exactly(study, study_of):
    for each in (study, study_of(one_at_a_time.Spec((LR, factor("model.pos_embed", learned.Spec(), "none"))))):
        again = from_dict(StudySpec, json.loads(json.dumps(to_dict(each))))
        assert to_dict(again) == to_dict(each)
        assert spec_id(again) == spec_id(each)


def test_what_is_read_equals_what_was_built_of_plain_values(study):
    assert from_dict(StudySpec, to_dict(study)) == study


def test_the_seeds_are_the_bases_and_those_after_it(study_of):
    assert study_of({"plain": {}}, num_seeds=3).seeds == (0, 1, 2)
    assert study_of({"plain": {}}, base={"seed": 7}, num_seeds=2).seeds == (7, 8)


def test_six_seeds_test_accuracy_and_equal_steps_unless_told_otherwise(study_of):
    study = study_of({"plain": {}})
    assert (study.num_seeds, study.compared_by, study.equal, study.tune) == (6, "test_top1", "steps", None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"question": " "}, "question='': say what the study asks"),
        ({"num_seeds": 0}, "num_seeds=0: must be from 1 to 10,000"),
        (
            {"metric": "test_topp1"},
            "metric=test_topp1: legal: val_loss, val_top1, val_top5, val_balanced_accuracy, "
            "test_loss, test_top1, test_top5, test_balanced_accuracy",
        ),
        ({"tune_seeds": 0}, "tune_seeds=0: must be between 1 and num_seeds=3"),
        ({"tune_seeds": 4}, "tune_seeds=4: must be between 1 and num_seeds=3"),
        ({"base.val_fraction": 0.0}, "base.val_fraction=0 and tune=optim.lr: there is no validation split"),
        (
            {"base.val_fraction": 0.0, "tune": None, "metric": "val_loss"},
            "base.val_fraction=0 and metric=val_loss: there is no validation split",
        ),
        ({"equal": "epochs"}, "equal='epochs': legal: steps, images, flops, nothing"),
        ({"tune.levels": []}, "factor optim.lr: levels ; a factor has two or more, all different"),
        ({"design.name": "factorial"}, "unknown setting 'design.entries'; did you mean design.factors?"),
        ({"tune.levels.1.settings": 3}, "tune.levels.1.settings=3: expected values by name"),
    ],
)
def test_what_cannot_be_is_refused_by_setting_and_value(study, settings, message):
    with pytest.raises(SpecError) as refused:
        with_settings(study, settings)
    assert str(refused.value) == message


def test_a_study_without_validation_may_look_at_the_test_split(study):
    with_settings(study, {"base.val_fraction": 0.0, "tune": None})


def test_a_name_that_is_a_setting_can_be_changed(study):
    changed = with_settings(study, {"tune.name": "rate", "tune.levels.0.name": "low"})
    assert (changed.tune.name, changed.tune.levels[0].name) == ("rate", "low")


def test_a_factor_of_one_setting(study):
    assert factor("model.pos_embed", "learned", "none", name="positions") == Factor(
        "positions", (Level("learned", {"model.pos_embed": "learned"}), Level("none", {"model.pos_embed": "none"}))
    )
    assert LR.name == "optim.lr"


def test_a_choice_between_several_settings_with_words_for_some():
    levels = {"off": {}, "on": {"model.num_registers": 4, "model.cls_token": True}}
    assert choice("registers", levels, {"on": "four registers"}) == Factor(
        "registers",
        (Level("off", {}, ""), Level("on", {"model.num_registers": 4, "model.cls_token": True}, "four registers")),
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("learned", "learned"),
        (learned.Spec(), "learned"),
        ({"name": "learned"}, "learned"),
        ({"name": "mix", "prob": 0.8, "cutmix": False}, "mix (prob=0.8, cutmix=no)"),
        (True, "yes"),
        (False, "no"),
        (None, "None"),
        (3, "3"),
        (3e-3, "0.003"),
        (1e-5, "1e-05"),
        (4.0, "4"),
        ([], "none"),
        ((4, 8), "4×8"),
        ([{"name": "crop", "padding": 1}, "flip"], "crop (padding=1)×flip"),
    ],
)
def test_what_people_call_a_value(value, said):
    assert label(value) == said


def test_the_design_is_one_of_the_family(study_of):
    with pytest.raises(SpecError, match="unknown design 'one_at_time'; did you mean one_at_a_time"):
        with_settings(study_of({"plain": {}}), {"design": {"name": "one_at_time", "factors": []}})
    assert isinstance(study_of({"plain": {}}).design, listed.Spec)


def test_every_seed_is_tuned_with_if_asked_for(study):
    assert replace(study, tune_seeds=3).tune_seeds == 3
