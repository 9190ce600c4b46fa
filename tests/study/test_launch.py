"""What is trained, in which order, and what is left alone. The workers pretend."""

import io
import os
import signal
import threading
import time
from dataclasses import replace
from itertools import chain

import pytest
from filelock import FileLock
from rich.console import Console

from tests.reading import read_json
from tests.study.conftest import OVERRIDES, with_seeds
from vitlab.base.errors import Interrupted, SpecError, UserError
from vitlab.base.files import write_json
from vitlab.study import execution, launch
from vitlab.study.executor._base import Job
from vitlab.study.executor.local import Local
from vitlab.study.launch import run_study
from vitlab.study.outcome import outcome
from vitlab.study.spec import factor
from vitlab.study.study_dir import StudyDir

DEEP = {"model.depth": 4}
ALONE = {"jobs": 1, "stack": False}
STACKED = {"jobs": 1, "stack": True}
SIDES = {"jobs": 2, "stack": False}


@pytest.fixture
def study(study_of):
    return study_of({"plain": {}, "deep": DEEP}, num_seeds=3)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "study"


@pytest.fixture
def run(pretended, out):
    """`run(study, jobs=1, stack=False)`: the outcome of a study whose workers pretend."""

    def running(study, **more):
        run_study(study, out, **({"overrides": OVERRIDES} | more))
        return outcome(out)

    return running


def names(cell, *seeds, value=""):
    return [f"{cell}/{value}seed-{seed}" for seed in seeds]


def files(folder):
    """Every record of the runs, and when it was written: another time is another file."""
    return {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.json")}


# ------------------------------------------------------------------------------------------------------ what is trained


def test_one_by_one(run, study, pretended):
    said = run(study, **ALONE)
    assert pretended.trained == [[each] for cell in ("plain", "deep") for each in names(cell, 0, 1, 2)]
    assert said.complete
    assert [cell.score.n for cell in said.cells] == [3, 3]


def test_stacked(run, study, pretended):
    assert run(study, **STACKED).complete
    assert pretended.trained == [names("plain", 0, 1, 2), names("deep", 0, 1, 2)]


def test_cells_of_one_structure_are_stacked_together_where_that_is_faster(run, study_of, pretended):
    """Each keeps its name; what has another structure, or failed before, has a stack of its own."""
    cells = {"plain": {}, "deep": DEEP, "slow": {"optim.lr": 1e-4}, "still": {"augment": []}}
    pretended.pace(stacked=0.03, alone=0.02)  # 3 runs or 9 in 30 ms: 10 and 3.3 a run
    for name in names("slow", 2):
        pretended.when(name, "fail", reason="diverged")
    said = run(study_of(cells, num_seeds=3), jobs=1)
    alike = [name for cell in ("plain", "slow", "still") for name in names(cell, 0, 1, 2)]
    assert pretended.trained == [alike, names("deep", 0, 1, 2)]
    asked = next(each for each in pretended.asked if each["do"] == "train")
    assert asked["recipes"] == [name.split("/")[0] for name in alike]
    assert said.missing == ("slow, seed 2: failed: diverged",)
    run(study_of(cells, num_seeds=4), jobs=1, retry=True)
    alike = [name for cell in ("plain", "slow", "still") for name in names(cell, 3)]
    assert pretended.trained[2:] == [alike, names("deep", 3), names("slow", 2)]


def test_side_by_side(run, study, pretended, monkeypatch):
    """Two at once, in two processes that share the cores, and never more."""
    monkeypatch.setattr(execution, "process_cores", lambda: 6)
    for each in names("plain", 0, 1, 2) + names("deep", 0, 1, 2):
        pretended.when(each, "finish", seconds=0.05, metrics={"test_top1": 0.5})
    at_once = []
    real = launch._Stage._collect

    def collect(stage):
        at_once.append(len(stage.running))
        real(stage)

    monkeypatch.setattr(launch._Stage, "_collect", collect)
    assert run(study, **SIDES, overrides=replace(OVERRIDES, threads=None)).complete
    assert sorted(chain(*pretended.trained)) == sorted(names("plain", 0, 1, 2) + names("deep", 0, 1, 2))
    assert max(at_once) == 2
    jobs = [each for each in pretended.asked if each["do"] == "train"]
    assert {each["overrides"]["threads"] for each in jobs} == {3}
    assert len({each["pid"] for each in jobs}) == 2


def test_workers_are_told_the_cell_and_the_choices(run, study, pretended):
    run(study, **ALONE, overrides=replace(OVERRIDES, precision="fp64"))
    first = next(each for each in pretended.asked if each["do"] == "train")
    assert first["recipes"] == ["plain"]
    assert first["overrides"] == {
        "device": "cpu",
        "precision": "fp64",
        "kernel": "explicit",
        "micro_batch": 16,
        "threads": 1,
        "compiled": None,
        "checkpointing": None,
        "deterministic": None,
    }


def test_what_is_written(run, study, out):
    run(study, **ALONE)
    assert {path.name for path in out.iterdir()} == {"plan.json", "execution.json", "runs", "workers.log", ".lock"}
    assert read_json(out / "plan.json")["seeds"] == [0, 1, 2]


def test_nothing_is_made_of_a_plan_that_is_refused(run, study_of, out):
    with pytest.raises(SpecError, match=r"cell 'bad': unknown setting 'model\.dept'"):
        run(study_of({"plain": {}, "bad": {"model.dept": 1}}))
    assert not out.exists()


# ------------------------------------------------------------------------------------------------------ what is skipped


def test_a_finished_study_is_left_alone(run, study, pretended, out):
    first = run(study, **ALONE)
    before, asked = files(out), len(pretended.asked)
    assert run(study, **ALONE) == first
    assert files(out) == before
    assert len(pretended.asked) == asked  # nothing was measured, either


def test_only_what_is_missing_is_trained(run, study, pretended, out):
    run(study, **STACKED)
    for name in names("plain", 1) + names("deep", 0, 2):
        (out / "runs" / name / "result.json").unlink()
    before, asked = files(out), len(pretended.trained)
    run(study, **STACKED)
    assert pretended.trained[asked:] == [names("plain", 1), names("deep", 0, 2)]
    after = files(out)
    assert {path for path in after if before.get(path) == after[path]} >= {
        out / "runs" / name / "result.json" for name in names("plain", 0, 2) + names("deep", 1)
    }


def test_an_interrupted_run_is_gone_on_with(run, study, pretended, out):
    run(study, **ALONE)
    write_json(out / "runs/plain/seed-1/result.json", {"status": "interrupted", "reason": "signal 15", "metrics": {}})
    asked = len(pretended.trained)
    assert run(study, **ALONE).complete
    assert pretended.trained[asked:] == [names("plain", 1)]


def test_more_seeds_later_train_only_the_new_ones(run, study, pretended, out):
    run(study, **STACKED)
    before, asked = files(out), len(pretended.trained)
    said = run(with_seeds(study, 5), **STACKED)
    assert pretended.trained[asked:] == [names("plain", 3, 4), names("deep", 3, 4)]
    assert before.items() <= files(out).items()
    assert said.seeds == (0, 1, 2, 3, 4)
    assert [cell.score.n for cell in said.cells] == [5, 5]


def test_fewer_seeds_leave_the_others_where_they_are(run, study, pretended, out):
    run(study, **STACKED)
    before = files(out)
    assert run(with_seeds(study, 2), **STACKED).cells[0].score.n == 2
    assert files(out) == before


def test_another_study_is_refused(run, study, out):
    run(study, **ALONE)
    with pytest.raises(UserError, match="the study there has other settings"):
        run(replace(study, metric="test_loss"), **ALONE)


def test_a_second_process_is_refused(run, study, out):
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(UserError, match=r"--out .*study: another process works on this study"):
        run(study, **ALONE)
    assert run(study, **ALONE).complete


# ----------------------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("asked", [ALONE, STACKED])
def test_a_run_that_fails_is_recorded_and_the_others_go_on(run, study, pretended, asked):
    pretended.when("plain/seed-1", "fail", reason="the loss stopped being a number")
    said = run(study, **asked)
    assert said.missing == ("plain, seed 1: failed: the loss stopped being a number",)
    assert [cell.score.n for cell in said.cells] == [2, 3]


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ({"does": "refuse", "reason": "no pictures"}, "no pictures"),
        ({"does": "die"}, "its process was killed; the machine may have run out of memory"),
    ],
)
def test_a_run_without_a_record_of_its_own_is_recorded_too(run, study, pretended, out, does, reason):
    pretended.when("plain/seed-1", **does)
    said = run(study, **ALONE)
    assert said.missing == (f"plain, seed 1: failed: {reason}",)
    assert StudyDir(out).failures() == {"plain/seed-1": reason}
    assert pretended.trained[-1] == names("deep", 2)


@pytest.mark.parametrize("does", [{"does": "die"}, {"does": "refuse", "reason": "a damaged checkpoint"}])
def test_of_a_stack_that_cannot_be_trained_each_run_gets_a_chance_of_its_own(run, study, pretended, does):
    """Seed 0 has a record when the process ends in seed 1; seed 2 is trained without it."""
    pretended.when("plain/seed-1", **does)
    screen = Console(file=io.StringIO(), width=200)
    said = run(study, **STACKED, console=screen)
    assert [line.partition(":")[0] for line in said.missing] == ["plain, seed 1"]
    assert pretended.trained == [names("plain", 0, 1, 2), names("plain", 1), names("plain", 2), names("deep", 0, 1, 2)]
    assert "; training its runs one by one\n" in screen.file.getvalue()


def test_a_failed_run_is_tried_again_only_if_asked_for(run, study, pretended):
    pretended.when("plain/seed-1", "fail", reason="diverged")
    pretended.when("deep/seed-0", "die")
    run(study, **ALONE)
    asked = len(pretended.trained)
    pretended.when("plain/seed-1", "finish")
    pretended.when("deep/seed-0", "finish")
    assert len(run(study, **ALONE).missing) == 2
    assert len(pretended.trained) == asked
    assert run(study, **ALONE, retry=True).complete
    assert pretended.trained[asked:] == [names("plain", 1), names("deep", 0)]
    assert run(study, **ALONE).complete


def test_what_fails_again_is_recorded_again(run, study, pretended):
    pretended.when("plain/seed-1", "die")
    first = run(study, **ALONE)
    assert run(study, **ALONE, retry=True) == first


def test_failed_runs_are_tried_again_in_a_stack_of_their_own(run, study, pretended, out):
    """In a stack with others training would leave them out."""
    pretended.when("plain/seed-1", "fail", reason="diverged")
    run(study, **STACKED)
    (out / "runs/plain/seed-2/result.json").unlink()
    pretended.when("plain/seed-1", "finish")
    asked = len(pretended.trained)
    assert run(study, **STACKED, retry=True).complete
    assert sorted(pretended.trained[asked:]) == [names("plain", 1), names("plain", 2)]


def test_a_cell_that_cannot_even_be_measured_is_tried_and_the_others_go_on(run, study, pretended):
    pretended.pace(refuse="no pictures")
    for seed in range(3):
        pretended.when(f"plain/seed-{seed}", "refuse", reason="no pictures")
    said = run(study, **ALONE)
    assert said.missing == tuple(f"plain, seed {seed}: failed: no pictures" for seed in range(3))
    assert said.cell("deep").score.n == 3
    assert said.cell("deep").costs["seconds_per_step"] is None


# --------------------------------------------------------------------------------------------------------------- tuning


@pytest.fixture
def tuned(study_of):
    return study_of({"plain": {}, "deep": DEEP}, num_seeds=3, tune=factor("optim.lr", 0.1, 0.2))


def test_every_cell_is_tuned_by_itself_and_nothing_is_trained_twice(run, tuned, pretended):
    """plain is best at 0.1, deep at 0.2 on validation; the test split says the opposite, and is not asked."""
    scores = {"plain/0.1": 0.9, "plain/0.2": 0.5, "deep/0.1": 0.5, "deep/0.2": 0.9}
    for cell, score in scores.items():
        metrics = {"val_top1": score, "test_top1": 1 - score, "val_loss": score, "test_loss": score}
        pretended.when(f"{cell}/seed-0", "finish", metrics=metrics)
    said = run(tuned, **ALONE)
    assert pretended.trained == [
        *(names(cell, 0, value=value) for cell in ("plain", "deep") for value in ("0.1/", "0.2/")),
        *(names("plain", seed, value="0.1/") for seed in (1, 2)),
        *(names("deep", seed, value="0.2/") for seed in (1, 2)),
    ]
    assert [cell.tuned.value for cell in said.cells] == ["0.1", "0.2"]
    assert said.complete


def test_more_tuning_seeds_are_trained_stacked(run, tuned, pretended):
    run(replace(tuned, tune_seeds=2), **STACKED)
    values = ("0.1/", "0.2/")
    assert pretended.trained == [
        *([name for value in values for name in names(cell, 0, 1, value=value)] for cell in ("plain", "deep")),
        *(names(cell, 2, value="0.1/") for cell in ("plain", "deep")),  # all scores are equal: the first value
    ]


def test_a_value_that_fails_is_not_chosen(run, tuned, pretended):
    pretended.when("plain/0.1/seed-0", "fail", reason="diverged")
    said = run(tuned, **ALONE)
    assert said.cell("plain").tuned.value == "0.2"
    assert said.cell("plain").tuned.scores == {"0.1": None, "0.2": 0.5}
    assert said.complete


def test_a_cell_whose_values_all_fail_is_missing_with_the_reasons(run, tuned, pretended):
    for value in ("0.1", "0.2"):
        pretended.when(f"plain/{value}/seed-0", "fail", reason=f"diverged at {value}")
    said = run(tuned, **ALONE)
    why = "optim.lr 0.1, seed 0: diverged at 0.1; optim.lr 0.2, seed 0: diverged at 0.2"
    assert said.missing[0] == f"plain, seed 0: not trained yet: the tuning of this cell has not finished; {why}"
    assert len(said.missing) == 3
    assert said.cell("deep").score.n == 3
    asked = len(pretended.asked)
    run(tuned, **ALONE)
    assert len(pretended.asked) == asked


# -------------------------------------------------------------------------------------------------------------- signals


def signalled_when(pretended, count, signum):
    """Send this process a signal as soon as so many workers wait for one."""

    def wait():
        while sum(each["do"] == "waiting" for each in pretended.asked) < count:
            time.sleep(0.01)
        os.kill(os.getpid(), signum)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture
def hangups():
    """A closed terminal is heard, though these tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_has_the_workers_save_and_ends_the_study(run, study, pretended, out, hangups, signum, code):
    for name in names("plain", 1, 2):
        pretended.when(name, "wait")
    thread = signalled_when(pretended, 2, signum)
    with pytest.raises(Interrupted) as stopped:
        run(study, **SIDES)
    thread.join()
    assert stopped.value.code == code
    folder = StudyDir(out)
    record = folder.plan()
    plain, deep = (next(cell for cell in record.cells if cell.name == name) for name in ("plain", "deep"))
    states = [
        folder.status(folder.run(cell, cell.candidates[0], seed))
        for cell, seed in ((plain, 0), (plain, 1), (plain, 2), (deep, 0))
    ]
    assert states == [("finished", None), *2 * [("interrupted", f"signal {signum.value}")], (None, None)]
    for name in names("plain", 1, 2):
        pretended.when(name, "finish")
    asked = len(pretended.trained)
    assert run(study, **SIDES).complete
    assert sorted(chain(*pretended.trained[asked:])) == sorted(names("plain", 1, 2) + names("deep", 0, 1, 2))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_a_run_gets_ready_is_no_failure_of_it(run, study, pretended, out, signum):
    """A process that does not train yet has nothing to save, and dies of the signal."""
    pretended.when("plain/seed-0", "hang")
    thread = signalled_when(pretended, 1, signum)
    with pytest.raises(Interrupted):
        run(study, **ALONE)
    thread.join()
    assert StudyDir(out).failures() == {}
    pretended.when("plain/seed-0", "finish")
    assert run(study, **ALONE).complete


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_executions_are_measured_is_obeyed_at_once(run, study, pretended, out, signum, code):
    pretended.pace(hang=True)  # as a process that prepares a large data set
    thread = signalled_when(pretended, 1, signum)
    with pytest.raises(Interrupted) as stopped:
        run(study, **ALONE)
    thread.join()
    assert stopped.value.code == code
    assert not any(each["do"] in ("measured", "train") for each in pretended.asked)
    assert not (out / "execution.json").exists()


def test_a_worker_that_alone_was_told_to_stop_leaves_its_run_for_later(run, study, pretended):
    pretended.when("plain/seed-1", "wait")

    def stop():
        while not any(each["do"] == "waiting" for each in pretended.asked):
            time.sleep(0.01)
        os.kill([each for each in pretended.asked if each["do"] == "train"][-1]["pid"], signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    said = run(study, **ALONE)
    thread.join()
    assert said.missing == ("plain, seed 1: interrupted: signal 15",)
    pretended.when("plain/seed-1", "finish")
    assert run(study, **ALONE).complete


# ------------------------------------------------------------------------------------------------------ what is printed


def test_a_person_sees_what_was_measured_what_ended_and_the_time_left(run, study, pretended):
    pretended.pace(alone=10.0)  # ten seconds a step, twelve steps, six runs: 12 min
    pretended.when("deep/seed-0", "fail", reason="diverged")
    screen = Console(file=io.StringIO(), width=200)
    run(study, **ALONE, console=screen)
    told = screen.file.getvalue().splitlines()
    shown = [line for line in told if not line.startswith(("checking", "measuring", "timing"))]
    assert shown[0] == "plain: one by one, explicit attention, 10000.0 ms / step of a run"
    ended = [line.rpartition(";")[0] for line in shown[2:]]
    assert ended == [
        *(f"plain, seed {seed}: done" for seed in range(3)),
        "deep, seed 0: failed: diverged",
        *(f"deep, seed {seed}: done" for seed in (1, 2)),
    ]
    assert shown[-1].endswith(" in all")


def test_a_stack_and_a_tuned_value_have_their_names(run, tuned, pretended):
    screen = Console(file=io.StringIO(), width=200)
    run(tuned, **STACKED, console=screen)
    said = [
        line.partition(":")[0] for line in screen.file.getvalue().splitlines() if " left" in line or " in all" in line
    ]
    assert said == [
        *(f"{cell}, optim.lr 2 values, seed 0" for cell in ("plain", "deep")),
        *(f"{cell}, optim.lr 0.1, 2 seeds" for cell in ("plain", "deep")),
    ]


def test_what_a_stage_expects_is_the_machines_time(study, out, pretended, monkeypatch):
    """Two side by side: 12 steps of 20 ms at once are 10 ms of the machine each."""
    expected = []
    real = launch.StudyProgress

    def progress(console, runs, seconds):
        expected.append((runs, seconds))
        return real(console, runs, seconds)

    monkeypatch.setattr(launch, "StudyProgress", progress)
    pretended.pace(alone=0.02)
    run_study(study, out, overrides=OVERRIDES, **SIDES)
    assert expected == [(0, 0), (6, pytest.approx(6 * 0.12))]


def test_where_different_shares_meet_the_machine_is_never_divided_twice():
    """Half and half fit; a whole does not fit beside a half, nor a half beside a whole."""

    def job(jobs):
        return Job("", ({"folder": ""},), {}, jobs)

    def accepts(running, jobs):
        local = Local(pool=None)
        local.running = {index: job(each) for index, each in enumerate(running)}
        return local.accepts(job(jobs))

    assert accepts([], 1)
    assert accepts([2], 2)
    assert accepts([3, 3], 3)
    assert not accepts([2], 1)
    assert not accepts([1], 2)
    assert not accepts([2, 2], 2)
    assert accepts([2, 4], 4)
