"""A small model with random weights and its preprocessing."""

import pytest

from vitlab.checkpoints.trained import EquippedViT, Trained
from vitlab.learner import Learner
from vitlab.models.vit import build
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify

PLAIN = {"img_size": [16, 24], "patch_size": 8, "embed_dim": 64, "num_heads": 1, "depth": 2}
BEFORE = Preprocessing((16, 24), "squash", (), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), ("ape", "bee", "cow", "dog", "eel"))


@pytest.fixture
def trained(tiny_spec, randomise):
    """`trained(mlp="relu")`: such a model, with settings changed."""

    def make(**changed):
        spec = tiny_spec(**PLAIN | changed)
        equipped = EquippedViT(spec, BEFORE, classify.Spec())
        equipped.load_state_dict(randomise(build(spec)).state_dict())
        return Trained(Learner(equipped, classify.Spec().build(spec)), classify.Spec(), BEFORE, None, None)

    return make
