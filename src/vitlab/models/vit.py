"""The vision transformer: assembly only. Every part is chosen by name in `ViTSpec` and defined in `vitlab.nn`.

    images -> patch_embed -> auxiliary -> [cls, dist, registers, patches] + positions -> blocks -> norm -> classify
    classify: pool -> norm -> head, and the mean of that and what the distillation token's own head says

Parameter names are timm's wherever the concept exists, so timm, DeiT, DINO and MAE weights load almost as they are.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.base.spec import Spec, from_dict
from vitlab.models import presets, rules
from vitlab.nn.attention import softmax
from vitlab.nn.attention._base import AttentionSpec
from vitlab.nn.auxiliary import none
from vitlab.nn.auxiliary._base import AuxiliarySpec, Branched
from vitlab.nn.block import pre_norm
from vitlab.nn.block._base import BlockSpec
from vitlab.nn.dims import BlockDims
from vitlab.nn.head import linear as linear_head
from vitlab.nn.head._base import HeadSpec
from vitlab.nn.init import trunc_normal
from vitlab.nn.init._base import InitSpec, initialise
from vitlab.nn.kinds import Kind
from vitlab.nn.mixer import self_attention
from vitlab.nn.mixer._base import MixerSpec
from vitlab.nn.mlp import gelu
from vitlab.nn.mlp._base import MLPSpec
from vitlab.nn.norm import layer
from vitlab.nn.norm._base import NormSpec
from vitlab.nn.part import PartSpec
from vitlab.nn.patch_embed import linear as linear_patches
from vitlab.nn.patch_embed._base import PatchEmbedSpec
from vitlab.nn.pool import cls
from vitlab.nn.pool._base import PoolSpec
from vitlab.nn.pos_embed import learned
from vitlab.nn.pos_embed._base import PosEmbedSpec
from vitlab.nn.stochastic import Dropout


@dataclass(frozen=True)
class ViTSpec(Spec):
    """Every choice that makes a ViT; the defaults are ViT-B/16 with 1000 classes.

    Sizes are (rows, columns) in pixels; one number stands for both. A combination that makes no sense is a SpecError
    that names both settings.
    """

    img_size: tuple[int, int] = (224, 224)
    patch_size: tuple[int, int] = (16, 16)
    in_chans: int = 3
    num_classes: int = 1000
    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    head_dim: int | None = None  # None: embed_dim / num_heads
    mlp_ratio: float = 4.0  # mlp width / embed_dim
    patch_embed: PatchEmbedSpec = linear_patches.Spec()
    auxiliary: AuxiliarySpec = none.Spec()
    pos_embed: PosEmbedSpec = learned.Spec()
    block: BlockSpec = pre_norm.Spec()
    mixer: MixerSpec = self_attention.Spec()
    attention: AttentionSpec = softmax.Spec()  # inside the mixers that are built around one
    mlp: MLPSpec = gelu.Spec()
    norm: NormSpec = layer.Spec()
    pool: PoolSpec = cls.Spec()
    head: HeadSpec = linear_head.Spec()
    init: InitSpec = trunc_normal.Spec()
    cls_token: bool = True
    dist_token: bool = False  # DeiT's distillation token beside cls, with a head of its own (arXiv 2012.12877)
    num_registers: int = 0  # learned tokens beside cls that no head reads (arXiv 2309.16588)
    qkv_bias: bool = True
    proj_bias: bool = True  # of the mixer's output projection
    qk_norm: bool = False  # a norm on queries and keys, per attention head (arXiv 2302.05442)
    final_norm: Literal["before_pool", "after_pool", "none"] = "before_pool"
    layer_scale: float | None = None  # the start of each channel's factor; None: no layer scale
    drop_path: float = 0.0  # stochastic depth's rate at the last block, rising linearly from 0
    embed_dropout: float = 0.0  # after positions
    mixer_dropout: float = 0.0  # on the mixer's output
    mlp_dropout: float = 0.0  # after each layer of the MLP

    def __post_init__(self) -> None:
        for broken in rules.broken(self):
            raise SpecError(broken)

    @classmethod
    def named(cls, name: str) -> dict[str, Any]:
        """A preset's settings."""
        return presets.settings(name)

    def parts(self) -> list[PartSpec]:
        """The parts that it is made of, in the order of its fields."""
        values = (getattr(self, field.name) for field in fields(self))
        return [value for value in values if isinstance(value, PartSpec)]

    def dims(self) -> BlockDims:
        """The sizes and parts that every component is built from; derived, never stored."""
        return BlockDims(
            img_size=self.img_size,
            patch_size=self.patch_size if self.patch_embed.cuts_patches else (1, 1),
            in_chans=self.in_chans,
            embed_dim=self.embed_dim,
            depth=self.depth,
            num_heads=self.num_heads,
            head_dim=self.head_dim or self.embed_dim // self.num_heads,
            mlp_dim=round(self.embed_dim * self.mlp_ratio),
            num_prefix_tokens=int(self.cls_token) + int(self.dist_token) + self.num_registers,
            num_classes=self.num_classes,
            qkv_bias=self.qkv_bias,
            proj_bias=self.proj_bias,
            qk_norm=self.qk_norm,
            layer_scale=self.layer_scale,
            drop_path=self.drop_path,
            mixer_dropout=self.mixer_dropout,
            mlp_dropout=self.mlp_dropout,
            norm=self.norm,
            attention=self.attention,
            mixer=self.mixer,
            mlp=self.mlp,
        )


class Outputs(NamedTuple):
    """What a model says of a batch: logits [B, Y], and the loss [B] of its auxiliary part, None if it has none."""

    logits: Tensor
    auxiliary_loss: Tensor | None


class ViT(nn.Module):
    """A vision transformer built from a ViTSpec.

    `model(images)` gives logits, `model.outputs(images)` the auxiliary part's loss too. Stochastic depth and dropout
    act only when the caller hands over sample keys, `model(images, keys)`, as the training loop does: without keys the
    model is deterministic.
    """

    parameter_kinds: ClassVar[dict[str, Kind]] = {
        "cls_token": "token",
        "dist_token": "token",
        "reg_token": "token",
    }

    def __init__(self, spec: ViTSpec):
        super().__init__()
        self.spec = spec
        dims = spec.dims()
        width = dims.embed_dim
        self.patch_embed = spec.patch_embed.build(dims)
        self.auxiliary = spec.auxiliary.build(dims)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if spec.cls_token else None
        self.dist_token = nn.Parameter(torch.zeros(1, 1, width)) if spec.dist_token else None
        self.reg_token = nn.Parameter(torch.zeros(1, spec.num_registers, width)) if spec.num_registers else None
        self.pos_embed = spec.pos_embed.build(dims)
        self.pos_drop = Dropout(spec.embed_dropout, "pos_drop")
        self.blocks = nn.ModuleList(spec.block.build(replace(dims, layer=i)) for i in range(spec.depth))
        self.norm = spec.norm.build(width) if spec.final_norm == "before_pool" else nn.Identity()
        self.pool = spec.pool.build(replace(dims, layer=spec.depth))
        self.fc_norm = spec.norm.build(width) if spec.final_norm == "after_pool" else nn.Identity()
        self.head = spec.head.build(dims)
        self.head_dist = spec.head.build(dims) if spec.dist_token else None
        self._register_load_state_dict_pre_hook(_accept_bare_position_table)

    def patches(self, images: Tensor) -> Branched:
        """[B, C, height, width] -> patch tokens [B, L, D] without positions, and the auxiliary part's loss [B]"""
        if images.shape[-3:] != (self.spec.in_chans, *self.spec.img_size):
            expected = f"{self.spec.in_chans} x {self.spec.img_size[0]} x {self.spec.img_size[1]}"
            raise SpecError(f"images of shape {tuple(images.shape)}: this model takes [batch, {expected}]")
        return self.auxiliary(images, self.patch_embed(images))

    def embed(self, patches: Tensor, keys: Tensor | None = None) -> Tensor:
        """patch tokens [B, L, D] -> tokens [B, N, D], prefix tokens first, with the stem's positions"""
        tokens = (self.cls_token, self.dist_token, self.reg_token)
        prefix = [token.expand(len(patches), -1, -1) for token in tokens if token is not None]
        return self.pos_drop(self.pos_embed.add(torch.cat([*prefix, patches], dim=1)), keys)

    def encode(self, tokens: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, N, D] -> tokens after the last block and, if it stands there, the final norm: [B, N, D]"""
        for index, block in enumerate(self.blocks):
            positions = self.pos_embed.layer(index)
            tokens = block(positions.add(tokens), positions, keys)
        return self.norm(tokens)

    def classify(self, tokens: Tensor) -> Tensor:
        """encoded tokens [B, N, D] -> logits [B, Y]"""
        logits = self.pool.logits(tokens, lambda pooled: self.head(self.fc_norm(pooled)))
        if self.head_dist is None:
            return logits
        return (logits + self.head_dist(self.fc_norm(tokens[:, int(self.spec.cls_token)]))) / 2

    def forward_features(self, images: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, C, height, width] -> encoded tokens [B, N, D]"""
        return self.encode(self.embed(self.patches(images).patches, keys), keys)

    def outputs(self, images: Tensor, keys: Tensor | None = None) -> Outputs:
        """[B, C, height, width] -> logits [B, Y] and the auxiliary part's loss [B]"""
        patches, loss = self.patches(images)
        return Outputs(self.classify(self.encode(self.embed(patches, keys), keys)), loss)

    def forward(self, images: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, C, height, width] -> logits [B, Y]"""
        return self.outputs(images, keys).logits


def _accept_bare_position_table(state: dict[str, Any], prefix: str, *_: Any) -> None:
    """timm, DeiT, DINO and MAE keep the position table on the model itself, as `pos_embed`."""
    if isinstance(state.get(f"{prefix}pos_embed"), Tensor):
        state[f"{prefix}pos_embed.weight"] = state.pop(f"{prefix}pos_embed")


def preset(name: str) -> ViTSpec:
    """The spec of a preset: timm's name, Google's, or a reference study's, perhaps with `:N`, its number of classes.

    Raises SpecError for an unknown one.
    """
    return from_dict(ViTSpec, presets.settings(name))


def build(spec: ViTSpec, seed: int = 0) -> ViT:
    """A ViT with the initial weights of `seed`."""
    model = ViT(spec)
    initialise(model, spec.init, seed)
    return model
