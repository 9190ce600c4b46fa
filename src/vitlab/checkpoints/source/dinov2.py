"""DINOv2's own code (facebookresearch/dinov2, `dinov2/models/vision_transformer.py`; arXiv 2304.07193, 2309.16588).

    blocks.{chunk}.{i}.…      in trainings that shard the blocks; i counts through all chunks
    blocks.{i}.mlp.w12, w3    of the gated MLP, gate first: one matrix for both, as in timm's `fc1`, `fc2`
    register_tokens           inserted behind cls after the positions, so that only cls and patches have positions

Otherwise names are timm's, without a classifier. Ours has positions for all prefix tokens or none: with registers the
position of cls is added to the token itself, as timm does, and written back as zero. The mask token and the heads of
the pretraining are left out. Linear classifiers are files apart, which read more than one token: they are not read.
Evaluated there with 224 of 256 pixels a side (`dinov2/data/transforms.py`), though the tables are of 518.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import pad

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.source._base import Content, Settings, SourceSpec
from vitlab.checkpoints.source._named_as_timm import BLOCK, EVERYTHING, PLAIN, whose
from vitlab.checkpoints.source._prepared import CROP, imagenet_preprocessing
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.nn.mlp import packed_swiglu
from vitlab.preprocessing import Preprocessing

_CHUNK = re.compile(r"blocks\.\d+\.(\d+\.)", re.ASCII)
_REGISTERS = (Row("reg_token", "register_tokens"),)
_GATED = (
    Row(BLOCK + "mlp.fc1.{p}", BLOCK + "mlp.w12.{p}"),
    Row(BLOCK + "mlp.fc2.{p}", BLOCK + "mlp.w3.{p}"),
)


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "DINOv2"
    prepares_alike: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = ("mask_token", "dino_head.*", "ibot_head.*")

    def recognises(self, content: Content) -> bool:
        return whose(content) == self.name

    def tensors(self, content: Content) -> Mapping[str, Tensor]:
        theirs = {_CHUNK.sub(r"blocks.\1", name): tensor for name, tensor in content.tensors.items()}
        if "register_tokens" in theirs:
            table = theirs["pos_embed"]
            theirs |= {"cls_token": theirs["cls_token"] + table[:, :1], "pos_embed": table[:, 1:]}
        return theirs

    def model(self, content: Content, named: Settings) -> Settings:
        return {"pos_embed": {"name": "learned", "prefix": False}} if content.has("register_tokens") else {}

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        gated = _GATED if spec is None or isinstance(spec.mlp, packed_swiglu.Spec) else ()
        return (*PLAIN, *_REGISTERS, *gated, *EVERYTHING)

    def finished(self, written: dict[str, Tensor], spec: ViTSpec) -> dict[str, Tensor]:
        if not spec.num_registers:
            return written
        table = written["pos_embed"]
        if table.shape[1] != spec.dims().num_patches:
            raise CheckpointError(f"{self.title} has no positions for registers: set pos_embed.prefix=False")
        return written | {"pos_embed": pad(table, (0, 0, 1, 0))}

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return imagenet_preprocessing(content, spec, CROP)
