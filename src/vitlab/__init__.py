"""vitlab: what does each component of a vision transformer do?

vitlab.create("vit_tiny_patch16_224", attention="linear")     a model
vitlab.train("digits", out="runs/digits")                     a training
vitlab.load("runs/digits")                                    what it learned
vitlab.report("runs/digits")                                  a page about it
vitlab.study("studies/positions.py:digits", out="runs/p")     what a component does
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["create", "load", "report", "study", "train"]

if TYPE_CHECKING:
    from vitlab.api import create as create
    from vitlab.api import load as load
    from vitlab.api import report as report
    from vitlab.api import study as study
    from vitlab.api import train as train


def __getattr__(name: str) -> Any:  # torch is imported when something of it is used, so that `vitlab --help` is quick
    if name in __all__:
        from vitlab import api

        return getattr(api, name)
    raise AttributeError(f"module 'vitlab' has no attribute {name!r}")
