"""Which executions there are, and what a worker is told of each."""

from dataclasses import replace

import pytest

from tests.study.conftest import OVERRIDES
from vitlab.base.spec import from_dict, to_dict
from vitlab.study import execution
from vitlab.study.execution import PROCESSES_A_GPU, Constraints, Elsewhere, Execution
from vitlab.study.plan import plan
from vitlab.train.machine import choices
from vitlab.train.machine.choices import Choices, Overrides

ONE, STACKED, SIDES = (
    Execution("none", 1, "explicit"),
    Execution("cell", 1, "explicit"),
    Execution("none", 4, "explicit"),
)
RULE = Choices(threads=4)
GPU = Choices(device="cuda", precision="bf16", kernel="fused", threads=4)


def possible(rule, overrides, runs, jobs, stack):
    return Constraints(rule, overrides, tuple(range(runs)), jobs, stack).executions()


def told(execution, overrides, spec, runs):
    return from_dict(Overrides, Constraints(RULE, overrides, (0,)).overrides_for(execution, spec, runs))


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    """A machine with four cores, and no fast bf16."""
    monkeypatch.setattr(execution, "process_cores", lambda: 4)
    monkeypatch.setattr(choices, "process_cores", lambda: 4)
    monkeypatch.setattr(choices, "has_fast_bf16", lambda: False)


def test_what_people_call_them():
    assert [str(way) for way in (ONE, STACKED, SIDES, Execution("cell", 2, "fused"))] == [
        "one by one, explicit attention",
        "stacked, explicit attention",
        "4 side by side, explicit attention",
        "stacked, 2 at once, fused attention",
    ]


def test_they_are_read_and_written_exactly():
    assert from_dict(Execution, to_dict(SIDES)) == SIDES


@pytest.mark.parametrize(
    ("jobs", "stack", "found"),
    [
        (None, None, [ONE, SIDES, STACKED]),
        (None, True, [STACKED]),
        (None, False, [ONE, SIDES]),
        (1, None, [ONE, STACKED]),
        (3, None, [Execution("none", 3, "explicit"), Execution("cell", 3, "explicit")]),
        (3, True, [Execution("cell", 3, "explicit")]),
        (3, False, [Execution("none", 3, "explicit")]),
    ],
)
def test_what_is_asked_for_restricts_them(jobs, stack, found):
    assert possible(RULE, OVERRIDES, 6, jobs, stack) == found


@pytest.mark.parametrize("stack", [None, True])
def test_a_single_seed_is_not_stacked(stack):
    assert possible(RULE, OVERRIDES, 1, 1, stack) == [ONE]


def test_on_one_core_nothing_stands_side_by_side(monkeypatch):
    monkeypatch.setattr(execution, "process_cores", lambda: 1)
    assert possible(RULE, OVERRIDES, 6, None, None) == [ONE, STACKED]


def test_a_gpu_is_shared_by_a_few():
    found = [(way.stack, way.jobs, way.kernel) for way in possible(GPU, Overrides(), 6, None, None)]
    assert found == [("none", 1, "fused"), ("none", PROCESSES_A_GPU, "fused"), ("cell", 1, "fused")]


def test_a_kernel_that_is_not_decided_is_tried_but_no_fused_one_is_stacked():
    open_kernel = replace(OVERRIDES, kernel=None)
    found = [(way.stack, way.jobs, way.kernel) for way in possible(RULE, open_kernel, 6, None, None)]
    assert found == [
        ("none", 1, "explicit"),
        ("none", 1, "fused"),
        ("none", 4, "explicit"),
        ("none", 4, "fused"),
        ("cell", 1, "explicit"),
    ]


def test_who_wants_the_same_bits_gets_the_kernel_of_the_rule():
    same = replace(RULE, deterministic=True)
    assert possible(same, Overrides(deterministic=True), 6, 1, None) == [ONE, STACKED]


@pytest.mark.parametrize(
    ("way", "threads"), [(ONE, 4), (SIDES, 1), (Execution("none", 2, "fused"), 2), (Execution("none", 9, "fused"), 1)]
)
def test_processes_share_the_cores(base_run, way, threads):
    found = told(way, Overrides(), base_run(), 1)
    assert (found.threads, found.device, found.precision, found.kernel) == (threads, "cpu", "fp32", way.kernel)


def test_what_the_user_says_of_threads_holds(base_run):
    assert told(SIDES, replace(OVERRIDES, threads=3), base_run(), 1).threads == 3


def test_runs_that_train_at_once_share_the_memory(base_run, monkeypatch):
    """Of memory for 100 images' activations half is taken: 50, which two processes of five seeds each divide."""
    spec = base_run({"batch_size": 400})
    image = choices.cost(spec.model).activation_bytes
    monkeypatch.setattr(choices, "usable_memory", lambda: 100 * image)
    assert told(ONE, OVERRIDES, spec, 1).micro_batch == 50
    assert told(Execution("cell", 2, "explicit"), OVERRIDES, spec, 5).micro_batch == 5
    assert told(ONE, replace(OVERRIDES, micro_batch=7), spec, 5).micro_batch == 7


# ------------------------------------------------------------------------------------------------------------ question


def question(cells, seeds, rule, executions):
    return Constraints(rule, OVERRIDES, tuple(range(seeds))).question(cells, executions)


@pytest.fixture
def asking(study_of):
    """`asking(settings, seeds)`: what is asked about a cell with these settings."""

    def ask(settings=None, seeds=6):
        planned = plan(study_of({"cell": settings or {}}, equal="nothing"))
        return question(planned.cells, seeds, RULE, [ONE, STACKED])

    return ask


@pytest.mark.parametrize(
    "settings",
    [
        {"optim.lr": 0.1},
        {"optim.weight_decay": 0.3},
        {"optim.schedule": {"name": "cosine", "warmup_steps": 9}},
        {"steps": 99},
        {"steps": None, "epochs": 3},
        {"evaluate_every": 2.0},
        {"weights": "best"},
    ],
)
def test_cells_whose_steps_do_the_same_work_ask_the_same(asking, settings):
    assert asking(settings) == asking()


@pytest.mark.parametrize(
    "settings",
    [
        {"model.depth": 3},
        {"model.pos_embed": "none"},
        {"batch_size": 8},
        {"optim.clip_norm": None},
        {"optim.optimizer": "sgd"},
        {"optim.ema": 0.9},
        {"augment": ["flip"]},
        {"augment": [{"name": "crop", "padding": 2}]},
        {"repeats": 2},
        {"val_fraction": 0.2},
    ],
)
def test_cells_whose_steps_do_other_work_ask_anew(asking, settings):
    assert asking(settings) != asking()


def test_the_ways_and_the_machine_are_part_of_it_and_the_number_of_seeds_is_not(study_of, asking):
    assert asking(seeds=5) == asking(seeds=6)
    (cell,) = plan(study_of({"cell": {}})).cells
    assert question([cell], 6, RULE, [ONE]) != question([cell], 6, RULE, [ONE, STACKED])
    assert question([cell], 6, RULE, [ONE]) != question([cell], 6, GPU, [ONE])


def test_another_host_chooses_for_itself_what_is_left_open(study_of):
    """This machine's device, cores and memory are not those of a cluster."""
    elsewhere = Elsewhere(RULE, Overrides(precision="bf16"), (0, 1))
    executions = elsewhere.executions()
    assert [str(execution) for execution in executions] == ["one by one", "stacked"]
    told = elsewhere.overrides_for(executions[0], study_of({"plain": {}}).base, 1)
    assert {name: value for name, value in told.items() if value is not None} == {"precision": "bf16"}
