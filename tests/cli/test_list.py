import json
import subprocess
import sys
from pathlib import Path

import pytest

from vitlab.catalogue.families import FAMILIES, LISTS

PAGES = {"systems": "docs/reproductions.md", "compatibility": "docs/compatibility.md"}
ROOT = Path(__file__).parents[2]
MINE = '''"""My attention: the identity.

More about it.
"""

from dataclasses import dataclass

from vitlab.nn.attention._base import AttentionSpec


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`power`: how much of it."""

    power: float = 2.0
'''


@pytest.mark.parametrize("family", LISTS)
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


def test_the_studies_that_come_with_vitlab_are_listed_in_any_folder(vitlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {row["name"]: row for row in json.loads(vitlab("list", "studies", "--json").out)["studies"]}
    assert {"demo", "positions", "r3_attention_tokens"} < rows.keys()
    assert rows["positions"] == {
        "name": "positions",
        "about": "Which positions, and where are they added? The ViT paper's table of positions, on CIFAR-10.",
        "functions": ["study", "factorial", "digits"],
    }
    assert "vitlab demo" in rows["demo"]["about"]


def test_studies_of_one_s_own_are_read_and_not_run(vitlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = json.loads(vitlab("list", "studies", "--json").out)["studies"]
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.py").write_text(
        '"""Does mine help?"""\n1 / 0\ndef study() -> StudySpec: ...\ndef base(): ...\n'
    )
    (tmp_path / "studies" / "broken.py").write_text("def study(:\n")
    (tmp_path / "studies" / "short.json").write_text('{"question": "Which positions?"}')
    (tmp_path / "studies" / "notes.txt").write_text("no study")
    *others, broken, mine, short = json.loads(vitlab("list", "studies", "--json").out)["studies"]
    assert others == shipped
    assert mine == {"name": "studies/mine.py", "about": "Does mine help?", "functions": ["study"]}
    assert short == {"name": "studies/short.json", "about": "Which positions?"}
    assert broken["about"].startswith("cannot be read: ")
    assert "Does mine help? [functions: study]" in vitlab("list", "studies").out


def test_an_unknown_family_names_the_nearest(vitlab):
    answer = vitlab("list", "atention")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("vitlab: unknown family, component or setting 'atention'; did you mean attention")
    assert "did you mean systems" in vitlab("list", "sistems").err
    assert "did you mean softmax" in vitlab("list", "Softmax").err
    assert "did you mean warmup_lr or warmup_steps or warmup_epochs" in vitlab("list", "warmup").err


def test_a_setting_by_its_path(vitlab):
    rows = json.loads(vitlab("list", "optim.lr", "--json").out)["settings"]
    assert [row["setting"] for row in rows] == ["optim.lr"]


def test_listing_needs_no_torch():
    lists = "; ".join(f"l.list_({what!r})" for what in ("models", "attention", "studies"))
    script = f"import sys, vitlab.cli.list_ as l; {lists}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)


# ------------------------------------------------------------------------------------------------- one component


def test_one_component(vitlab):
    found = json.loads(vitlab("list", "attention.linear", "--json").out)["component"]
    assert (found["name"], found["family"]) == ("attention.linear", "attention")
    assert found["docstring"].startswith(found["about"])
    assert found["settings"] == [{"name": "eps", "type": "float", "default": 1e-6}]
    assert "`eps`: added to the normaliser" in found["settings_docstring"]


def test_settings_that_a_family_shares_are_explained_too(vitlab):
    answer = vitlab("list", "init.trunc_normal")
    assert "`std`: the spread of linear weights." in answer.out
    assert "`token_std`, `position_std`: standard deviations" in answer.out
    assert answer.out.count("head_bias") >= 2


def test_what_has_no_settings_is_described_all_the_same(vitlab):
    answer = vitlab("list", "recipes.digits")
    assert answer.code == 0
    assert "vitlab train digits --out runs/digits" in answer.out
    assert json.loads(vitlab("list", "recipes.digits", "--json").out)["component"]["settings"] == []


def test_a_study_says_its_commands_and_what_they_cost(vitlab):
    assert "vitlab study positions:digits        58 runs" in vitlab("list", "studies.positions").out


def test_a_component_of_one_s_own(vitlab, tmp_path, monkeypatch):
    (tmp_path / "my_parts").mkdir()
    (tmp_path / "my_parts" / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    found = json.loads(vitlab("list", "my_parts.mine", "--json").out)["component"]
    assert (found["about"], found["family"]) == ("My attention: the identity.", "attention")
    assert found["settings"] == [{"name": "power", "type": "float", "default": 2.0}]
    assert found["settings_docstring"] == "`power`: how much of it."


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("attention.lineer", "unknown attention 'lineer'; did you mean linear"),
        ("atention.linear", "no module 'atention', and unknown family 'atention'; did you mean attention?"),
        ("vitlab.nothing", "vitlab.nothing: No module named 'vitlab.nothing'; a dotted name must be"),
        ("json.tool", "json.tool: the module has no class Spec"),
        (".linear", "no module '', and unknown family ''"),
    ],
)
def test_a_component_that_is_none(vitlab, name, said):
    answer = vitlab("list", name)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_bare_name_finds_its_component(vitlab):
    assert vitlab("list", "softmax") == vitlab("list", "attention.softmax")


def test_of_several_components_of_a_name_one_chooses(vitlab):
    found = json.loads(vitlab("list", "none", "--json").out)["components"]
    assert [row["name"] for row in found] == ["auxiliary.none", "pos_embed.none"]
    assert "pos_embed.none" in vitlab("list", "none").out


def test_a_setting_is_found_wherever_it_stands(vitlab):
    assert json.loads(vitlab("list", "lr", "--json").out) == {
        "settings": [{"setting": "optim.lr", "type": "float", "default": "0.001"}]
    }
    assert "model.norm.eps" in vitlab("list", "eps").out


def test_a_module_in_this_folder_is_found_by_name_and_by_path(vitlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_by_name.py").write_text(MINE)
    by_name, by_path = (vitlab("list", name) for name in ("mine_by_name", "./mine_by_name.py"))
    assert by_name.code == by_path.code == 0
    assert "My attention: the identity." in by_name.out
    assert "there is no file" in vitlab("list", "parts/mine.py").err


def test_another_kind_of_name_is_called_what_it_is(vitlab):
    assert "r0_vit is a model, not a family" in vitlab("list", "r0_vit").err


# ------------------------------------------------------------------------------------------------------- systems


@pytest.mark.slow
def test_systems(vitlab):
    answer = vitlab("list", "systems", "--json")
    rows = {row["row"]: row for row in json.loads(answer.out)["systems"]}
    assert (answer.code, answer.err) == (0, "")
    assert all(
        {"row", "preset", "num_params", "recipe", "published", "ours", "missing"} <= row.keys() for row in rows.values()
    )
    assert rows["R0/C100/TomViT"]["num_params"] == 2_696_740
    assert rows["R2/IN1k/H/14@224"]["num_params"] == 632_045_800
    assert rows["R0/IN1k/TomViT(B)"]["num_params"] is None
    assert rows["R0/IN1k/TomViT(B)"]["missing"]["preset"].startswith("construction unknown")


@pytest.mark.slow
def test_show_counts_what_the_list_counts(vitlab):
    rows = {row["row"]: row for row in json.loads(vitlab("list", "systems", "--json").out)["systems"]}
    for row in ("R0/C100/TomViT", "R3/C10/VITX", "R1/setting 1"):
        shown = json.loads(vitlab("show", rows[row]["preset"], "--json").out)
        assert shown["num_params"] == rows[row]["num_params"]


@pytest.mark.slow
def test_the_table_of_systems_fits_a_page(vitlab):
    answer = vitlab("list", "systems")
    table, reasons = answer.out.split("\n[1] ")
    assert answer.code == 0
    assert max(map(len, table.splitlines())) <= 140
    assert "R3/C10/VITX" in table
    assert "more GPU time" in reasons


@pytest.mark.slow
@pytest.mark.parametrize(("what", "page"), PAGES.items())
def test_the_committed_page_is_what_the_command_prints(what, page, vitlab):
    """`vitlab list systems --markdown > docs/reproductions.md` writes it anew."""
    assert vitlab("list", what, "--markdown").out == (ROOT / page).read_text()


@pytest.mark.slow
def test_compatibility_names_choices_and_the_reason(vitlab):
    answer = vitlab("list", "compatibility")
    assert answer.code == 0
    assert "pos_embed=rope2d acts on queries and keys, and mixer=fft has none" in answer.out
    rows = json.loads(vitlab("list", "compatibility", "--json").out)["compatibility"]
    assert {"choice", "other", "why"} == set(rows[0])
    pairs = {(row["choice"], row["other"]) for row in rows}
    assert ("pos_embed=relative_bias", "attention=linear") in pairs
    assert ("pos_embed=rope2d", "attention=linear") not in pairs


@pytest.mark.parametrize("words", [("models", "--markdown"), ("--markdown",), ("systems", "--markdown", "--json")])
def test_markdown_is_for_pages(vitlab, words):
    answer = vitlab("list", *words)
    assert (answer.code, answer.out) == (2, "")
    assert "--markdown: only for `vitlab list` with systems or compatibility" in answer.err


def test_the_sites_of_a_model_and_their_shapes(vitlab, finished):
    rows = json.loads(vitlab("list", "sites", "vit_tiny_patch16_224", "--json").out)["sites"]
    shapes = {row["site"]: row["shape"] for row in rows}
    assert shapes["blocks.*.attn.weights"] == [1, 3, 197, 197]
    assert shapes["blocks.*.mlp.hidden"] == [1, 197, 768]
    assert "blocks.*.attn.q   " in vitlab("list", "sites", finished).out


def test_sites_are_of_a_model(vitlab):
    assert "vitlab list sites: of which MODEL?" in vitlab("list", "sites").err
    assert "vitlab list models: takes no x" in vitlab("list", "models", "x").err
