"""What is printed fits the terminal that it is printed on."""

import io
import os
import re

import pytest
from rich.console import Console

from vitlab.cli import output

COLUMNS = ("row", "preset", "recipe")
LONG = ("R0/C10/TomViT AE", "r0_tomvit_ae_xavier", "r0_cifar10:tomvit_ae_xavier")


@pytest.fixture
def screen(monkeypatch):
    """`screen(80)`: a terminal of so many columns; it gives the lines on it when it is called again, without one."""
    shown = []

    def terminal(width=None):
        if width:
            shown[:] = [Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)]
            monkeypatch.setattr(output, "console", lambda quiet=False: shown[0])
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown[0].file.getvalue())
        return [line.rstrip() for line in plain.splitlines()]

    return terminal


def test_a_table_that_fits_is_a_table(screen):
    screen(80)
    output.print_table("systems", COLUMNS, [LONG])
    assert screen() == ["systems", "row               preset               recipe", "  ".join(LONG)]


def test_where_words_would_be_broken_each_row_is_a_paragraph(screen):
    screen(50)
    output.print_table("systems", COLUMNS, [LONG, ("short", "", "digits")])
    assert screen() == [
        "systems",
        "R0/C10/TomViT AE: preset r0_tomvit_ae_xavier;",
        "recipe r0_cifar10:tomvit_ae_xavier",
        "short: recipe digits",
    ]


def test_cells_of_several_words_are_broken_between_them_and_stay_in_the_table(screen):
    screen(40)
    output.print_table("list", ("name", "what it is"), [("softmax", "scaled dot-product attention, in words")])
    assert screen()[1:] == ["name     what it is", "softmax  scaled dot-product attention,", "         in words"]


def test_prose_is_broken_anew_and_equations_are_not(screen):
    text = "A first sentence that is\nlonger than the terminal.\n\n    y = a\n      + b\n\nAnd on."
    screen(20)
    output.print_prose(text)
    assert screen() == [
        *("A first sentence", "that is longer than", "the terminal.", "", "    y = a", "      + b", "", "And on."),
    ]
    screen(80)
    output.print_prose(text)
    assert screen() == text.splitlines()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals of that kind here")
def test_lines_are_broken_between_words_on_a_terminal_and_whole_in_a_pipe(monkeypatch, capsys):
    words = " ".join(["word"] * 40)
    output.console().print(words)
    assert capsys.readouterr().out == f"{words}\n"
    main, side = os.openpty()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    with os.fdopen(side, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        output.console().print(words)
        terminal.flush()
        told = os.read(main, 4096).decode()
    os.close(main)
    assert [len(line.rstrip()) for line in told.splitlines()] == [79, 79, 39]
