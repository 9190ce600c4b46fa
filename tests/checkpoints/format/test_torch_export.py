"""PyTorch's own programs."""

import pytest
import torch

from vitlab.checkpoints.export import export


@pytest.mark.parametrize("changed", [{}, {"mixer": "differential", "num_heads": 2}, {"patch_embed": "conv_stem"}])
def test_torch_export_says_the_same_of_any_number_of_images(changed, trained, tmp_path, normal):
    model = trained(**changed)
    assert export(model, "torch_export", tmp_path / "e").difference < 1e-4
    program = torch.export.load(tmp_path / "e/model.pt2").module()
    for count in (1, 5):
        images = normal(count, 3, 16, 24)
        torch.testing.assert_close(program(images), model.model(images), rtol=0, atol=1e-4)
