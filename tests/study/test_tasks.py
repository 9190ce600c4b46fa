"""Which runs form a task, by what stands in the study's folder."""

import json

import pytest

from tests.study.conftest import WISHES, with_seeds
from vitlab.base.spec import to_dict
from vitlab.study.choosing import Asked
from vitlab.study.folder import StudyFolder
from vitlab.study.plan import plan
from vitlab.study.tasks import Tasks
from vitlab.study.ways import Way

CELLS = {"plain": {}, "slow": {"optim.lr": 1e-4}, "deep": {"model.depth": 4}}


class Study:
    """A study in a folder, whose runs are begun and end by hand."""

    def __init__(self, study, path, stack):
        self.study, self.folder, self.stack = study, StudyFolder(path), stack
        self.folder.claim(plan(study).as_record())

    def begin(self, run, *steps):
        """A run that has begun and has these checkpoints."""
        place = self.folder.path / "runs" / run
        place.mkdir(parents=True)
        (place / "spec.json").write_text(json.dumps({}))
        for step in steps:
            (place / "checkpoint" / f"step-{step:08d}").mkdir(parents=True)

    def end(self, run, status):
        (self.folder.path / "runs" / run / "result.json").write_text(json.dumps({"status": status, "schema": 1}))

    def tasks(self, retry=False):
        planned = plan(self.study)
        how = {"way": to_dict(Way(self.stack, 1, "explicit")), "measured": {}, "steps": 12}
        self.folder.note_how({cell.folder: how for cell in planned.cells})
        return Tasks(planned, self.folder, Asked(planned, WISHES, 1, None), retry)

    def stacks(self, **asked):
        return [[self.folder.name_of(run.place) for run in task.runs] for task in self.tasks(**asked).seeds()]


@pytest.fixture
def of(study_of, tmp_path):
    """`of("cell", seeds=2)`: a study whose cells are trained so."""
    return lambda stack, seeds=2: Study(study_of(CELLS, num_seeds=seeds), tmp_path / "study", stack)


def runs(cell, *seeds):
    return [f"{cell}/seed-{seed}" for seed in seeds]


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        ("none", [[each] for cell in CELLS for each in runs(cell, 0, 1)]),
        ("cell", [runs(cell, 0, 1) for cell in CELLS]),
        ("cells", [runs("plain", 0, 1) + runs("slow", 0, 1), runs("deep", 0, 1)]),
    ],
)
def test_a_task_is_a_run_a_cell_or_all_its_like(of, stack, found):
    assert of(stack).stacks() == found


def test_they_have_names(of):
    assert [task.name for task in of("cells").tasks().seeds()] == ["2 cells, 2 seeds", "deep, 2 seeds"]
    assert of("none", 1).tasks().seeds()[0].name == "plain, seed 0"


def test_what_is_finished_is_in_none_and_what_failed_only_if_it_is_tried_again(of):
    study = of("cell")
    for run, status in (("plain/seed-0", "finished"), ("slow/seed-1", "failed")):
        study.begin(run)
        study.end(run, status)
    assert study.stacks() == [runs("plain", 1), runs("slow", 0), runs("deep", 0, 1)]
    assert study.stacks(retry=True) == [runs("plain", 1), runs("slow", 0), runs("slow", 1), runs("deep", 0, 1)]


def test_a_run_that_has_begun_is_not_held_up_by_one_that_has_not(of):
    """A stack goes on from a checkpoint that all have: new seeds would throw the old ones back to the start."""
    study = of("cells", 3)
    for run in runs("plain", 0, 1) + runs("slow", 0, 1):
        study.begin(run, 200, 300)
    assert study.stacks() == [
        runs("plain", 0, 1) + runs("slow", 0, 1),
        runs("plain", 2) + runs("slow", 2),
        runs("deep", 0, 1, 2),
    ]


def test_who_has_no_checkpoint_in_common_goes_on_apart(of):
    study = of("cells")
    study.begin("plain/seed-0", 100, 200)
    study.begin("plain/seed-1", 300, 400)
    study.begin("slow/seed-0", 200, 300)
    study.begin("slow/seed-1", 100, 200)  # killed while the others of its stack saved 300
    assert study.stacks()[:2] == [["plain/seed-0", "slow/seed-0", "slow/seed-1"], ["plain/seed-1"]]


def test_who_began_and_has_none_starts_over_with_the_others(of):
    """Killed while the first checkpoints of a stack were written."""
    study = of("cell")
    study.begin("plain/seed-0", 100)
    study.begin("plain/seed-1")
    assert study.stacks()[0] == runs("plain", 0, 1)


def test_what_is_left_of_a_stack_is_trained_apart(of):
    study = of("cells")
    tasks = study.tasks()
    first = tasks.seeds()[0]
    study.begin("plain/seed-1")
    study.end("plain/seed-1", "finished")
    apart = tasks.apart(tasks.unrecorded(first))
    assert [task.name for task in apart] == ["plain, seed 0", "slow, seed 0", "slow, seed 1"]
    assert all(task.wishes["micro_batch"] == 16 and task.jobs == 1 for task in apart)
    assert [task.seconds for task in apart] == [first.runs[0].seconds] * 3


def test_with_more_seeds_there_is_more_to_do(of, study_of):
    study = of("none", 1)
    for cell in CELLS:
        study.begin(f"{cell}/seed-0")
        study.end(f"{cell}/seed-0", "finished")
    assert not study.tasks().any()
    study.study = with_seeds(study.study, 2)
    study.folder.claim(plan(study.study).as_record())
    assert study.tasks().any()
    assert study.stacks() == [runs(cell, 1) for cell in CELLS]
