"""ONNX, run by onnxruntime."""

import json

import pytest
import torch

from tests.checkpoints.conftest import BEFORE
from vitlab.checkpoints.export import export


@pytest.mark.peer
@pytest.mark.parametrize("positions", ["learned", "rope2d", "sincos2d", "relative_bias"])
def test_onnx_says_the_same_of_any_number_of_images(positions, trained, tmp_path, normal):
    onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    model = trained(pos_embed=positions, pool="attention", num_registers=2)
    done = export(model, "onnx", tmp_path / "o")
    assert done.difference < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "o/model.onnx")
    for count in (1, 2, 7):
        images = normal(count, 3, 16, 24)
        (said,) = session.run(["logits"], {"images": images.numpy()})
        torch.testing.assert_close(torch.from_numpy(said), model.model(images), rtol=0, atol=1e-4)
    told = {entry.key: json.loads(entry.value) for entry in onnx.load(tmp_path / "o/model.onnx").metadata_props}
    assert told["class_names"] == list(BEFORE.class_names)
    assert told["preprocessing"]["mean"] == list(BEFORE.mean)
