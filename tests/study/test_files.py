import json

import pytest

from vitlab.base.errors import UserError
from vitlab.base.spec import to_dict, with_settings
from vitlab.recipes import changed, recipe
from vitlab.studies import positions
from vitlab.study.design import leave_one_out, listed, one_at_a_time, recipe_diff
from vitlab.study.design._base import Level
from vitlab.study.files import read_study_spec
from vitlab.study.spec import StudySpec, choice, factor

PYTHON = """
from vitlab.recipes import recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, factor

POSITIONS = factor("model.pos_embed", "learned", "none")


def study():
    return digits(6)


def digits(seeds=2):
    return StudySpec("Which?", recipe("digits"), one_at_a_time.Spec((POSITIONS,)), num_seeds=seeds)


def number():
    return 3


def slips():
    return StudySpec("Which?", recipe("digits"), one_at_a_time.Spec((NORMS,)))


def refused():
    return recipe("digit")
"""


@pytest.fixture
def python(tmp_path):
    """A study file with these lines; its name for the command line."""

    def write(text=PYTHON, name="positions.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def json_study(tmp_path):
    """`json_study(values)`: the study of a JSON file with them; or of this text."""

    def read(values):
        path = tmp_path / "mine.json"
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        return read_study_spec(str(path))

    return read


def message_of(text):
    with pytest.raises(UserError) as refused:
        read_study_spec(text)
    return str(refused.value)


# --------------------------------------------------------------------------------------------------- vitlab's, by name


def test_a_name_is_a_study_of_vitlab_s_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_study_spec("positions").base == recipe("r0_cifar10_tenth")
    assert read_study_spec("positions:digits").base == recipe("digits_small")
    assert read_study_spec("demo").num_seeds == 6


def test_a_file_of_the_same_name_has_its_suffix(python, tmp_path, monkeypatch):
    python(name="positions.py")
    monkeypatch.chdir(tmp_path)
    assert read_study_spec("positions.py").question == "Which?"
    assert read_study_spec("positions.py:digits").num_seeds == 2
    assert read_study_spec("positions").question == positions.QUESTION


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("positons", "unknown study 'positons'; did you mean positions?"),
        ("positons:digits", "unknown study 'positons'; did you mean positions?"),
        ("positions:digts", "positions: unknown function 'digts'; did you mean digits?"),
        ("positions:recipe", "positions: unknown function 'recipe'; legal: digits, factorial, study"),
        (
            "r0_cifar10:tomvit",
            "r0_cifar10:tomvit is a recipe, not a study\n  what it trains:  vitlab show r0_cifar10:tomvit\n"
            "  to train it:     vitlab train r0_cifar10:tomvit",
        ),
    ],
)
def test_a_name_that_is_no_study_s(text, message):
    assert message_of(text) == message


def test_an_unknown_name_that_is_near_to_none_gets_the_list():
    assert message_of("zzz").startswith("unknown study 'zzz'; legal: augreg, cls_vs_mean, demo, positions, ")


def test_a_file_of_one_s_own_without_its_suffix(python, tmp_path, monkeypatch):
    python(name="my_first.py")
    monkeypatch.chdir(tmp_path)
    assert message_of("my_first:digits") == "unknown study 'my_first'; did you mean my_first.py?"


@pytest.mark.parametrize("text", ["studies/positions.py", "studies/positions", "positions.py", "positions.json"])
def test_a_file_that_is_not_there_but_is_called_as_one_of_vitlab_s(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message_of(text) == f"{text}: no such study file; vitlab's own has no suffix: vitlab study positions"


def test_the_function_is_said_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message_of("studies/positions.py:digits").endswith(": vitlab study positions:digits")


# -------------------------------------------------------------------------------------------------------------- Python


def test_the_function_study_or_the_one_that_is_named(python):
    assert (read_study_spec(python()).num_seeds, read_study_spec(python() + ":digits").num_seeds) == (6, 2)
    assert read_study_spec(python()).question == "Which?"


def test_a_colon_that_belongs_to_the_files_name(python, tmp_path):
    (tmp_path / "a:b").mkdir()
    assert read_study_spec(python(name="a:b/x.py")).num_seeds == 6
    assert read_study_spec(python(name="a:b/x.py") + ":digits").num_seeds == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("studies", "unknown function 'studies'; did you mean study?"),
        ("recipe", "unknown function 'recipe'; legal: digits, number, refused, slips, study"),
        ("factor", "unknown function 'factor'; legal: digits, number, refused, slips, study"),  # not of this file
    ],
)
def test_a_function_that_is_not_there(python, function, message):
    assert message_of(f"{python()}:{function}") == f"{python()}: {message}"


def test_a_function_that_returns_something_else(python):
    assert message_of(f"{python()}:number") == f"{python()}:number returns int, expected a StudySpec"


def test_a_slip_in_the_file_is_told_with_its_line(python):
    line = (
        PYTHON.splitlines().index('    return StudySpec("Which?", recipe("digits"), one_at_a_time.Spec((NORMS,)))') + 1
    )
    assert message_of(python() + ":slips") == f"{python()}, line {line}: NameError: name 'NORMS' is not defined"
    broken = python("import os\n\n1 / 0\n", "broken.py")
    assert message_of(broken) == f"{broken}, line 3: ZeroDivisionError: division by zero"
    missing = python("import vitlab.nothing\n", "missing.py")
    assert message_of(missing) == f"{missing}, line 1: ModuleNotFoundError: No module named 'vitlab.nothing'"


def test_what_is_no_python_is_told_with_its_line(python):
    file = python("def study():\n    return 1 +\n", "broken.py")
    said = message_of(file)
    assert said.startswith(f"{file}: SyntaxError: invalid syntax")
    assert "line 2" in said


def test_what_vitlab_refuses_is_told_as_everywhere(python):
    assert message_of(python() + ":refused").startswith("unknown recipe 'digit'; did you mean digits?")


def test_a_file_that_is_not_there_or_of_another_kind(tmp_path):
    nowhere = str(tmp_path / "nowhere.py")
    assert message_of(nowhere).startswith(f"{nowhere}: no such study file")
    (tmp_path / "study.yaml").touch()
    assert message_of(str(tmp_path / "study.yaml")) == f"{tmp_path / 'study.yaml'}: a study file ends in .py or .json"
    assert message_of("mine.json:digits") == "mine.json:digits: a JSON file has no functions"


# ---------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("design", ["one_at_a_time", "leave_one_out", "listed", "recipe_diff"])
def test_a_study_that_was_written_out_is_read_again(json_study, design):
    base = recipe("digits")
    two = factor("model.pos_embed", "learned", "none"), choice("rate", {"low": {"optim.lr": 1e-3}, "high": {}})
    designs = {
        "one_at_a_time": one_at_a_time.Spec(two),
        "leave_one_out": leave_one_out.Spec(two),
        "listed": listed.Spec((Level("a", {"augment": ["flip"]}), Level("b", {}, "nothing"))),
        "recipe_diff": recipe_diff.Spec(with_settings(base, {"optim.lr": 1e-3}), order=("optim.lr",)),
    }
    study = StudySpec("Which?", base, designs[design], num_seeds=3, metric="val_loss", tune=factor("batch_size", 8, 16))
    assert json_study(to_dict(study)) == study


SHORT = {
    "question": "Which?",
    "base": "digits",
    "design": {"name": "one_at_a_time", "factors": {"model.depth": [1, 2]}},
}


def test_a_base_by_its_recipe(json_study):
    assert json_study(SHORT).base == recipe("digits")


def test_a_base_by_its_recipe_with_changes(json_study):
    base = {"recipe": "digits", "model.depth": 2, "optim.lr": 0.001}
    assert json_study(SHORT | {"base": base}).base == changed(recipe("digits"), {"model.depth": 2, "optim.lr": 0.001})


def test_a_base_of_which_data_changes_the_sizes(json_study):
    """As on the command line: the model follows its data."""
    base = json_study(SHORT | {"base": {"recipe": "r0_cifar10", "data": "cifar100"}}).base
    assert base.model.num_classes == 100


def test_factors_by_name_values_or_levels(json_study):
    levels = {"mean": {"model.pool": "mean"}, "cls": {"model.pool": "cls", "model.cls_token": True}}
    study = json_study(SHORT | {"design": {"name": "factorial", "factors": {"model.depth": [1, 2], "pool": levels}}})
    assert study.design.factors == (factor("model.depth", 1, 2), choice("pool", levels))


def test_entries_by_name(json_study):
    study = json_study(SHORT | {"design": {"name": "listed", "entries": {"plain": {}, "deep": {"model.depth": 3}}}})
    assert study.design == listed.Spec((Level("plain", {}), Level("deep", {"model.depth": 3})))


def test_a_target_by_its_recipe(json_study):
    target = {"recipe": "digits", "optim.lr": 0.001}
    study = json_study(SHORT | {"design": {"name": "recipe_diff", "target": target}})
    assert study.design.target == changed(recipe("digits"), {"optim.lr": 0.001})


def test_what_is_tuned_by_name(json_study):
    assert json_study(SHORT | {"tune": {"optim.lr": [0.001, 0.003]}}).tune == factor("optim.lr", 0.001, 0.003)
    rates = {"low": {"optim.lr": 0.001}, "high": {"optim.lr": 0.003}}
    assert json_study(SHORT | {"tune": {"rate": rates}}).tune == choice("rate", rates)
    assert json_study(SHORT | {"tune": None}).tune is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{", "mine.json: not JSON: Expecting property name"),
        ("[]", "mine.json: expected a JSON object, got []"),
        ({}, "question is missing"),
        ({"question": "?", "base": "digits"}, "design is missing"),
        (SHORT | {"base": "digit"}, "unknown recipe 'digit'; did you mean digits?"),
        (SHORT | {"base": {"recipe": 3}}, "unknown setting 'base.recipe'"),
        (
            SHORT | {"base": {"recipe": "digits", "model.dept": 2}},
            "unknown setting 'model.dept'; did you mean model.depth",
        ),
        (SHORT | {"base": 3}, "base: expected settings, got 3"),
        (SHORT | {"quest": 3}, "unknown setting 'quest'; did you mean question"),
        (SHORT | {"design": "factorial"}, "design.factors is missing"),
        (SHORT | {"design": 3}, "design=3: expected a name, or settings with a name"),
        (
            SHORT | {"design": {"name": "factorial", "factors": {"model.depth": "12"}}},
            "factor model.depth: '12'; expected a list of values, or settings by level",
        ),
        (
            SHORT | {"design": {"name": "factorial", "factors": {"model.depth": 2}}},
            "factor model.depth: 2; expected a list of values, or settings by level",
        ),
        (
            SHORT | {"design": {"name": "factorial", "factors": {"pool": {"mean": "mean", "cls": "cls"}}}},
            "design.factors.0.levels.0.settings='mean': expected values by name",
        ),
        (
            SHORT | {"design": {"name": "factorial", "factors": {"model.depth": [2]}}},
            "factor model.depth: levels 2; a factor has two or more, all different",
        ),
        (SHORT | {"design": {"name": "factorial", "factors": 3}}, "design.factors=3: expected a list"),
        (SHORT | {"design": {"name": "listed", "entries": {"a": 3}}}, "design.entries.0.settings=3: expected values"),
        (SHORT | {"tune": {"optim.lr": 0.1}}, "factor optim.lr: 0.1; expected a list of values"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_a_line(json_study, values, message):
    with pytest.raises(UserError) as refused:
        json_study(values)
    assert message in str(refused.value)
