"""timm's models, by timm's names: all of its modules `vision_transformer` and `deit`, and the hybrids.

Facts are timm 1.0.31's (`timm/models/vision_transformer.py`, `deit.py`); papers are named where a family is.
"""

from vitlab.models.presets._family import SHAPES, Family, Prepared, Settings, sized
from vitlab.models.presets._google import STAGES

_FINER = {"name": "layer", "eps": 1e-5}  # PyTorch's own eps, where the others have 1e-6
_TANH = {"name": "gelu", "approximate": "tanh"}
_PATCHES_ONLY = {"name": "learned", "prefix": False}  # positions of patches; the prefix tokens have none
_NO_CLS = {"cls_token": False, "pool": "mean"}
_MEAN = _NO_CLS | {"final_norm": "after_pool"}
_CLIP = {"norm_pre": True, "norm": _FINER, "patch_embed": {"name": "linear", "bias": False}}
_SIGLIP = {"cls_token": False, "pool": "attention"}
_REGISTERS_UNREAD = {"num_registers": 4, "cls_token": False, "pool": {"name": "attention", "prefix": False}}
_DINO = {"layer_scale": 1e-5}
_GATED = {"mlp": "packed_swiglu"}
_AIM = {
    "norm": {"name": "rms", "eps": 1e-5},
    "patch_embed": {"name": "linear", "norm": True},
    "mlp": "swiglu",
    "qkv_bias": False,
    "proj_bias": False,
    "mlp_bias": False,
}
_XP = {
    "norm_pre": True,
    "patch_embed": {"name": "linear", "bias": False},
    "pos_embed": _PATCHES_ONLY,
    "norm": "rms",
    "block": {"name": "parallel", "joint": True},
    "qkv_bias": False,
    "qk_norm": True,
}
_BEIT3 = {"scale_attn_norm": True, "scale_mlp_norm": True, "norm": _FINER, "pool": "mean", "final_norm": "after_pool"}
_WIDE_GIANT = {"giant": (1536, 40, 24, 16 / 3)}  # DINOv2's, of which two thirds of a gated MLP are in the middle


def _registers(number: int) -> Settings:
    return {"num_registers": number, "pos_embed": _PATCHES_ONLY}


def _registers_and_mean(number: int) -> Settings:
    return _MEAN | _registers(number) | _DINO


FAMILIES = (
    # the ViTs of the paper and of AugReg (arXiv 2010.11929, 2106.10270), and of ViT-G (2106.04560)
    Family(
        "vit_{size}_patch{patch}_{pixels}",
        "tiny/16@224,384 small/32@224,384 small/16@224,384 small/8@224 medium/32@224 medium/16@224 base/32@224,384 "
        "base/16@224,384 base/8@224 large/32@224,384 large/16@224,384 large/14@224 huge/14@224,518 giant/14@224 "
        "gigantic/14@224",
        {},
    ),
    # DeiT (arXiv 2012.12877), DeiT III (2204.07118), three things everyone should know (2203.09795)
    Family("deit_{size}_patch{patch}_{pixels}", "tiny/16@224 small/16@224 base/16@224,384", {}, "imagenet"),
    Family(
        "deit_{size}_distilled_patch{patch}_{pixels}",
        "tiny/16@224 small/16@224 base/16@224,384",
        {"dist_token": True},
        "imagenet",
    ),
    Family(
        "deit3_{size}_patch{patch}_{pixels}",
        "small/16@224,384 medium/16@224 base/16@224,384 large/16@224,384 huge/14@224",
        {"pos_embed": _PATCHES_ONLY, "layer_scale": 1e-6},
        "imagenet",
    ),
    Family("vit_{size}_patch{patch}_36x1_{pixels}", "small/16@224", _DINO, shapes={"small": (384, 36, 6, 4.0)}),
    Family(
        "vit_{size}_patch{patch}_18x2_{pixels}",
        "small/16@224 base/16@224",
        _DINO | {"block": "parallel_things"},
        shapes={"small": (384, 18, 6, 4.0), "base": (768, 18, 12, 4.0)},
    ),
    # CLIP (arXiv 2103.00020, 2212.07143), SigLIP (2303.15343, 2502.14786)
    Family(
        "vit_{size}_patch{patch}_clip_{pixels}",
        "xsmall/16@224 medium/32@224 medium/16@224 betwixt/32@224 base/32@224,256,384,448 base/16@224,384 "
        "large/14@224,336 huge/14@224,336,378 giant/14@224 gigantic/14@224,378",
        _CLIP,
        "clip",
    ),
    Family(
        "vit_{size}_patch{patch}_clip_quickgelu_{pixels}",
        "base/32@224 base/16@224 large/14@224,336 huge/14@224,378 gigantic/14@224",
        _CLIP | {"mlp": "quick_gelu"},
        "clip",
        1.0,
    ),
    Family(
        "vit_{size}_patch{patch}_plus_clip_{pixels}",
        "base/16@240",
        _CLIP,
        "clip",
        1.0,
        shapes={"base": (896, 12, 14, 4.0)},
    ),
    Family(
        "vit_{size}_patch{patch}_siglip_{pixels}",
        "base/16@224,256,384,512 large/16@256,384 so400m/14@224,378,384",
        _SIGLIP,
    ),
    Family(
        "vit_{size}_patch{patch}_siglip_{pixels}",
        "base/32@256 large/16@512 so400m/16@256,384,512 giantopt/16@256,384",
        _SIGLIP | {"mlp": _TANH},
    ),
    Family(
        "vit_{size}_patch{patch}_siglip_gap_{pixels}",
        "base/16@224,256,384,512 large/16@256,384 so400m/14@224,378,384,448,896",
        _NO_CLS,
    ),
    Family(
        "vit_{size}_patch{patch}_siglip_gap_{pixels}",
        "base/32@256 large/16@512 so400m/16@256,384,512 giantopt/16@256,384",
        _NO_CLS | {"mlp": _TANH},
    ),
    # DINOv2 and its registers (arXiv 2304.07193, 2309.16588), TIPS v2, RADIO (2312.06709)
    Family(
        "vit_{size}_patch{patch}_dinov2",
        "small/14@518 base/14@518 large/14@518",
        _DINO,
        "imagenet",
    ),
    Family("vit_{size}_patch{patch}_dinov2", "giant/14@518", _DINO | _GATED, "imagenet", shapes=_WIDE_GIANT),
    Family(
        "vit_{size}_patch{patch}_reg4_dinov2",
        "small/14@518 base/14@518 large/14@518",
        _DINO | _registers(4),
        "imagenet",
    ),
    Family(
        "vit_{size}_patch{patch}_reg4_dinov2",
        "giant/14@518",
        _DINO | _registers(4) | _GATED,
        "imagenet",
        shapes=_WIDE_GIANT,
    ),
    Family(
        "vit_{size}_patch{patch}_reg1_tipsv2",
        "base/14@448 large/14@448 so400m/14@448",
        {"layer_scale": 1.0} | _registers(1),
        "as they are",
    ),
    Family(
        "vit_{size}_patch{patch}_reg1_tipsv2",
        "giant/14@448",
        {"layer_scale": 1.0} | _registers(1) | _GATED,
        "as they are",
        shapes=_WIDE_GIANT,
    ),
    Family(
        "vit_{size}_patch{patch}_radio_v3",
        "base/16@512 large/16@512",
        _DINO | _registers(7) | {"final_norm": "none"},
        "clip",
    ),
    Family(
        "vit_{size}_patch{patch}_radio_v3",
        "huge/16@512 giant/16@512",
        _registers(7) | {"final_norm": "none"},
        "clip",
        shapes={"giant": (1536, 40, 24, 4.0)},
    ),
    Family(
        "vit_{size}_patch{patch}_radio_v4",
        "so400m/16@512 huge/16@512",
        _registers(9) | {"final_norm": "none"},
        "clip",
    ),
    # the mean of the patches: I-JEPA's (arXiv 2301.08243), and timm's own
    Family("vit_{size}_patch{patch}_gap_{pixels}", "huge/14@224 huge/16@448 giant/16@224", _NO_CLS, "imagenet"),
    Family("vit_{size}_patch{patch}_gap_{pixels}", "base/16@224", _NO_CLS, shapes={"base": (768, 12, 16, 4.0)}),
    Family(
        "vit_{size}_patch{patch}_gap_{pixels}",
        "medium/16@240,256,384 betwixt/16@256",
        _NO_CLS | {"qkv_bias": False, "layer_scale": 1e-6},
        crop=0.95,
    ),
    Family("vit_{size}_patch{patch}_reg4_gap_{pixels}", "base/16@256", _MEAN | _registers(4)),
    Family(
        "vit_{size}_patch{patch}_reg4_gap_{pixels}",
        "little/16@256 medium/16@256 mediumd/16@256,384 betwixt/16@256,384",
        _registers_and_mean(4),
        crop=0.95,
    ),
    Family(
        "vit_{size}_patch{patch}_reg1_gap_{pixels}",
        "wee/16@256 little/16@256 medium/16@256 betwixt/16@256",
        _registers_and_mean(1),
        crop=0.95,
    ),
    Family(
        "vit_{size}_patch{patch}_reg1_gap_{pixels}",
        "pwee/16@256",
        _registers_and_mean(1) | {"block": {"name": "parallel", "joint": True}},
        crop=0.95,
    ),
    Family(  # an attention head of timm's is two of ours
        "vit_d{size}_patch{patch}_reg1_gap_{pixels}",
        "wee/16@256 little/16@256",
        _registers_and_mean(1) | {"mixer": "differential"},
        crop=0.95,
        shapes={"wee": (256, 14, 8, 5.0), "little": (320, 14, 10, 5.6)},
    ),
    Family(
        "vit_d{size}_patch{patch}_reg1_gap_{pixels}",
        "pwee/16@256",
        _registers_and_mean(1)
        | {"mixer": "differential", "block": {"name": "parallel", "joint": True}, "proj_bias": False},
        crop=0.95,
        shapes={"pwee": (256, 16, 8, 5.0)},
    ),
    Family("vit_{size}_patch{patch}_reg4_gap_{pixels}", "so150m/16@256,384", _NO_CLS | {"num_registers": 4}, crop=0.95),
    Family("vit_{size}_patch{patch}_reg4_map_{pixels}", "so150m/16@256", _REGISTERS_UNREAD),
    Family(
        "vit_{size}_patch{patch}_reg1_gap_{pixels}",
        "so150m2/16@256,384,448",
        _MEAN | _DINO | {"num_registers": 1, "qkv_bias": False},
        crop=1.0,
    ),
    # what changes one thing: residual-post-norm, ViT-22B's block (arXiv 2302.05442), another width, no biases
    Family(
        "vit_{size}_patch{patch}_rpn_{pixels}",
        "base/16@224",
        _MEAN | {"block": "res_post_norm", "qkv_bias": False},
    ),
    Family("vit_{size}_patch{patch}_xp_{pixels}", "base/16@224 large/14@224 huge/14@224", _XP),
    Family(
        "vit_{size}_patch{patch}_plus_{pixels}",
        "base/32@256 base/16@240",
        _DINO,
        crop=0.95,
        shapes={"base": (896, 12, 14, 4.0)},
    ),
    Family("vit_{size}_patch{patch}_{pixels}_miil", "base/16@224", {"qkv_bias": False}, "as they are", 0.875),
    # BEiT v3 (arXiv 2208.10442), EVA (2211.07636), FlexiViT (2212.08013), AIMv2 (2411.14402), InternViT (2312.14238)
    Family("beit3_{size}_patch{patch}_{pixels}", "base/16@224 large/16@224 giant/14@224,336", _BEIT3, "imagenet", 1.0),
    Family(
        "eva_{size}_patch{patch}_{pixels}",
        "large/14@196,336",
        {"pool": "mean", "final_norm": "after_pool"},
        "clip",
        1.0,
    ),
    Family("flexivit_{size}", "small/16@240 base/16@240 large/16@240", {"pos_embed": _PATCHES_ONLY}, crop=0.95),
    Family(
        "aimv2_{size}_patch{patch}_{pixels}",
        "large/14@224,336,448 huge/14@224,336,448 1b/14@224,336,448 3b/14@224,336,448",
        _NO_CLS | _AIM,
        "clip",
        1.0,
        shapes={
            "large": (1024, 24, 8, 2.75),
            "huge": (1536, 24, 12, 8 / 3),
            "1b": (2048, 24, 16, 2.75),
            "3b": (3072, 24, 24, 8 / 3),
        },
    ),
    Family(
        "vit_{size}_patch{patch}_{pixels}",
        "intern300m/14@448",
        {"layer_scale": 0.1, "final_norm": "none"},
        "imagenet",
        shapes={"intern300m": (1024, 24, 16, 4.0)},
    ),
    # small enough to try things with
    Family("test_vit", "test/16@160", {}, crop=0.95, shapes={"test": (64, 6, 2, 3.0)}),
    Family(
        "test_vit2",
        "test/16@160",
        _MEAN | _DINO | {"num_registers": 1},
        crop=0.95,
        shapes={"test": (64, 8, 2, 3.0)},
    ),
    Family(
        "test_vit3",
        "test/16@160",
        {"cls_token": False, "pool": "attention"} | _DINO | {"num_registers": 1},
        crop=0.95,
        shapes={"test": (96, 9, 3, 2.0)},
    ),
    Family(
        "test_vit4",
        "test/16@160",
        _MEAN | _DINO | {"num_registers": 1, "norm": "rms"},
        crop=0.95,
        shapes={"test": (96, 9, 3, 3.0)},
    ),
)

# a ResNet's depth, a size, its whole stride; R50 of stride 16 has no fourth stage: its blocks stand in the third
HYBRIDS = (("r26", "small", 32), ("r50", "base", 16), ("r50", "large", 32))
_HYBRID_PIXELS = (224, 384)


def presets() -> dict[str, Settings]:
    """Every name of timm's two modules, and those of its hybrids: ViTs on a ResNet's feature map, each of whose pixels
    is a patch, so that `patch_size` is the ResNet's stride.
    """
    named = dict(preset for family in FAMILIES for preset in family.presets())
    for resnet, size, stride in HYBRIDS:
        for pixels in _HYBRID_PIXELS:
            named[f"vit_{size}_{resnet}_s{stride}_{pixels}"] = sized(SHAPES[size], stride, pixels) | {
                "patch_embed": {"name": "resnet", "stages": STAGES[resnet, stride]},
            }
    return named


def prepared(name: str) -> Prepared:
    """How the pictures of a preset were prepared, if it is one of timm's with weights; as is usual of a ViT if not."""
    for family in FAMILIES:
        for member, settings in family.presets():
            if member == name:
                return family.prepared(settings["img_size"][0])
    return FAMILIES[0].prepared(224)
