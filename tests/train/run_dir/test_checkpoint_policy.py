"""When a training is saved, whatever the clock says."""

import pytest

from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy


@pytest.mark.parametrize(("steps", "due"), [(None, [12]), (5, [5, 10, 12]), (4, [4, 8, 12]), (100, [12])])
def test_every_so_many_steps_and_at_the_end(steps, due):
    policy = CheckpointPolicy(steps)
    assert [step for step in range(1, 13) if policy.due(step, 12)] == due
