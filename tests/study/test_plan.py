"""The digits: 1437 training images. A tenth of each class is carved out, and plans reckon with a tenth: 1293.3."""

import json
from dataclasses import replace

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.identity import spec_id
from vitlab.base.spec import from_dict, to_dict, with_settings
from vitlab.models.cost import cost
from vitlab.study.design import factorial, one_at_a_time
from vitlab.study.design._base import Factor, Level
from vitlab.study.plan import plan, slug, study_id
from vitlab.study.spec import StudySpec, factor
from vitlab.train.spec import RunSpec

EPOCHS = {"steps": None, "epochs": 4}
DEEP, BIG = {"model.depth": 4}, {"batch_size": 48}  # the base: depth 2, batches of 16, twelve steps


@pytest.fixture
def lengths(study_of):
    """`lengths(equal, base settings)`: epochs and steps of the cells plain, deep and big."""

    def find(equal, base=None):
        planned = plan(study_of({"plain": {}, "deep": DEEP, "big": BIG}, base or {}, equal=equal))
        specs = [each.candidates[0].spec for each in planned.cells]
        return [spec.epochs for spec in specs], [spec.steps for spec in specs]

    return find


def message_of(study):
    with pytest.raises(SpecError) as refused:
        plan(study)
    return str(refused.value)


def flops_ratio(base_run):
    """How much less an image costs in the base than in the deep cell."""
    return cost(base_run().model).flops / cost(base_run(DEEP).model).flops


# ---------------------------------------------------------------------------------------------------------- held equal


def test_the_deep_cell_costs_nearly_twice_as_much(base_run):
    """Counted by hand: 16 tokens of width 16; a block's products, the patches' and the head's."""
    tokens, width, mlp = 16, 16, 32
    block = 2 * tokens * width * (3 * width + width + 2 * mlp) + 2 * 2 * tokens * tokens * width
    rest = 2 * tokens * (2 * 2) * width + 2 * width * 10
    assert cost(base_run().model).flops == 2 * block + rest
    assert (2 * block + rest, 4 * block + rest) == (166_208, 330_048)
    assert flops_ratio(base_run) == pytest.approx(166_208 / 330_048, rel=1e-12)  # .5036


def test_equal_steps(lengths):
    """Three times the batch: three times the images, so three times the passes, in as many steps."""
    assert lengths("steps") == ([None, None, None], [12, 12, 12])
    assert lengths("steps", EPOCHS) == ([4, 4, 12], [None, None, None])


def test_equal_images(lengths):
    assert lengths("images") == ([None, None, None], [12, 12, 4])
    assert lengths("images", EPOCHS) == ([4, 4, 4], [None, None, None])


def test_equal_flops(lengths, base_run):
    share = flops_ratio(base_run)
    assert lengths("flops") == ([None, None, None], [12, 6, 4])
    assert lengths("flops", EPOCHS) == ([4, pytest.approx(4 * share, rel=1e-12), 4], [None, None, None])
    _, steps = lengths("flops", {"steps": 1000})
    assert steps == [1000, 504, 333]


def test_nothing_equal_lets_a_cell_say_how_long_it_trains(study_of):
    cells = {"plain": {}, "big": BIG, "long": {"steps": 30}, "passes": {"steps": None, "epochs": 2}}
    specs = [each.candidates[0].spec for each in plan(study_of(cells, equal="nothing")).cells]
    assert [(spec.epochs, spec.steps) for spec in specs] == [(None, 12), (None, 12), (None, 30), (2.0, None)]


@pytest.mark.parametrize("equal", ["steps", "images"])
def test_images_that_stand_more_often_in_a_pass_make_passes_longer(study_of, equal):
    planned = plan(study_of({"plain": {}, "repeated": {"repeats": 4}}, EPOCHS, equal=equal))
    plain, repeated = (each.candidates[0].spec for each in planned.cells)
    assert (plain.epochs, repeated.epochs) == (4, 1)
    assert planned.cells[0].steps == planned.cells[1].steps == 324  # 4 · 1293.3 / 16 = 323.3


@pytest.mark.parametrize("setting", [{"val_fraction": 0.5}, {"data": "cifar10"}])
def test_passes_over_another_number_of_images_are_not_held_equal(study_of, setting):
    said = message_of(study_of({"plain": {}, "other": setting}, EPOCHS))
    assert said == (
        "cell 'other': it trains on another number of images, and the base has epochs=4.0; "
        "equal=steps needs a base whose length is given in steps"
    )
    assert plan(study_of({"plain": {}, "other": setting})).cells[1].steps == 12


def test_every_value_of_the_grid_is_held_equal_too(study_of):
    planned = plan(study_of({"plain": {}, "big": BIG}, EPOCHS, tune=factor("repeats", 1, 2)))
    assert [[each.spec.epochs for each in cell.candidates] for cell in planned.cells] == [[4, 2], [12, 6]]


def test_a_run_of_the_cheapest_kind_has_a_step_at_least(study_of):
    at_once = {"optim.schedule.warmup_steps": 0}
    planned = plan(study_of({"plain": {}, "huge": {"batch_size": 400}}, at_once, equal="images"))
    assert planned.cells[1].candidates[0].spec.steps == 1


def test_how_long_a_run_is_where_a_plan_can_tell(study_of, base_run):
    def steps_of(settings):
        return plan(study_of({"plain": {}}, settings)).cells[0].steps

    assert steps_of({}) == 12
    assert steps_of(EPOCHS) == 324
    assert steps_of(EPOCHS | {"batch_size": 64, "val_fraction": 0.0}) == 90  # 4 · 1437 / 64 = 89.8
    folder = {"data": {"name": "folder", "path": "x", "img_size": [8, 8], "in_chans": 1, "num_classes": 10}}
    assert steps_of(folder | {"steps": 12}) == 12
    assert steps_of(folder | EPOCHS) is None


# ------------------------------------------------------------------------------------------------------ what is refused


def test_all_bad_cells_are_named_at_once(study_of):
    cells = {
        "good": {},
        "typo": {"model.dept": 3},
        "odd heads": {"model.num_heads": 3},
        "linear with a bias": {"model.attention": "linear", "model.pos_embed": "relative_bias"},
        "longer": {"steps": 40},
        "seeded": {"seed": 4},
        "unknown": {"model.pos_embed": "learnt"},
        "nowhere": {"data": "folder:nowhere"},
        "fine": {"model.depth": 1},
    }
    lines = message_of(study_of(cells)).splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"cell {name!r}" for name in cells if name[0] not in "gf"]
    for line, words in zip(
        lines,
        (
            ("unknown setting 'model.dept'", "did you mean model.depth"),
            ("num_heads", "3", "16"),
            ("linear", "relative_bias"),
            ("steps: a cell cannot set its length where equal=steps", "equal=nothing"),
            ("seed=4: a cell cannot set its seed",),
            ("unknown pos_embed 'learnt'", "did you mean learned"),
            ("nowhere",),
        ),
        strict=True,
    ):
        assert all(each in line for each in words), line


def test_cells_that_are_the_same_training_are_twins(study_of):
    cells = {"plain": {}, "deep": DEEP, "two": {"model.depth": 2}, "as deep": DEEP}
    lines = message_of(study_of(cells)).splitlines()
    assert [line.rpartition(":")[0] for line in lines] == [
        "cell 'plain' and cell 'two' are the same run",
        "cell 'deep' and cell 'as deep' are the same run",
    ]


def test_cells_that_would_share_a_folder_are_twins(study_of):
    said = message_of(study_of({"plain": {}, "a/b": DEEP, "a b": BIG}))
    assert said == "cell 'a/b' and cell 'a b' are the same folder: a-b"


def test_cells_of_one_name_are_twins(study_of):
    """Two factors whose names and levels run together."""
    factors = (
        Factor("a", (Level("x", {}), Level("b c", DEEP))),
        Factor("a b", (Level("x", {}), Level("c", BIG))),
    )
    said = message_of(study_of(one_at_a_time.Spec(factors)))
    assert said == "cell 'a b c' and cell 'a b c' are the same folder: a-b-c"


def test_values_of_a_grid_that_would_share_a_folder_are_twins(study_of):
    tune = Factor("rate", (Level("-1", {"optim.lr": 0.1}), Level("1", {"optim.lr": 0.2})))
    assert message_of(study_of({"plain": {}}, tune=tune)) == "tune value '-1' and tune value '1' are the same folder: 1"


def test_a_cell_without_the_validation_split_that_the_study_needs(study_of):
    cells = {"plain": {}, "all": {"val_fraction": 0.0}}
    said = "cell 'all': val_fraction=0 and {}: there is no validation split"
    assert message_of(study_of(cells, metric="val_loss")) == said.format("metric=val_loss")
    assert message_of(study_of(cells, tune=factor("optim.lr", 0.1, 0.2))) == said.format("tune=optim.lr")
    plan(study_of(cells))


def test_what_a_cell_sets_cannot_be_tuned(study_of):
    said = message_of(study_of({"plain": {}, "slow": {"optim.lr": 1e-4}}, tune=factor("optim.lr", 1e-3, 1e-2)))
    assert said == "cell 'slow': optim.lr is set by two factors, to 0.0001 and 0.001"


def test_a_grid_does_not_change_what_a_cell_costs(study_of):
    said = message_of(study_of({"plain": {}}, tune=factor("model.depth", 1, 2)))
    assert said.startswith("cell 'plain': the values of tune differ in parameters or FLOPs")
    plan(study_of({"plain": {}}, tune=factor("model.drop_path", 0.0, 0.1)))


def test_how_long_a_cell_trains_is_not_tuned_where_it_is_held_equal(study_of):
    assert "steps: a cell cannot set its length where equal=steps" in message_of(
        study_of({"plain": {}}, tune=factor("steps", 10, 20))
    )


def test_two_factors_that_set_one_thing(study_of):
    rates, batches = factor("optim.lr", 1e-3, 2e-3), Factor("b", (Level("x", {}), Level("y", {"optim.lr": 4e-3})))
    assert message_of(study_of(factorial.Spec((rates, batches)))) == (
        "optim.lr is set by two factors, to 0.001 and 0.004"
    )


# ------------------------------------------------------------------------------------------------------------- records


def test_every_cell_of_a_design_is_the_changed_base(study_of, base_run):
    design = factorial.Spec((factor("model.depth", 2, 4), factor("batch_size", 16, 48)))
    planned = plan(study_of(design))
    expected = [base_run({"model.depth": depth, "batch_size": size}) for depth in (2, 4) for size in (16, 48)]
    assert [cell.candidates[0].spec for cell in planned.cells] == expected


def test_a_grid_gives_every_cell_its_candidates(study_of, base_run):
    planned = plan(study_of({"plain": {}, "deep": DEEP}, tune=factor("optim.lr", 1e-3, 1e-2)))
    for cell, settings in zip(planned.cells, ({}, DEEP), strict=True):
        assert [each.name for each in cell.candidates] == ["0.001", "0.01"]
        assert [each.spec for each in cell.candidates] == [base_run(settings | {"optim.lr": lr}) for lr in (1e-3, 1e-2)]


def test_the_record_has_all_that_reading_a_study_needs(study_of, base_run):
    design = factorial.Spec((factor("model.depth", 2, 4, name="depth"), factor("batch_size", 16, 48)))
    study = study_of(design, num_seeds=3, base={"seed": 2}, metric="val_loss", tune=factor("optim.lr", 1e-3, 1e-2))
    record = json.loads(json.dumps(plan(study).as_record().values()))
    metrics, cells = record.pop("metrics"), record.pop("cells")
    assert from_dict(StudySpec, record.pop("study")) == study
    assert record == {
        "id": study_id(study),
        "question": "What does it do?",
        "design": "factorial",
        "metric": "val_loss",
        "equal": "steps",
        "seeds": [2, 3, 4],
        "tune": "optim.lr",
        "tune_seeds": 1,
        "selects": "val_top1",
        "whereabouts": [],
        "verdicts": False,
        "worth": None,
        "paired": False,
        "looks": [],
        "crossed": {"depth": ["2", "4"], "batch_size": ["16", "48"]},
    }
    assert metrics["val_loss"]["better"] == "lower"
    assert [cell["name"] for cell in cells] == [f"depth {d}, batch_size {b}" for d in (2, 4) for b in (16, 48)]
    last = cells[-1]
    spent = cost(base_run(DEEP).model)
    candidates = last.pop("candidates")
    assert last == {
        "name": "depth 4, batch_size 48",
        "folder": "depth-4-batch_size-48".replace("_", "-"),
        "levels": {"depth": "4", "batch_size": "48"},
        "settings": {"model.depth": 4, "batch_size": 48},
        "seeds": [2, 3, 4],
        "against": "depth 2, batch_size 16",
        "says": "depth 4 instead of 2 and batch_size 48 instead of 16",
        "num_params": spent.num_params,
        "flops": spent.flops,
        "step_flops": 3 * spent.flops * 48,
        "activation_bytes": spent.activation_bytes,
    }
    assert [(each["name"], each["folder"]) for each in candidates] == [("0.001", "0.001"), ("0.01", "0.01")]
    assert from_dict(RunSpec, candidates[1]["spec"]) == base_run(DEEP | BIG | {"optim.lr": 1e-2, "seed": 2})


def test_only_a_factorial_is_crossed(study_of):
    assert plan(study_of(one_at_a_time.Spec((factor("model.depth", 2, 4),)))).as_record().crossed == {}


def test_how_many_seeds_is_not_part_of_what_a_study_is(study_of):
    study = study_of({"plain": {}})
    assert study_id(replace(study, num_seeds=9, tune_seeds=3)) == study_id(study)
    for changed in (
        {"question": "Else?"},
        {"metric": "test_loss"},
        {"equal": "images"},
        {"base.seed": 1},
        {"base.optim.lr": 0.1},
    ):
        assert study_id(with_settings(study, changed)) != study_id(study)


def test_a_planned_run_has_the_id_that_training_gives_it(study_of):
    (cell,) = plan(study_of({"plain": {}}, EPOCHS)).cells
    spec = cell.candidates[0].spec
    assert spec_id(from_dict(RunSpec, to_dict(spec))) == spec_id(spec)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("baseline", "baseline"),
        ("positions sincos2d", "positions-sincos2d"),
        ("a/b\\c: d", "a-b-c-d"),
        ("1e-3", "1e-3"),
        ("0.1", "0.1"),
        ("..", "cell"),
        ("/", "cell"),
        (".hidden", "hidden"),
        ("4×8", "4-8"),
        ("größer", "gr-er"),
    ],
)
def test_a_name_as_a_folder(name, folder):
    assert slug(name) == folder


def test_cells_that_differ_in_what_does_nothing_are_twins(study_of):
    said = message_of(study_of({"plain": {"model.depth": 1}, "stochastic": {"model.depth": 1, "model.drop_path": 0.1}}))
    assert said == ("cell 'plain' and cell 'stochastic' are the same training: model.drop_path changes nothing here")


def test_a_study_has_so_many_cells_at_most(study_of):
    with pytest.raises(SpecError, match="design: 10,001 cells, and at most 10,000"):
        plan(study_of(one_at_a_time.Spec((factor("optim.lr", *(1e-6 * (1 + i) for i in range(10_001))),))))


def test_the_seeds_after_the_bases_must_be_numbers_too(study_of):
    with pytest.raises(SpecError, match=r"base\.seed=9223372036854775807: a study takes the seeds after it, too"):
        study_of({"plain": {}}, base={"seed": 2**63 - 1})
