import pytest

from vitlab.base.errors import SpecError
from vitlab.study.design._base import Factor, Level
from vitlab.study.design.leave_one_out import Spec
from vitlab.study.spec import factor

REGISTERS = factor("model.num_registers", 0, 4, name="registers")
SCALE = Factor(
    "layer scale",
    (Level("none", {"model.layer_scale": None}, "no layer scale"), Level("1e-4", {"model.layer_scale": 1e-4})),
)
CLIP = factor("optim.clip_norm", None, 1.0, name="clipping")


def test_the_baseline_has_all_parts_and_every_other_cell_lacks_one(cells_of):
    whole = {"model.num_registers": 4, "model.layer_scale": 1e-4, "optim.clip_norm": 1.0}
    names = {"registers": "4", "layer scale": "1e-4", "clipping": "1"}
    assert cells_of(Spec((REGISTERS, SCALE, CLIP))) == [
        ("baseline", whole, names, None, ""),
        (
            "without registers",
            whole | {"model.num_registers": 0},
            names | {"registers": "0"},
            "baseline",
            "leaving out registers",
        ),
        (
            "without layer scale",
            whole | {"model.layer_scale": None},
            names | {"layer scale": "none"},
            "baseline",
            "no layer scale",
        ),
        (
            "without clipping",
            whole | {"optim.clip_norm": None},
            names | {"clipping": "None"},
            "baseline",
            "leaving out clipping",
        ),
    ]


def test_a_part_is_there_or_not():
    with pytest.raises(SpecError, match=r"factor model\.depth: 3 levels; it needs two: without, with"):
        Spec((REGISTERS, factor("model.depth", 1, 2, 3)))
