"""`vitlab list`: what there is, with one line about each. Reads files; imports none of them.

Three things need more: the systems of the reference studies are built, without weights, to count their parameters; what
does not go together is asked of the rules; and one component's settings are read from its module.
"""

import ast
import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption

FAMILIES = {
    "patch_embed": "vitlab.nn.patch_embed",
    "auxiliary": "vitlab.nn.auxiliary",
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

PAGES = {  # more than a family: the module of vitlab.cli that shows it, and the page in docs/ that is made of it
    "systems": "docs/reproductions.md",
    "compatibility": "docs/compatibility.md",
}

STUDIES = Path("studies")  # of the folder where the command is given

WHAT = (
    "A family, models, studies, systems, compatibility, one component (attention.linear), "
    "or a module of your own (my_package.my_attention)."
)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("list", help="What there is: components, models, recipes, data, studies, systems.")(list_)


def list_(
    what: Annotated[str | None, typer.Argument(metavar="[WHAT]", help=WHAT)] = None,
    json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Of systems, compatibility: the docs' page.")] = False,
) -> None:
    """Print one family, the models, the studies, or all of these; the systems; or one component."""
    from vitlab.base.errors import UserError, unknown

    if markdown and (what not in PAGES or json):
        raise UserError(f"--markdown: it is for `vitlab list` with {' or '.join(PAGES)}, without --json")
    if what in PAGES:
        return _page(what, json, markdown)
    if what is not None and "." in what:
        return _component(what, json)
    if what is not None and what not in LISTS:
        raise UserError(unknown("family", what, [*LISTS, *PAGES]))
    _families(what, json)
    return None


def _families(what: str | None, json: bool) -> None:
    found = {name: LISTS[name]() for name in ([what] if what else LISTS)}
    if json:
        output.print_json({name: [row.as_json() for row in rows] for name, rows in found.items()})
        return
    for name, rows in found.items():
        output.print_table(name, ("name", "what it is"), [(row.name, row.as_text()) for row in rows])
        output.console().print()


def _page(what: str, json: bool, markdown: bool) -> None:
    """What is more than a family has a module of its own with three ways to show it."""
    module = importlib.import_module(f"vitlab.cli.{what}")
    show = module.show_json if json else module.show_markdown if markdown else module.show_table
    show()


def _component(what: str, json: bool) -> None:
    """`attention.linear` is the family's file; any other dotted name is a module of somebody's own."""
    from vitlab.base.errors import UserError, unknown
    from vitlab.base.spec import component_names
    from vitlab.cli import component

    family, _, name = what.partition(".")
    if family not in FAMILIES:
        if not family or importlib.util.find_spec(family) is None:
            raise UserError(f"{what}: no module {family!r}, and {unknown('family', family, FAMILIES)}")
        return component.show(what, what, None, json)
    names = component_names(FAMILIES[family])
    if name not in names:
        raise UserError(unknown(family, name, names))
    return component.show(f"{FAMILIES[family]}.{name}", what, family, json)


class Row(NamedTuple):
    """A name, a line about it, and what may follow it after a colon: variants or functions."""

    name: str
    about: str
    more: tuple[str, ...] = ()
    kind: str = "variants"

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {"name": self.name, "about": self.about} | ({self.kind: self.more} if self.more else {})

    def as_text(self) -> str:
        """For people."""
        return self.about + (f" [{self.kind}: {', '.join(self.more)}]" if self.more else "")


def _components(family: str) -> list[Row]:
    from vitlab.base.spec import component_names

    rows = []
    for name in component_names(family):
        tree = _parsed(f"{family}.{name}")
        rows.append(Row(name, _first_line(tree), _variants(tree)))
    return rows


def _models() -> list[Row]:
    from vitlab.models.presets import PRESETS, aliases

    google = {name: alias for alias, name in aliases().items()}
    rows = []
    for name, settings in PRESETS.items():
        sizes = f"D {settings['embed_dim']}, depth {settings['depth']}, {settings['num_heads']} heads"
        rows.append(Row(name, sizes + (f"; Google's {google[name]}" if name in google else "")))
    return rows


def _studies() -> list[Row]:
    """The demo's, and the files that stand in `studies`."""
    rows = [Row("demo", _first_line(_parsed("vitlab.study.first_look")))]
    files = (path for path in sorted(STUDIES.glob("*")) if not path.name.startswith("_"))
    return rows + [_study(path) for path in files if path.suffix in (".py", ".json")]


def _study(path: Path) -> Row:
    """What a study file asks, and its functions; of one that cannot be read, why."""
    from vitlab.base.errors import DataError
    from vitlab.base.records import read_json

    try:
        if path.suffix == ".json":
            return Row(str(path), str(read_json(path).get("question", "")))
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (DataError, OSError, SyntaxError, ValueError) as error:
        return Row(str(path), f"cannot be read: {error}")
    return Row(str(path), _first_line(tree), _functions(tree), "functions")


def _functions(tree: ast.Module) -> tuple[str, ...]:
    """The functions of a study file that return a study, as they say themselves."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.returns is not None]
    return tuple(node.name for node in functions if ast.unparse(node.returns).endswith("StudySpec"))  # type: ignore[arg-type]


def _first_line(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").split("\n")[0]


def _parsed(module: str) -> ast.Module:
    """A module's code, without importing it."""
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return ast.parse(Path(found.origin).read_text())


def _variants(tree: ast.Module) -> tuple[str, ...]:
    """The keys of a recipe's `VARIANTS`, which are written out there."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VARIANTS":
            assert isinstance(node.value, ast.Dict)
            return tuple(ast.literal_eval(key) for key in node.value.keys if key is not None)
    return ()


LISTS: dict[str, Callable[[], list[Row]]] = {
    **{name: partial(_components, package) for name, package in FAMILIES.items()},
    "models": _models,
    "studies": _studies,
}
