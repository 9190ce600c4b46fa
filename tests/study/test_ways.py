"""Which ways there are, and what a worker is told of each."""

from dataclasses import replace

import pytest

from tests.study.conftest import WISHES
from vitlab.base.spec import from_dict, to_dict
from vitlab.study import ways
from vitlab.study.plan import plan
from vitlab.study.ways import PROCESSES_A_GPU, Way, possible, question
from vitlab.train import choices
from vitlab.train.choices import Choices, Wishes

ONE, STACKED, SIDES = Way("none", 1, "explicit"), Way("cell", 1, "explicit"), Way("none", 4, "explicit")
RULE = Choices(threads=4)
GPU = Choices(device="cuda", precision="bf16", kernel="fused", threads=4)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    """A machine with four cores, and no fast bf16."""
    monkeypatch.setattr(ways, "process_cores", lambda: 4)
    monkeypatch.setattr(choices, "process_cores", lambda: 4)
    monkeypatch.setattr(choices, "has_fast_bf16", lambda: False)


def test_what_people_call_them():
    assert [str(way) for way in (ONE, STACKED, SIDES, Way("cell", 2, "fused"))] == [
        "one by one, explicit attention",
        "stacked, explicit attention",
        "4 side by side, explicit attention",
        "stacked, 2 at once, fused attention",
    ]


def test_they_are_read_and_written_exactly():
    assert from_dict(Way, to_dict(SIDES)) == SIDES


@pytest.mark.parametrize(
    ("jobs", "stack", "found"),
    [
        (None, None, [ONE, SIDES, STACKED]),
        (None, True, [STACKED]),
        (None, False, [ONE, SIDES]),
        (1, None, [ONE, STACKED]),
        (3, None, [Way("none", 3, "explicit"), Way("cell", 3, "explicit")]),
        (3, True, [Way("cell", 3, "explicit")]),
        (3, False, [Way("none", 3, "explicit")]),
    ],
)
def test_what_is_asked_for_restricts_them(jobs, stack, found):
    assert possible(RULE, WISHES, 6, jobs, stack) == found


@pytest.mark.parametrize("stack", [None, True])
def test_a_single_seed_is_not_stacked(stack):
    assert possible(RULE, WISHES, 1, 1, stack) == [ONE]


def test_on_one_core_nothing_stands_side_by_side(monkeypatch):
    monkeypatch.setattr(ways, "process_cores", lambda: 1)
    assert possible(RULE, WISHES, 6, None, None) == [ONE, STACKED]


def test_a_gpu_is_shared_by_a_few():
    found = [(way.stack, way.jobs, way.kernel) for way in possible(GPU, Wishes(), 6, None, None)]
    assert found == [("none", 1, "fused"), ("none", PROCESSES_A_GPU, "fused"), ("cell", 1, "fused")]


def test_a_kernel_that_is_not_decided_is_tried_but_no_fused_one_is_stacked():
    open_kernel = replace(WISHES, kernel=None)
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
    assert possible(same, Wishes(deterministic=True), 6, 1, None) == [ONE, STACKED]


@pytest.mark.parametrize(
    ("way", "threads"), [(ONE, 4), (SIDES, 1), (Way("none", 2, "fused"), 2), (Way("none", 9, "fused"), 1)]
)
def test_processes_share_the_cores(base_run, way, threads):
    told = way.wishes(Wishes(), RULE, base_run(), 1)
    assert (told.threads, told.device, told.precision, told.kernel) == (threads, "cpu", "fp32", way.kernel)


def test_what_the_user_says_of_threads_holds(base_run):
    assert SIDES.wishes(replace(WISHES, threads=3), RULE, base_run(), 1).threads == 3


def test_runs_that_train_at_once_share_the_memory(base_run, monkeypatch):
    """Of memory for 100 images' activations half is taken: 50, which two processes of five seeds each divide."""
    spec = base_run({"batch_size": 400})
    image = choices.cost(spec.model).activation_bytes
    monkeypatch.setattr(choices.psutil, "virtual_memory", lambda: type("Memory", (), {"total": 100 * image}))
    assert ONE.wishes(WISHES, RULE, spec, 1).micro_batch == 50
    assert Way("cell", 2, "explicit").wishes(WISHES, RULE, spec, 5).micro_batch == 5
    assert ONE.wishes(replace(WISHES, micro_batch=7), RULE, spec, 5).micro_batch == 7


# ------------------------------------------------------------------------------------------------------------ question


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
        {"optim.rule": "sgd"},
        {"optim.ema": 0.9},
        {"augment": ["flip"]},
        {"augment": [{"name": "crop", "padding": 2}]},
        {"repeats": 2},
        {"val_fraction": 0.2},
    ],
)
def test_cells_whose_steps_do_other_work_ask_anew(asking, settings):
    assert asking(settings) != asking()


def test_the_seeds_at_once_and_the_ways_are_part_of_it(study_of, asking):
    assert asking(seeds=5) != asking(seeds=6)
    (cell,) = plan(study_of({"cell": {}})).cells
    assert question([cell], 6, RULE, [ONE]) != question([cell], 6, RULE, [ONE, STACKED])
    assert question([cell], 6, RULE, [ONE]) != question([cell], 6, GPU, [ONE])
