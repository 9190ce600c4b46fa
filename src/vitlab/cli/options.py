"""The options that several verbs share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vitlab.base.options import OPTIONS

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a setting, e.g. model.attention=linear. Repeatable."),
]
DataOption = Annotated[
    str | None, typer.Option("--data", help="The data set: digits, cifar10, cifar100, a folder, hub:ORG/NAME.")
]
DeviceOption = Annotated[
    str | None, typer.Option(OPTIONS["device"], help="cpu, cuda or mps. Default: the best available.")
]
PrecisionOption = Annotated[
    str | None, typer.Option(OPTIONS["precision"], help="fp32, bf16 or fp64. Default: the fastest here.")
]
MicroBatchOption = Annotated[
    int | None, typer.Option(OPTIONS["micro_batch"], min=1, help="Images per forward pass; does not change the result.")
]
CompileOption = Annotated[bool, typer.Option(OPTIONS["compiled"], help="Compile the model with torch.compile.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def settings(pairs: list[str] | None) -> dict[str, Any]:
    """--set options as a mapping. Raises SpecError for one that is no PATH=VALUE."""
    from vitlab.base.spec import parse_setting

    return dict(parse_setting(pair) for pair in pairs or [])
