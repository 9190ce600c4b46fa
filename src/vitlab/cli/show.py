"""`vitlab show`: what a model, a recipe, a run or a checkpoint is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vitlab import api
from vitlab.base.going_on import going_on
from vitlab.cli import complete, output
from vitlab.cli.options import JsonOption, SetOption, TrustOption, settings

HELP = "A model's cost per component; what a recipe trains; what a run came to; what a checkpoint is of."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("show", help=HELP)(show)


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|RECIPE|RUN|CHECKPOINT",
            help="vit_tiny_patch16_224, B/16, r0_vit … digits, r0_cifar10:tomvit … runs/digits, vit.safetensors …",
            autocompletion=complete.shown,
        ),
    ],
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Of a checkpoint: the model that it is of.")
    ] = None,
    set_: SetOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print what stands behind a name."""
    from vitlab.base.errors import UserError
    from vitlab.catalogue.families import named
    from vitlab.names import elsewhere, kinds

    try:
        kind, *others = kinds(name, _KINDS)
    except UserError:
        if elsewhere(", ".join(_KINDS), name) or not named(name):
            raise
        raise UserError(f"{name} is a component\n  what it is: vitlab list {name}") from None
    if model is not None and kind != "checkpoint":
        raise UserError(f"--model {model}: {name} is a {kind}; it says of which model somebody else's checkpoint is")
    if kind == "checkpoint":
        _checkpoint(name, model or "", set_, json)
    else:
        _SHOW[kind](name, set_, json)
    if "run" in others:  # a folder, which may be called as it likes
        output.console(quiet=json).print(f"\n{name} is also a run in this folder: vitlab show ./{name}")


def _model(name: str, set_: list[str] | None, json: bool) -> None:
    """A model's cost for one image."""
    from vitlab.base.spec import to_dict

    changes = settings(set_, of="model")
    waiting = output.waiting(json)
    with going_on(waiting, "working out the costs", at_once=False):
        spec, spent = api.costs(name, changes)
    rows = [(row.name, row.num_params, row.flops, row.activation_bytes) for row in spent.components]
    total = (spent.num_params, spent.flops, spent.activation_bytes)
    names = ("num_params", "flops", "activation_bytes")
    if json:
        components = [dict(zip(("name", *names), row, strict=True)) for row in rows]
        values = dict(zip(names, total, strict=True)) | {"checkpointed_bytes": spent.checkpointed_bytes}
        output.print_json({"model": name, **values, "components": components, "spec": to_dict(spec)})
        return
    cells = [(name, *map(output.count, numbers)) for name, *numbers in [*rows, ("total", *total)]]
    columns = ("component", "parameters", "FLOPs/image", "activation bytes/image")
    output.print_table(f"{name}, {spec.img_size[0]} x {spec.img_size[1]} pixels", columns, cells)
    console = output.console()
    console.print("FLOPs: forward, 2 per multiply-add. Activations: kept for the backward pass, float32.")
    console.print(f"With --checkpointing at most {output.count(spent.checkpointed_bytes)} activation bytes / image.")


def _recipe(name: str, set_: list[str] | None, json: bool) -> None:
    """What a recipe trains."""
    from vitlab.names import is_recipe

    changes = settings(set_, own=not is_recipe(name))
    waiting = output.waiting(json)
    from vitlab.catalogue.recipe import about

    console = output.console(quiet=json)
    with going_on(waiting, "working out the costs", at_once=False):
        recipe = about(name, changes, console.print)
    if json:
        output.print_json({"recipe": recipe.name, **recipe.as_json()})
        return
    console.print(f"{recipe.name}: {recipe.about}\n" if recipe.about else recipe.name)
    _print_facts(recipe.facts)
    if recipe.variants:
        console.print()
        output.print_table("variants", ("name", "what it changes"), list(recipe.variants.items()))


def _run(name: str, set_: list[str] | None, json: bool) -> None:
    """What a run came to."""
    _check_stands(name, "run", set_)
    with going_on(output.console(quiet=json, stderr=True), "reading the run", at_once=False):
        from vitlab.catalogue.run import about

        run = about(Path(name))
    if json:
        output.print_json({"run": name, **run.as_json()})
        return
    console = output.console()
    console.print(f"{name}, a run\n")
    _print_facts(run.facts)
    _print_settings("settings", run.differs, run.compared_with)


def _checkpoint(name: str, model: str, set_: list[str] | None, json: bool) -> None:
    """Which model a checkpoint is of."""
    changes = settings(set_, of="model")
    waiting = output.waiting(json)
    with going_on(waiting, f"reading {name}", at_once=False):
        from vitlab.catalogue.checkpoint import about

        checkpoint = about(name, model, api.own_settings(changes, "model"))
    if json:
        output.print_json({"checkpoint": name, **checkpoint.as_json()})
        return
    output.console().print(f"{name}, a checkpoint\n")
    _print_facts(checkpoint.facts)
    _print_settings("the model's settings", checkpoint.differs, "the defaults, those of ViT-B/16")


def _check_stands(name: str, kind: str, set_: list[str] | None) -> None:
    """Refuse to change what has been trained."""
    from vitlab.base.errors import UserError

    if set_:
        raise UserError(f"--set: {name} is a {kind}, whose settings stand; they apply to models and recipes")


def _print_settings(which: str, differing: Mapping[str, Any], compared_with: str) -> None:
    """Those that differ, in a table."""
    rows = [(path, output.json_text(value)) for path, value in differing.items()]
    output.console().print(f"\n{which}: {'these differ from' if rows else 'all as in'} {compared_with}")
    if rows:
        output.print_table("", ("setting", "value"), rows)


def _print_facts(facts: Mapping[str, str]) -> None:
    """What there is to say, by what it is about; a long text goes on under itself."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        table.add_row(name, text)
    output.console().print(table)


_SHOW: Mapping[str, Any] = {"model": _model, "recipe": _recipe, "run": _run}
_KINDS = (*_SHOW, "checkpoint")
