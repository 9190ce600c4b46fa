import json

import pytest

from tests.fieldcases.conftest import picture


@pytest.fixture
def pets(tmp_path, monkeypatch):
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    for number, name in enumerate(["cat", "dog"] * 10):
        picture(tmp_path / "pets" / name / f"{number}.png", number)
    (tmp_path / "pets/cat/notes.txt").write_text("none")
    return tmp_path / "pets"


def test_what_a_person_sees(vitlab, pets):
    answer = vitlab("data", pets)
    assert (answer.code, answer.err) == (0, "")
    first, second = answer.out.splitlines()
    assert first == "train 18, test 2 images of 2 classes (a folder for every class, no splits)"
    assert second == "left out as no images, by suffix: 1 .txt"


def test_json(vitlab, pets):
    found = json.loads(vitlab("data", pets, "--json").out)
    assert found["splits"]["train"]["classes"] == {"cat": 9, "dog": 9}
    assert (found["classes"], found["unreadable"]) == (["cat", "dog"], {})


def test_a_page_with_pictures(vitlab, pets, tmp_path):
    assert "the classes and their first images" in vitlab("data", pets, "--out", tmp_path / "sheet.html").out
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 20
    assert "cat, train image 1" in page


def test_of_many_unreadable_pictures_a_few_are_shown(vitlab, pets):
    for number in range(20):
        (pets / f"cat/z{number:02}.png").write_bytes(b"broken")
    command = ("data", pets, "--set", "data.max_unreadable=0.9", "--set", "data.test_fraction=0.01")
    lines = [line for line in vitlab(*command).out.splitlines() if "unreadable" in line]
    assert lines[0].startswith("unreadable, train: cat/z")
    assert lines[-1] == "--json lists every unreadable image"
    assert len(lines) < 12
    assert sum(map(len, json.loads(vitlab(*command, "--json").out)["unreadable"].values())) == 20


def test_any_set_by_its_name(vitlab):
    assert vitlab("data", "digits").out == "train 1,437, test 360 images of 10 classes\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere/here",), "there is no folder nowhere/here"),
        (("digit",), "did you mean digits?"),
        (("digits", "--set", "data.white=3"), "'data.white'"),
    ],
)
def test_mistakes(vitlab, words, said):
    answer = vitlab("data", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
