"""The vision transformer: assembly only. Every part is chosen by name in `ViTSpec` and defined in `vitlab.nn`.

    images -> patch_embed -> auxiliary -> [cls, dist, registers, patches] + positions -> blocks -> norm -> classify
    classify: pool -> norm -> head, and the mean of that and what the distillation token's own head says

Parameter names are timm's wherever the concept exists, so timm, DeiT, DINO and MAE weights load almost as they are.
"""

from dataclasses import replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.models.spec import ViTSpec, subset_conflict
from vitlab.nn.auxiliary._base import Branched
from vitlab.nn.dims import BlockDims
from vitlab.nn.head._base import Logits
from vitlab.nn.init._base import initialise
from vitlab.nn.kernel import has_kernels
from vitlab.nn.kinds import Kind
from vitlab.nn.stochastic import Dropout


class Outputs(NamedTuple):
    """What a model says of a batch: logits [B, Y], and the loss [B] of its auxiliary part, None if it has none."""

    logits: Tensor
    auxiliary_loss: Tensor | None


class ViT(nn.Module):
    """A vision transformer built from a ViTSpec.

    `model(images)` gives logits, or with `num_classes=0` features [B, W], as in timm; `model.outputs(images)` the
    auxiliary part's loss too. Stochastic depth and dropout act only when the caller hands over sample keys,
    `model(images, keys)`, as the training loop does: without keys the model is deterministic.
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
        self.num_prefix_tokens = dims.num_prefix_tokens
        width = dims.embed_dim
        self.patch_embed = spec.patch_embed.build(dims)
        self.auxiliary = spec.auxiliary.build(dims)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if spec.cls_token else None
        self.dist_token = nn.Parameter(torch.zeros(1, 1, width)) if spec.dist_token else None
        self.reg_token = nn.Parameter(torch.zeros(1, spec.num_registers, width)) if spec.num_registers else None
        self.rows_apart = {"reg_token": range(spec.num_registers)}
        self.pos_embed = spec.pos_embed.build(dims)
        self.pos_drop = Dropout(spec.embed_dropout, "pos_drop")
        self.norm_pre = spec.norm.build(width) if spec.norm_pre else nn.Identity()
        self.blocks = nn.ModuleList(spec.block.build(replace(dims, layer=i)) for i in range(spec.depth))
        self.norm = spec.norm.build(width) if spec.final_norm == "before_pool" else nn.Identity()
        self.pool = spec.pool.build(replace(dims, layer=spec.depth))
        pooled = replace(dims, embed_dim=width * spec.pool.times_wider)
        self.fc_norm = spec.norm.build(pooled.embed_dim) if spec.final_norm == "after_pool" else nn.Identity()
        self.head = _head(spec, pooled)
        self.head_dist = _head(spec, dims) if spec.dist_token else None
        self._register_load_state_dict_pre_hook(_accept_bare_position_table)

    def patches(self, images: Tensor) -> Branched:
        """[B, C, height, width] -> patch tokens [B, L, D] without positions, and the auxiliary part's loss [B]"""
        self.check(images)
        return self.auxiliary(images, self.patch_embed(images))

    def check(self, images: Tensor) -> None:
        """Refuse what is no batch of images [B, C, height, width] of the model's size and precision: SpecError."""
        if not isinstance(images, Tensor):
            raise SpecError(f"a {type(images).__name__} is no batch of images")
        if images.ndim != 4 or images.shape[1:] != (self.spec.in_chans, *self.spec.img_size):
            expected = f"{self.spec.in_chans} x {self.spec.img_size[0]} x {self.spec.img_size[1]}"
            lone = ": image[None] is a batch of one" if images.ndim == 3 else ""
            raise SpecError(f"images of shape {tuple(images.shape)}: this model takes [batch, {expected}]{lone}")
        ours = next(self.parameters()).dtype
        if not images.is_floating_point():
            raise SpecError(f"images of {images.dtype} were not normalised: this model takes {ours}")
        if images.dtype != ours and not torch.is_autocast_enabled(images.device.type):
            raise SpecError(f"images of {images.dtype} for a model of {ours}: images.to({ours}), or model.to(…)")

    def embed(self, patches: Tensor, keys: Tensor | None = None) -> Tensor:
        """patch tokens [B, L, D] -> tokens [B, N, D], prefix tokens first, with the stem's positions, normalised if
        the spec says so
        """
        tokens = (self.cls_token, self.dist_token, self.reg_token)
        prefix = [token.expand(patches.shape[0], -1, -1) for token in tokens if token is not None]
        return self.norm_pre(self.pos_drop(self.pos_embed.add(torch.cat([*prefix, patches], dim=1)), keys))

    def encode(
        self, tokens: Tensor, keys: Tensor | None = None, visible: Tensor | None = None, start: int = 0
    ) -> Tensor:
        """[B, N, D] -> tokens after the last block and, if it stands there, the final norm: [B, N, D]. They are those
        that enter block `start`, and blocks before it are not computed.

        `visible` [B, V] int64 are the patches that the encoder is given, numbered along the grid, as many of every
        image and in any order; the others might as well not be there. Then the tokens are the prefix and these,
        [B, prefix + V, D]. Raises SpecError for a model that needs all patches, or would show what is hidden.
        """
        places = None if visible is None else self._places(visible)
        if places is not None:
            tokens = tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[-1]))
        for index in range(start, len(self.blocks)):
            positions = self.pos_embed.layer(index).at(places)
            tokens = self.blocks[index](positions.add(tokens), positions, keys)
        return self.norm(tokens)

    def _places(self, visible: Tensor) -> Tensor:
        """[B, V] patches -> [B, prefix + V], their places among all tokens"""
        if (conflict := subset_conflict(self.spec)) is not None:
            raise SpecError(conflict)
        prefix = torch.arange(self.num_prefix_tokens, device=visible.device).expand(len(visible), -1)
        return torch.cat([prefix, visible + self.num_prefix_tokens], dim=1)

    def classify(self, tokens: Tensor) -> Tensor:
        """encoded tokens [B, N, D] -> logits [B, Y]"""
        logits = self.pool.logits(tokens, lambda pooled: self.head(self.fc_norm(pooled)))
        if self.head_dist is None:
            return logits
        return (logits + self.head_dist(self.fc_norm(tokens[:, int(self.spec.cls_token)]))) / 2

    def forward_features(self, images: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, C, height, width] -> encoded tokens [B, N, D]"""
        return self.encode(self.embed(self.patches(images).patches, keys), keys)

    def representation(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> what the head reads of each image, [B, W]"""
        return self.fc_norm(self.pool(self.forward_features(images)))

    def outputs(self, images: Tensor, keys: Tensor | None = None) -> Outputs:
        """[B, C, height, width] -> logits [B, Y] and the auxiliary part's loss [B]"""
        patches, loss = self.patches(images)
        return Outputs(self.classify(self.encode(self.embed(patches, keys), keys)), loss)

    def forward(self, images: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, C, height, width] -> logits [B, Y]"""
        return self.outputs(images, keys).logits


def _head(spec: ViTSpec, dims: BlockDims) -> nn.Module:
    """The classifier; without classes an identity, so that the model gives what a head would read."""
    return spec.head.build(dims) if spec.num_classes else nn.Identity()


def is_head(name: str) -> bool:
    """Whether a parameter, by its name, belongs to the classifier: what begins anew for other classes."""
    return name.partition(".")[0] in ("head", "head_dist")


def logits_weights(spec: ViTSpec) -> set[str]:
    """The names of the weights of the layers that give the logits, of a model that ends in such."""
    with torch.device("meta"):
        modules = ViT(spec).named_modules()
    return {f"{path}.weight" for path, module in modules if isinstance(module, Logits)}


@cache
def spec_has_kernels(spec: ViTSpec) -> bool:
    """Whether any part of such a model has more than one kernel."""
    with torch.device("meta"):
        return has_kernels(ViT(spec))


def _accept_bare_position_table(state: dict[str, Any], prefix: str, *_: Any) -> None:
    """timm, DeiT, DINO and MAE keep the position table on the model itself, as `pos_embed`."""
    if isinstance(state.get(f"{prefix}pos_embed"), Tensor):
        state[f"{prefix}pos_embed.weight"] = state.pop(f"{prefix}pos_embed")


def build(spec: ViTSpec, seed: int = 0) -> ViT:
    """A ViT with the initial weights of `seed`."""
    model = ViT(spec)
    initialise(model, spec.init, seed)
    return model
