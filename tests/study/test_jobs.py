"""Which runs form a job, by what stands in the study's folder."""

from dataclasses import replace

import pytest

from tests.study.conftest import OVERRIDES, with_seeds
from vitlab.base.spec import to_dict
from vitlab.records.execution import CellExecution
from vitlab.records.run import Result, RunDeclaration
from vitlab.study.execution import Execution, constraints_of
from vitlab.study.executor._base import Executor
from vitlab.study.jobs import Jobs
from vitlab.study.plan import plan
from vitlab.study.study_dir import StudyDir

CELLS = {"plain": {}, "slow": {"optim.lr": 1e-4}, "deep": {"model.depth": 4}}


class Here(Executor):
    """Runs nothing: only the kind of its host matters."""

    def host(self):
        return {"cpu": "any"}


class Study:
    """A study in a folder, whose runs are begun and end by hand."""

    def __init__(self, study, path, stack):
        self.study, self.folder, self.stack = study, StudyDir(path), stack
        self.folder.claim(plan(study).as_record())

    def begin(self, run, *steps):
        """A run that has begun and has these checkpoints."""
        place = self.folder.path / "runs" / run
        place.mkdir(parents=True)
        name, seed = run.split("/seed-")
        planned = next(each for each in plan(self.study).cells if each.folder == name)
        spec = to_dict(replace(planned.candidates[0].spec, seed=int(seed)))
        RunDeclaration("", "", spec, {}, "val_top1").write(place)
        for step in steps:
            (place / "checkpoint" / f"step-{step:08d}").mkdir(parents=True)
            (place / "checkpoint" / f"step-{step:08d}" / "meta.json").touch()

    def end(self, run, status):
        Result(status).write(self.folder.path / "runs" / run)

    def jobs(self, retry=False):
        planned = plan(self.study)
        execution = Execution(self.stack, 1, "explicit")
        cell = CellExecution(to_dict(execution), str(execution), {}, None, steps=12)
        self.folder.note_executions(Here().host(), {each.folder: cell for each in planned.cells})
        return Jobs(planned, self.folder, constraints_of(planned, OVERRIDES, jobs=1), retry)

    def stacks(self, **asked):
        seeds = self.jobs(**asked).seeds(Here())
        return [[self.folder.name_of(run.place) for run in planned.runs] for planned in seeds]


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
def test_a_job_is_a_run_a_cell_or_all_its_like(of, stack, found):
    assert of(stack).stacks() == found


def test_they_have_names(of):
    named = [planned.job.name for planned in of("cells").jobs().seeds(Here())]
    assert named == ["2 cells, 2 seeds", "deep, 2 seeds"]
    assert of("none", 1).jobs().seeds(Here())[0].job.name == "plain, seed 0"


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
    jobs = study.jobs()
    first = jobs.seeds(Here())[0]
    study.begin("plain/seed-1")
    study.end("plain/seed-1", "finished")
    apart = [planned.job for planned in jobs.apart(jobs.unrecorded(first))]
    assert [job.name for job in apart] == ["plain, seed 0", "slow, seed 0", "slow, seed 1"]
    assert all(job.overrides["micro_batch"] == 16 and job.jobs == 1 for job in apart)
    assert [job.seconds for job in apart] == [first.runs[0].seconds] * 3


def test_with_more_seeds_there_is_more_to_do(of, study_of):
    study = of("none", 1)
    for cell in CELLS:
        study.begin(f"{cell}/seed-0")
        study.end(f"{cell}/seed-0", "finished")
    assert not study.jobs().any()
    study.study = with_seeds(study.study, 2)
    study.folder.claim(plan(study.study).as_record())
    assert study.jobs().any()
    assert study.stacks() == [runs(cell, 1) for cell in CELLS]
