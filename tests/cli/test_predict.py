import json

import numpy as np
import pytest
from PIL import Image

from vitlab.data.sets import digits


@pytest.fixture
def pictures(tmp_path):
    """The first three test digits as PNG files, 0.png, 1.png and 2.png."""
    for number, pixels in enumerate(digits.Spec().load().test.pixels[:3]):
        Image.fromarray(pixels[0].numpy()).save(tmp_path / f"{number}.png")
    return tmp_path


def test_a_digit_s_file_is_what_the_run_saw(vitlab, finished, pictures):
    """The probabilities are those that training recorded for the same images of the test split."""
    answer = vitlab("predict", finished, pictures, "--json")
    found = json.loads(answer.out)["predictions"]
    assert (answer.code, answer.err) == (0, "")
    assert [row["path"] for row in found] == [str(pictures / f"{number}.png") for number in range(3)]
    with np.load(finished / "predictions.npz") as recorded:
        for row, expected in zip(found, recorded["probabilities"], strict=False):
            order = np.argsort(-expected, kind="stable")[:5]
            assert [c["name"] for c in row["classes"]] == [str(index) for index in order]
            assert [c["probability"] for c in row["classes"]] == pytest.approx(expected[order].tolist(), abs=1e-5)


def test_what_a_person_sees(vitlab, finished, pictures):
    answer = vitlab("predict", finished, pictures / "0.png", pictures / "2.png")
    assert answer.out.count(".png") == 2
    assert "%" in answer.out


@pytest.mark.parametrize("json_too", [False, True])
def test_an_unreadable_picture_does_not_cost_the_others_their_answer(vitlab, finished, pictures, json_too):
    (pictures / "1.png").write_bytes(b"no picture")
    answer = vitlab("predict", finished, pictures, *(["--json"] if json_too else []))
    assert answer.code == 2
    assert answer.err.count("is unreadable") == 1
    assert "1.png is unreadable" in answer.err
    if json_too:
        found = json.loads(answer.out)
        assert [len(row["classes"]) for row in found["predictions"]] == [5, 5]
        assert len(found["unreadable"]) == 1
    else:
        assert answer.out.count(".png") == 2


@pytest.mark.parametrize(
    ("run", "image", "said"),
    [
        ("{run}", "nowhere.png", "nowhere.png does not exist"),
        ("{run}", "{empty}", "no picture in"),
        ("{run}", "{text}", "is unreadable"),
        ("{empty}", "{empty}", "empty holds no checkpoint; is it a run directory?"),
    ],
)
def test_mistakes(vitlab, finished, tmp_path, run, image, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    places = {"run": finished, "empty": tmp_path / "empty", "text": tmp_path / "text.png"}
    answer = vitlab("predict", run.format(**places), image.format(**places))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_of_all_pictures(vitlab, finished, pictures, suffix):
    import pyarrow.csv
    import pyarrow.parquet

    (pictures / "1.png").write_bytes(b"no picture")
    out = pictures / f"said.{suffix}"
    answer = vitlab("predict", finished, pictures, "--out", out, "--top", "2")
    assert (answer.code, "1.png is unreadable" in answer.err) == (2, True)
    table = (pyarrow.csv.read_csv if suffix == "csv" else pyarrow.parquet.read_table)(out)
    assert table.column_names == ["path", "class_1", "probability_1", "class_2", "probability_2", "unreadable"]
    rows = table.to_pylist()
    assert [row["path"] for row in rows] == [str(pictures / f"{number}.png") for number in range(3)]
    assert [bool(row["unreadable"]) for row in rows] == [False, True, False]
    found = json.loads(vitlab("predict", finished, pictures / "0.png", "--json").out)["predictions"][0]["classes"]
    assert str(rows[0]["class_1"]) == found[0]["name"]
    assert rows[0]["probability_1"] == pytest.approx(found[0]["probability"], abs=1e-5)


def test_a_table_of_another_kind_is_refused(vitlab, finished, pictures):
    answer = vitlab("predict", finished, pictures, "--out", pictures / "said.xls")
    assert (answer.code, "a table is .csv or .parquet" in answer.err) == (2, True)
