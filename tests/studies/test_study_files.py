"""What holds for every study file: it says its commands and what they cost, and its digits version can be trained."""

import ast
from pathlib import Path

import pytest

from tests.studies.conftest import FOLDER

FUNCTIONS = [
    (path.stem, node.name)
    for path in sorted(FOLDER.glob("*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
]


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_the_docstring_has_the_command_and_its_cost(planned, name, function):
    """Runs, those of tuning too, and the FLOPs of all their steps, where the number of steps is known beforehand."""
    found = planned(name, function)
    study, flops, runs = found.study, 0, 0
    for cell in found.cells:
        tuning = len(cell.candidates) * study.tune_seeds if study.tune else 0
        trained = tuning + study.num_seeds - (study.tune_seeds if study.tune else 0)
        runs += trained
        flops += trained * (cell.steps or 0) * cell.step_flops
    called = f"studies/{name}.py" + (f":{function}" if function != "study" else "")
    (line,) = [line for line in docstring(name) if line.startswith(f"    vitlab study {called} --out runs/")]
    cost = f" {runs} runs, {flops:.1e} FLOPs".replace("e+", "e") if flops else f" {runs} runs"
    assert cost in line


@pytest.mark.parametrize("name", sorted({name for name, _ in FUNCTIONS}))
def test_the_first_line_is_what_the_file_asks(name):
    assert docstring(name)[0].count("?") >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({name for name, _ in FUNCTIONS}))
def test_a_few_steps_of_the_digits_version(trained, planned, name):
    """Also that the file's whole and its digits version compare the same things."""
    found = trained(name)
    assert found.missing == ()
    assert [cell.name for cell in found.cells] == [cell.cell.name for cell in planned(name, "digits").cells]
    assert all(len(cell.runs) == 2 and cell.score.mean is not None for cell in found.cells)


def docstring(name: str) -> list[str]:
    return (ast.get_docstring(ast.parse(Path(FOLDER / f"{name}.py").read_text())) or "").splitlines()
