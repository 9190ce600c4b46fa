"""What holds for every recipe, and settings changed on top of one."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.spec import component_names, from_dict, to_dict
from vitlab.models.spec import preset
from vitlab.recipes import changed, recipe
from vitlab.train.spec import RunSpec

NAMES = component_names("vitlab.recipes")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_a_spec_and_goes_through_its_file(name):
    spec = recipe(name)
    assert from_dict(RunSpec, to_dict(spec)) == spec


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_its_command(name):
    import importlib

    said = importlib.import_module(f"vitlab.recipes.{name}").__doc__.splitlines()
    assert [line for line in said if line.startswith(f"    vitlab train {name} ") and "--out runs/" in line]


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(SpecError, match="unknown recipe 'digit'; did you mean digits"):
        recipe("digit")


def test_another_set_brings_its_sizes():
    spec = changed(recipe("digits"), {"data": "cifar100"})
    assert (spec.model.img_size, spec.model.in_chans, spec.model.num_classes) == ((32, 32), 3, 100)
    assert spec.model.embed_dim == recipe("digits").model.embed_dim
    assert spec.data.mean == (0.507, 0.4865, 0.4409)


def test_another_model_takes_the_set_s_sizes():
    spec = changed(recipe("digits"), {"model": "r0_tomvit", "model.patch_size": 2})
    assert (spec.model.img_size, spec.model.in_chans, spec.model.num_classes) == ((8, 8), 1, 10)
    assert (spec.model.embed_dim, spec.model.cls_token, spec.model.patch_size) == (192, False, (2, 2))


def test_r0_tomvit_on_its_recipe():
    spec = changed(recipe("r0_cifar10"), {"model": "r0_tomvit"})
    assert spec.model == preset("r0_tomvit")
    assert spec.optim == recipe("r0_cifar10").optim


def test_a_model_s_spec_and_a_preset_with_changes_may_be_given():
    base = recipe("r0_cifar10")
    assert changed(base, {"model": preset("r0_tomvit")}).model == preset("r0_tomvit")
    named = changed(base, {"model": {"name": "r0_tomvit", "depth": 2}, "data": recipe("cifar10_short").data})
    assert (named.model.depth, named.model.pool.name) == (2, "mean")


def test_one_setting_alone():
    spec = changed(recipe("digits"), {"model.depth": 2})
    assert spec.model.depth == 2
    assert changed(spec, {"model.depth": recipe("digits").model.depth}) == recipe("digits")


def test_another_folder_is_seen_as_the_first_one(tmp_path):
    for label in ("a", "b"):
        (tmp_path / "pets" / label).mkdir(parents=True)
    squashed = changed(recipe("pictures"), {"data.fit": "squash"})
    other = changed(squashed, {"data": str(tmp_path / "pets")}).data
    assert (other.name, other.img_size, other.fit) == ("folder", (96, 96), "squash")


def test_a_size_that_does_not_fit_the_set_is_refused():
    with pytest.raises(SpecError, match="num_classes=11"):
        changed(recipe("digits"), {"data": "cifar10", "model.num_classes": 11})


# ----------------------------------------------------------------------------------- settings that exclude each other


def changed_and_said(name, **settings):
    said = []
    return changed(recipe(name), settings, said.append), said


def test_steps_replace_the_recipe_s_epochs_and_it_is_said():
    spec, said = changed_and_said("digits", steps=200)
    assert (spec.steps, spec.epochs) == (200, None)
    assert said[0] == "steps=200 replaces the recipe's epochs=40"


def test_epochs_replace_the_recipe_s_steps():
    spec, said = changed_and_said("digits_small", epochs=2.5)
    assert (spec.steps, spec.epochs) == (None, 2.5)
    assert said[0] == "epochs=2.5 replaces the recipe's steps=400"


def test_a_warm_up_in_steps_replaces_one_in_epochs():
    spec, said = changed_and_said("digits", **{"optim.schedule.warmup_steps": 9})
    assert (spec.optim.schedule.warmup_steps, spec.optim.schedule.warmup_epochs) == (9, 0)
    assert said == ["optim.schedule.warmup_steps=9 replaces the recipe's optim.schedule.warmup_epochs=3"]


def test_no_warm_up_is_none_in_whichever_unit():
    spec, said = changed_and_said("digits", **{"optim.schedule.warmup_steps": 0, "epochs": 1})
    assert (spec.optim.schedule.warmup_steps, spec.optim.schedule.warmup_epochs) == (0, 0)
    assert said == ["optim.schedule.warmup_steps=0 replaces the recipe's optim.schedule.warmup_epochs=3"]


@pytest.mark.parametrize(
    "settings", [{"epochs": 60}, {"steps": "none", "epochs": 60}, {"steps": None, "model.depth": 2}]
)
def test_nothing_is_replaced_and_nothing_said_where_nothing_is_excluded(settings):
    spec, said = changed_and_said("digits", **settings)
    assert spec.steps is None
    assert spec.epochs == settings.get("epochs", 40)
    assert said == []


def test_no_augmentation_is_written_as_none():
    assert changed(recipe("r0_cifar10"), {"augment": "none"}).augment == ()


def test_both_are_refused_by_their_names():
    with pytest.raises(SpecError, match=r"epochs=5\.0 and steps=6: set exactly one"):
        changed(recipe("digits"), {"epochs": 5, "steps": 6})


def test_no_length_at_all_is_refused():
    with pytest.raises(SpecError, match="epochs=None and steps=None"):
        changed(recipe("digits"), {"epochs": "none"})


# ------------------------------------------------------------------------------------------------------- warm-up

WARMUP_EPOCHS, WARMUP_STEPS = "optim.schedule.warmup_epochs", "optim.schedule.warmup_steps"


@pytest.mark.parametrize(
    ("name", "settings", "warmup", "says"),
    [
        ("digits", {"epochs": 2}, ("epochs", 0.15), "warm-up: 3 → 0.15 epochs, as the training is shorter"),
        ("digits", {"epochs": 80}, ("epochs", 3), None),
        ("digits", {"steps": 200}, ("epochs", 0.742), "warm-up: 3 → 0.742 epochs"),  # 200 of 809 steps
        ("r0_cifar10_tenth", {"epochs": 1}, ("steps", 35), "warm-up: 1172 → 35 steps"),
        ("pictures", {"steps": 200}, ("steps", 30), "warm-up: 3 epochs → 30 steps, the same share of the training"),
        ("r0_imagenet", {"epochs": 62}, ("epochs", 2), "warm-up: 10 → 2 epochs"),
        ("digits", {"epochs": 2, "optim.schedule.warmup_epochs": 1}, ("epochs", 1), None),
        ("digits", {"epochs": 2, "optim.schedule.min_lr": 0.0}, ("epochs", 0.15), "warm-up: 3 → 0.15 epochs"),
        ("vit_imagenet", {"batch_size": 40960}, ("steps", 1000), "warm-up: 10000 → 1000 steps"),
        ("vit_imagenet", {"data.path": "elsewhere"}, ("steps", 10_000), None),
        ("digits", {"epochs": 2, "optim.schedule": "cosine"}, ("epochs", 0), None),
    ],
)
def test_a_training_that_is_made_shorter_warms_up_for_the_same_share(name, settings, warmup, says):
    spec, said = changed_and_said(name, **settings)
    unit, expected = warmup
    other = {"steps": "epochs", "epochs": "steps"}[unit]
    assert getattr(spec.optim.schedule, f"warmup_{unit}") == pytest.approx(expected, rel=1e-2)
    assert getattr(spec.optim.schedule, f"warmup_{other}") == 0
    about = [line for line in said if line.startswith("warm-up")]
    assert about == [] if says is None else about[0].startswith(says)


@pytest.mark.parametrize("name", ["vit_imagenet", "augreg"])
@pytest.mark.parametrize(
    ("settings", "warmup", "says"),
    [
        ({"steps": 20}, (2, 0), "warm-up: 10000 → 2 steps, as the training is shorter"),
        ({"epochs": 3}, (0, 0.323), "warm-up: 10000 steps → 0.323 epochs, the same share of the training"),
        ({}, (0, 32.3), "warm-up: 10000 steps → 32.3 epochs, the same share of the training"),
    ],
)
def test_a_warm_up_in_steps_of_a_length_in_epochs_is_the_share_that_it_has_of_imagenet(
    name, settings, warmup, says, three_classes
):
    """Of 300 · 1,281,167 · 0.99 / 4096 ≈ 92,900 steps; how many a folder's pictures take is known to nobody yet."""
    spec, said = changed_and_said(name, data=str(three_classes), **settings)
    assert (spec.optim.schedule.warmup_steps, spec.optim.schedule.warmup_epochs) == warmup
    assert [line for line in said if line.startswith("warm-up")] == ([says] if says else [])


@pytest.mark.parametrize("settings", [{"epochs": 2, WARMUP_EPOCHS: 3}, {"steps": 5, WARMUP_STEPS: 5}])
def test_a_warm_up_that_takes_it_all_is_refused(settings):
    spec, _ = changed_and_said("digits", **settings)
    with pytest.raises(SpecError, match=r"the rate would never reach optim\.lr; make it shorter"):
        spec.check_warmup(spec.planned_steps_per_epoch())
