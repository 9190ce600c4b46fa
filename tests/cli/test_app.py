import errno
import subprocess
import sys

import pytest

from vitlab import __version__
from vitlab.catalogue import families
from vitlab.cli import output

VERBS = ("demo", "list", "show", "train", "study", "evaluate", "predict", "report", "bench", "doctor")


def test_version(vitlab):
    assert vitlab("--version") == (0, f"vitlab {__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(vitlab, verb):
    assert verb in vitlab("--help").out
    answer = vitlab(verb, "--help")
    assert answer.code == 0
    assert f"vitlab {verb}" in answer.out


@pytest.mark.parametrize("words", [("frobnicate",), ("train", "digits", "--nonsense"), ("show",)])
def test_a_slip_of_the_pen_ends_with_2_and_no_traceback(vitlab, words):
    answer = vitlab(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert "vitlab" in answer.err


@pytest.mark.parametrize("words", [["--help"], ["list"], ["list", "models", "--json"], ["train", "--help"]])
def test_help_and_lists_import_no_torch(words):
    program = (
        "import sys\n"
        "from vitlab.cli.app import main\n"
        f"sys.argv = ['vitlab', *{words!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'sklearn', 'datasets'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(("rank", "who"), [(0, "vitlab"), (3, "vitlab, process 3")])
def test_a_disk_that_does_not_take_it_is_no_traceback(vitlab, monkeypatch, rank, who):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/digits/metrics.jsonl")

    monkeypatch.setitem(families.LISTS, "models", full)
    monkeypatch.setattr(output, "RANK", rank)
    answer = vitlab("list", "models")
    assert answer.code == 2
    assert answer.err == f"{who}: [Errno 28] No space left on device: 'runs/digits/metrics.jsonl'\n"


def test_ctrl_c_ends_with_130(vitlab, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(families.LISTS, "models", interrupted)
    answer = vitlab("list", "models")
    assert answer.code == 130
    assert "Traceback" not in answer.err


def test_a_bug_keeps_its_traceback(monkeypatch):
    from vitlab.cli.app import main

    def buggy(*arguments):
        raise ZeroDivisionError

    monkeypatch.setitem(families.LISTS, "models", buggy)
    monkeypatch.setattr(sys, "argv", ["vitlab", "list", "models"])
    with pytest.raises(ZeroDivisionError):
        main()
