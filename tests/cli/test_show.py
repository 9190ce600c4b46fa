import json
import re

import pytest


@pytest.mark.slow
def test_the_parts_add_up(vitlab):
    answer = vitlab("show", "r0_vit", "--json")
    found = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    assert found["num_params"] == 2_692_426 == sum(row["num_params"] for row in found["components"])
    assert found["flops"] == sum(row["flops"] for row in found["components"])
    assert found["checkpointed_bytes"] < found["activation_bytes"]


@pytest.mark.parametrize("setting", ["model.depth=3", "depth=3"])
def test_settings_apply_with_and_without_the_prefix(vitlab, setting):
    found = json.loads(vitlab("show", "B/16", "--set", setting, "--json").out)
    assert found["spec"]["depth"] == 3


def test_the_table_for_people(vitlab):
    answer = vitlab("show", "r0_tomvit")
    assert "2,679,370" in answer.out
    assert "32 x 32" in answer.out
    assert re.search(r"With --checkpointing at most \d[\d,]+ activation bytes", answer.out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "B/17"), ("unknown model, recipe or run 'B/17'", "B/16")),
        (("show", "r0_vit", "--set", "depht=3"), ("unknown setting 'depht'", "depth")),
        (("show", "r0_vit", "--set", "depth=x"), ("depth='x'", "int")),
        (("show", "r0_vit", "--set", "depth"), ("--set depth", "PATH=VALUE")),
    ],
)
def test_mistakes(vitlab, words, said):
    answer = vitlab(*words)
    assert (answer.code, answer.out) == (2, "")
    assert all(word in answer.err for word in said)
