"""Activation patching: what must come back, and what cannot."""

import pytest
import torch

from vitlab.base.errors import SpecError, UserError
from vitlab.interpret.patching import activation_patching
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(num_registers=1, depth=3))).eval()


@pytest.fixture
def pair(normal):
    """Two pictures that differ in the patch of row 1 and column 2, the last of 8 tokens."""
    clean = normal(3, 8, 12)
    changed = clean.clone()
    changed[:, 4:, 8:] = normal(3, 4, 4)
    return clean, changed


def test_before_the_first_block_the_changed_patch_carries_everything(model, pair):
    found = activation_patching(model, *pair)
    assert found.places == ("blocks.0.in", "blocks.1.in", "blocks.2.in")
    expected = torch.zeros(8)
    expected[7] = 1
    torch.testing.assert_close(found.restored[0], expected, rtol=0, atol=1e-9)


def test_behind_all_mixing_only_what_the_head_reads_carries_anything(tiny_spec, randomise, pair):
    model = randomise(ViT(tiny_spec(pool="cls", depth=2))).eval()
    found = activation_patching(model, *pair, where="mlp").restored[-1]
    assert abs(found[0]) > 1e-3
    assert found[1:].abs().max() < 1e-9


@pytest.mark.parametrize(("where", "part"), [("mixer", "attn"), ("mlp", "mlp")])
def test_one_place_by_hand(model, pair, where, part):
    """The second block, computed here from its parts."""
    clean, changed = (image[None] for image in pair)
    found = activation_patching(model, *pair, where, (0, 3))
    block, kept = model.blocks[1], {}
    with torch.no_grad():
        hook = getattr(block, part).register_forward_hook(lambda module, given, out: kept.setdefault("clean", out))
        best = model(clean)[0]
        hook.remove()
        worst = model(changed)[0]
        for token in (0, 4):

            def put(module, given, out, token=token):
                out = out.clone()
                out[:, token] = kept["clean"][:, token]
                return out

            hook = getattr(block, part).register_forward_hook(put)
            said = model(changed)[0]
            hook.remove()
            ends = (best[0] - best[3], worst[0] - worst[3])
            expected = (said[0] - said[3] - ends[1]) / (ends[0] - ends[1])
            assert float(found.restored[1, token]) == pytest.approx(float(expected), abs=1e-9)
    assert (found.clean, found.changed) == pytest.approx((float(ends[0]), float(ends[1])))


@pytest.mark.parametrize("block", ["pre_norm", "post_norm", "parallel", "parallel_things"])
@pytest.mark.parametrize("where", ["stream", "mixer", "mlp"])
def test_every_form_of_a_block_has_a_row_for_each_layer(block, where, tiny_spec, randomise, pair):
    model = randomise(ViT(tiny_spec(block=block, depth=2)))
    found = activation_patching(model, *pair, where)
    assert found.restored.shape == (2, 7)
    assert found.restored.isfinite().all()
    assert found.restored.abs().max() > 0


def test_of_two_pictures_of_one_class_it_is_the_logit(model, pair):
    found = activation_patching(model, *pair, classes=(2, 2))
    with torch.no_grad():
        assert (found.clean, found.changed) == pytest.approx(tuple(model(torch.stack(pair))[:, 2].tolist()))


def test_mistakes(model, pair):
    with pytest.raises(UserError, match="both pictures get the same answer"):
        activation_patching(model, pair[0], pair[0])
    with pytest.raises(SpecError, match="unknown where 'heads'"):
        activation_patching(model, *pair, where="heads")
    with pytest.raises(SpecError, match="expected one"):
        activation_patching(model, pair[0][None], pair[1])
    with pytest.raises(SpecError, match="the model has 5"):
        activation_patching(model, *pair, classes=(0, 9))
