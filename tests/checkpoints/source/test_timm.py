"""timm's weights: every name of its modules `vision_transformer` and `deit`, there and back."""

from pathlib import Path

import pytest
import torch

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import published
from vitlab.checkpoints.source import timm as timm_source
from vitlab.checkpoints.source._base import Content
from vitlab.models.presets._timm import FAMILIES
from vitlab.models.spec import preset
from vitlab.models.vit import ViT
from vitlab.preprocessing import Preprocessing

OURS_ALONE = {"vit_medium_patch32_224", "vit_medium_patch16_224", "vit_huge_patch14_518"}  # names that timm has not
NAMES = sorted(name for family in FAMILIES for name, _ in family.presets() if name not in OURS_ALONE)
SMALL = [name for name in NAMES if name.startswith(("test_vit", "vit_dwee", "vit_dpwee"))]


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm")


def with_random_weights(model):
    """A model of the meta device, with numbers: norms near one, the rest small."""
    generator = torch.Generator().manual_seed(0)
    model.to_empty(device="cpu")
    for name, parameter in model.named_parameters():
        near = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
        parameter.data = near + torch.empty(parameter.shape).uniform_(-0.05, 0.05, generator=generator)
    return model.eval()


def created(timm, name, **settings):
    """timm's model with two blocks and random weights, in double precision."""
    with torch.device("meta"):
        model = timm.create_model(name, **{"depth": 2, **settings})
    model = with_random_weights(model)
    for module in model.modules():
        if hasattr(module, "set_lambda_init"):  # the starts of λ are no parameters
            module.set_lambda_init(int(name_of(model, module).split(".")[1]))
        if hasattr(module, "_compute_lambda"):
            module._compute_lambda = in_double(module)
    return model


def name_of(model, module):
    return next(name for name, each in model.named_modules() if each is module)


def in_double(attention):
    """timm computes λ in single precision, which would hide all differences below 1e-7."""

    def compute():
        first = (attention.lambda_q1 @ attention.lambda_k1).exp()
        return first - (attention.lambda_q2 @ attention.lambda_k2).exp() + attention.lambda_init

    return compute


def read(theirs, **terms):
    return published.of_content(Content(Path("w.pt"), theirs.state_dict()), **terms)


def loaded(found):
    with torch.device("meta"):  # nothing is drawn that is overwritten at once
        ours = ViT(found.spec)
    ours.load_state_dict(found.tensors, assign=True)
    return ours


@pytest.mark.peer
def test_every_name_of_timms_two_modules_is_a_preset(timm):
    theirs = {name for module in ("vision_transformer", "deit") for name in timm.list_models(module=module)}
    assert theirs == set(NAMES)


@pytest.mark.peer
@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name not in SMALL)]
)
def test_every_name_says_the_same_and_comes_back(timm, name, normal):
    """With two blocks, and pictures of few patches: sizes follow the tensors where the name says otherwise."""
    patch = preset(name).patch_size[0]
    theirs = created(timm, name, img_size=4 * patch)
    found = read(theirs, model=name)
    assert found.spec.img_size == (4 * patch, 4 * patch)
    images = normal(1, 3, *found.spec.img_size)
    with torch.no_grad():
        said, expected = loaded(found)(images), theirs(images)
    torch.testing.assert_close(said, expected, rtol=1e-10, atol=1e-10)
    back, before = published.write(found.source, found.spec, found.tensors), theirs.state_dict()
    assert back.keys() == before.keys()
    assert all(torch.equal(back[key], before[key]) for key in before)


WITHOUT = {
    "head.bias=False": {"head": {"name": "linear", "bias": False}},
    "pos_embed.registers=False": {"num_registers": 1, "pos_embed": {"name": "learned", "registers": False}},
    "pool=cls_mean": {"pool": "cls_mean"},
}


@pytest.mark.parametrize(("said", "settings"), WITHOUT.items(), ids=WITHOUT)
def test_what_timm_has_not_is_not_written_for_it(said, settings, tiny_spec):
    spec = tiny_spec(**settings)
    preprocessing = Preprocessing(spec.img_size, "crop", (), (0.5,) * 3, (0.5,) * 3, tuple("abcde"))
    with pytest.raises(CheckpointError, match=f"timm has no {said}"):
        timm_source.Spec().texts(spec, preprocessing)


@pytest.fixture
def with_config(tiny_spec):
    """`with_config(model_args={…})`: what is made of small weights beside which these fields of config.json stand."""

    def make(**fields):
        spec = tiny_spec(img_size=[8, 8])
        config = {"architecture": "vit_base_patch16_224", "model_args": {"num_heads": spec.num_heads}, **fields}
        tensors = published.write(timm_source.Spec(), spec, ViT(spec).state_dict())
        return published.of_content(Content(Path("w.safetensors"), tensors, {"config.json": config}))

    return make


def test_one_number_in_config_json_is_both_sides(with_config):
    """As a model has it that was made with `timm.create_model(…, img_size=8)`."""
    assert with_config(model_args={"img_size": 8, "num_heads": 2}).spec.img_size == (8, 8)


@pytest.mark.parametrize(("told", "expected"), [("bilinear", "bilinear"), ("bicubic", "bicubic"), (None, "bicubic")])
def test_pictures_are_resized_as_config_json_says(told, expected, with_config, tiny_spec):
    found = with_config(pretrained_cfg={"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": told})
    assert found.preprocessing.interpolation == expected
    written = timm_source.Spec().texts(found.spec, found.preprocessing)["config.json"]
    assert written["pretrained_cfg"]["interpolation"] == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model_args": "x"}, "model_args='x': expected settings"),
        ({"model_args": {"img_size": "x"}}, "img_size='x': expected 2 values"),
        ({"model_args": {"num_heads": 2, "act_layer": "relu"}}, "act_layer='relu': possible: gelu, quick_gelu"),
        ({"model_args": {"num_heads": 2, "act_layer": ["x"]}}, "act_layer="),
        ({"pretrained_cfg": "x"}, "pretrained_cfg='x': expected settings"),
        *(
            ({"pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": crop}}, "crop_pct=")
            for crop in (0, "x", 1e-9, 2.0, None)
        ),
        ({"pretrained_cfg": {"mean": "x", "std": [0.5] * 3}}, "mean='x': expected numbers"),
        ({"pretrained_cfg": {"mean": [0.5] * 3}}, "std=None: expected numbers"),
        ({"pretrained_cfg": {"mean": [0.5], "std": [0.5]}}, "the model takes 3 channels"),
    ],
)
def test_a_config_json_that_cannot_be_is_refused_by_its_field(fields, said, with_config):
    with pytest.raises(CheckpointError, match=said):
        with_config(**fields)
