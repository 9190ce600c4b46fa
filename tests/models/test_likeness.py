"""What no shape shows."""

import pytest

from vitlab.models.likeness import unlike


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"img_size": 16, "num_classes": 9, "drop_path": 0.1, "init": "jax"}, []),
        ({"mlp": "relu"}, ["mlp is gelu here and relu there"]),
        ({"norm": {"name": "layer", "eps": 1e-5}}, ["norm is layer (eps=1e-06) here and layer (eps=1e-05) there"]),
        ({"num_heads": 4}, ["num_heads is 2 here and 4 there"]),
        ({"pool": "mean"}, ["pool is cls here and mean there"]),
        ({"block": "post_norm"}, ["block is pre_norm here and post_norm there"]),
    ],
)
def test_settings_that_change_the_function_and_no_shape(changed, said, tiny_spec):
    assert list(unlike(tiny_spec(**changed), tiny_spec())) == said


def test_the_range_of_computed_positions_goes_along(tiny_spec):
    stretched = {"name": "sincos2d", "seen": [1, 1]}
    assert list(unlike(tiny_spec(pos_embed=stretched), tiny_spec(pos_embed="sincos2d"))) == []
