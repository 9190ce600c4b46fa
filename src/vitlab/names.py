"""What a name is that somebody typed where it does not belong: a model instead of a recipe, say. No torch.

elsewhere("recipe", "r0_vit")   "r0_vit is a model, not a recipe", and the commands that take it
kinds("digits", ["recipe"])     ["recipe"]
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vitlab.base.errors import SpecError, UserError, unknown
from vitlab.base.source import keys_of, parsed
from vitlab.base.spec import component_names
from vitlab.checkpoints.hub import is_like_a_repo, repo_of
from vitlab.models import presets
from vitlab.records.checkpoint import OTHERS, is_checkpoint
from vitlab.records.run import RunDeclaration


def elsewhere(wanted: str, name: str) -> str | None:
    """What a name is instead of what was wanted, and how it is used; None if it is nothing that is known."""
    for kind, commands in _meanings(name):
        if kind != wanted:
            return "\n  ".join([f"{name} is a {kind}, not a {wanted}", *commands])
    return None


def check_recipe(name: str) -> None:
    """Raise SpecError unless this is a recipe's name, or that of one of its variants."""
    recipe, colon, variant = name.partition(":")
    recipes = component_names("vitlab.recipes")
    if recipe not in recipes:
        raise SpecError(elsewhere("recipe", name) or unknown("recipe", recipe, recipes))
    variants = keys_of(parsed(f"vitlab.recipes.{recipe}"), "VARIANTS")
    if colon and not variants:
        raise SpecError(f"{name}: {recipe} has no variants")
    if colon and variant not in variants:
        raise SpecError(unknown(f"variant of {recipe}", variant, variants))


def kinds(name: str, among: Sequence[str]) -> list[str]:
    """What a name is, of some kinds: "recipe", "model", "run" … Raises UserError if it is nothing of these."""
    found = [kind for kind, _ in _meanings(name) if kind in among]
    if not found:
        wanted = f"{', '.join(among[:-1])} or {among[-1]}"
        families = {alias.partition("/")[0] for alias in presets.aliases()}  # B of B/16
        if Path(name.partition("#")[0]).suffix in OTHERS:
            raise UserError(f"{name}: there is no such file")
        if "/" in name and name.partition("/")[0] not in families:  # as in the path of a run
            hub = f"; on the hub: hub:{name}" if "checkpoint" in among and is_like_a_repo(name) else ""
            raise UserError(f"{name}: there is no such folder, and no {wanted} is called so; see `vitlab list`{hub}")
        names = [*component_names("vitlab.recipes"), *presets.PRESETS, *presets.aliases()]
        raise UserError(elsewhere(wanted, name) or unknown(wanted, name, names))
    return found


def is_model(name: str) -> bool:
    """Whether this is a model's name, perhaps with a number of classes."""
    with suppress(UserError):
        return bool(presets.settings(name))
    return False


def is_recipe(name: str) -> bool:
    """Whether this is a recipe's name, or that of a variant that it may have."""
    return name.partition(":")[0] in component_names("vitlab.recipes")


def is_study(name: str) -> bool:
    """Whether this is the name of a study that comes with vitlab, or a file that may hold one of somebody's own."""
    file = Path(name.partition(":")[0])
    return ships_study(name) or (file.suffix == ".py" and file.is_file())


def ships_study(name: str) -> bool:
    """Whether this is the name of a study that comes with vitlab."""
    return name.partition(":")[0] in component_names("vitlab.studies")


def check_study(text: str) -> None:
    """Raise UserError for a name, which has neither suffix nor slash, that is of no study that comes with vitlab."""
    name = text.partition(":")[0]
    if Path(name).name != name or Path(name).suffix or ships_study(name):
        return
    own = [file for file in (f"{name}.py", f"{name}.json") if Path(file).is_file()]
    raise UserError(elsewhere("study", text) or unknown("study", name, [*component_names("vitlab.studies"), *own]))


def is_run(name: str) -> bool:
    """Whether a run stands in a folder of this name."""
    return RunDeclaration.exists(Path(name))


def _meanings(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Everything that a name is: the kind, and the commands that use it."""
    if not name:
        return
    path = Path(name)
    show, look, train = f"vitlab show {name}", f"vitlab data {name}", "vitlab train"
    if is_recipe(name) or (path.suffix == ".json" and path.is_file()):
        yield "recipe", (f"what it trains:  {show}", f"to train it:     {train} {name}")
    if is_model(name):
        yield "model", (f"what it is:   {show}", f"to train it:  {train} {_recipe_for(name)} --model {name}")
    if name in component_names("vitlab.data.sets"):
        yield "data set", (f"what it holds:   {look}", f"to train on it:  {train} r0_cifar10 --data {name}")
    if is_run(name):
        yield "run", (f"what it came to:    {show}", f"to train it again:  {train} {path / RunDeclaration.file}")
    elif is_checkpoint(path) or is_checkpoint(Path(name.partition("#")[0])) or repo_of(name):
        yield (
            "checkpoint",
            (f"what it is:        {show}", f"to start from it:  {train} finetune --init {name} --data FOLDER"),
        )
    elif path.is_dir():
        yield "folder", (f"what it holds:   {look}", f"to train on it:  {train} pictures --data {name}")
    if is_study(name):
        yield "study", (f"what it asks:  vitlab study {name} --dry-run", f"to train it:   vitlab study {name}")


def _recipe_for(model: str) -> str:
    """A recipe whose pictures are of about the model's size, as it is typed."""
    return "r0_cifar10" if presets.settings(model).get("img_size") == [32, 32] else "pictures --data FOLDER"
