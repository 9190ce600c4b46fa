"""Modules as their source has them, without importing them: what a person waits for need not load torch."""

import ast
import importlib.util
from pathlib import Path


def parsed(module: str) -> ast.Module:
    """A module's code."""
    module_spec = importlib.util.find_spec(module)
    assert module_spec is not None
    assert module_spec.origin is not None
    return ast.parse(Path(module_spec.origin).read_text(encoding="utf-8"))


def keys_of(tree: ast.Module, name: str) -> tuple[str, ...]:
    """The keys of a dictionary that is written out in a module: a recipe's `VARIANTS`; none if there is none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            assert isinstance(node.value, ast.Dict)
            return tuple(ast.literal_eval(key) for key in node.value.keys if key is not None)
    return ()
