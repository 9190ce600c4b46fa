"""Google's `.npz` files: the ViTs and hybrids of vit_jax (AugReg, SAM, GSAM too) and the ViTs of big_vision.

    Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/query/kernel    [D, heads, K]; `out` is [heads, K, D]
    block{n}/unit{m}/conv{k}/kernel                                             [rows, columns, in, out]

vit_jax (`models_vit.py`, `models_resnet.py`) numbers the parts of a block through, as Flax did before Linen, and gives
positions to the cls token too. big_vision (`models/vit.py`) counts each kind of part, adds positions before it puts the
cls token in front, and has the MAP head; it may keep all blocks as one, stacked. Read is either, also inside of
`params/`, `opt/target/` or `img/`; written is vit_jax's form where it has one for the model, else big_vision's.

GELU is JAX's, the tanh approximation; norms have an eps of 1e-6, and a hybrid's weights are divided by their deviation
plus 1e-5. A group norm's [1, 1, 1, C] becomes [C], which is Flax's shape today. Pictures are resized to the size of the
model, whatever their sides, and normalised to [-1, 1] (`input_pipeline.py`); big_vision's own evaluations of ImageNet
cut out 224 of 256. Not read are big_vision's fixed positions (`posemb="sincos2d"`), whose frequencies are not ours and
of which nothing tells the size, and R+Ti/16, which has a stem without stages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from vitlab.base.words import counted
from vitlab.checkpoints.source._base import Content, Settings, SourceSpec
from vitlab.checkpoints.source._prepared import half_preprocessing
from vitlab.checkpoints.source._rows import TRANSPOSED, Layout, Row, permuted
from vitlab.models.spec import ViTSpec
from vitlab.nn.pool import attention
from vitlab.nn.pos_embed import learned
from vitlab.preprocessing import Preprocessing

_INSIDE = ("opt/target/", "params/", "img/")  # of a training, a model of pictures and texts
_STACKED = "Transformer/encoderblock/"
_QUERY = re.compile(r"Transformer/encoderblock_0/MultiHeadDotProductAttention_\d/query/kernel", re.ASCII)
_QKV = ("query", "key", "value")
_HWIO = permuted(3, 2, 0, 1)
_CHANNELS = Layout(lambda tensor: tensor.flatten(), lambda tensor: tensor)  # of a group norm
_BLOCK, _RESNET = "Transformer/encoderblock_{i}/", "block{n+1}/unit{m+1}/"
_STAGE = "patch_embed.backbone.stages.{n}.blocks.{m}."


def _norm(ours: str, theirs: str) -> list[Row]:
    return [
        Row(f"{ours}.weight", f"{theirs}/scale", _CHANNELS),
        Row(f"{ours}.bias", f"{theirs}/bias", _CHANNELS),
    ]


def _linear(ours: str, theirs: str, beside: str = "") -> list[Row]:
    return [
        Row(f"{ours}.weight", f"{theirs}/kernel", TRANSPOSED, beside=beside),
        Row(f"{ours}.bias", f"{theirs}/bias", beside=beside),
    ]


def _to_heads(ours: str, theirs: str, parts: Sequence[str], heads: int) -> list[Row]:
    kernel = Layout(lambda tensor: tensor.flatten(1).t(), lambda tensor: tensor.t().unflatten(1, (heads, -1)))
    bias = Layout(lambda tensor: tensor.flatten(), lambda tensor: tensor.unflatten(0, (heads, -1)))
    return [
        Row(f"{ours}.weight", tuple(f"{theirs}/{part}/kernel" for part in parts), kernel),
        Row(f"{ours}.bias", tuple(f"{theirs}/{part}/bias" for part in parts), bias),
    ]


def _from_heads(ours: str, theirs: str, heads: int) -> list[Row]:
    kernel = Layout(lambda tensor: tensor.flatten(0, 1).t(), lambda tensor: tensor.t().unflatten(0, (heads, -1)))
    return [Row(f"{ours}.weight", f"{theirs}/kernel", kernel), Row(f"{ours}.bias", f"{theirs}/bias")]


def _mlp(ours: str, theirs: str) -> list[Row]:
    return [*_linear(f"{ours}.fc1", f"{theirs}/Dense_0"), *_linear(f"{ours}.fc2", f"{theirs}/Dense_1")]


def _block(heads: int, attention_at: int, norm_at: int, mlp_at: int) -> list[Row]:
    """A block's rows; the numbers behind the names of its second to fourth part."""
    attending = f"{_BLOCK}MultiHeadDotProductAttention_{attention_at}"
    return [
        *_norm("blocks.{i}.norm1", f"{_BLOCK}LayerNorm_0"),
        *_to_heads("blocks.{i}.attn.qkv", attending, _QKV, heads),
        *_from_heads("blocks.{i}.attn.proj", f"{attending}/out", heads),
        *_norm("blocks.{i}.norm2", f"{_BLOCK}LayerNorm_{norm_at}"),
        *_mlp("blocks.{i}.mlp", f"{_BLOCK}MlpBlock_{mlp_at}"),
    ]


def _map_head(heads: int) -> list[Row]:
    attending = "MAPHead_0/MultiHeadDotProductAttention_0"
    return [
        Row("pool.latent", "MAPHead_0/probe"),
        *_to_heads("pool.q", attending, ("query",), heads),
        *_to_heads("pool.kv", attending, ("key", "value"), heads),
        *_from_heads("pool.proj", f"{attending}/out", heads),
        *_norm("pool.norm", "MAPHead_0/LayerNorm_0"),
        *_mlp("pool.mlp", "MAPHead_0/MlpBlock_0"),
    ]


_VIT_JAX_POSITIONS = (Row("pos_embed.weight", "Transformer/posembed_input/pos_embedding"),)
_BIG_VISION_POSITIONS = (
    Row("pos_embed.weight", "pos_embedding"),
    Row("pos_embed.weight", "Transformer/pos_embedding"),  # before 2022
)
_SHARED = (
    Row("cls_token", "cls"),
    Row("patch_embed.proj.weight", "embedding/kernel", _HWIO),
    Row("patch_embed.proj.bias", "embedding/bias"),
    Row("patch_embed.backbone.stem.conv.weight", "conv_root/kernel", _HWIO),
    *_norm("patch_embed.backbone.stem.norm", "gn_root"),
    Row(_STAGE + "downsample.conv.weight", _RESNET + "conv_proj/kernel", _HWIO),
    *_norm(_STAGE + "downsample.norm", _RESNET + "gn_proj"),
    Row(_STAGE + "conv{k}.weight", _RESNET + "conv{k}/kernel", _HWIO),
    *_norm(_STAGE + "norm{k}", _RESNET + "gn{k}"),
    *_norm("norm", "Transformer/encoder_norm"),
    *_linear("head.logits", "head", beside="pre_logits/kernel"),
    *_linear("head.pre_logits", "pre_logits"),
    *_linear("head", "head"),
)


def _fits_vit_jax(spec: ViTSpec) -> bool:
    """Whether vit_jax has such models: no MAP head, and positions for the cls token if there is one."""
    positions = isinstance(spec.pos_embed, learned.Spec) and (spec.pos_embed.prefix or not spec.cls_token)
    return positions and not isinstance(spec.pool, attention.Spec)


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "Google"
    prepares_alike: ClassVar[bool] = True
    file: ClassVar[str] = "model.npz"

    def used(self, folder: Path) -> str:
        return f'arrays = numpy.load("{folder / self.file}"), named as vit_jax and big_vision read them'

    def recognises(self, content: Content) -> bool:
        names = list(content.tensors)
        return bool(matching(names, "*embedding/kernel") and matching(names, "*Transformer/encoderblock*"))

    def tensors(self, content: Content) -> Mapping[str, Tensor]:
        return dict(chain.from_iterable(_unstacked(name, each) for name, each in _innermost(content).items()))

    def model(self, content: Content, named: Settings) -> Settings:
        settings: dict[str, Any] = {"mlp": {"name": "gelu", "approximate": "tanh"}}
        theirs = self.tensors(content)
        query = next((tensor for name, tensor in theirs.items() if _QUERY.fullmatch(name) and tensor.ndim == 3), None)
        if query is not None:
            width, heads, channels = query.shape
            settings |= {"embed_dim": width, "num_heads": heads}
            settings |= {"head_dim": None if heads * channels == width else channels}
        if "conv_root/kernel" in theirs:
            settings |= {"patch_embed": {"name": "resnet", "weight_standardisation": "official", "norm_eps": 1e-6}}
        return settings

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        heads = 1 if spec is None else spec.num_heads
        vit_jax = (*_VIT_JAX_POSITIONS, *_block(heads, 1, 2, 3), *_SHARED)
        if spec is not None and _fits_vit_jax(spec):
            return vit_jax
        big_vision = (*_BIG_VISION_POSITIONS, *_block(heads, 0, 1, 0), *_map_head(heads), *_SHARED)
        return big_vision if spec is not None else (*vit_jax, *big_vision)

    def notes(self, content: Content) -> tuple[str, ...]:
        beside = len(content.tensors) - len(_innermost(content))
        return (f"left out, beside the model: {counted(beside, 'tensor')}",) if beside else ()

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return half_preprocessing(content, spec)


def _unstacked(name: str, tensor: Tensor) -> Iterable[tuple[str, Tensor]]:
    """A tensor of all blocks as those of each; any other as it is."""
    if not name.startswith(_STACKED):
        return [(name, tensor)]
    rest = name.removeprefix(_STACKED)
    return [(f"{_STACKED[:-1]}_{i}/{rest}", each) for i, each in enumerate(tensor.unbind())]


def _innermost(content: Content) -> Mapping[str, Tensor]:
    """The tensors of the model, without the folders in which a training or a larger model keeps them."""
    theirs = content.tensors
    for folder in _INSIDE:
        theirs = {name.removeprefix(folder): each for name, each in theirs.items() if name.startswith(folder)} or theirs
    return theirs
