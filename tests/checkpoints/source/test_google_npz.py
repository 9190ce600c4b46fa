"""Google's weights, against its published code in NumPy."""

import numpy as np
import pytest
import torch

from tests.checkpoints.source import by_hand
from tests.checkpoints.source.jax_by_hand import STAGES, big_vision_says, drawn, shapes, vit_jax_says
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import published


def read(arrays, **terms):
    return by_hand.read({name: torch.from_numpy(array) for name, array in arrays.items()}, **terms)


def pictures(count, size):
    """[B, H, W, C], as JAX has them"""
    return np.random.default_rng(1).standard_normal((count, size, size, 3))


def check_says(found, images, expected):
    by_hand.check_says(found, torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(expected))


def check_comes_back(found, arrays):
    by_hand.check_comes_back(found, {name: torch.from_numpy(array) for name, array in arrays.items()})


@pytest.mark.parametrize("pool", ["tok", "gap"])
@pytest.mark.parametrize("representation", [None, 24, 16])
def test_vit_jax_says_the_same_and_comes_back(pool, representation):
    theirs, images = drawn(shapes(pool=pool, representation=representation)), pictures(3, 12)
    found = read(theirs)
    assert (found.source.name, found.spec.num_heads, found.spec.mlp.approximate) == ("google_npz", 3, "tanh")
    assert found.spec.head.name == ("mlp" if representation else "linear")
    check_says(found, images, vit_jax_says(theirs, images))
    check_comes_back(found, theirs)


def test_heads_are_as_wide_as_their_kernels():
    theirs, images = drawn(shapes(heads=2, channels=10)), pictures(2, 12)
    found = read(theirs)
    assert (found.spec.num_heads, found.spec.head_dim) == (2, 10)
    check_says(found, images, vit_jax_says(theirs, images))
    check_comes_back(found, theirs)


@pytest.mark.parametrize(("kind", "pool"), [("R26-like", "tok"), ("R50+B/16-like", "tok"), ("R50+B/16-like", "gap")])
def test_hybrids_say_the_same_and_come_back(kind, pool):
    stages = STAGES[kind]
    size = 4 << len(stages)  # two patches a side
    theirs, images = drawn(shapes(pool=pool, stages=stages, tokens=4)), pictures(2, size)
    found = read(theirs)
    assert found.spec.patch_embed.stages == stages
    assert (found.spec.img_size, found.spec.patch_size) == ((size, size), (size // 2, size // 2))
    check_says(found, images, vit_jax_says(theirs, images))
    check_comes_back(found, theirs)


def test_group_norms_of_the_older_shape_are_read(tmp_path):
    theirs, images = drawn(shapes(stages=(1,), tokens=4)), pictures(2, 8)
    older = {name: array.reshape(1, 1, 1, -1) if "gn" in name else array for name, array in theirs.items()}
    np.savez(tmp_path / "R50.npz", **older)
    found = published.read(tmp_path / "R50.npz")
    check_says(found, images, vit_jax_says(theirs, images))
    check_comes_back(found, theirs)


@pytest.mark.parametrize("pool", ["tok", "gap", "map"])
@pytest.mark.parametrize("representation", [None, 16])
def test_big_vision_says_the_same(pool, representation):
    theirs, images = drawn(shapes("big_vision", pool, representation=representation)), pictures(3, 12)
    found = read(theirs)
    assert (found.source.name, found.spec.cls_token) == ("google_npz", pool == "tok")
    check_says(found, images, big_vision_says(theirs, images))
    back = {name: each.numpy() for name, each in published.write(found.source, found.spec, found.tensors).items()}
    if pool == "gap":  # which is written in the older form
        np.testing.assert_allclose(vit_jax_says(back, images), big_vision_says(theirs, images), rtol=0, atol=1e-12)
    else:
        check_comes_back(found, theirs)


@pytest.mark.parametrize(
    ("folder", "beside"),
    [
        ("params/", "opt/0/mu"),
        ("opt/target/", "opt/state/step"),
        ("params/img/", "params/txt/head/kernel"),
        ("img/", "t"),
    ],
)
@pytest.mark.parametrize("stacked", [False, True])
def test_a_training_and_a_larger_model_hold_it_in_a_folder_perhaps_stacked(folder, beside, stacked):
    theirs, images = drawn(shapes("big_vision", "map", classes=0)), pictures(2, 12)
    kept = scanned(theirs) if stacked else theirs
    found = read({folder + name: array for name, array in kept.items()} | {beside: np.ones(2)})
    assert any("left out, beside the model: 1 tensor" in note for note in found.notes)
    check_says(found, images, big_vision_says(theirs, images))
    check_comes_back(found, theirs)


def scanned(theirs):
    """As `pyloop_to_scan` of big_vision makes it: all blocks as one, along a first axis."""
    blocks = [name for name in theirs if "encoderblock_0/" in name]
    stacks = {
        name.replace("_0/", "/", 1): np.stack([theirs[name.replace("_0/", f"_{i}/", 1)] for i in range(2)])
        for name in blocks
    }
    return stacks | {name: array for name, array in theirs.items() if "encoderblock_" not in name}


def test_positions_that_stood_in_the_encoder_are_read():
    theirs, images = drawn(shapes("big_vision", "gap")), pictures(2, 12)
    older = {name.replace("pos_embedding", "Transformer/pos_embedding"): array for name, array in theirs.items()}
    check_says(read(older), images, big_vision_says(theirs, images))


def test_a_preset_by_googles_name_is_taken_at_its_word_but_for_what_the_file_says():
    found = read(drawn(shapes(heads=3)), model="B/16")
    assert (found.spec.num_heads, found.spec.depth, found.spec.patch_size) == (3, 2, (4, 4))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"pos_embedding": None}, "missing there: pos_embed.weight"),
        ({"Transformer/encoderblock_0/Other/kernel": (2, 2)}, "without a place here: Transformer/encoderblock_0/Other"),
        ({"Transformer/encoderblock/Other/kernel": ()}, "not laid out as Google checkpoints are"),
        ({"Transformer/encoder_norm/scale": (3,)}, "norm.weight is 3 there and 24 here"),
        ({"Transformer/encoderblock_0/MultiHeadDotProductAttention_0/query/kernel": (2,)}, "cannot be made of"),
    ],
)
def test_what_does_not_match_is_named(shape, said):
    changed = {name: each for name, each in (shapes("big_vision") | shape).items() if each is not None}
    with pytest.raises(CheckpointError, match=said):
        read({name: np.ones(each) for name, each in changed.items()})


def test_a_stem_without_stages_is_refused():
    theirs = {name: array for name, array in drawn(shapes(stages=(1,))).items() if not name.startswith("block1/")}
    with pytest.raises(CheckpointError, match="at least one"):
        read(theirs)


def test_pictures_are_squeezed_into_a_square_and_normalised_to_one():
    ready = read(drawn(shapes())).preprocessing
    assert (ready.img_size, ready.fit, ready.ops, set(ready.mean + ready.std)) == ((12, 12), "squash", (), {0.5})


@pytest.mark.peer
@pytest.mark.parametrize(("form", "pool"), [("vit_jax", "tok"), ("big_vision", "map")])
def test_timm_reads_the_same_numbers(form, pool, tmp_path):
    """A second reader of these files: all tensors are equal."""
    models = pytest.importorskip("timm.models.vision_transformer")
    theirs = drawn(shapes(form, pool, hidden=96), np.float32)
    np.savez(tmp_path / "w.npz", **theirs)
    size = {"img_size": 12, "patch_size": 4, "embed_dim": 24, "depth": 2, "num_heads": 3, "num_classes": 5}
    kind = {"class_token": pool == "tok", "global_pool": pool.replace("tok", "token")}
    peer = models.VisionTransformer(**size, **kind)
    peer.load_pretrained(str(tmp_path / "w.npz"))
    found = published.read(tmp_path / "w.npz")
    expected = {"pos_embed.weight" if name == "pos_embed" else name: each for name, each in peer.state_dict().items()}
    expected = {name.replace("attn_pool.", "pool."): each for name, each in expected.items()}
    assert found.tensors.keys() == expected.keys()
    assert all(torch.equal(found.tensors[name], expected[name]) for name in expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stages", "size"),
    [
        ((), {"width": 1024, "depth": 24, "heads": 16, "channels": 64, "hidden": 4096, "patch": 16}),  # L/16
        ((3, 4, 9), {"width": 768, "depth": 12, "heads": 12, "channels": 64, "hidden": 3072}),  # R50+B/16
    ],
)
def test_full_size_in_single_precision(stages, size):
    """Ours computes in float32, the definition in double: logits, of the size of one, agree to 1e-4 (2e-6 and 2e-5)."""
    theirs, images = drawn(shapes(stages=stages, classes=1000, tokens=196, **size), np.float32), pictures(1, 224)
    found = read(theirs)
    with torch.no_grad():
        said = by_hand.loaded(found)(torch.from_numpy(images).float().permute(0, 3, 1, 2))
    np.testing.assert_allclose(said.numpy(), vit_jax_says(theirs, images), rtol=0, atol=1e-4)
    check_comes_back(found, theirs)
