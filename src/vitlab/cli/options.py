"""The options that several verbs share."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from vitlab.base.options import OPTIONS, check_device, check_name
from vitlab.cli import complete
from vitlab.cli.output import json_text

SETTINGS, MACHINE, FOLDER = "Settings", "Machine", "Folder"  # panels of a verb's help

FLAGS = {  # options that are short for settings, and these
    "model": "model",
    "data": "data",
    "epochs": "epochs",
    "steps": "steps",
    "batch_size": "batch_size",
    "lr": "optim.lr",
    "seed": "seed",
}


def _refusing(check: Callable[[str], None]) -> Callable[[str | None], str | None]:
    """An option's callback that refuses what cannot be, before torch is loaded."""

    def checked(text: str | None) -> str | None:
        if text is not None:
            check(text)
        return text

    return checked


def _check_data(text: str) -> None:
    from vitlab.catalogue.settings import check

    check("run", {"data": text})


def _machine_choice(choice: str, text: str, check: Callable[[str], None]) -> Any:
    """The option of a choice of the machine that has a name."""
    return typer.Option(OPTIONS[choice], metavar="NAME", help=text, callback=_refusing(check), rich_help_panel=MACHINE)


def _trusting(asked: bool) -> bool:
    """Allow all code, if that was asked for."""
    from vitlab.base.trust import trust_all

    if asked:
        trust_all()
    return asked


SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Any setting, e.g. model.attention=linear. Repeatable.",
        rich_help_panel=SETTINGS,
        autocompletion=complete.settings,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Another model, see `vitlab list models`.",
        rich_help_panel=SETTINGS,
        autocompletion=complete.models,
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="Other data: digits, cifar10, cifar100, a folder, hub:ORG/NAME.",
        rich_help_panel=SETTINGS,
        autocompletion=complete.data,
        callback=_refusing(_check_data),
    ),
]
EpochsOption = Annotated[
    float | None,
    typer.Option(
        "--epochs", min=0, metavar="N", help="Passes over the data, or a part of one.", rich_help_panel=SETTINGS
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option("--steps", min=1, metavar="N", help="Steps, instead of epochs.", rich_help_panel=SETTINGS),
]
BatchSizeOption = Annotated[
    int | None, typer.Option("--batch-size", min=1, metavar="N", help="Pictures a step.", rich_help_panel=SETTINGS)
]
LrOption = Annotated[
    float | None, typer.Option("--lr", metavar="RATE", help="The learning rate, optim.lr.", rich_help_panel=SETTINGS)
]
DeviceOption = Annotated[
    str | None, _machine_choice("device", "cpu, cuda or mps. Default: the best available.", check_device)
]
PrecisionOption = Annotated[
    str | None,
    _machine_choice("precision", "fp32, bf16 or fp64. Default: the fastest here.", partial(check_name, "precision")),
]
KernelOption = Annotated[
    str | None,
    _machine_choice(
        "kernel", "Attention: fused or explicit. Default: the fastest here.", partial(check_name, "kernel")
    ),
]
MicroBatchOption = Annotated[
    int | None,
    typer.Option(
        OPTIONS["micro_batch"],
        min=1,
        metavar="N",
        help="Images per forward pass; does not change the result.",
        rich_help_panel=MACHINE,
    ),
]
CompileOption = Annotated[
    bool,
    typer.Option(OPTIONS["compiled"], help="Compile the model with torch.compile.", rich_help_panel=MACHINE),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Run code that a file names, though you did not write it.",
        callback=_trusting,
        rich_help_panel=MACHINE,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def settings(pairs: list[str] | None, of: str = "run", own: bool = False, **flags: Any) -> dict[str, Any]:
    """--set options and those of `FLAGS` as a mapping of settings; `of` says of what, to check them: a run or a model,
    which may have components of somebody's `own`.

    Raises SpecError for what is no PATH=VALUE, for a setting that cannot be, and for one that is set twice in two ways.
    """
    from vitlab.base.errors import SpecError
    from vitlab.base.spec import is_null, parse_setting
    from vitlab.base.trust import typed
    from vitlab.catalogue.settings import check

    values = dict(parse_setting(pair) for pair in pairs or [])
    for option, path, value in _given(flags):
        if path in values and values[path] != value:
            raise SpecError(f"{option} {value} and --set {path}={json_text(values[path])}: set it once")
        values[path] = value
    if not any(is_null(values.get(name)) for name in ("epochs", "steps")):
        raise SpecError(f"epochs={values['epochs']} and steps={values['steps']}: set one of them")
    check(of, values, own)
    typed(values)
    return values


def _given(flags: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Option, setting and value of every flag that was given."""
    for name, value in flags.items():
        if value is not None:
            yield f"--{name.replace('_', '-')}", FLAGS[name], value
