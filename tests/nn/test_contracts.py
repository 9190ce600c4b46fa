"""Every variant of every family keeps its family's contract; a new file in a family's folder is picked up by itself."""

import importlib
import typing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

import vitlab.nn
from vitlab.base.spec import Component, component_names
from vitlab.models.vit import ViT
from vitlab.nn.attention._base import Attention
from vitlab.nn.head._base import Logits
from vitlab.nn.kernel import use_kernel
from vitlab.nn.kinds import parameter_kinds
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.rng import sample_keys

FAMILIES = (
    *("patch_embed", "auxiliary", "pos_embed", "block", "mixer", "attention", "mlp", "norm", "pool", "head", "init"),
)
VARIANTS = [(family, name) for family in FAMILIES for name in component_names(f"vitlab.nn.{family}")]
PARTS = [(family, name) for family, name in VARIANTS if family != "init"]
ATTENTIONS = component_names("vitlab.nn.attention")
MIXERS = component_names("vitlab.nn.mixer")
PREFIXES = {
    "patches only": {"cls_token": False, "pool": "mean"},
    "cls": {},
    "cls and registers": {"num_registers": 2},
}
B, R = 3, 3

pytestmark = pytest.mark.usefixtures("double")


def spec_of(family: str, name: str) -> Component:
    return importlib.import_module(f"vitlab.nn.{family}.{name}").Spec()


class Called(nn.Module):
    """A part behind its family's call: the same inputs for every family, whatever tensors come out."""

    def __init__(self, family, name, dims):
        super().__init__()
        spec = spec_of(family, name)
        self.part = spec.build(dims.embed_dim if family == "norm" else dims)
        self.family, self.depth, self.num_patches = family, dims.depth, dims.num_patches

    def forward(self, images: Tensor, x: Tensor, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        match self.family:
            case "patch_embed":
                return [self.part(images)]
            case "auxiliary":
                return [each for each in self.part(images, x[..., -self.num_patches :, :]) if each is not None]
            case "pos_embed":
                layers = [self.part.layer(index) for index in range(self.depth)]
                acts = [(*layer.rotate(q, k), layer.bias(q)) for layer in layers]
                return [self.part.add(x), *(tensor for act in acts for tensor in act if tensor is not None)]
            case "attention":
                return [self.part(q, k, v)]
            case "mixer" | "block":
                return [self.part(x, PosEmbed())]
            case "head":
                return [self.part(x[:, 0])]
            case _:
                return [self.part(x)]


def inputs(dims, normal, *lead: int) -> tuple[Tensor, ...]:
    qkv = [normal(*lead, B, dims.num_heads, dims.num_tokens, dims.head_dim) for _ in range(3)]
    images = normal(*lead, B, dims.in_chans, *dims.img_size)
    return images, normal(*lead, B, dims.num_tokens, dims.embed_dim), *qkv


def shapes(family: str, dims) -> set[tuple[int, ...]]:
    tokens = (B, dims.num_tokens, dims.embed_dim)
    qkv = (B, dims.num_heads, dims.num_tokens, dims.head_dim)
    match family:
        case "patch_embed":
            return {(B, dims.num_patches, dims.embed_dim)}
        case "auxiliary":
            return {(B, dims.num_patches, dims.embed_dim), (B,)}
        case "pos_embed":
            square = (dims.num_heads, dims.num_tokens, dims.num_tokens)
            return {tokens, qkv, square, (B, *square)}
        case "attention":
            return {qkv}
        case "pool":
            return {(B, dims.embed_dim), (B, 2 * dims.embed_dim)}
        case "head":
            return {(B, dims.num_classes)}
        case _:
            return {tokens}


def test_every_family_is_under_contract():
    folder = Path(vitlab.nn.__file__).parent
    assert {path.parent.name for path in folder.glob("*/_base.py")} == set(FAMILIES)


@pytest.mark.parametrize(("family", "name"), VARIANTS)
def test_a_variant_is_its_familys_and_is_named_after_its_file(family, name):
    spec = spec_of(family, name)
    assert spec.family == f"vitlab.nn.{family}"
    assert spec.name == name


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize(("family", "name"), PARTS)
def test_shapes_and_precision(family, name, prefix, tiny_dims, normal):
    if family == "pool" and spec_of(family, name).needs_cls_token and "cls_token" in prefix:
        return  # the rules refuse it: tests/models/test_rules.py
    dims = tiny_dims(**(prefix | {family: name}))  # some patch embeddings decide how many patches there are
    outputs = Called(family, name, dims)(*inputs(dims, normal))
    assert {tuple(tensor.shape) for tensor in outputs} <= shapes(family, dims)
    assert all(tensor.dtype == torch.float64 for tensor in outputs)
    assert all(tensor.isfinite().all() for tensor in outputs)


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_a_gradient_reaches_every_parameter(family, name, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=1, qk_norm=True, layer_scale=0.1)
    module = randomise(Called(family, name, dims))
    loss = sum((tensor * normal(*tensor.shape)).sum() for tensor in module(*inputs(dims, normal)))
    parameters = dict(module.named_parameters())
    gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True) if parameters else []
    unreached = [name for name, g in zip(parameters, gradients, strict=True) if g is None or not g.any()]
    assert unreached == []


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_every_parameter_has_a_kind(family, name, tiny_dims):
    module = Called(family, name, tiny_dims(num_registers=1, qk_norm=True, layer_scale=0.1))
    assert set(parameter_kinds(module)) == set(dict(module.named_parameters()))


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_nothing_depends_on_training_mode(family, name, tiny_dims, normal, randomise):
    dims = tiny_dims()
    module, values = randomise(Called(family, name, dims)), inputs(dims, normal)
    for trained, evaluated in zip(module.train()(*values), module.eval()(*values), strict=True):
        assert torch.equal(trained, evaluated)


def explicit(module: nn.Module) -> nn.Module:
    """The attention kernel that training takes on a CPU, where PyTorch's fused one cannot be stacked without a loop."""
    use_kernel(module, "explicit")
    return module


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_stacked_runs_equal_single_ones(family, name, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=1, qk_norm=True, layer_scale=0.1)
    singles = [explicit(randomise(Called(family, name, dims), seed)) for seed in range(R)]
    state, values = stack_module_state(singles), inputs(dims, normal, R)
    stacked = vmap(lambda state, *values: functional_call(singles[0], state, values))(state, *values)
    for run, single in enumerate(singles):
        for many, one in zip(stacked, single(*(value[run] for value in values)), strict=True):
            torch.testing.assert_close(many[run], one, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("family", "name"), VARIANTS)
def test_whole_models_with_the_variant_stack_too(family, name, tiny_spec, normal, randomise):
    rates = {"drop_path": 0.5, "embed_dropout": 0.2, "mixer_dropout": 0.2, "mlp_dropout": 0.2}
    spec = tiny_spec(**{family: name}, num_registers=1, **rates)
    models = [explicit(randomise(ViT(spec), seed)) for seed in range(R)]
    images = normal(R, B, 3, *spec.img_size)
    keys = sample_keys(torch.arange(R), torch.arange(B))
    state = stack_module_state(models)
    stacked = vmap(lambda state, *batch: functional_call(models[0], state, batch))(state, images, keys)
    singles = torch.stack([model(images[run], keys[run]) for run, model in enumerate(models)])
    torch.testing.assert_close(stacked, singles, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(singles, torch.stack([model(images[run]) for run, model in enumerate(models)]))


# ----------------------------------------------------------------------------------------------------------- attention


def kernels(name: str) -> tuple[str | None, ...]:
    """The kernels that a mechanism can be told to use; (None,) if it has one way only."""
    return typing.get_args(getattr(importlib.import_module(f"vitlab.nn.attention.{name}"), "Kernel", None)) or (None,)


@pytest.mark.parametrize("biased", [None, "shared", "per image"])
@pytest.mark.parametrize(("name", "kernel"), [(name, kernel) for name in ATTENTIONS for kernel in kernels(name)])
def test_the_fast_path_is_the_written_equation(name, kernel, biased, tiny_dims, normal, randomise):
    dims, spec = tiny_dims(num_registers=1), spec_of("attention", name)
    if biased and not spec.accepts_bias:
        return  # the rules refuse it: tests/models/test_rules.py
    attention = randomise(spec.build(dims))
    if kernel is not None:
        attention.kernel = kernel
    _, _, q, k, v = inputs(dims, normal)
    square = (dims.num_heads, dims.num_tokens, dims.num_tokens)
    bias = {None: None, "shared": normal(*square), "per image": normal(B, *square)}[biased]
    weights = attention.weights(q, k, bias)
    assert weights.shape == (B, *square)
    torch.testing.assert_close(attention(q, k, v, bias), weights @ v, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "kernel"), [(name, kernel) for name in ATTENTIONS for kernel in kernels(name)])
def test_a_sample_does_not_see_its_batch(name, kernel, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=1)
    attention = randomise(spec_of("attention", name).build(dims))
    if kernel is not None:
        attention.kernel = kernel
    _, _, q, k, v = inputs(dims, normal)
    q, k = q * torch.arange(1, B + 1)[:, None, None, None], k * torch.arange(1, B + 1)[:, None, None, None]
    alone = torch.cat([attention(q[i : i + 1], k[i : i + 1], v[i : i + 1]) for i in range(B)])
    torch.testing.assert_close(attention(q, k, v), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_a_bias_is_taken_if_and_only_if_it_is_accepted(name, tiny_dims, normal, randomise):
    dims, spec = tiny_dims(), spec_of("attention", name)
    _, _, q, k, _ = inputs(dims, normal)
    attention = randomise(spec.build(dims))
    bias = normal(dims.num_heads, dims.num_tokens, dims.num_tokens)
    taken = not torch.allclose(attention.weights(q, k, bias), attention.weights(q, k))
    assert taken == spec.accepts_bias


@pytest.mark.parametrize("name", ATTENTIONS)
def test_rows_are_a_distribution_if_and_only_if_they_say_so(name, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=1)
    _, _, q, k, _ = inputs(dims, normal)
    attention = randomise(spec_of("attention", name).build(dims))
    if hasattr(attention, "eps"):
        attention.eps = 0.0  # the guard against dividing by nothing takes its share of every row
    weights = attention.weights(q, k)
    sums = weights.sum(-1)
    one = torch.allclose(sums, torch.ones_like(sums), rtol=0, atol=1e-12) and bool((weights >= 0).all())
    assert one == attention.rows_sum_to_one


@pytest.mark.parametrize(("name", "kernel"), [(name, kernel) for name in ATTENTIONS for kernel in kernels(name)])
def test_values_may_be_of_another_width(name, kernel, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=1)
    attention = randomise(spec_of("attention", name).build(dims))
    if kernel is not None:
        attention.kernel = kernel
    _, _, q, k, v = inputs(dims, normal)
    wide = torch.cat([v, v + 1, v[..., :1]], dim=-1)
    torch.testing.assert_close(attention(q, k, wide), attention.weights(q, k) @ wide, rtol=0, atol=1e-12)


# -------------------------------------------------------------------------------------------------------------- mixers


@pytest.mark.parametrize("name", MIXERS)
def test_a_mixer_is_built_around_attention_if_and_only_if_it_says_so(name, tiny_dims):
    spec = spec_of("mixer", name)
    inside = any(isinstance(module, Attention) for module in spec.build(tiny_dims()).modules())
    assert inside == spec.uses_attention


@pytest.mark.parametrize("name", MIXERS)
def test_a_mixer_with_logits_has_maps_query_by_key(name, tiny_dims, normal, randomise):
    dims, spec = tiny_dims(num_registers=1, num_heads=4), spec_of("mixer", name)
    mixer = randomise(spec.build(dims))
    maps = mixer.weights(normal(B, dims.num_tokens, dims.embed_dim), PosEmbed())
    assert (maps is not None) == spec.has_logits
    if maps is not None:
        assert (maps.shape[0], *maps.shape[2:]) == (B, dims.num_tokens, dims.num_tokens)
        assert dims.num_heads % maps.shape[1] == 0
        one = torch.allclose(maps.sum(-1), torch.ones(()), rtol=0, atol=1e-12) and bool((maps >= 0).all())
        assert one == mixer.rows_sum_to_one


@pytest.mark.parametrize("name", MIXERS)
def test_mixer_dropout_is_on_the_output(name, tiny_dims, normal, randomise):
    mixer = randomise(spec_of("mixer", name).build(tiny_dims(mixer_dropout=0.5)))
    x, keys = normal(2, 7, 16), sample_keys(torch.tensor([0]), torch.arange(2))[0]
    dropped, whole = mixer(x, PosEmbed(), keys), mixer(x, PosEmbed())
    if not whole.any():
        return  # there is nothing to drop
    kept = dropped != 0
    assert 0.4 < kept.double().mean() < 0.6
    torch.testing.assert_close(dropped[kept], 2 * whole[kept])


# ----------------------------------------------------------------------------------------------------------- positions


@pytest.mark.parametrize("name", component_names("vitlab.nn.pos_embed"))
def test_positions_do_what_they_declare(name, tiny_dims, normal, randomise):
    dims, spec = tiny_dims(num_registers=1), spec_of("pos_embed", name)
    layer = randomise(spec.build(dims)).layer(0)
    _, _, q, k, _ = inputs(dims, normal)
    turned, _ = layer.rotate(q, k)
    assert (layer.bias(q) is not None) == spec.gives_bias
    assert (not torch.equal(turned, q)) == spec.rotates


# --------------------------------------------------------------------------------------------------------------- heads


@pytest.mark.parametrize("name", component_names("vitlab.nn.head"))
def test_a_head_ends_in_one_linear_layer_if_and_only_if_it_says_so(name, tiny_dims):
    spec, dims = spec_of("head", name), tiny_dims()
    last = [module for module in spec.build(dims).modules() if isinstance(module, Logits)]
    assert len(last) == int(spec.ends_linear)
    assert all(layer.out_features == dims.num_classes for layer in last)


@pytest.mark.parametrize("name", component_names("vitlab.nn.head"))
def test_a_head_takes_one_vector_or_one_for_every_token(name, tiny_dims, normal, randomise):
    head, x = randomise(spec_of("head", name).build(tiny_dims())), normal(B, 7, 16)
    torch.testing.assert_close(head(x)[:, 3], head(x[:, 3]), rtol=0, atol=1e-12)


def test_a_parts_place_in_the_model_changes_its_random_numbers(tiny_dims, normal):
    dims = tiny_dims(mlp_dropout=0.5)
    keys, x = sample_keys(torch.tensor([0]), torch.arange(B))[0], torch.ones(B, dims.num_tokens, dims.embed_dim)
    drops = [dims.mlp.build(replace(dims, layer=layer)).drop1(x, keys) for layer in (0, 1)]
    assert not torch.equal(*drops)
