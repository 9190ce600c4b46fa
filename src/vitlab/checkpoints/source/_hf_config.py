"""Fields of transformers' config.json and our settings, in both directions.

A `Part` is a few fields that together tell a few settings: `read` says which, `write` makes them of a model. What they
cannot say of a model is not written, so that it reads back as another model, by which it is known
(`_hf_classes.misfits`). Dropout and stochastic depth act in training alone and are left as ours are.
"""

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any, NamedTuple, TypeVar

from vitlab.base.errors import CheckpointError
from vitlab.base.spec import plain
from vitlab.base.words import KINDS, shown
from vitlab.models.spec import ViTSpec
from vitlab.nn.mlp import packed_swiglu, swiglu
from vitlab.nn.mlp._base import MLPSpec
from vitlab.nn.pool import attention

Settings = Mapping[str, Any]
T = TypeVar("T")
_LARGEST = 2.0**53
_MOST_TIMES = 64  # that an MLP is tried to be wider than its tokens
_GELU_TANH = {"name": "gelu", "approximate": "tanh"}
_ACTIVATIONS: dict[str, Settings] = {  # of transformers' `ACT2FN`; of equal ones the first is written
    "gelu": {"name": "gelu"},
    "gelu_pytorch_tanh": _GELU_TANH,
    "gelu_new": _GELU_TANH,
    "quick_gelu": {"name": "quick_gelu"},
    "relu": {"name": "relu"},
}


class Config:
    """What a config.json says, or else the defaults of its class, which transformers leaves out.

    Raises CheckpointError for a value of another kind than the default's, naming the field.
    """

    def __init__(self, values: Settings, defaults: Settings):
        self.values, self.defaults = values, defaults

    def __getitem__(self, name: str) -> Any:
        value, default = self.values.get(name), self.defaults[name]
        if value is None:
            return default
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool):
            raise self.refused(name, f"expected {KINDS[type(default)]}")
        if isinstance(value, int | float) and not abs(value) < _LARGEST:
            raise self.refused(name, "too large a number")
        return value

    def pair(self, name: str) -> list[int]:
        """Rows and columns; one number stands for both."""
        value = self.defaults[name] if self.values.get(name) is None else self.values[name]
        pair = list(value) if isinstance(value, list | tuple) else [value, value]
        if len(pair) != 2 or not all(type(each) is int and each > 0 for each in pair):
            raise self.refused(name, "expected a whole number, or rows and columns")
        return pair

    def of(self, name: str, table: Mapping[str, T], when: str = "") -> T:
        """What a table has for the field's value."""
        if (value := self[name]) not in table:
            raise self.refused(name, f"possible{when}: {', '.join(table)}")
        return table[value]

    def refused(self, name: str, why: str) -> CheckpointError:
        """The error for a field that describes no model of ours."""
        return CheckpointError(f"config.json: {name}={shown(self.values.get(name, self.defaults.get(name)))}: {why}")


class Part(NamedTuple):
    """Fields that together tell settings."""

    read: Callable[[Config], Settings]
    write: Callable[[ViTSpec], Settings]


# ------------------------------------------------------------------------------------------------------------- pictures


def _one_or_both(size: tuple[int, int]) -> int | list[int]:
    return size[0] if size[0] == size[1] else list(size)


def _sizes(config: Config) -> Settings:
    return {"img_size": config.pair("image_size"), "patch_size": config.pair("patch_size")}


def _square_sizes(spec: ViTSpec) -> dict[str, int]:
    sizes = {"image_size": spec.img_size, "patch_size": spec.patch_size}
    return {name: rows for name, (rows, columns) in sizes.items() if rows == columns}


def _patches(config: Config) -> Settings:
    side, patch = isqrt(max(config["num_patches"], 0)), config.pair("patch_size")
    return {"img_size": [side * patch[0], side * patch[1]], "patch_size": patch}


def _square_patches(spec: ViTSpec) -> Settings:
    sizes = _square_sizes(spec)
    number = {"num_patches": spec.dims().num_patches} if sizes.pop("image_size", None) else {}
    return {**sizes, **number}


PICTURE = Part(
    _sizes,
    lambda spec: {"image_size": _one_or_both(spec.img_size), "patch_size": _one_or_both(spec.patch_size)},
)
SQUARE_PICTURE = Part(_sizes, _square_sizes)  # another cannot be computed there
SQUARE_PATCHES = Part(_patches, _square_patches)


# ----------------------------------------------------------------------------------------------------------------- MLPs


def _activation(mlp: MLPSpec) -> Settings:
    return next(({"hidden_act": name} for name, settings in _ACTIVATIONS.items() if plain(mlp) == settings), {})


def _two_layers(config: Config) -> Settings:
    ratio = config["intermediate_size"] / max(config["hidden_size"], 1)
    return {"mlp": config.of("hidden_act", _ACTIVATIONS), "mlp_ratio": ratio}


def _width_and_activation(spec: ViTSpec) -> Settings:
    return {"intermediate_size": spec.dims().mlp_dim, **_activation(spec.mlp)}


def _dinov2_mlp(config: Config) -> Settings:
    if not config["use_swiglu_ffn"]:
        return {"mlp": config.of("hidden_act", _ACTIVATIONS), "mlp_ratio": config["mlp_ratio"]}
    width = config["hidden_size"]
    return {"mlp": "packed_swiglu", "mlp_ratio": _packed(width, config["mlp_ratio"]) / max(width, 1)}


def _packed(width: int, ratio: float) -> int:
    """How wide gate and value are together: each two thirds of a plain MLP, in whole eights."""
    return 2 * ((int(int(width * ratio) * 2 / 3) + 7) // 8 * 8)


def _dinov2_ratio(spec: ViTSpec) -> Settings:
    """Whole numbers alone: transformers has it so."""
    width, gated = spec.dims().mlp_dim, isinstance(spec.mlp, packed_swiglu.Spec)
    fitting = [
        ratio
        for ratio in range(1, _MOST_TIMES)
        if (_packed(spec.embed_dim, ratio) if gated else spec.embed_dim * ratio) == width
    ]
    ratios = {"mlp_ratio": fitting[0]} if fitting else {}
    return {**ratios, "use_swiglu_ffn": gated, **({} if gated else _activation(spec.mlp))}


def _dinov3_mlp(config: Config) -> Settings:
    if not config["use_gated_mlp"]:
        return _two_layers(config)
    ratio = config["intermediate_size"] / max(config["hidden_size"], 1)
    return {"mlp": config.of("hidden_act", {"silu": "swiglu"}, " with use_gated_mlp"), "mlp_ratio": ratio}


def _width_and_gate(spec: ViTSpec) -> Settings:
    gated = isinstance(spec.mlp, swiglu.Spec)
    act = {"hidden_act": "silu"} if gated else _activation(spec.mlp)
    return {"intermediate_size": spec.dims().mlp_dim, "use_gated_mlp": gated, **act}


TWO_LAYERS = Part(_two_layers, _width_and_activation)
DINOV2_MLP = Part(_dinov2_mlp, _dinov2_ratio)
DINOV3_MLP = Part(_dinov3_mlp, _width_and_gate)


# ------------------------------------------------------------------------------------------------------ biases, pooling


def _biases(config: Config) -> Settings:
    query, key, value = (config[f"{name}_bias"] for name in ("query", "key", "value"))
    if query != value or (key and not query):
        raise config.refused("query_bias", f"with key_bias={key} and value_bias={value}; possible: all, none, no key's")
    return {"qkv_bias": query}


def _three_biases(spec: ViTSpec) -> Settings:
    return {f"{name}_bias": spec.qkv_bias for name in ("query", "key", "value")}


BIASES = Part(_biases, _three_biases)
ATTENTION_POOL = Part(
    lambda config: {"pool": "attention" if config["vision_use_head"] else "mean"},
    lambda spec: {"vision_use_head": isinstance(spec.pool, attention.Spec)},
)
