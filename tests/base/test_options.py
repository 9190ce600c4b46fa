"""The map of choices to options, which the command line, records and pages share."""

from dataclasses import fields

import pytest
from typer.testing import CliRunner

from vitlab.base.errors import SpecError
from vitlab.base.options import OPTIONS, as_options, check_choices, in_words, made
from vitlab.cli.app import app
from vitlab.train.machine.choices import Overrides

CHOICES = {"device": "cuda:0", "precision": "bf16", "kernel": "fused", "threads": 1, "compiled": True, "micro_batch": 8}


def test_every_choice_has_its_option_and_train_knows_it():
    assert {field.name for field in fields(Overrides)} == OPTIONS.keys()
    shown = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert [option for option in OPTIONS.values() if option not in shown] == []


def test_what_makes_choices_again():
    words = "--device cuda:0 --precision bf16 --kernel fused --micro-batch 8 --threads 1 --compile"
    assert as_options(CHOICES) == words.split()
    assert as_options(CHOICES, ["device", "compiled", "deterministic"]) == ["--device", "cuda:0", "--compile"]
    assert as_options({}) == []


def test_a_flag_that_was_not_given_decides_nothing():
    assert made({"device": None, "compiled": False, "threads": 2}) == {"threads": 2}


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (CHOICES, "cuda:0, bf16, fused attention, 1 thread, compiled"),
        ({"device": "cpu", "threads": 4, "deterministic": True}, "cpu, 4 threads, deterministic"),
        ({}, ""),
    ],
)
def test_in_words(choices, words):
    assert in_words(choices) == words


def test_recorded_choices_are_of_a_kind_and_later_ones_are_passed_over():
    check_choices({"device": "cuda:1", "kernel": "fused", "threads": 2, "compiled": None, "of_tomorrow": {"a": 1}})
    for choices in ({"precision": "fp8"}, {"device": 1}, {"micro_batch": True}, {"processes": 0}, {"threads": "2"}):
        (name,) = choices
        with pytest.raises(SpecError, match=rf"choices\.{name}="):
            check_choices(choices)
