"""A model of ours as others read it: tensors under their names, and the JSON files that say what they are of."""

import json
from pathlib import Path

from safetensors.torch import save_file

from vitlab.base.errors import CheckpointError
from vitlab.base.files import replacing
from vitlab.checkpoints import published
from vitlab.checkpoints.source._base import SourceSpec
from vitlab.checkpoints.trained import EquippedViT

WEIGHTS = "model.safetensors"


def write_as(kind: SourceSpec, model: EquippedViT, out: Path) -> Path:
    """A folder with a model's weights and settings as `kind` has them. Raises CheckpointError where it cannot."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} is not empty: name another folder")
    texts = kind.texts(model.spec, model.preprocessing)
    tensors = published.write(kind, model.spec, model.state_dict())
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / WEIGHTS) as path:
        save_file(tensors, path, metadata={"format": "pt"})
    for name, values in texts.items():
        with replacing(out / name) as path:
            path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return out
