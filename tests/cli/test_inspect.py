"""`vitlab inspect`: a page of what goes on inside."""

import json
import re
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from vitlab.records.inside import read_inside


@pytest.fixture
def seven(tmp_path):
    path = tmp_path / "seven.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    return path


def test_of_a_run_its_own_test_images(vitlab, finished, tmp_path):
    answer = vitlab("inspect", finished, "--images", "3", "--test-images", "32", "--out", tmp_path / "in", "--json")
    page = json.loads(answer.out)["page"]
    text = (tmp_path / "in" / "inside.html").read_text()
    assert page == str(tmp_path / "in" / "inside.html")
    assert "points of accuracy" in text or "costs what could be told on 32 test images" in text
    found = read_inside(tmp_path / "in")
    assert len(found.told.names) == 3
    assert set(found.told.labels) <= {str(digit) for digit in range(10)}
    assert found.told.knockouts["images"] == 32
    assert found.told.curve["removable"] >= 0
    (tmp_path / "in" / "inside.html").unlink()
    vitlab("report", tmp_path / "in")
    assert (tmp_path / "in" / "inside.html").read_text() == text


def test_two_models_beside_each_other_and_pictures_of_ones_own(vitlab, finished, exported, seven, tmp_path):
    other = seven.with_name("other.png")
    other.write_bytes(seven.read_bytes())
    out = tmp_path / "in"
    answer = vitlab("inspect", finished, exported, "--images", seven, other, "--test-images", "0", "--out", out)
    assert f"page: {out / 'inside.html'}" in answer.out
    ours, theirs = read_inside(out), read_inside(out / "other")
    assert ours.told.names == theirs.told.names == ("seven", "other")
    assert "knockouts" not in theirs.told.knockouts
    assert (out / "inside.html").read_text().count("<template") == 2
    vitlab("inspect", finished, "--images", "2", "--test-images", "0", "--out", out)
    assert (out / "inside.html").read_text().count("<template") == 1  # the other had other pictures
    assert not (out / "other").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("{run}", "{run}", "{run}"), "3 models: one, or two side by side"),
        (("{run}", "--images", "nowhere.png"), "nowhere.png"),
        (("{exported}",), "does not say what it was trained on: name pictures with --images, or --data"),
        (("{run}", "--images", "0"), "--images 0: a page has room for 1 to 64 test images"),
        (("{run}", "--images", "-3"), "a page has room for 1 to 64"),
        (("{run}", "--images", "{bad}"), "bad.png: it is not a picture"),
        (("{run}", "--out", "{bad}"), "bad.png is not a folder"),
        (("{seeds}",), "holds several seeds, and a page is of one model"),
    ],
)
def test_mistakes(vitlab, finished, exported, tmp_path, words, said):
    bad, seeds = tmp_path / "bad.png", tmp_path / "seeds"
    bad.write_text("no picture")
    seeds.mkdir()
    (seeds / "seed-0").symlink_to(finished)
    given = [word.format(run=finished, exported=exported, bad=bad, seeds=seeds) for word in words]
    out = () if "--out" in given else ("--out", tmp_path / "in")
    answer = vitlab("inspect", *given, "--test-images", "0", *out)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.slow
def test_of_a_study_every_cell_has_a_page_that_its_report_links_to(vitlab, tmp_path):
    """A cell without attention has a page, too, and none of its maps."""
    small = {"model.depth": 1, "model.embed_dim": 16, "model.num_heads": 2, "steps": 4}
    asked = {
        "question": "What does attention do?",
        "base": {"recipe": "digits_small", **small, "optim.schedule.warmup_steps": 1},
        "design": {"name": "one_at_a_time", "factors": {"model.mixer": ["self_attention", "pooling"]}},
        "num_seeds": 1,
        "verdicts": False,
    }
    (tmp_path / "mine.json").write_text(json.dumps(asked))
    study = tmp_path / "study"
    assert vitlab("study", tmp_path / "mine.json", "--out", study).code == 0
    answer = vitlab("inspect", study, "--images", "2", "--test-images", "16")
    assert f"page: {study / 'report.html'}" in answer.out
    text = (study / "report.html").read_text()
    links = re.findall(r'href="(inside/[^"]+)"', text)
    assert len(links) == 2
    assert all((study / unquote(link)).exists() for link in links)
    assert text.count("where it looks") == 2
    assert text.count("no attention</span>") == 2
