"""PyTorch's own program format (`torch.export`): operators and weights in one file, for any number of images."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.spec import to_dict
from vitlab.checkpoints.format._base import FormatSpec, recorded
from vitlab.checkpoints.trained import EquippedViT

FILE, PREPROCESSING = "model.pt2", "preprocessing.json"


@dataclass(frozen=True)
class Spec(FormatSpec):
    """No settings."""

    title: ClassVar[str] = "torch.export"

    def write(self, model: EquippedViT, out: Path) -> str:
        told = json.dumps(to_dict(model.preprocessing), indent=2)
        torch.export.save(recorded(model), out / FILE, extra_files={PREPROCESSING: told})
        (out / PREPROCESSING).write_text(told + "\n", encoding="utf-8")
        return f'program = torch.export.load("{FILE}").module(); logits = program(images)'

    def loaded(self, out: Path) -> Callable[[Tensor], Tensor]:
        return torch.export.load(out / FILE).module()
