"""Packages that are functions too: `vitlab.train` is a package, and `vitlab.train("digits", "run")` trains.

Importing a package binds its name on `vitlab`, over any function of that name: so the package itself must be callable,
whatever was imported first.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package that, called, is the function of its name in `vitlab.api`."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        function = getattr(importlib.import_module("vitlab.api"), self.__name__.rpartition(".")[2])
        return function(*arguments, **named)


def make_callable(package: str) -> None:
    """To be called by the package itself, with its `__name__`."""
    sys.modules[package].__class__ = CallablePackage
