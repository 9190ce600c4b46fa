import pytest

from vitlab.base.errors import SpecError
from vitlab.base.spec import with_settings
from vitlab.recipes import recipe
from vitlab.study.design import recipe_diff
from vitlab.study.design.recipe_diff import NO_TRAINING, Spec, differences
from vitlab.study.plan import plan

TARGET = {
    "model.depth": 3,
    "model.cls_token": True,
    "model.pool": "cls",
    "model.pos_embed": {"name": "learned", "prefix": False},
    "optim.lr": 1e-3,
    "optim.schedule.warmup_steps": 4,
    "augment": ["crop", "flip"],
    "seed": 5,
    "evaluate_every": 0.1,
    "test_every_epoch": True,
}


@pytest.fixture
def ends(base_run):
    return base_run(), base_run(TARGET)


def walk(base, cells):
    return [with_settings(base, cell.settings) for cell in cells]


def test_one_change_a_step_in_the_order_of_the_settings(ends, cells_of):
    base, target = ends
    found = cells_of(Spec(target), base)
    assert [(name, against, says) for name, _, _, against, says in found] == [
        ("baseline", None, ""),
        ("1 model.depth", "baseline", "model.depth from 2 to 3"),
        ("2 model.pos_embed", "1 model.depth", "model.pos_embed from sincos2d to learned"),
        (
            "3 model.pool + model.cls_token",  # a pool that needs a cls token cannot stand before it
            "2 model.pos_embed",
            "model.pool from mean to cls, model.cls_token from False to True",
        ),
        ("4 augment", "3 model.pool + model.cls_token", "augment from [crop] to [crop, flip]"),
        ("5 optim.lr", "4 augment", "optim.lr from 0.003 to 0.001"),
        ("6 optim.schedule.warmup_steps", "5 optim.lr", "optim.schedule.warmup_steps from 2 to 4"),
    ]
    assert all(levels == {} for _, _, levels, *_ in found)
    assert [len(settings) for _, settings, *_ in found] == [0, 1, 2, 4, 5, 6, 7]  # each keeps those before it


def test_the_last_cell_is_the_target_but_for_what_leaves_the_weights_alone(ends):
    base, target = ends
    *_, last = walk(base, Spec(target).cells(base))
    assert last == with_settings(target, {name: getattr(base, name) for name in NO_TRAINING})
    assert last != target


def test_settings_that_go_first_and_what_waits_for_them(ends, cells_of):
    base, target = ends
    names = [name for name, *_ in cells_of(Spec(target, order=("model.cls_token", "model.pool", "optim.lr")), base)]
    assert names[:5] == ["baseline", "1 model.cls_token", "2 model.pool", "3 optim.lr", "4 model.depth"]
    assert len(names) == 8
    says = cells_of(Spec(target, order=("model.pool", "optim.lr", "model.cls_token")), base)[1][4]
    assert says == "model.pool from mean to cls, optim.lr from 0.003 to 0.001, model.cls_token from False to True"


def test_what_waits_is_taken_along_and_every_run_on_the_way_is_legal(ends):
    base, target = ends
    order = ("optim.lr", "model.pool", "augment", "model.cls_token")
    for run in walk(base, Spec(target, order).cells(base)):
        assert (run.model.pool.name == "cls") <= run.model.cls_token


@pytest.mark.parametrize(
    ("here", "there"), [("digits", "r0_cifar10"), ("r0_cifar10", "r0_cifar100"), ("r0_cifar10", "r3_cifar10")]
)
def test_between_recipes_that_have_little_in_common(here, there):
    base, target = recipe(here), recipe(there)
    *_, last = walk(base, Spec(target).cells(base))
    assert last == with_settings(target, {name: getattr(base, name) for name in NO_TRAINING})


@pytest.mark.slow
def test_a_planned_walk_ends_at_the_target_too(study_of, ends):
    """The plan changes runs in its own way, where sizes follow the data."""
    base, target = ends
    planned = plan(study_of(Spec(target), equal="nothing"))
    last = planned.cells[-1].candidates[0].spec
    assert last == with_settings(target, {name: getattr(base, name) for name in NO_TRAINING})


def test_nothing_differs(ends):
    base, _ = ends
    with pytest.raises(SpecError, match=r"design\.target: it is the same as the base"):
        Spec(with_settings(base, {"seed": 3, "evaluate_every": 2})).cells(base)


def test_an_order_of_what_does_not_differ(ends):
    base, target = ends
    with pytest.raises(SpecError, match=r"design\.order: batch_size does not differ; these do: model\.depth, "):
        Spec(target, ("batch_size",)).cells(base)


def test_changes_that_never_become_legal_are_named(ends, monkeypatch):
    """Both ends are legal, so only a walk that is wrong comes here: one that does not see all that differs."""
    base, target = ends
    monkeypatch.setattr(recipe_diff, "differences", lambda here, there: {"model.pool": "cls", "optim.lr": 1e-3})
    with pytest.raises(SpecError, match=r"design\.target: model\.pool, optim\.lr cannot be changed"):
        Spec(target).cells(base)


def test_a_component_that_is_another_one_is_one_difference():
    here = {"a": {"name": "x", "deep": {"k": 1}}, "b": {"name": "x", "k": 1}, "c": [1], "d": {"k": None}, "e": 2}
    there = {"a": {"name": "x", "deep": {"k": 2}}, "b": {"name": "y", "z": 1}, "c": [1, 2], "d": {"k": {}}, "e": 2}
    assert differences(here, there) == {"a.deep.k": 2, "b": {"name": "y", "z": 1}, "c": [1, 2], "d.k": {}}
