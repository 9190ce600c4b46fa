"""Modules of somebody's own, by what a setting may call them:

    my_package.my_attention    a dotted name: a module that Python can import
    my_attention               a bare name: my_attention.py, or the package my_attention, in the current folder
    parts/my_attention.py      a path: absolute, or relative to the current folder

A module from a file is known to Python by that same text, and so are the classes that it defines: a record that names
one is read again by whoever stands in the same folder.
"""

import importlib
import importlib.util
import sys
from pathlib import Path, PurePath
from types import ModuleType

from vitlab.base.errors import MissingModule, SpecError


def is_path(name: str) -> bool:
    """Whether a name is a file's: it ends in .py, or names a folder."""
    return name.endswith(".py") or "/" in name


def file_of(name: str) -> Path | None:
    """The file that a path or a bare name stands for; None if there is none."""
    places = (Path(name),) if is_path(name) else (Path(f"{name}.py"), Path(name, "__init__.py"))
    return next((place for place in places if place.is_file()), None)


def foreign_module(name: str, called: str) -> ModuleType:
    """The module; `called` is what a message calls it. Raises SpecError, which says what was looked for."""
    try:
        return _module(name, called)
    except SpecError:
        raise
    except ImportError as error:
        raise SpecError(f"{called}: {error}; a dotted name must be an importable module") from error
    except Exception as error:  # somebody else's module raises what it likes
        raise SpecError(f"{called}: the module cannot be imported: {type(error).__name__}: {error}") from error


def _module(name: str, called: str) -> ModuleType:
    if not is_path(name) and "." in name:
        if name.startswith("."):
            raise ModuleNotFoundError("a relative name")
        return importlib.import_module(name)
    file = file_of(name)
    if file is None:
        raise MissingModule(
            f"{called}: there is no file {Path(name).absolute()}; paths are relative to the current folder"
        )
    return _from_file(PurePath(name).as_posix(), file, called)


def _from_file(name: str, file: Path, called: str) -> ModuleType:
    """The module of a file, imported once."""
    known = sys.modules.get(name)
    if known is not None and _file(known) == file.resolve():
        return known
    if known is not None and not is_path(name):
        raise SpecError(f"{called}: another module of this name is in use; write the path, ./{file.as_posix()}")
    spec = importlib.util.spec_from_file_location(name, file.absolute())
    if spec is None or spec.loader is None:
        raise SpecError(f"{called}: a module's file ends in .py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _file(module: ModuleType) -> Path | None:
    """Where a module was read from; None of one that is built in."""
    place = getattr(module, "__file__", None)
    return Path(place).resolve() if place else None
