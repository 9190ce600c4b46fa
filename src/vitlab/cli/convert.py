"""`vitlab convert`: somebody else's checkpoint as one of ours."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.errors import UserError
from vitlab.base.going_on import going_on
from vitlab.base.words import counted
from vitlab.cli import output
from vitlab.cli.options import JsonOption, ModelOption, SetOption, TrustOption, settings

SOURCE_HELP = "A file (.npz, .safetensors, .pt …, perhaps with #NAME of an inner dictionary), a folder, hub:ORG/NAME."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("convert", help="Read somebody else's checkpoint, and write it as one of ours.")(convert)


def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write, empty or not there.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="KIND", help="Whose it is, see `vitlab list source`. Default: as its names say."
        ),
    ] = None,
    key_map: Annotated[
        Path | None,
        typer.Option("--key-map", metavar="FILE", help="A table of names of your own, see `vitlab list key_map`."),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option("--classes", metavar="FILE", help="Names of the classes, a line each, where it only has numbers."),
    ] = None,
    model: ModelOption = None,
    set_: SetOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print what was found, and what had to be assumed; `--set` changes settings of the model."""
    if kind is not None and key_map is not None:
        raise UserError(f"--from {kind} and --key-map {key_map}: say one of them")
    whose = kind if key_map is None else {"name": "key_map", "table": str(key_map)}
    waiting = output.waiting(json)
    changes = settings(set_, of="model")
    output.load_torch(waiting)
    with going_on(waiting, f"reading {source}"):
        converted = api.convert(source, out, kind=whose, model=model or "", settings=changes, classes=classes)
    if json:
        output.print_json(converted.as_json())
        return
    console = output.console()
    for note in converted.notes:
        console.print(note)
    spec = converted.spec
    classifies = bool(spec.num_classes and converted.preprocessing.class_names)
    outputs = f"{spec.num_classes} outputs, which are no classes" if spec.num_classes else "no head"
    number = counted(spec.num_classes, "class", "classes") if classifies else outputs
    console.print(f"a ViT of {spec.told()}, images of {' × '.join(map(str, spec.img_size))}, {number}")
    then = [f"vitlab predict {out} IMAGE"] if classifies else []
    console.print(f"written to {out}: {', '.join([*then, f'vitlab train finetune --init {out} --data FOLDER'])}")
