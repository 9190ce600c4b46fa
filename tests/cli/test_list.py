import json

import pytest

from vitlab.cli.list_ import FAMILIES


@pytest.mark.parametrize("family", [*FAMILIES, "models"])
def test_a_family_is_one_json_object_with_a_line_about_each(vitlab, family):
    answer = vitlab("list", family, "--json")
    rows = json.loads(answer.out)[family]
    assert answer.code == 0
    assert answer.err == ""
    assert all(row["name"] and row["about"] for row in rows)
    assert len(rows) == len({row["name"] for row in rows}) > 0


def test_everything_at_once(vitlab):
    everything = json.loads(vitlab("list", "--json").out)
    assert everything.keys() == {*FAMILIES, "models"}
    assert {"softmax", "linear"} <= {row["name"] for row in everything["attention"]}
    assert {"digits", "cifar10_short", "r0_cifar10"} <= {row["name"] for row in everything["recipes"]}


def test_the_table_for_people(vitlab):
    answer = vitlab("list", "models")
    assert "vit_base_patch16_224" in answer.out
    assert "B/16" in answer.out


def test_the_variants_of_a_recipe_are_shown(vitlab):
    assert "[variants: published]" in vitlab("list", "recipes").out


def test_an_unknown_family_names_the_nearest(vitlab):
    answer = vitlab("list", "atention")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("vitlab: unknown family 'atention'; did you mean attention")
