"""`vitlab list`: what there is, with one line about each. Reads files; imports none of them."""

import ast
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption

FAMILIES = {
    "patch_embed": "vitlab.nn.patch_embed",
    "pos_embed": "vitlab.nn.pos_embed",
    "attention": "vitlab.nn.attention",
    "mixer": "vitlab.nn.mixer",
    "block": "vitlab.nn.block",
    "norm": "vitlab.nn.norm",
    "mlp": "vitlab.nn.mlp",
    "pool": "vitlab.nn.pool",
    "head": "vitlab.nn.head",
    "init": "vitlab.nn.init",
    "rule": "vitlab.optim.rule",
    "schedule": "vitlab.optim.schedule",
    "update": "vitlab.optim.update",
    "augment": "vitlab.augment.ops",
    "tasks": "vitlab.tasks",
    "data": "vitlab.data.sets",
    "recipes": "vitlab.recipes",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("list", help="What there is: components, models, recipes, data.")(list_)


def list_(
    what: Annotated[str | None, typer.Argument(metavar="[FAMILY]", help="models, or a family of components.")] = None,
    json: JsonOption = False,
) -> None:
    """Print one family, or all of them."""
    from vitlab.base.errors import UserError, unknown

    if what is not None and what not in (*FAMILIES, "models"):
        raise UserError(unknown("family", what, [*FAMILIES, "models"]))
    wanted = [what] if what else [*FAMILIES, "models"]
    found = {name: _models() if name == "models" else _components(FAMILIES[name]) for name in wanted}
    if json:
        output.print_json({name: [{"name": n, "about": about} for n, about in rows] for name, rows in found.items()})
        return
    for name, rows in found.items():
        output.print_table(name, ("name", "what it is"), rows)
        output.console().print()


def _components(family: str) -> list[tuple[str, str]]:
    from vitlab.base.spec import component_names

    return [(name, first_line(f"{family}.{name}")) for name in component_names(family)]


def _models() -> list[tuple[str, str]]:
    from vitlab.models.presets import PRESETS, aliases

    google = {name: alias for alias, name in aliases().items()}
    rows = []
    for name, settings in PRESETS.items():
        sizes = f"D {settings['embed_dim']}, depth {settings['depth']}, {settings['num_heads']} heads"
        rows.append((name, sizes + (f"; Google's {google[name]}" if name in google else "")))
    return rows


def first_line(module: str) -> str:
    """The first line of a module's docstring, without importing the module."""
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    docstring = ast.get_docstring(ast.parse(Path(found.origin).read_text())) or ""
    return docstring.split("\n")[0]
