"""A row with everything, and a row with nothing but reasons."""

import json

from vitlab.reference.system import Evidence, Figure, Missing, System

RUN = Evidence(93.1, 3, 0.2, "vitlab train r0_cifar10", "one A100", "abc1234")
WHOLE = System("R9/a", "CIFAR-10", "r0_vit", "r0_cifar10", (Figure("top1", 93.5, "best epoch"),), RUN)
BARE = System("R9/b", "CIFAR-10", Missing("unknown"), Missing("untold"), ours=Missing("nothing to train"))


def test_a_row_as_json():
    values = json.loads(json.dumps(WHOLE.as_json(2_692_426)))
    assert (values["row"], values["preset"], values["num_params"]) == ("R9/a", "r0_vit", 2_692_426)
    assert values["published"] == [{"metric": "top1", "value": 93.5, "what": "best epoch"}]
    assert values["ours"] == {
        "value": 93.1,
        "n": 3,
        "spread": 0.2,
        "command": "vitlab train r0_cifar10",
        "hardware": "one A100",
        "commit": "abc1234",
    }
    assert values["missing"] == {}


def test_what_is_missing_is_null_with_its_reason():
    values = BARE.as_json(None)
    assert [values[name] for name in ("preset", "num_params", "recipe", "ours")] == [None] * 4
    assert values["missing"] == {"preset": "unknown", "recipe": "untold", "ours": "nothing to train"}
