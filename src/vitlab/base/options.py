"""The command line's options for what the machine chooses, by the names that records have for the choices."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from vitlab.base.errors import SpecError, UserError
from vitlab.base.words import KINDS, counted, shown

Precision = Literal["fp32", "bf16", "fp64"]
Kernel = Literal["fused", "explicit"]  # of attention: inside PyTorch's fused operations, or product by product
_NAMES = {"precision": get_args(Precision), "kernel": get_args(Kernel)}
_DEVICES = ("cpu", "cuda", "mps")
_KINDS = {
    "device": str,
    "micro_batch": int,
    "threads": int,
    "processes": int,
    "compiled": bool,
    "checkpointing": bool,
    "deterministic": bool,
}
_CALLED = KINDS | {int: "a positive whole number"}

OPTIONS: Mapping[str, str] = {
    "device": "--device",
    "precision": "--precision",
    "kernel": "--kernel",
    "micro_batch": "--micro-batch",
    "threads": "--threads",
    "compiled": "--compile",
    "checkpointing": "--checkpointing",
    "deterministic": "--deterministic",
}


def made(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Those choices that somebody made: a flag that was not given decides nothing."""
    return {name: value for name, value in choices.items() if value is not None and value is not False}


def check_name(choice: Literal["precision", "kernel"], name: str) -> None:
    """Raise UserError for a name that such a choice has not."""
    if name not in _NAMES[choice]:
        raise UserError(f"{OPTIONS[choice]} {name}: legal: {', '.join(_NAMES[choice])}")


def check_choices(choices: Mapping[str, Any]) -> None:
    """Raise SpecError for recorded choices that nobody can have made."""
    given = {name: value for name, value in choices.items() if value is not None}
    for name, names in _NAMES.items():
        if name in given and given[name] not in names:
            raise SpecError(f"choices.{name}={shown(given[name])}: legal: {', '.join(names)}")
    for name, kind in _KINDS.items():
        if name in given and (type(given[name]) is not kind or (kind is int and given[name] < 1)):
            raise SpecError(f"choices.{name}={shown(given[name])}: expected {_CALLED[kind]}")


def check_device(device: str) -> None:
    """Raise UserError for what is called like no device, here or elsewhere."""
    if device.partition(":")[0] not in _DEVICES:
        raise UserError(f"--device {device}: legal: cpu, cuda, cuda:N, mps")


def in_words(choices: Mapping[str, Any]) -> str:
    """'cpu, bf16, fused attention, 2 threads, compiled'; nothing of what is not among them."""
    written = {
        "device": "{}".format,
        "precision": "{}".format,
        "kernel": "{} attention".format,
        "threads": lambda number: counted(number, "thread"),
        "compiled": lambda _: "compiled",
        "checkpointing": lambda _: "checkpointing",
        "deterministic": lambda _: "deterministic",
    }
    some = made(choices)
    return ", ".join(write(some[name]) for name, write in written.items() if name in some)


def as_options(choices: Mapping[str, Any], names: Iterable[str] = OPTIONS) -> list[str]:
    """The words of a command that makes these choices again; `names`: only these."""
    words: list[str] = []
    for name, value in made({name: choices.get(name) for name in names}).items():
        words += [OPTIONS[name]] if value is True else [OPTIONS[name], str(value)]
    return words
