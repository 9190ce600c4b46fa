"""vitlab: what does each component of a vision transformer do?

vitlab.create("vit_tiny_patch16_224", attention="linear")     a model
vitlab.train("digits", out="runs/digits")                     a training
vitlab.load("runs/digits")                                    what it learned; or what others published
vitlab.evaluate("runs/digits")                                its score, again
vitlab.predict("runs/digits", ["picture.png"])                what it says of pictures
vitlab.knockout("runs/digits")                                what it loses without each of its parts
vitlab.inspect("runs/digits", "inside")                       a page of what goes on inside
vitlab.interpret.attention_maps(model, images), …             the same in numbers, and more
vitlab.convert("ViT-B_16.npz", "runs/b16")                     somebody else's checkpoint as one of ours
vitlab.export("runs/digits", "digits_onnx", "onnx")           for others to run
vitlab.report("runs/digits")                                  a page about it
vitlab.study("positions:digits", out="runs/positions")        what a component does
with vitlab.trusting(): …                                     run code that files name, though you did not write it
"""

import sys

# `python -m vitlab`, as torchrun starts it: the current folder comes last, from before the first import on, for a file
# there is no library
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and " -m vitlab" in " ".join(sys.orig_argv):
    del sys.path[0]

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "convert",
    "create",
    "evaluate",
    "export",
    "inspect",
    "knockout",
    "load",
    "predict",
    "report",
    "study",
    "train",
    "trusting",
]

if TYPE_CHECKING:
    from vitlab.api import convert as convert
    from vitlab.api import create as create
    from vitlab.api import evaluate as evaluate
    from vitlab.api import export as export
    from vitlab.api import inspect as inspect
    from vitlab.api import knockout as knockout
    from vitlab.api import load as load
    from vitlab.api import predict as predict
    from vitlab.api import report as report
    from vitlab.api import study as study
    from vitlab.api import train as train
    from vitlab.api import trusting as trusting


class _Verb(ModuleType):
    """A package whose name is a verb of the API too: called, it is that function."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        from vitlab import api

        return getattr(api, self.__name__.rpartition(".")[2])(*arguments, **named)


class _Facade(ModuleType):
    """vitlab itself. `vitlab.train` is a package and `vitlab.train("digits", "run")` trains, whatever came first.

    Importing a package binds its name here, over any function of that name: so the package is made callable as it
    arrives. torch is imported when something of it is used, so that `vitlab --help` is quick.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in __all__ and isinstance(value, ModuleType):
            value.__class__ = _Verb
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in __all__:
            from vitlab import api

            return getattr(api, name)
        if name == "interpret":  # `vitlab.interpret.rollout(…)` after `import vitlab` alone
            return import_module("vitlab.interpret")
        raise AttributeError(f"module 'vitlab' has no attribute {name!r}")


sys.modules[__name__].__class__ = _Facade
