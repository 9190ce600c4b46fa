"""Models of ours written as folders of transformers."""

import json
from pathlib import Path

from safetensors.torch import save_file

from vitlab.checkpoints import published
from vitlab.checkpoints.source import hf
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.preprocessing import Preprocessing


def preprocessing_of(spec: ViTSpec) -> Preprocessing:
    """One that is nobody's default."""
    names = tuple("abcdefgh"[: spec.num_classes])
    return Preprocessing(spec.img_size, "squash", (), (0.5,) * spec.in_chans, (0.25,) * spec.in_chans, names)


def as_transformers(model: ViT, folder: Path) -> Path:
    """Its weights and both files beside them."""
    written = published.write(hf.Spec(), model.spec, model.state_dict())
    save_file(written, folder / "model.safetensors", metadata={"format": "pt"})
    for name, values in hf.Spec().texts(model.spec, preprocessing_of(model.spec)).items():
        (folder / name).write_text(json.dumps(values))
    return folder


def rewrite(file: Path, **fields: object) -> None:
    """Other values of some fields of a JSON file; None takes one out."""
    values = json.loads(file.read_text()) | fields
    file.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
