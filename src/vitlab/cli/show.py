"""`vitlab show`: what a model consists of, and what each component costs."""

from typing import Annotated

import typer

from vitlab import api
from vitlab.cli import output
from vitlab.cli.options import JsonOption, SetOption, settings


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("show", help="A model's parameters, FLOPs and activation memory, per component.")(show)


def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A preset: vit_tiny_patch16_224, B/16, r0_vit …")],
    set_: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Print a model's cost for one image."""
    from vitlab.base.spec import to_dict

    spec, spent = api.costs(model, settings(set_))
    rows = [(row.name, row.num_params, row.flops, row.activation_bytes) for row in spent.components]
    total = (spent.num_params, spent.flops, spent.activation_bytes)
    names = ("num_params", "flops", "activation_bytes")
    if json:
        components = [dict(zip(("name", *names), row, strict=True)) for row in rows]
        values = dict(zip(names, total, strict=True)) | {"checkpointed_bytes": spent.checkpointed_bytes}
        output.print_json({"model": model, **values, "components": components, "spec": to_dict(spec)})
        return
    cells = [(name, *map(output.count, numbers)) for name, *numbers in [*rows, ("total", *total)]]
    columns = ("component", "parameters", "FLOPs/image", "activation bytes/image")
    output.print_table(f"{model}, {spec.img_size[0]} x {spec.img_size[1]} pixels", columns, cells)
    console = output.console()
    console.print("FLOPs: forward, 2 per multiply-add. Activations: kept for the backward pass, float32.")
    console.print(f"With --checkpointing at most {output.count(spent.checkpointed_bytes)} activation bytes / image.")
