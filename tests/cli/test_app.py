import errno
import os
import subprocess
import sys

import pytest

from vitlab import __version__
from vitlab.catalogue import families
from vitlab.cli import output

VERBS = ("demo", "list", "show", "data", "train", "study", "evaluate", "predict", "report", "bench", "doctor")


def test_version(vitlab):
    assert vitlab("--version") == (0, f"vitlab {__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(vitlab, verb):
    assert verb in vitlab("--help").out
    answer = vitlab(verb, "--help")
    assert answer.code == 0
    assert f"vitlab {verb}" in answer.out


@pytest.mark.parametrize("words", [(), ("train",), ("bench", "train")])
def test_h_is_help(vitlab, words):
    assert vitlab(*words, "-h") == vitlab(*words, "--help")
    assert "Usage" in vitlab(*words, "-h").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_completion_for_shells(vitlab, monkeypatch, shell):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    answer = vitlab("--show-completion", shell)
    assert answer.code == 0
    assert "_COMPLETE=complete_" in answer.out


@pytest.mark.parametrize("words", [("frobnicate",), ("train", "digits", "--nonsense"), ("show",)])
def test_a_slip_of_the_pen_ends_with_2_and_no_traceback(vitlab, words):
    answer = vitlab(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert "vitlab" in answer.err


WITHOUT_TORCH = {  # and the code that each ends with
    ("--help",): 0,
    ("list",): 0,
    ("list", "models", "--json"): 0,
    ("list", "lr"): 0,
    ("train", "--help"): 0,
    ("train", "digit"): 2,
    ("train", "vit_tiny_patch16_224"): 2,
    ("train", "digits", "--set", "modle.depth=3"): 2,
    ("train", "digits", "--set", "model.attention=lineer"): 2,
    ("train", "digits", "--set", "model.depth=deep"): 2,
    ("train", "digits", "--model", "B/17"): 2,
    ("train", "digits", "--lr", "1", "--set", "optim.lr=2"): 2,
    ("train", "digits", "--data", "cifar11"): 2,
    ("train", "digits", "--set", "data=cifar11"): 2,
    ("train", "digits", "--set", "augment=flip"): 2,
    ("train", "digits", "--set", 'augment=["crop", {"name": "flipp"}]'): 2,
    ("train", "digits", "--device", "gpu"): 2,
    ("train", "digits", "--kernel", "flash"): 2,
    ("evaluate", "runs/digits", "--data", "cifar11"): 2,
    ("bench", "train", "--precision", "fp16"): 2,
    ("study", "studies/positions.py", "--set", "lr=2"): 2,
    ("show", "digits", "--set", "modle.depth=3"): 2,
}


def test_help_lists_and_refusals_import_no_torch():
    """All in one process: what one of them imports the next ones have."""
    program = (
        "import contextlib, io, sys\n"
        "from vitlab.cli.app import main\n"
        f"for words, expected in {list(WITHOUT_TORCH.items())!r}:\n"
        "    sys.argv = ['vitlab', *words]\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:\n"
        "        try:\n            main()\n"
        "        except SystemExit as end:\n            code = end.code or 0\n"
        "        else:\n            code = 0\n"
        "    assert code == expected, (words, code)\n"
        "    assert (err if code else out).getvalue(), words\n"
        "    heavy = {'torch', 'numpy', 'scipy', 'altair', 'vl_convert', 'sklearn', 'datasets'} & set(sys.modules)\n"
        "    assert not heavy, (words, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("rank", "who"), [(0, "vitlab"), (3, "vitlab, process 3")])
def test_a_disk_that_does_not_take_it_is_no_traceback(vitlab, monkeypatch, rank, who):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/digits/metrics.jsonl")

    monkeypatch.setitem(families.LISTS, "models", full)
    monkeypatch.setattr(output, "RANK", rank)
    answer = vitlab("list", "models")
    assert answer.code == 2
    assert answer.err == f"{who}: runs/digits/metrics.jsonl: No space left on device\n"


def test_a_terminal_that_lacks_letters_gets_them_escaped():
    command = [sys.executable, "-m", "vitlab", "show", "grüße"]
    done = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(r"vitlab: unknown model, recipe, run or checkpoint 'gr\xfc\xdfe'")


def test_ctrl_c_ends_with_130(vitlab, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(families.LISTS, "models", interrupted)
    answer = vitlab("list", "models")
    assert answer.code == 130
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("return", 0),
        ("sys.exit()", 0),
        ("sys.exit(143)", 143),
        ("sys.exit('a reason')", 1),
        ("raise ZeroDivisionError", 1),
        ("sys.stderr.close(); sys.exit(141)", 141),
    ],
)
def test_a_process_ends_with_its_code_and_all_that_was_said(end, code):
    """At once, and not before what others have left for the end of it."""
    program = (
        "import atexit, sys\n"
        "from vitlab.cli import app\n"
        f"def main():\n    print('said'); atexit.register(print, 'at the end'); {end}\n"
        "app.main = main\n"
        "app.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "said\nat the end\n"
    assert done.returncode == code
    assert ("ZeroDivisionError" in done.stderr) == ("Zero" in end)
    assert ("a reason" in done.stderr) == ("reason" in end)


def test_a_bug_keeps_its_traceback(monkeypatch):
    from vitlab.cli.app import main

    def buggy(*arguments):
        raise ZeroDivisionError

    monkeypatch.setitem(families.LISTS, "models", buggy)
    monkeypatch.setattr(sys, "argv", ["vitlab", "list", "models"])
    with pytest.raises(ZeroDivisionError):
        main()
