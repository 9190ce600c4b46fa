import subprocess
import sys

import pytest
import torch

from vitlab.nn.constants import constant


@constant
def halves(count: int) -> torch.Tensor:
    assert torch.get_default_device().type == "cpu"
    return torch.arange(count) / 2


def test_it_is_computed_on_the_cpu_and_goes_where_the_model_is_built():
    assert halves(3).tolist() == [0, 0.5, 1]
    with torch.device("meta"):
        there = halves(3)
        assert (there.device.type, there.shape) == ("meta", (3,))
        assert torch.zeros(1).device.type == "meta"  # as before


@pytest.mark.slow
def test_counting_parameters_brings_in_no_compiler():
    """Positions that are computed, on the meta device, in a process of its own."""
    count = """
import sys
from vitlab.models.cost import num_params
from vitlab.models.spec import preset
from vitlab.base.spec import with_settings
for name in ("sincos", "sincos2d", "rope2d", "relative_bias", "alibi2d"):
    num_params(with_settings(preset("r0_vit"), {"pos_embed": name}))
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", count], check=False).returncode == 0
