import pytest
import torch

from vitlab.base.spec import with_settings
from vitlab.bench.work import Job
from vitlab.models.spec import preset


@pytest.fixture
def job():
    """A job small enough to be done in a test: nothing here looks at how long it takes."""
    small = {"embed_dim": 16, "depth": 2, "num_heads": 2, "img_size": 8, "qkv_bias": False}
    return lambda mode, **changes: Job(mode, with_settings(preset("r0_vit"), small | changes), 4, torch.device("cpu"))
