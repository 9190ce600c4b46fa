"""Models: made by name, loaded, converted from what others published, and asked about pictures."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from vitlab.base.trust import typed

if TYPE_CHECKING:
    from vitlab.checkpoints.trained import EquippedViT
    from vitlab.data.in_hand import Picture
    from vitlab.models.cost import Cost
    from vitlab.models.spec import ViTSpec
    from vitlab.models.vit import ViT
    from vitlab.predict import Prediction
    from vitlab.preprocessing import Preprocessing

Settings = Mapping[str, Any]  # values by dotted path
NONE: Settings = MappingProxyType({})


def own_settings(settings: Settings, part: str) -> dict[str, Any]:
    """Settings of a part by their own names, which may be written as a run's are, `data.class_depth`."""
    return {path.removeprefix(f"{part}."): value for path, value in settings.items()}


def create(model: str = "vit_base_patch16_224", seed: int = 0, **settings: Any) -> "ViT":
    """A ViT by name with settings changed: `create("vit_tiny_patch16_224", attention="linear", num_classes=10)`.

    A component is given by its name, by settings with a name, or by its Spec. Raises SpecError for what cannot be.
    """
    from vitlab.base.spec import with_settings
    from vitlab.models.spec import preset
    from vitlab.models.vit import build

    typed(settings)
    return build(with_settings(preset(model), settings), seed)


def load(
    path: str | Path, model: str = "", img_size: int | tuple[int, int] | None = None, **settings: Any
) -> "EquippedViT":
    """The trained model of a run, a checkpoint folder, or somebody else's checkpoint: a file, a folder, or
    `hub:ORG/NAME`. It knows what pictures go through before it and what its classes are called:

        model = load("runs/digits")
        logits = model(model.prepare(["seven.png"]))

    Of somebody else's a preset's name and settings tell what its tensors do not, `load("vit.pth", num_heads=6)`;
    `num_classes=0` leaves its classifier out. For images of another size the model is resized (`img_size`). Raises
    CheckpointError for what cannot be read.
    """
    from vitlab.checkpoints.trained import OtherSize, at_size
    from vitlab.checkpoints.trained import load as load_trained

    found = load_trained(path, model, settings)
    if img_size is None:
        return found.model
    return at_size(found, OtherSize((img_size, img_size) if isinstance(img_size, int) else img_size)).model


class Converted(NamedTuple):
    """A checkpoint that was written: its folder, its model, what pictures go through, and what there is to say."""

    path: Path
    spec: "ViTSpec"
    preprocessing: "Preprocessing"
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        from vitlab.base.spec import to_dict

        specs = {"model": to_dict(self.spec), "preprocessing": to_dict(self.preprocessing)}
        return {"path": str(self.path), **specs, "notes": list(self.notes)}


def convert(
    source: str | Path,
    out: str | Path,
    *,
    kind: str | Settings | None = None,
    model: str = "",
    settings: Settings = NONE,
    classes: "Sequence[str] | Path | None" = None,
) -> Converted:
    """Write somebody else's checkpoint as one of ours, which every verb takes.

    `source` is a file, a folder or `hub:ORG/NAME`; `kind` says whose it is, where its names do not, "timm" or
    {"name": "key_map", "table": "mine.toml"}; `model` is the name of a preset, for what tensors cannot tell; `settings`
    of the model go before both; `classes` are names, or a file of them, a line each, where the checkpoint only numbers
    its classes. Raises CheckpointError naming what does not match.
    """
    from vitlab.base.files import read_names
    from vitlab.checkpoints import converted, published

    typed(settings, kind, setting="source")
    found = published.read(source, kind, model, own_settings(settings, "model"))
    if classes is not None:
        found = published.named(found, read_names(classes) if isinstance(classes, Path) else classes)
    return Converted(converted.write(found, Path(out)), found.spec, found.preprocessing, found.notes)


def costs(model: str, settings: Settings = NONE) -> "tuple[ViTSpec, Cost]":
    """A preset with settings changed, and what it costs, component by component."""
    from vitlab.base.spec import with_settings
    from vitlab.models.cost import cost
    from vitlab.models.spec import preset

    typed(settings)
    spec = with_settings(preset(model), own_settings(settings, "model"))
    return spec, cost(spec)


def predict(
    model: "EquippedViT | str | Path", pictures: "Sequence[Picture] | Picture", top: int = 5
) -> "list[Prediction]":
    """The `top` classes of every picture: of files and of those in folders, of Pillow's pictures, and of 8-bit arrays
    [H, W, C]. `model` is what `load` gives, or what it takes. Raises UserError for what is no picture.
    """
    from vitlab.base.errors import SpecError
    from vitlab.checkpoints.trained import EquippedViT
    from vitlab.predict import pictures_of
    from vitlab.predict import predict as predictions

    if not isinstance(model, EquippedViT | str | Path):
        told = "vitlab.load(…) gives a model that knows how to prepare pictures, and what its classes are called"
        raise SpecError(f"a {type(model).__name__} does not know what pictures go through before it: {told}")
    loaded = model if isinstance(model, EquippedViT) else load(model)
    return list(predictions(loaded, pictures_of(pictures), top))


class Arriving(NamedTuple):
    """Predictions as they are made: how many there will be, and what there is to say of the model."""

    total: int
    notes: tuple[str, ...]
    predictions: "Iterator[Prediction]"


def predictions(
    model: str | Path,
    files: "Sequence[Path]",
    top: int = 5,
    device: str | None = None,
    out: Path | None = None,
) -> Arriving:
    """What a model says of the pictures at some paths, as they are classified. Where that is to be written to `out`, it
    must be a kind of table that can be. Raises UserError.
    """
    from vitlab.base.errors import UserError
    from vitlab.devices import pick_device
    from vitlab.predict import TABLES, picture_files
    from vitlab.predict import predict as said

    if out is not None and out.suffix not in TABLES:
        raise UserError(f"--out {out}: a table is {' or '.join(TABLES)}")
    loaded = load(model).to(pick_device(device))
    pictures = picture_files(files)
    return Arriving(len(pictures), loaded.notes, said(loaded, pictures, top))


def write_predictions(predictions: "Sequence[Prediction]", out: Path, top: int) -> None:
    """Write a table, .csv or .parquet, of a row for each picture: its path and its classes with probabilities."""
    from vitlab.predict import write_table

    write_table(predictions, out, top)
