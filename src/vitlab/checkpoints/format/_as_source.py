"""A source as a format: tensors under a library's names, and the JSON files with which it builds the model.

Positions that are computed and added at the stem are written as a table, for which every library has a word.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from vitlab.base.errors import CheckpointError
from vitlab.base.files import replacing
from vitlab.checkpoints import published
from vitlab.checkpoints.format._base import FormatSpec, difference, some_images
from vitlab.checkpoints.source._base import SourceSpec
from vitlab.checkpoints.trained import EquippedViT, of_published
from vitlab.models.likeness import unlike
from vitlab.models.spec import ViTSpec
from vitlab.models.tabled import has_other_table, tabled


@dataclass(frozen=True)
class AsSource(FormatSpec):
    """What `source` reads, written."""

    source: SourceSpec = SourceSpec()

    @property
    def title(self) -> str:  # type: ignore[override]  # a class variable of the other formats
        """What messages call it."""
        return self.source.title

    def write(self, model: EquippedViT, out: Path) -> str:
        spec, weights = _writable(model)
        texts = self.source.texts(spec, model.preprocessing)
        tensors = published.write(self.source, spec, weights)
        with replacing(out / self.source.file) as path:
            _save(tensors, path, Path(self.source.file).suffix)
        for name, values in texts.items():
            with replacing(out / name) as path:
                path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        return self.source.used(out)

    def check(self, model: EquippedViT, out: Path) -> float:
        """By its library if that is here; if not, as what we read of it ourselves: a format may have no word for what
        a model does otherwise, and then it says something else.
        """
        images = some_images(model, 3, seed=1)
        said = self.source.said(out, images)
        return difference(self._read_back(out, model, images) if said is None else said, model, images)

    def why_unlike(self, model: EquippedViT) -> str:
        return self.source.why_unlike(model.spec)

    @torch.no_grad()
    def _read_back(self, out: Path, model: EquippedViT, images: Tensor) -> Tensor:
        """The logits of what we read of it. Raises CheckpointError where that is another model: logits that are all
        near zero, as those of a new head, would not show it.
        """
        untold = {"img_size": model.spec.img_size, "num_heads": model.spec.num_heads}  # by tensors
        again = of_published(published.read(out, self.source.name, settings=untold)).model.to(images.dtype)
        if differing := list(unlike(again.spec, _writable(model)[0])):
            raise CheckpointError(f"{self.title} has no word for this model: {'; '.join(differing)}")
        return again(images)


def _writable(model: EquippedViT) -> tuple[ViTSpec, dict[str, Tensor]]:
    return tabled(model) if has_other_table(model) else (model.spec, model.state_dict())


def _save(tensors: dict[str, Tensor], path: Path, suffix: str) -> None:
    match suffix:
        case ".npz":
            arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in tensors.items()}
            with path.open("wb") as file:
                np.savez(file, **arrays)
        case ".pth":
            torch.save(tensors, path)
        case _:
            save_file(tensors, path, metadata={"format": "pt"})
