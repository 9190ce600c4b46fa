"""Checkpoints of models that no training has made, as tests need them."""

from pathlib import Path

from torch import nn

from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing
from vitlab.records.checkpoint import CheckpointMeta
from vitlab.tasks import classify


def meta_of(spec: ViTSpec, preprocessing: Preprocessing | None = None, step: int = 1) -> CheckpointMeta:
    """What a checkpoint of this model says of itself."""
    plain = Preprocessing(spec.img_size, "crop", (), (0.5,) * 3, (0.5,) * 3, tuple("abcde"))
    return CheckpointMeta(step, to_dict(spec), to_dict(classify.Spec()), to_dict(preprocessing or plain))


def save_model(folder: Path, model: nn.Module, meta: CheckpointMeta) -> Path:
    """The checkpoint folder of a model's weights."""
    return native.save(folder, "step", native.Tensors(model.state_dict()), meta)
