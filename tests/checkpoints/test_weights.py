"""What a run starts from, whoever wrote it; and what no shape shows."""

import numpy as np
import pytest
import torch

from tests.checkpoints.saving import meta_of, save_model
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import with_settings
from vitlab.checkpoints import published
from vitlab.checkpoints.weights import checksum_of, weights_at
from vitlab.models.vit import build, is_head

SQUARE = {"img_size": 8, "embed_dim": 64, "num_heads": 1}


@pytest.fixture
def google(tiny_spec, tmp_path):
    """Google's file of a tiny model."""
    spec = tiny_spec(**SQUARE, mlp={"name": "gelu", "approximate": "tanh"})
    written = published.write(published.source_named("google_npz"), spec, build(spec, seed=3).state_dict())
    np.savez(tmp_path / "g.npz", **{name: tensor.numpy() for name, tensor in written.items()})
    return tmp_path / "g.npz", spec


def test_our_own_are_read_with_their_settings(tiny_spec, tmp_path):
    model = build(tiny_spec(), seed=4)
    folder = save_model(tmp_path / "checkpoint", model, meta_of(model.spec))
    found = weights_at(str(folder), tiny_spec(depth=3))
    assert found.spec == model.spec
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in model.state_dict().items())


def test_another_function_with_the_same_shapes_is_told(google):
    path, spec = google
    assert weights_at(str(path), spec).unlike == ()
    (said,) = weights_at(str(path), with_settings(spec, {"mlp": "gelu"})).unlike
    assert said == "mlp is gelu here and gelu (approximate=tanh) there"
    (heads,) = weights_at(str(path), with_settings(spec, {"num_heads": 2})).unlike
    assert heads == "num_heads is 2 here and 1 there"


def test_the_size_of_theirs_is_told_by_their_table(google):
    path, spec = google
    larger = with_settings(spec, {"img_size": [16, 16]})
    assert weights_at(str(path), larger).spec.img_size == (8, 8)


def test_the_same_bytes_have_the_same_name_and_others_another(google, tmp_path):
    path, _ = google
    again = tmp_path / "again.npz"
    again.write_bytes(path.read_bytes())
    assert checksum_of(str(path)) == checksum_of(str(again))
    again.write_bytes(path.read_bytes() + b"x")
    assert checksum_of(str(path)) != checksum_of(str(again))
    with pytest.raises(CheckpointError, match="does not exist"):
        checksum_of(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("classifier", ["fc", "classifier", "head.1", "heads.head"])
def test_a_classifier_of_whatever_name_and_form_begins_anew(tiny_spec, tmp_path, classifier):
    """Beside a backbone, as training scripts write it: convert says what it has no place for, and what helps."""
    spec = tiny_spec(num_classes=0)
    sizes = {"num_heads": spec.num_heads, "img_size": list(spec.img_size)}
    theirs = published.write(published.source_named("timm"), spec, build(spec, seed=2).state_dict())
    whole = {f"backbone.{name}": tensor for name, tensor in theirs.items()} | {f"{classifier}.weight": torch.ones(7, 3)}
    torch.save({"checkpoint": {"model": whole}}, tmp_path / "mine.pt")
    with pytest.raises(CheckpointError, match=f"{classifier}.weight: num_classes=0 leaves a head out"):
        published.read(tmp_path / "mine.pt", settings=sizes)
    found = published.read(tmp_path / "mine.pt", settings={**sizes, "num_classes": 0})
    assert f"left out: {classifier}.weight" in found.notes
    tensors = weights_at(str(tmp_path / "mine.pt"), tiny_spec(num_classes=4)).tensors
    assert [name for name in tensors if not is_head(name)] == list(found.tensors)
