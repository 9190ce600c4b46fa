"""The record of a model's inside: what the other functions say, and what is left out by name."""

import numpy as np
import pytest
import torch

from tests.interpret.equipped import NAMES, equipped, pictures
from vitlab import interpret
from vitlab.interpret import inside
from vitlab.interpret.inside import look_inside, own_tokens, shown
from vitlab.records.inside import STEPS, read_inside


@pytest.fixture
def look(tiny_spec):
    """`look(**changed)`: a model of these settings, prepared images, and what was kept of them."""

    def looked(count=3, test=None, **changed):
        model = equipped(tiny_spec(**changed))
        images = model.prepare(pictures(model.spec, count))
        given = shown(model, images, tuple(map(str, range(count))), NAMES[:count])
        return model, images, look_inside(model, given, "tiny", test)

    return looked


def test_it_keeps_what_the_functions_say(look):
    model, images, found = look(num_registers=1, depth=2)
    arrays = found.arrays
    maps = interpret.attention_maps(model, images).transpose(0, 1).numpy()
    kept = arrays["attention"] / STEPS * arrays["attention_most"][..., None]
    np.testing.assert_allclose(kept, maps, atol=0.5 / STEPS * maps.max())
    flow = interpret.rollout(model, images).numpy()
    kept = arrays["rollout"] / STEPS * arrays["rollout_most"][..., None]
    np.testing.assert_allclose(kept, flow, atol=0.5 / STEPS * flow.max())
    np.testing.assert_allclose(arrays["distance"], interpret.attention_distance(model, images).mean(1), rtol=1e-5)
    np.testing.assert_allclose(arrays["entropy"], interpret.attention_entropy(model, images).mean(1), rtol=1e-5)
    norms = interpret.token_norms(model, images)
    np.testing.assert_allclose(arrays["norms"][:, 1], norms[:, :, 2:].amax((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(arrays["norms"][:, 3], norms[:, :, 1].mean(1), rtol=1e-5)
    np.testing.assert_allclose(arrays["logit_parts"].sum(1), arrays["logits"], rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        shares = model(images).softmax(-1)
    np.testing.assert_allclose(arrays["lens"][-1], shares, rtol=1e-4, atol=1e-6)
    assert found.told.says[0] == f"{NAMES[int(shares[0].argmax())]}, {float(shares[0].max()):.0%}"
    rolled = arrays["relevance"][found.told.methods.index("rollout")]
    np.testing.assert_allclose(rolled, interpret.relevance(model, images, "rollout").flatten(1), rtol=1e-5)
    assert (found.told.own, found.told.grid, found.told.pooled) == (("cls", "register 0"), (2, 3), (1, 1))
    assert np.abs(arrays["pictures"].astype(int) - np.stack(pictures(model.spec))).max() <= 1


def test_of_test_images_comes_what_needs_many(look, tiny_spec):
    spec = tiny_spec()
    images = equipped(spec).prepare(pictures(spec, 12))
    _, _, found = look(test=lambda: [(images[:8], torch.arange(8) % 5), (images[8:11], torch.arange(3))])
    assert found.arrays["cka"].shape == (3, 3)
    assert found.told.shuffled["images"] == 11
    assert "cka" not in found.told.missing


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"mixer": "fft"}, {"attention", "rollout", "distance", "entropy", "gradient_attention"}),
        ({"num_classes": 0}, {"lens", "logit_parts", "occlusion", "rollout"}),
        ({"pos_embed": "none"}, {"positions"}),
        ({"attention": "sigmoid"}, {"rollout", "distance", "entropy"}),
        ({"cls_token": False, "pool": "mean"}, set()),
        ({"img_size": [8, 32], "patch_size": [4, 4]}, set()),
    ],
)
def test_what_a_model_has_not_is_left_out_by_name(look, changed, missing):
    model, _, found = look(**changed)
    assert missing <= {*found.told.missing}
    assert len(own_tokens(model)) == model.num_prefix_tokens
    assert "norms" in found.arrays


def test_large_models_have_their_keys_pooled(look, monkeypatch):
    """Whole, this would be 3 pictures · 1 block · 2 heads · 65 queries · 65 keys; of squares of 2 × 2 it is 17 keys."""
    monkeypatch.setattr(inside, "_MOST", 3 * 2 * 65 * 20)
    model, images, found = look(img_size=[16, 16], patch_size=[2, 2], depth=1)
    assert (found.told.pooled, found.told.keys) == ((2, 2), (4, 4))
    grid = interpret.grid_of(model)
    row = interpret.attention_maps(model, images[:1], layers=[0], heads=[1], queries=[5])[0, 0, 0, 0]
    squares = grid.fold(row).unflatten(1, (4, 2)).unflatten(0, (4, 2)).mean((1, 3))
    kept = found.arrays["attention"][0, 0, 1, 5] / STEPS * found.arrays["attention_most"][0, 0, 1, 5]
    np.testing.assert_allclose(kept[1:].reshape(4, 4), squares, atol=0.6 / STEPS * float(kept.max()))
    np.testing.assert_allclose(kept[0], row[0], atol=0.6 / STEPS * float(kept.max()))


def test_it_is_written_and_read(look, tmp_path):
    _, _, found = look()
    assert found.write(tmp_path).name == "inside.npz"
    back = read_inside(tmp_path)
    assert back.told == found.told
    assert back.arrays.keys() == found.arrays.keys()
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], values)
