"""Two thousand damaged records, and every verb that reads them: no traceback, and nothing damaged is used in silence.

Every mutation has a seed of its own, so one that fails is repeated by its number. A verb that reads a damaged file (an
audit hook says which it opens) ends with code 2 and a line that names it, unless what was changed may be so; then what
it says may differ, but only by what a record may hold.
"""

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fuzz.conftest import AGAIN, TINY, vitlab
from tests.fuzz.damage import Damage, damage

pytestmark = pytest.mark.slow

KINDS = {".json", ".jsonl", ".npz", ".safetensors"}
MADE_ANEW = {"study.json"}  # computed from the other records, and written whenever a verb has them
LONGEST = 3_000  # characters of what is said
PATIENCE = 60  # seconds: whoever waits for a pipe waits for ever

# How often, by use: the words of a command, and the folder or the file that is damaged
VERBS = {
    "report a study": (20, ("report", "plain"), "plain"),
    "report a tuned study": (8, ("report", "tuned"), "tuned"),
    "report a run": (20, ("report", "run"), "run"),
    "report two studies": (5, ("report", "plain", "tuned"), "plain"),
    "report two runs": (5, ("report", "run", "begun"), "begun"),
    "show a run": (550, ("show", "run"), "run"),
    "predict": (440, ("predict", "run", "picture.png"), "run"),
    "evaluate": (382, ("evaluate", "run", "--device", "cpu"), "run"),
    "resume": (150, ("train", "digits", *TINY, "--steps", 8, "--save-steps", 4, "--out", "begun", "--resume"), "begun"),
    "start from weights": (90, ("train", "digits", *TINY, "--steps", 2, "--init", "run", "--out", "new"), "run"),
    "train again": (150, ("train", "run/spec.json", "--steps", 2, "--device", "cpu", "--out", "new"), "run/spec.json"),
    "plan again": (160, ("study", "plain/plan.json", "--dry-run"), "plain/plan.json"),
    "go on with a study": (15, ("study", "plain.json", *AGAIN, "--out", "plain"), "plain"),
    "go on with a tuned study": (5, ("study", "tuned.json", *AGAIN, "--out", "tuned"), "tuned"),
}
opened: set[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if opened is not None and event == "open" and isinstance(arguments[0], str | bytes):
        opened.add(os.path.abspath(os.fsdecode(arguments[0])))


sys.addaudithook(_note)


@contextmanager
def noting() -> Iterator[set[str]]:
    """The files that are opened meanwhile."""
    global opened
    opened = set()
    try:
        yield opened
    finally:
        opened = None


@contextmanager
def patience() -> Iterator[None]:
    """Raise what nobody catches where something waits for ever."""

    def too_long(*_: object) -> None:
        raise AssertionError("it waits for ever")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def records(damaged: str) -> list[Path]:
    """The files of a folder that may be damaged, in an order that does not change; or the file itself."""
    if Path(damaged).is_file():
        return [Path(damaged)]
    return sorted(path for path in Path(damaged).rglob("*") if path.suffix in KINDS and not path.name.startswith("."))


def chosen(damaged: str, chance: random.Random) -> Path:
    """A file: each kind of record as often, however many there are of it."""
    files = records(damaged)
    name = chance.choice(sorted({file.name for file in files}))
    return chance.choice([file for file in files if file.name == name])


def problem(done: Damage, code: int, err: str, read: bool) -> str | None:
    """What is wrong with the answer of a verb, if something is."""
    if code not in (0, 2):
        return f"it ended with {code}: {err[-300:]}"
    if len(err) > LONGEST:
        return f"it said {len(err)} characters: {err[:300]}"
    named = done.file.name in err or done.file.parent.name in err
    if code == 2 and not (named and any(line.startswith("vitlab: ") for line in err.splitlines())):
        return f"it did not name the file in a line: {err[-300:]}"
    if code == 0 and done.wrong and read and done.file.name not in MADE_ANEW:
        return "it was read, and used"
    return None


@pytest.mark.parametrize("verb", VERBS)
def test_no_damaged_record_is_a_traceback_or_used_in_silence(verb, restore):
    times, words, damaged = VERBS[verb]
    with noting() as files:
        assert vitlab(*words).code == 0
    read = {Path(file).relative_to(Path.cwd()) for file in files if Path(file).is_relative_to(Path.cwd())}
    problems = []
    for number in range(times):
        restore(Path(damaged).parts[0], "new")
        chance = random.Random(f"{verb} {number}")
        done = damage(chosen(damaged, chance), chance)
        try:
            with patience():
                said = vitlab(*words)
            found = problem(done, said.code, said.err, done.file in read)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            problems.append(f"{number}: {done.file}: {done.how}: {found}")
    assert not problems, f"{len(problems)} of {times}:\n" + "\n".join(problems)


def test_it_is_two_thousand():
    assert sum(times for times, *_ in VERBS.values()) == 2000
