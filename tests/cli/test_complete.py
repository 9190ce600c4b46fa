"""The shell's completion: the words that it offers, and that it waits for nothing."""

import subprocess
import sys

import pytest

from vitlab.cli import complete


def offered(*words):
    """What bash is offered for the last of its words, in a process of its own, which must not import torch."""
    asked = {"_VITLAB_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    program = (
        "import os, sys\n"
        f"os.environ.update({asked!r})\n"
        "sys.argv = ['vitlab']\n"
        "from vitlab.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Error" not in done.stderr, done.stderr
    return done.stdout.split()


def test_a_shell_is_answered_without_torch():
    assert offered("vitlab", "train", "digi") == ["digits", "digits_small"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "digits", "--set", "model.attention", "=", "li"), ["linear", "linformer"]),
        (("train", "digits", "--set", "weights", "="), ["last", "best"]),
        (("train", "r0_cifar10", ":", "tomvit_ae_t"), ["tomvit_ae_tables"]),
        (("study", "positions", ":", "dig"), ["digits"]),
        (("train", "digits", "--data", "par"), ["parquet:"]),
    ],
)
def test_words_that_bash_has_broken_are_whole_and_only_their_rest_is_offered(words, expected):
    """bash breaks words at = and :, and puts what it is offered behind these."""
    assert offered("vitlab", *words) == expected


@pytest.mark.parametrize(
    ("complete_it", "incomplete", "expected"),
    [
        (complete.recipes, "r1_finetune:", ["r1_finetune:published"]),
        (complete.models, "vit_gigantic_patch14_2", ["vit_gigantic_patch14_224"]),
        (complete.data, "cifar1", ["cifar10", "cifar100"]),
        (complete.listed, "atten", ["attention"]),
        (complete.listed, "attention.l", ["attention.linear", "attention.linformer", "attention.lsa"]),
        (complete.shown, "digits_", ["digits_small"]),
        (complete.settings, "epo", ["epochs="]),
        (complete.settings, "mod", ["model=", "model."]),
        (complete.settings, "optim.sch", ["optim.schedule=", "optim.schedule."]),
        (complete.settings, "optim.schedule.warmup_e", ["optim.schedule.warmup_epochs="]),
        (complete.settings, "model.pos_embed=sin", ["model.pos_embed=sincos", "model.pos_embed=sincos2d"]),
        (complete.settings, "weights=", ["weights=last", "weights=best"]),
        (complete.settings, "nothing.of=", []),
    ],
)
def test_words(complete_it, incomplete, expected):
    assert complete_it(incomplete) == expected
