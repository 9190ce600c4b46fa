"""What holds for every study of vitlab: it says its commands and what they cost; its digits version can be trained."""

import ast
from pathlib import Path

import pytest

from vitlab import studies
from vitlab.base.identity import spec_id
from vitlab.base.spec import component_names
from vitlab.recipes import changed
from vitlab.study.files import read_study_spec

FOLDER = Path(studies.__file__).parent
NAMES = component_names(studies.__name__)
ON_DIGITS = {"demo": "study"}  # the others have a function `digits`


def module(name: str) -> ast.Module:
    return ast.parse((FOLDER / f"{name}.py").read_text())


def docstring(name: str) -> list[str]:
    return (ast.get_docstring(module(name)) or "").splitlines()


FUNCTIONS = [  # what a cell at its real length costs takes a second to count
    pytest.param(name, node.name, marks=() if node.name == ON_DIGITS.get(name, "digits") else pytest.mark.slow)
    for name in NAMES
    for node in module(name).body
    if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "StudySpec"
]


@pytest.mark.parametrize(("name", "function"), [each.values for each in FUNCTIONS])
def test_every_cell_can_be_trained(name, function):
    study = read_study_spec(f"{name}:{function}")
    cells = study.design.cells(study.base)
    runs = [changed(study.base, cell.settings) for cell in cells]
    assert len({spec_id(run) for run in runs}) == len({cell.name for cell in cells}) == len(cells) > 1
    assert study.num_seeds >= 3


@pytest.mark.slow
@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_the_docstring_has_the_command_and_its_cost(planned, name, function):
    """Runs, those of tuning too, and the FLOPs of all their steps, where the number of steps is known beforehand."""
    found = planned(name, function)
    trained = [(cell, found.runs_of(cell)) for cell in found.cells]
    runs = sum(count for _, count in trained)
    flops = sum(count * (cell.steps or 0) * cell.step_flops for cell, count in trained)
    called = name + (f":{function}" if function != "study" else "")
    (line,) = [line for line in docstring(name) if line.startswith(f"    vitlab study {called} ")]
    cost = f" {runs} runs, {flops:.1e} FLOPs".replace("e+", "e") if flops else f" {runs} runs; "
    assert cost in line


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_is_what_the_study_asks(name):
    assert "?" in docstring(name)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_of_the_digits_version(trained, planned, name):
    """Every cell is trained with both seeds, and study.json is written."""
    function = ON_DIGITS.get(name, "digits")
    found = trained(name, function)
    assert found.missing == ()
    assert [cell.name for cell in found.cells] == [cell.cell.name for cell in planned(name, function).cells]
    assert all(len(cell.runs) == 2 and cell.score.mean is not None for cell in found.cells)
