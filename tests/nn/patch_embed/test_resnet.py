import math

import pytest
import torch
from torch.nn.functional import conv2d, group_norm, max_pool2d

from vitlab.base.spec import with_settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT
from vitlab.nn.patch_embed import resnet

pytestmark = pytest.mark.usefixtures("double")

AS_TIMM = {"weight_standardisation": "timm", "norm_eps": 1e-5}


# --------------------------------------------------------------------------------------------------------- its parts


def test_padding_is_tensorflows_same():
    """Every output's window starts at stride · index - before; all that exists is covered, and no output is missing."""
    for size in range(1, 20):
        for kernel, stride in ((1, 1), (3, 1), (7, 2), (3, 2), (1, 2), (2, 3)):
            before, behind = resnet.same_padding(size, kernel, stride)
            outputs = (size + before + behind - kernel) // stride + 1
            assert outputs == math.ceil(size / stride)
            assert behind - before in (0, 1)
            needed = (outputs - 1) * stride + kernel - size
            assert before + behind == max(needed, 0)


def same_by_hand(x, kernel, stride, value=0.0):
    """Windows [B, C, rows, columns, k, k] of SAME padding, index by index."""
    sizes = x.shape[-2:]
    outputs = [math.ceil(size / stride) for size in sizes]
    starts = [-(max((o - 1) * stride + kernel - s, 0) // 2) for o, s in zip(outputs, sizes, strict=True)]
    found = x.new_full((*x.shape[:2], *outputs, kernel, kernel), value)
    for row in range(outputs[0]):
        for column in range(outputs[1]):
            for i in range(kernel):
                for j in range(kernel):
                    y, z = row * stride + starts[0] + i, column * stride + starts[1] + j
                    if 0 <= y < sizes[0] and 0 <= z < sizes[1]:
                        found[:, :, row, column, i, j] = x[:, :, y, z]
    return found


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (5, 6), (1, 3)])
@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (3, 2), (1, 2), (3, 1), (1, 1)])
@pytest.mark.parametrize("how", ["official", "timm"])
def test_a_convolution_is_its_formula(size, kernel, stride, how, normal, randomise):
    layer, x = randomise(resnet.StdConv(3, 4, kernel, stride, how)), normal(2, 3, *size)
    weight = torch.empty_like(layer.weight)
    for channel, values in enumerate(layer.weight):
        variance = ((values - values.mean()) ** 2).mean()
        divisor = variance.sqrt() + 1e-5 if how == "official" else (variance + 1e-8).sqrt()
        weight[channel] = (values - values.mean()) / divisor
    expected = torch.einsum("bcrsij,dcij->bdrs", same_by_hand(x, kernel, stride), weight)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (10, 13), (9, 5)])
def test_the_stem_pads_as_tensorflow_does(size, normal, randomise):
    stem, images = randomise(resnet.Stem(resnet.Layers("official", 1e-6), 3)), normal(2, 3, *size)
    x = group_norm(stem.conv(images), 32, stem.norm.weight, stem.norm.bias, 1e-6).clamp(min=0)
    expected = same_by_hand(x, 3, 2, value=-math.inf).flatten(-2).amax(-1)
    torch.testing.assert_close(stem(images), expected, rtol=0, atol=1e-12)


def test_the_two_standardisations_differ_by_little_and_not_by_nothing(normal):
    weight = 0.02 * normal(64, 32, 3, 3)
    official, timm = resnet.standardised(weight, "official"), resnet.standardised(weight, "timm")
    assert 1e-5 < (official - timm).abs().max() < 1e-2


@pytest.mark.parametrize("how", ["official", "timm"])
def test_a_filter_of_equal_values_is_zero_and_has_a_finite_gradient(how):
    weight = torch.full((2, 4, 3, 3), 0.5, requires_grad=True)
    found = resnet.standardised(weight, how)
    found.square().sum().backward()
    assert torch.equal(found, torch.zeros_like(found))
    assert weight.grad.isfinite().all()


def test_every_bottleneck_starts_as_its_shortcut(normal):
    block = resnet.Bottleneck(resnet.Layers("official", 1e-6), 128, 128, 1, changes=False)
    x = normal(2, 128, 4, 6)
    assert torch.equal(block(x), x.relu())


@pytest.mark.parametrize(
    ("patch_size", "stages"), [(4, (3,)), (8, (3, 4)), (16, (3, 4, 9)), (48, (3, 4, 9)), (32, (3, 4, 6, 3))]
)
def test_stages_follow_the_patch_and_the_projection_is_what_is_left_of_it(patch_size, stages, tiny_dims):
    dims = tiny_dims(patch_size=patch_size, img_size=[2 * patch_size, 3 * patch_size])
    with torch.device("meta"):
        embed = resnet.Spec().build(dims)
        tokens = embed(torch.zeros(2, 3, *dims.img_size))
    assert tuple(len(stage.blocks) for stage in embed.backbone.stages) == stages
    assert embed.proj.kernel_size == embed.proj.stride == (patch_size // (2 << len(stages)),) * 2
    assert tokens.shape == (2, 6, 16)


# ---------------------------------------------------------------------------------------------------- whole and peers


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stages", "img_size", "ten", "hundred"),
    [
        ("B/16", None, 224, 97_897_802, 97_967_012),
        ("B/16", None, 384, 98_189_642, 98_258_852),
        ("L/32", None, 224, 327_980_106, 328_072_356),
        ("L/32", None, 384, 328_077_386, 328_169_636),
        ("S/32", [2, 2, 2, 2], 224, 36_050_762, 36_085_412),
    ],
)
def test_the_papers_hybrids_have_their_parameters(name, stages, img_size, ten, hundred):
    for classes, expected in ((10, ten), (100, hundred)):
        changed = {"img_size": img_size, "num_classes": classes, "patch_embed": {"name": "resnet", "stages": stages}}
        with torch.device("meta"):
            model = ViT(with_settings(preset(name), changed))
        assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_it_is_what_the_equations_say(tiny_spec, normal, randomise):
    """Two stages written out in one go, from the parameters' names, on an image that is not square."""
    spec = tiny_spec(patch_embed={"name": "resnet", "stages": [2, 1]}, img_size=[16, 32], patch_size=[8, 16])
    embed, images = randomise(spec.patch_embed.build(spec.dims())), normal(2, 3, 16, 32)
    p = dict(embed.named_parameters())

    def conv(x, name, stride=1):
        w = p[f"{name}.weight"]
        w = w - w.mean((1, 2, 3), keepdim=True)
        w = w / (w.square().mean((1, 2, 3), keepdim=True).sqrt() + 1e-5)
        return torch.einsum("bcrsij,dcij->bdrs", same_by_hand(x, w.shape[-1], stride), w)

    def norm(x, name):
        return group_norm(x, 32, p[f"{name}.weight"], p[f"{name}.bias"], 1e-6)

    def block(x, at, stride, changes):
        shortcut = norm(conv(x, f"{at}.downsample.conv", stride), f"{at}.downsample.norm") if changes else x
        x = norm(conv(x, f"{at}.conv1"), f"{at}.norm1").relu()
        x = norm(conv(x, f"{at}.conv2", stride), f"{at}.norm2").relu()
        return (shortcut + norm(conv(x, f"{at}.conv3"), f"{at}.norm3")).relu()

    x = norm(conv(images, "backbone.stem.conv", 2), "backbone.stem.norm").relu()
    x = max_pool2d(torch.nn.functional.pad(x, (0, 1, 0, 1), value=-math.inf), 3, 2)
    x = block(x, "backbone.stages.0.blocks.0", 1, True)
    x = block(x, "backbone.stages.0.blocks.1", 1, False)
    x = block(x, "backbone.stages.1.blocks.0", 2, True)
    x = conv2d(x, p["proj.weight"], p["proj.bias"], stride=(1, 2))
    torch.testing.assert_close(embed(images), x.flatten(2).transpose(1, 2), rtol=0, atol=1e-10)


@pytest.fixture
def timm():
    return pytest.importorskip("timm")


@pytest.mark.peer
@pytest.mark.parametrize("size", [(32, 48), (33, 47), (35, 31)])
def test_its_feature_map_is_timms_at_any_size(size, timm, normal, randomise):
    """Odd sizes too, which a whole model does not meet: padding is a matter of the size at hand."""
    from functools import partial

    from timm.layers import StdConv2dSame
    from timm.models.resnetv2 import ResNetV2

    theirs = ResNetV2(
        layers=(2, 1, 1),
        num_classes=0,
        global_pool="",
        preact=False,
        stem_type="same",
        conv_layer=partial(StdConv2dSame, eps=1e-8),
    )
    randomise(theirs)
    ours = resnet.Backbone(resnet.Layers("timm", 1e-5), 3, (2, 1, 1))
    ours.load_state_dict(theirs.state_dict())
    images = normal(2, 3, *size)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize(
    ("theirs", "ours", "stages"),
    [
        ("vit_small_r26_s32_224", "vit_small_patch32_224", [2, 2, 2, 2]),
        ("vit_base_r50_s16_224", "vit_base_patch16_224", None),
    ],
)
def test_logits_are_timms(theirs, ours, stages, timm, normal, randomise):
    small = {"img_size": 64, "depth": 1, "num_classes": 7}
    peer = randomise(timm.create_model(theirs, pretrained=False, **small)).eval()
    settings = small | {"patch_embed": {"name": "resnet", "stages": stages} | AS_TIMM}
    with torch.device("meta"):
        model = ViT(with_settings(preset(ours), settings))
    model.load_state_dict(peer.state_dict(), assign=True)
    images = normal(2, 3, 64, 64)
    with torch.no_grad():
        expected = peer(images)
        torch.testing.assert_close(model(images), expected, rtol=0, atol=1e-10)
        official = ViT(with_settings(model.spec, {"patch_embed": {"name": "resnet", "stages": stages}}))
        official.load_state_dict(model.state_dict())
        difference = (official(images) - expected).abs().max() / expected.abs().max()
    assert 1e-9 < difference < 1e-2
