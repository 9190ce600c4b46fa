"""Studies by their names, and study files: Python with a function that returns a StudySpec, or JSON.

    vitlab study positions               one that comes with vitlab: calls its function `study`
    vitlab study positions:digits        calls its function `digits`
    vitlab study mine.py, mine.py:big    the same of a file of one's own
    vitlab study mine.json               reads settings
    vitlab study runs/mine/plan.json     the study that stands there, again

JSON is what `to_dict` writes, and may be shorter: `"base": "digits"` is a recipe, `"base": {"recipe": "digits",
"model.depth": 2}` one with changes, and factors may be written by name:

    {"question": "Which positions?", "base": "digits",
     "design": {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"],
                                                     "pool": {"mean": {…settings}, "cls": {…}}}}}
"""

import importlib.util
import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from vitlab.base.errors import SpecError, UserError, unknown
from vitlab.base.files import naming_source, read_object
from vitlab.base.spec import component_names, from_dict, to_dict
from vitlab.base.trust import own_bytecode, trusting, typed
from vitlab.names import check_study, elsewhere
from vitlab.recipes import changed, recipe
from vitlab.study.design._base import Factor
from vitlab.study.spec import StudySpec, choice, factor

SHIPPED = "vitlab.studies"
FUNCTION = "study"


def read_study_spec(text: str) -> StudySpec:
    """The study that `NAME[:FUNCTION]`, `FILE.py[:FUNCTION]` or `FILE.json` names. Raises UserError.

    What has neither a suffix nor a slash is the name of a study that comes with vitlab.
    """
    file, function = _split(text)
    path = Path(file)
    if path.name == file and not path.suffix:
        return _shipped(file, function)
    if path.suffix == ".json" and function:
        raise UserError(f"{text}: a JSON file has no functions")
    if not path.is_file():
        raise UserError(elsewhere("study", text) or f"{file}: no such study file; {_instead(path.stem, function)}")
    if path.suffix == ".json":
        return _from_json(path)
    if path.suffix != ".py":
        raise UserError(f"{file}: a study file ends in .py or .json")
    return _from_python(path, function or FUNCTION)


def adjusted(
    study: StudySpec,
    settings: Mapping[str, Any],
    seeds: int | None = None,
    verdicts: bool | None = None,
    say: Callable[[str], Any] | None = None,
) -> StudySpec:
    """The study with settings of its base changed, with another number of seeds, with verdicts or without; `say`: as
    for `changed`.
    """
    if settings:
        study = replace(study, base=changed(study.base, settings, say))
    if seeds is not None:
        study = replace(study, num_seeds=seeds, baseline_seeds=None, tune_seeds=min(study.tune_seeds, seeds))
    return study if verdicts is None else replace(study, verdicts=verdicts)


def _split(text: str) -> tuple[str, str]:
    """File and function; a colon that is part of the file's name is left alone."""
    file, colon, function = text.rpartition(":")
    return (file, function) if colon and function.isidentifier() else (text, "")


def _shipped(name: str, function: str) -> StudySpec:
    """A study that comes with vitlab. Raises UserError that says what the name is, or which names there are."""
    check_study(_joined(name, function))
    return _made(importlib.import_module(f"{SHIPPED}.{name}"), name, function or FUNCTION)


def _instead(name: str, function: str) -> str:
    """What to type where no file is; those of vitlab once stood in a folder `studies`."""
    if name in component_names(SHIPPED):
        return f"vitlab's own has no suffix: vitlab study {_joined(name, function)}"
    return "`vitlab list studies` names those that come with vitlab"


def _joined(name: str, function: str) -> str:
    return f"{name}:{function}" if function else name


def _from_python(path: Path, function: str) -> StudySpec:
    """What a function of the file returns."""
    source = importlib.util.spec_from_file_location(f"vitlab_study_{path.stem}", path)
    assert source is not None
    assert source.loader is not None
    module = importlib.util.module_from_spec(source)
    # It is code, and it was typed: so is all that it names
    with _naming_the_line(path), trusting(), own_bytecode([path]):
        source.loader.exec_module(module)
        study = _made(module, str(path), function)
    typed(study)
    return study


def _made(module: ModuleType, called: str, function: str) -> StudySpec:
    """The study that a function of the module makes."""
    studies = [name for name, value in vars(module).items() if _makes_a_study(value, module)]
    if function not in studies:
        raise UserError(f"{called}: {unknown('function', function, studies)}")
    study = getattr(module, function)()
    if not isinstance(study, StudySpec):
        raise UserError(f"{called}:{function} returns {type(study).__name__}, expected a StudySpec")
    return study


def _makes_a_study(value: Any, module: ModuleType) -> bool:
    """Whether this is a function of the file that returns a study, unless it says that it returns something else."""
    if not inspect.isfunction(value) or value.__module__ != module.__name__ or value.__name__.startswith("_"):
        return False
    return value.__annotations__.get("return", StudySpec) in (StudySpec, StudySpec.__name__)


@contextmanager
def _naming_the_line(path: Path) -> Iterator[None]:
    """Turn what goes wrong in somebody's file into a UserError that says where."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        raise UserError(f"{where}: {type(error).__name__}: {error}") from error


def _from_json(path: Path) -> StudySpec:
    values = read_object(path)
    if "schema" in values and isinstance(values.get("study"), Mapping):  # plan.json: a record, which holds them
        values = values["study"]
    with naming_source(path):
        return from_dict(StudySpec, _written_out(values))


def _written_out(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the short forms."""
    long = dict(values)
    if "base" in long:
        long["base"] = _run(long["base"])
    if isinstance(tune := long.get("tune"), Mapping) and len(tune) == 1:
        (long["tune"],) = _factors(tune)
    if isinstance(design := long.get("design"), Mapping):
        long["design"] = {key: _part(key, value) for key, value in design.items()}
    return long


def _part(key: str, value: Any) -> Any:
    """A setting of a design without short forms."""
    if key == "factors" and isinstance(value, Mapping):
        return _factors(value)
    if key == "entries" and isinstance(value, Mapping):
        return [{"name": name, "settings": settings} for name, settings in value.items()]
    return _run(value) if key == "target" else value


def _run(value: Any) -> Any:
    """A run by its recipe, with changes or without."""
    if isinstance(value, str):
        return to_dict(recipe(value))
    if isinstance(value, Mapping) and isinstance(value.get("recipe"), str):
        return to_dict(changed(recipe(value["recipe"]), {path: v for path, v in value.items() if path != "recipe"}))
    return value


def _factors(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Factors by name: a list of values is of the setting of that name, settings by level are a choice."""
    return [to_dict(_factor(name, given)) for name, given in values.items()]


def _factor(name: str, given: Any) -> Factor:
    if isinstance(given, Mapping):
        return choice(name, given)
    if isinstance(given, list):
        return factor(name, *given)
    raise SpecError(f"factor {name}: {given!r}; expected a list of values, or settings by level")
