"""The measured costs against closed formulas, against PyTorch's counter, and against a real backward pass."""

from collections.abc import Callable
from dataclasses import astuple, replace

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from tests.conftest import mostly_slow
from vitlab.base.spec import from_dict
from vitlab.models import cost as module
from vitlab.models.cost import ROWS, ComponentCost, component_of, cost, num_params
from vitlab.models.spec import ViTSpec, preset
from vitlab.models.vit import ViT, build
from vitlab.nn.kernel import use_kernel

TINY = {"img_size": [16, 24], "patch_size": [8, 4], "embed_dim": 32, "depth": 2, "num_heads": 4, "num_classes": 5}
VARIANTS = {
    "plain": {},
    "conv_stem": {"patch_embed": "conv_stem"},
    "linear attention": {"attention": "linear"},
    "map pool": {"pool": "attention", "cls_token": False},
    "swiglu": {"mlp": "swiglu"},
    "registers, rope, layer scale": {"num_registers": 2, "pos_embed": "rope2d", "layer_scale": 0.1, "qk_norm": True},
    "relative bias, post norm, mean": {"pos_embed": "relative_bias", "block": "post_norm", "pool": "mean"},
    "masks": {"drop_path": 0.2, "mixer_dropout": 0.1, "mlp_dropout": 0.1, "embed_dropout": 0.1},
    "no mixing, mlp head": {"mixer": "identity", "head": "mlp", "final_norm": "after_pool"},
}


ALL_VARIANTS = pytest.mark.parametrize("settings", mostly_slow(VARIANTS.values(), every=2), ids=VARIANTS.keys())


def tiny(**settings: object) -> ViTSpec:
    return from_dict(ViTSpec, {**TINY, **settings})


def row(spec: ViTSpec, name: str) -> ComponentCost:
    (found,) = [row for row in cost(spec).components if row.name == name]
    return found


def explicit(model: ViT) -> ViT:
    """Of a CPU's fused kernel PyTorch before 2.15 counts no operation."""
    use_kernel(model, "explicit")
    return model


# ------------------------------------------------------------------------------------------------ closed formulas


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r0_vit", "vit_base_patch16_224"])
def test_flops_are_those_of_the_closed_formula(name: str) -> None:
    spec = preset(name)
    dims = spec.dims()
    tokens, width, mlp = dims.num_tokens, dims.embed_dim, dims.mlp_dim
    pixels = spec.in_chans * spec.patch_size[0] * spec.patch_size[1]
    attn = 2 * tokens * (3 * width * width + width * width) + 4 * tokens * tokens * width
    expected = {
        "patch_embed": 2 * dims.num_patches * pixels * width,
        "blocks.attn": spec.depth * attn,
        "blocks.mlp": spec.depth * 2 * tokens * 2 * width * mlp,
        "head": 2 * width * spec.num_classes,
    }
    measured = cost(spec)
    assert {row.name: row.flops for row in measured.components if row.flops} == expected
    assert measured.flops == sum(expected.values())


@pytest.mark.slow
def test_parameters_of_vit_base() -> None:
    width, classes = 768, 1000
    measured = cost(preset("vit_base_patch16_224"))
    assert measured.num_params == 86_567_656  # timm's count
    assert [(row.name, row.num_params) for row in measured.components] == [
        ("patch_embed", 3 * 16 * 16 * width + width),
        ("pos_embed", 197 * width),
        ("tokens", width),
        ("blocks.norm", 12 * 4 * width),
        ("blocks.attn", 12 * (4 * width * width + 4 * width)),
        ("blocks.mlp", 12 * (8 * width * width + 5 * width)),
        ("blocks.residual", 0),
        ("norm", 2 * width),
        ("pool", 0),
        ("head", width * classes + classes),
    ]


def test_an_mlp_keeps_its_input_and_the_two_sides_of_its_activation() -> None:
    spec = tiny()
    dims = spec.dims()
    kept = 4 * dims.num_tokens * (dims.embed_dim + 2 * dims.mlp_dim)
    assert row(spec, "blocks.mlp").activation_bytes == spec.depth * kept


def test_attention_memory_is_quadratic_in_tokens() -> None:
    """Explicit attention keeps q, k, v, its weights, what it gives to proj, and its input."""
    spec = tiny()
    dims = spec.dims()
    kept = 4 * dims.num_tokens * (5 * dims.embed_dim + dims.num_heads * dims.num_tokens)
    assert row(spec, "blocks.attn").activation_bytes == spec.depth * kept


def test_checkpointed_blocks_keep_their_inputs_and_one_block_is_whole() -> None:
    """What a real step saves by it is measured in tests/train/test_checkpointing.py."""
    spec = tiny()
    dims = spec.dims()
    measured = cost(spec)
    blocks = sum(row.activation_bytes for row in measured.components if row.name.startswith("blocks."))
    inputs = 4 * spec.depth * dims.num_tokens * dims.embed_dim
    assert measured.checkpointed_bytes == measured.activation_bytes - blocks + inputs + blocks / spec.depth


# ---------------------------------------------------------------------------------------------- against real runs


@ALL_VARIANTS
def test_flops_are_those_counted_in_a_real_forward(settings: dict[str, object]) -> None:
    spec = tiny(**settings)
    model = explicit(build(spec))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, spec.in_chans, *spec.img_size))
    assert cost(spec).flops == pytest.approx(counter.get_total_flops(), rel=0.01)


@ALL_VARIANTS
def test_parameters_are_those_of_the_model(settings: dict[str, object]) -> None:
    spec = tiny(**settings)
    assert cost(spec).num_params == sum(p.numel() for p in build(spec).parameters())


@ALL_VARIANTS
def test_activation_memory_is_what_a_real_training_step_keeps(settings: dict[str, object]) -> None:
    spec = tiny(**settings)
    model = explicit(build(spec))
    more, fewer = kept_bytes(model, num_images=7), kept_bytes(model, num_images=3)
    assert cost(spec).activation_bytes * 4 == more - fewer


def kept_bytes(model: ViT, num_images: int) -> int:
    """Bytes of the distinct pieces of memory saved by a forward and read again by its backward."""
    images = torch.randn(num_images, model.spec.in_chans, *model.spec.img_size)
    given = {t.untyped_storage().data_ptr() for t in (images, *model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}
    with saved_tensors_hooks(lambda tensor: tensor, _record(kept)):
        logits = model(images, torch.arange(num_images))
        logits.backward(torch.ones_like(logits))
    return sum(size for address, size in kept.items() if address not in given)


def _record(kept: dict[int, int]) -> Callable[[Tensor], Tensor]:
    """All saved tensors of the graph are alive until backward, so an address names one piece of memory."""

    def unpack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    return unpack


# ------------------------------------------------------------------------------------------------------- the rows


@ALL_VARIANTS
def test_rows_sum_to_the_totals(settings: dict[str, object]) -> None:
    measured = cost(tiny(**settings))
    assert [row.name for row in measured.components] == list(ROWS)
    sums = tuple(map(sum, zip(*(astuple(row)[1:] for row in measured.components), strict=True)))
    assert sums == (measured.num_params, measured.flops, measured.activation_bytes)


@pytest.mark.slow
def test_every_variant_is_charged_to_its_own_row() -> None:
    assert row(tiny(layer_scale=0.1), "blocks.residual").num_params == 2 * 2 * 32
    assert row(tiny(num_registers=3), "tokens").num_params == 4 * 32
    assert row(tiny(pos_embed="rope2d"), "pos_embed").num_params == 0
    assert row(tiny(pool="attention"), "pool").flops > 0
    assert row(tiny(final_norm="after_pool"), "norm").num_params == 2 * 32


def test_depth_adds_to_the_blocks_only() -> None:
    shallow, deep = (cost(replace(tiny(), depth=depth)).components for depth in (1, 3))
    for once, thrice in zip(shallow, deep, strict=True):
        factor = 3 if once.name.startswith("blocks.") else 1
        assert astuple(thrice)[1:] == tuple(factor * value for value in astuple(once)[1:])


def test_names_of_rows() -> None:
    assert component_of("blocks.11.norm2.weight") == "blocks.norm"
    assert component_of("blocks.0") == "blocks.residual"
    assert component_of("blocks.0.ls1.gamma") == "blocks.residual"
    assert component_of("cls_token") == "tokens"
    assert component_of("head.logits.weight") == "head"


@pytest.mark.slow
def test_a_huge_model_costs_nothing_to_measure() -> None:
    assert cost(preset("vit_giant_patch14_224")).num_params > 1e9


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of one's own, and nothing remembered."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    module.cost.cache_clear()
    module.num_params.cache_clear()
    return tmp_path / "costs"


def test_costs_are_kept_for_the_next_process(cache, monkeypatch):
    found, size = cost(tiny()), num_params(tiny())
    monkeypatch.setattr(module, "ViT", None)  # no model can be built any more
    module.cost.cache_clear()
    module.num_params.cache_clear()
    assert cost(tiny()) == found
    assert num_params(tiny()) == size == found.num_params


def test_costs_are_asked_anew_where_models_may_have_changed(cache, monkeypatch):
    cost(tiny())
    assert len(list(cache.iterdir())) == 1
    module.cost.cache_clear()
    monkeypatch.setattr(module, "_source", lambda: "another")
    cost(tiny())
    assert len(list(cache.iterdir())) == 2


def test_what_is_kept_and_damaged_is_measured_again(cache):
    found = cost(tiny())
    (file,) = cache.iterdir()
    file.write_text(file.read_text().replace('"flops": ', '"flops": "many", "was": '))
    module.cost.cache_clear()
    assert cost(tiny()) == found


def test_nothing_is_kept_of_parts_of_somebodys_own(cache, tmp_path, monkeypatch, trusting_all):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_mlp_of_mine.py").write_text(
        "from vitlab.nn.mlp.gelu import Spec as Gelu\n\nclass Spec(Gelu): pass\n"
    )
    cost(tiny(mlp="own_mlp_of_mine.py"))
    assert not cache.exists()
