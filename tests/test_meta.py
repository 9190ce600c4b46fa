"""The house rules: imports point down, siblings stay apart, every variant has its test, files stay short."""

import ast
from copy import deepcopy
from functools import cache
from pathlib import Path
from re import fullmatch, search

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "vitlab"

LAYERS = {
    "base": 0,
    "stats": 0,
    "rng": 0.5,
    "processes": 0.5,
    "devices": 0.5,
    "records": 0.7,
    "nn": 1,
    "data": 1,
    "augment": 1,
    "optim": 1,
    "models": 2,
    "tasks": 2.3,
    "preprocessing": 2.3,
    "learner": 2.5,
    "checkpoints": 2.7,
    "evaluate": 3,
    "interpret": 3,
    "predict": 3,
    "train": 4,
    "bench": 4,
    "names": 5,
    "recipes": 5,
    "study": 5,
    "studies": 5,
    "reference": 5,
    "catalogue": 6,
    "report": 6,
    "api": 6.5,
    "cli": 7,
    "__main__": 7.5,
}
APART = (  # packages that never import each other, though their layers would let them
    {"nn", "data", "augment", "optim"},
    {"train", "interpret"},
)
TORCH_FREE = ("base", "stats", "records", "report", "reference")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
OF_A_VERB = ("api", "base", "catalogue", "cli", "names")  # all that a verb of the command line may call
KNOW_CLASSES = ("tasks", "evaluate", "reference", "recipes", "report")  # where the words of classification stand


def name_of(path: Path) -> str:
    """The module that a file defines."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of vitlab, parsed."""
    return {name_of(path): ast.parse(path.read_text(), str(path)) for path in sorted(PACKAGE.rglob("*.py"))}


def unit(module: str) -> str:
    """The part of vitlab that a module belongs to; nothing for vitlab itself."""
    return module.partition(".")[2].partition(".")[0]


def imported(module: str, tree: ast.AST) -> set[str]:
    """The modules that a piece of a module's code imports: `from package import module` is the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: write the whole name"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else str(node.module) for name in whole}
    return found


def texts(tree: ast.AST) -> list[str]:
    """The strings in a piece of code."""
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def ours(names: set[str]) -> set[str]:
    """Those imports that are vitlab's own."""
    return {name for name in names if name.partition(".")[0] == "vitlab"}


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what stands under TYPE_CHECKING."""

    def visit_If(self, node):
        return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


class AtStart(WithoutTypes):
    """Leaves what runs when a module is imported: no bodies of functions, either."""

    def visit_FunctionDef(self, node):
        return None

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815


@cache
def graph() -> dict[str, set[str]]:
    """module -> every module that is imported with it, libraries too."""
    return {module: imported(module, AtStart().visit(deepcopy(tree))) for module, tree in modules().items()}


def packages_of(module: str) -> set[str]:
    """The packages around a module: Python imports them first."""
    parts = module.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}


def is_torch(name: str) -> bool:
    return name.partition(".")[0] in ("torch", "timm", "torchvision")


# ------------------------------------------------------------------------------------------------------------ imports


def test_every_part_of_vitlab_has_its_layer():
    assert {unit(module) for module in modules()} - {""} <= set(LAYERS)


def test_imports_point_down():
    for module in modules().keys() - {"vitlab"}:
        here = unit(module)
        for name in ours(imported(module, modules()[module])) - {"vitlab"}:
            there = unit(name)
            assert LAYERS[there] <= LAYERS[here], f"{module} imports {name}, which stands above it"
            apart = any(here != there and {here, there} <= group for group in APART)
            assert not apart, f"{module} imports {name}: {here} and {there} are apart"


@pytest.mark.slow
@pytest.mark.parametrize("part", TORCH_FREE)
def test_what_only_reads_records_needs_no_torch(part):
    own = [module for module in modules() if unit(module) == part]
    assert [module for module in own if any(map(is_torch, imported(module, modules()[module])))] == []
    reached, waiting = set(), [(module, module) for module in own]
    while waiting:
        module, way = waiting.pop()
        assert not is_torch(module), f"{way} comes with torch"
        if module in modules() and module not in reached:
            reached.add(module)
            waiting += [(name, f"{way} -> {name}") for name in graph()[module] | packages_of(module)]


def test_no_module_imports_itself_by_a_detour():
    """Nor for a type's sake, nor inside a function: what knows each other is one thing."""
    known = {module: imported(module, tree) & modules().keys() for module, tree in modules().items()}
    done: set[str] = set()

    def walk(module, way):
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module in done:
            return
        for name in known[module] - {module}:
            walk(name, [*way, module])
        done.add(module)

    for module in modules():
        walk(module, [])


def test_no_module_names_one_above_it_in_a_string():
    """What is looked up by its name is imported, too."""
    for module, tree in modules().items():
        for text in texts(tree):
            if fullmatch(r"vitlab(\.\w+)+\.?", text):
                assert LAYERS[unit(text)] <= LAYERS.get(unit(module), 8), f"{module} names {text!r}"


def test_a_verb_calls_the_api_and_prints():
    for module, tree in modules().items():
        if unit(module) == "cli":
            called = ours(imported(module, WithoutTypes().visit(deepcopy(tree)))) - {"vitlab"}
            assert {unit(name) for name in called} <= set(OF_A_VERB), module


def test_only_tasks_and_what_is_about_classes_name_a_metric():
    """A task says which of its metrics selects, and what each is."""
    for module, tree in modules().items():
        if unit(module) not in KNOW_CLASSES:
            docstrings = {
                ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)
            }
            named = [text for text in texts(tree) if search("top1|top5", text) and text not in docstrings]
            assert named == [], module


# ----------------------------------------------------------------------------------------------------------- families

FAMILIES = sorted(path.parent for path in PACKAGE.rglob("_base.py"))
VARIANTS = [path for folder in FAMILIES for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
RECIPES, STUDIES = (
    [path for path in sorted((PACKAGE / name).glob("*.py")) if not path.name.startswith("_")]
    for name in ("recipes", "studies")
)


def test_siblings_of_a_family_never_import_each_other():
    for path in VARIANTS:
        siblings = {name_of(other) for other in VARIANTS if other.parent == path.parent}
        known = imported(name_of(path), modules()[name_of(path)]) & siblings
        assert not known, f"{path} imports {known}: a variant imports only its _base"


def test_every_variant_and_every_recipe_and_every_study_has_its_test():
    for path in VARIANTS + RECIPES + STUDIES:
        check_has_tests(ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}"))


def test_every_study_but_the_demo_which_is_on_digits_has_a_version_for_them():
    for path in STUDIES:
        functions = {node.name for node in modules()[name_of(path)].body if isinstance(node, ast.FunctionDef)}
        needed = {"study"} if path.stem == "demo" else {"study", "digits"}
        assert needed <= functions, path


def check_has_tests(mirrored: Path) -> None:
    assert mirrored.exists(), f"{mirrored.relative_to(ROOT)} is missing"
    functions = [node.name for node in ast.walk(ast.parse(mirrored.read_text())) if isinstance(node, ast.FunctionDef)]
    assert any(name.startswith("test_") for name in functions), f"{mirrored.relative_to(ROOT)} tests nothing"


# -------------------------------------------------------------------------------------------------------------- files


def test_files_stay_short_and_say_what_they_are_for():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
        assert path.stem not in ("utils", "helpers", "misc", "common"), f"{path}: a name that says nothing"
        assert ast.get_docstring(modules()[name_of(path)]), f"{path}: a module says what it is for"
