"""The record that grows."""

import pytest

from vitlab.base.errors import DataError
from vitlab.records.history import FILE, add_to_history, cut_history, read_history


@pytest.fixture
def lines(tmp_path):
    """Three evaluations, written one after the other."""
    written = [{"step": step, "val_loss": 1 / step, "test_loss": None} for step in (4, 8, 12)]
    for line in written:
        add_to_history(tmp_path, line)
    return written


def test_lines_come_back_in_order(lines, tmp_path):
    assert read_history(tmp_path) == lines


def test_before_the_first_there_is_none(tmp_path):
    assert read_history(tmp_path) == []


def test_a_resume_drops_what_it_writes_again(lines, tmp_path):
    cut_history(tmp_path, 8)
    assert read_history(tmp_path) == lines[:2]
    cut_history(tmp_path, -1)
    assert read_history(tmp_path) == []


def test_a_last_line_that_was_cut_off_is_left_out(lines, tmp_path):
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text[:-9])
    assert read_history(tmp_path) == lines[:2]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"step": 4, "val_loss"', "damaged at line 1"),
        ('{"val_loss": 1}', "line 1, is damaged: it has no step"),
        ("[4]", "line 1, is damaged: it has no step"),
        ('{"step": 4, "val_loss": "low"}', r"line 1, is damaged: line\.val_loss='low': expected a number"),
        ('{"step": 4, "val_loss": NaN}', r"line 1, is damaged: line\.val_loss=nan: expected a number"),
    ],
)
def test_damage_is_told_with_its_line(lines, tmp_path, line, problem):
    path = tmp_path / FILE
    path.write_text("\n".join([line, *path.read_text().splitlines()[1:]]) + "\n")
    with pytest.raises(DataError, match=problem):
        read_history(tmp_path)
