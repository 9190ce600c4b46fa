"""What stands beside a checkpoint's tensors."""

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import SpecError
from vitlab.records.checkpoint import CheckpointMeta


def test_it_says_all_that_its_tensors_need(tmp_path):
    meta = CheckpointMeta(3, {"depth": 2}, {"name": "classify"}, {"mean": [0.5]}, {"name": "digits"}, 7, {"best": None})
    check_record(meta, tmp_path, ["step", "model", "task", "preprocessing"], ["step", "noise_seed", "checksum"])


def test_a_step_before_the_first():
    with pytest.raises(SpecError, match=r"step=-1: must not be negative"):
        CheckpointMeta(-1, {}, {}, {})
