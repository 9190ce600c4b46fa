"""The families: every list of names that a user may choose from, and what can be said of each in a line."""

import ast
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.files import read_object
from vitlab.base.source import keys_of, parsed
from vitlab.base.spec import component_names
from vitlab.models.presets import PRESETS, aliases

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
    "optimizer": "vitlab.optim.optimizer",
    "schedule": "vitlab.optim.schedule",
    "update": "vitlab.optim.update",
    "augment": "vitlab.augment.ops",
    "tasks": "vitlab.tasks",
    "start": "vitlab.train.start",
    "source": "vitlab.checkpoints.source",
    "format": "vitlab.checkpoints.format",
    "evaluators": "vitlab.evaluate",
    "executor": "vitlab.study.executor",
    "data": "vitlab.data.sets",
    "recipes": "vitlab.recipes",
    "studies": "vitlab.studies",
}

OWN_STUDIES = Path("studies")  # of the folder where the command is given


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


def components(family: str) -> list[Row]:
    """The variants of a family, by its package."""
    rows = []
    for name in component_names(family):
        tree = parsed(f"{family}.{name}")
        rows.append(Row(name, _first_line(tree), keys_of(tree, "VARIANTS")))
    return rows


def named(name: str) -> list[Row]:
    """The components of that name, as `FAMILY.NAME`, in all families."""
    families = {family: package for family, package in FAMILIES.items() if name in component_names(package)}
    return [
        row._replace(name=f"{family}.{name}")
        for family, package in families.items()
        for row in components(package)
        if row.name == name
    ]


def models() -> list[Row]:
    """The presets."""
    google = {name: alias for alias, name in aliases().items()}
    rows = []
    for name, settings in PRESETS.items():
        sizes = f"D {settings['embed_dim']}, depth {settings['depth']}, {settings['num_heads']} heads"
        rows.append(Row(name, sizes + (f"; Google's {google[name]}" if name in google else "")))
    return rows


def studies() -> list[Row]:
    """Those that come with vitlab, and the files that stand in a folder `studies`."""
    package = FAMILIES["studies"]
    shipped = [_study(name, parsed(f"{package}.{name}")) for name in component_names(package)]
    files = (path for path in sorted(OWN_STUDIES.glob("*")) if not path.name.startswith("_"))
    return shipped + [_own_study(path) for path in files if path.suffix in (".py", ".json")]


def _study(name: str, tree: ast.Module) -> Row:
    """What a study asks, and its functions."""
    return Row(name, _first_line(tree), _functions(tree), "functions")


def _own_study(path: Path) -> Row:
    """What a study file asks, and its functions; of one that cannot be read, why."""
    try:
        if path.suffix == ".json":
            return Row(str(path), str(read_object(path).get("question", "")))
        return _study(str(path), ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError) as error:  # a UserError is a ValueError
        return Row(str(path), f"cannot be read: {error}")


def _functions(tree: ast.Module) -> tuple[str, ...]:
    """The functions of a study file that return a study, as they say themselves."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.returns is not None]
    return tuple(node.name for node in functions if ast.unparse(node.returns).endswith("StudySpec"))  # type: ignore[arg-type]


def _first_line(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").split("\n")[0]


LISTS: dict[str, Callable[[], list[Row]]] = {
    **{name: partial(components, package) for name, package in FAMILIES.items()},
    "models": models,
    "studies": studies,
}
