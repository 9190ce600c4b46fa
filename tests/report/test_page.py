"""The page: its numbers are those of the records, everything is escaped, what is missing says why."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.browser import browse
from tests.report.conftest import AUXILIARY, ENV, MEASURED, RESULT, SPEC, change, write_run
from vitlab.base.errors import DataError
from vitlab.report.write import write_report

MakeRun = Callable[..., Path]
VOID = {"meta", "img", "br", "input"}


class Page(HTMLParser):
    """Text by the id of the element that holds it, tables as rows of cells, and the attributes of every tag."""

    def __init__(self, path: Path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[tuple[str, str | None]] = []
        self.text = ""
        self.by_id: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(self.source)
        assert self.open == [], "a tag was not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if any(tag == "style" for tag, _ in self.open):
            return
        self.text += data
        for tag, name in self.open:
            if name:
                self.by_id[name] = self.by_id.get(name, "") + data
            if tag in ("td", "th"):
                self.rows[-1][-1] += data.strip()

    @property
    def drawings(self) -> list[str]:
        """What every chart shows in words; one that has a form for telephones counts once."""
        return list(
            dict.fromkeys(
                str(attrs["aria-label"]) for tag, attrs in self.tags if (tag, attrs.get("class")) == ("svg", "chart")
            )
        )

    def row(self, name: str) -> list[str]:
        (found,) = [row[1:] for row in self.rows if row and row[0] == name]
        return found


def page_of(folder: Path) -> Page:
    return Page(write_report(folder, out=folder.parent / "page.html"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, unchanged, with its page beside it; tests only read it."""
    folder = write_run(tmp_path_factory.mktemp("finished") / "run")
    page_of(folder)
    return folder


@pytest.fixture
def page(finished: Path) -> Page:
    return Page(finished.parent / "page.html")


def test_the_numbers_are_those_of_the_records(page: Page) -> None:
    assert page.by_id["headline"] == (
        "98.1 % test top-1 on digits (353 of 360), one run, seed 0; "
        "95 % interval from the test set's size [96.0, 99.1]."
    )
    assert page.row("Test") == ["98.1", "99.7", "0.084"]
    assert page.row("Validation") == ["98.6", "100.0", "0.071"]
    assert page.row("Training") == ["99.4", "not recorded", "0.031"]
    for number in ("212,810", "7.34 M", "492", "451", "15,744", "1 min 15 s", "6.3 s", "209", "412 MiB"):
        assert number in page.text
    chosen = "--device cpu --precision bf16 --kernel explicit --threads 2"
    assert page.by_id["command"].strip() == f"vitlab train run/spec.json --out repeat {chosen}"
    assert ENV["command"] in page.text
    assert json.loads(page.by_id["configuration"].partition("configuration")[2]) == SPEC
    assert page.row("CPU") == ["Example CPU"]
    assert page.row("RAM") == ["24.0 GiB"]
    assert page.row("Commit") == [ENV["commit"]]
    assert page.row("Precision") == ["bf16"]
    assert page.row("torch") == ["2.15.0"]


def test_the_mistakes_are_shown_as_pictures_with_both_classes(finished: Path, page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 7
    assert pictures[0]["alt"] == "Image 0: 0, predicted 1"
    assert "predicted 1, 95.0 %" in page.text
    with (
        np.load(finished / "predictions.npz") as arrays,
        Image.open(finished.parent / "page_figures/mistake_01.png") as png,
    ):
        assert np.array_equal(np.array(png), arrays["mistake_pixels"][0, :, :, 0])


@pytest.mark.slow
def test_the_page_stands_alone_and_is_small(make_run: MakeRun) -> None:
    page = page_of(make_run(channels=3))
    assert len(page.source) < 5e6
    assert "http:" not in page.source
    assert "https:" not in page.source
    assert not any(tag in ("link", "iframe") for tag, _ in page.tags)
    assert not any("src" in attributes for tag, attributes in page.tags if tag == "script")
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', page.source))
    assert referred <= set(ids)


def test_every_picture_has_words_and_files(finished: Path, page: Page) -> None:
    drawings = page.drawings
    assert len(drawings) == 4
    assert all(drawings)
    assert drawings[-1] == "Confusion matrix of 10 classes: 353 of 360 on the diagonal."
    for name in ("loss", "top1", "learning_rate", "confusion"):
        assert (finished.parent / "page_figures" / f"{name}.svg").read_text().startswith("<svg")
        with Image.open(finished.parent / "page_figures" / f"{name}.png") as png:
            assert png.width > 500
    assert page.source.count("<caption>") == page.source.count("<table")


@pytest.mark.slow
def test_the_same_records_make_the_same_page(make_run: MakeRun, page: Page) -> None:
    assert page_of(make_run()).source == page.source


@pytest.mark.slow
def test_text_from_the_records_is_escaped(make_run: MakeRun) -> None:
    evil = "<script>alert('$x$')</script>\"'&"
    folder = make_run(names=[evil, *map(str, range(1, 10))], status="failed", reason=evil)
    change(folder / "spec.json", recipe=evil, id=evil, spec={**SPEC, "data": {"name": evil}})
    change(folder / "env.json", command=evil, choices={evil: evil}, hardware={evil: evil}, versions={evil: evil})
    page = page_of(folder)
    assert page.text.count(evil) >= 8
    assert [tag for tag, _ in page.tags].count("script") == 1  # the one that sorts tables
    assert page.source.count("<script") == 1


@pytest.mark.slow
def test_a_class_is_called_what_it_is_called_whatever_a_drawing_is_made_of(make_run: MakeRun) -> None:
    names = ["#1c1f24", 'id="x"', "url(#x)", "<metadata>", "font-family: x", "xlink:href", "$5", "&amp;", "c8", "c9"]
    page = page_of(make_run(names=names))
    drawn = "".join(re.findall(r"<svg.*?</svg>", page.source, re.DOTALL))
    texts = {html.unescape(text).strip() for text in re.findall(r">([^<]*)<", drawn)}
    assert set(names) <= texts


def test_class_names_that_the_picture_files_have_no_letters_for(make_run: MakeRun) -> None:
    assert "数字零" in page_of(make_run(names=["数字零", "a" * 40, *map(str, range(2, 10))])).text


# ------------------------------------------------------------------------------------------- what is missing, or odd


def test_how_many_pictures_there_were(page: Page) -> None:
    splits = ("Training images", "Validation images", "Test images")
    assert [page.row(name) for name in splits] == [["1,293"], ["144"], ["360"]]
    assert page.row("Order in training") == ["exact"]
    assert "could not be read" not in page.text
    assert "not exact" not in page.text


@pytest.mark.slow
def test_unreadable_images_are_counted_and_named(make_run: MakeRun) -> None:
    folder = make_run()
    train = {"images": 5_940, "names": [f"train/<b>/{number}.jpg" for number in range(60)]}
    change(folder / "data.json", train=train, test={"images": 360, "names": ["test/cut off.jpg"]})
    page = page_of(folder)
    assert "60 training images could not be read and are left out" in page.text
    assert "1 test image could not be read and is left out" in page.text
    assert "train/<b>/49.jpg" in page.text
    assert "train/<b>/50.jpg" not in page.text
    assert "And 10 more, listed in data.json." in page.text
    assert "test/cut off.jpg" in page.text


@pytest.mark.slow
def test_an_order_that_is_not_exact_is_called_out(make_run: MakeRun) -> None:
    folder = make_run()
    change(folder / "data.json", order="a shuffle within a buffer of 10,000 images, because the set is streamed")
    assert "The order of the training images is not exact: a shuffle within a buffer of 10,000" in page_of(folder).text


@pytest.mark.slow
def test_missing_numbers_are_missing_and_never_zero(make_run: MakeRun) -> None:
    folder = make_run()
    nothing = dict.fromkeys(("test_top1", "val_top1", "peak_memory_bytes", "train_loss", "flops"))
    change(folder / "result.json", metrics={**RESULT, **nothing})
    page = page_of(folder)
    assert page.row("Test")[0] == "not recorded"
    assert page.row("Training")[2] == "not recorded"
    assert "Its last validation top-1 was" in page.by_id["headline"]
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_a_run_of_which_only_the_spec_is_left(make_run: MakeRun) -> None:
    folder = make_run()
    for path in folder.iterdir():
        if path.name != "spec.json":
            path.unlink()
    page = page_of(folder)
    assert page.by_id["headline"] == "This run has not finished. No score on held-out data was recorded."
    for name in ("env.json", "result.json", "data.json", "predictions.npz"):
        assert f"the run directory has no {name}" in page.text
    assert "no evaluation was recorded" in page.text
    assert not any(tag in ("svg", "img") for tag, _ in page.tags)


@pytest.mark.slow
def test_a_failed_run_says_so_with_its_reason_and_shows_what_there_is(make_run: MakeRun) -> None:
    folder = make_run(status="failed", reason="the loss stopped being finite at step 300")
    change(folder / "result.json", metrics={"steps": 300})
    (folder / "predictions.npz").unlink()
    page = page_of(folder)
    assert page.by_id["headline"].startswith("This run failed. Its last validation top-1 was ")
    assert "the loss stopped being finite at step 300" in page.text
    assert "because this run did not finish" in page.text
    assert page.text.count("not recorded") > 8
    assert len(page.drawings) == 3


@pytest.mark.slow
def test_an_interrupted_run(make_run: MakeRun) -> None:
    page = page_of(make_run(status="interrupted", reason="SIGTERM at step 100"))
    assert page.by_id["headline"].startswith("This run was interrupted. 98.1 % test top-1")
    assert "SIGTERM at step 100" in page.text


@pytest.mark.slow
def test_validation_alone_is_called_optimistic(make_run: MakeRun) -> None:
    folder = make_run()
    change(folder / "result.json", metrics={"val_top1": 0.9})
    page = page_of(folder)
    assert page.by_id["headline"].startswith(
        "90.0 % validation top-1 on digits, one run, seed 0; no interval, because val"
    )
    assert "The test split was not read" in page.text


def test_without_predictions_the_interval_is_from_the_number_of_images(make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "predictions.npz").unlink()
    page = page_of(folder)
    assert page.by_id["headline"].startswith("98.1 % test top-1 on digits (353 of 360), one run, seed 0; 95 % interval")
    assert "the run directory has no predictions.npz" in page.text


@pytest.mark.slow
def test_a_curve_of_the_test_split_is_marked(make_run: MakeRun) -> None:
    page = page_of(make_run(test_curve=True))
    assert "test (peeks)" in page.source
    assert "peek" in page.text


@pytest.mark.slow
def test_an_auxiliary_loss_has_a_column_and_a_curve(make_run: MakeRun, page: Page) -> None:
    run = make_run()
    result = json.loads((run / "result.json").read_text())
    change(run / "result.json", metrics=result["metrics"] | {"val_auxiliary_loss": 0.25, "test_auxiliary_loss": 0.5})
    change(run / "spec.json", metrics={**MEASURED, "val_auxiliary_loss": AUXILIARY, "test_auxiliary_loss": AUXILIARY})
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    (run / "metrics.jsonl").write_text(
        "".join(json.dumps(line | {"val_auxiliary_loss": 0.25}) + "\n" for line in lines)
    )
    changed = page_of(run)
    assert changed.row("Split") == ["Top-1, %", "Top-5, %", "Loss, nats", "Auxiliary loss"]
    assert changed.row("Test") == ["98.1", "99.7", "0.084", "0.500"]
    assert changed.row("Training") == ["99.4", "not recorded", "0.031", "not recorded"]
    assert (run.parent / "page_figures/auxiliary_loss.svg").exists()
    assert page.row("Split") == ["Top-1, %", "Top-5, %", "Loss, nats"]


def test_without_one_nothing_peeks(page: Page) -> None:
    assert "peek" not in page.source


@pytest.mark.slow
def test_records_that_disagree_are_called_out(make_run: MakeRun) -> None:
    folder = make_run()
    change(folder / "result.json", metrics={**RESULT, "test_top1": 0.99})
    page = page_of(folder)
    assert "The records disagree: result.json has test top-1 99.0 %" in page.text
    assert "no interval" in page.by_id["headline"]


@pytest.mark.slow
def test_code_that_no_commit_holds_is_called_out(make_run: MakeRun) -> None:
    folder = make_run()
    change(folder / "env.json", commit="0123abc-dirty")
    assert "cannot be repeated exactly" in page_of(folder).text


@pytest.mark.slow
def test_many_classes_have_a_table_of_pairs_and_no_matrix(make_run: MakeRun) -> None:
    page = page_of(make_run(classes=30, mistakes=20))
    assert not any("Confusion matrix" in (attributes.get("aria-label") or "") for _, attributes in page.tags)
    pairs = [row for row in page.rows if len(row) == 4 and row[2] == "1"]
    assert len(pairs) == 15
    assert pairs[0] == ["0", "1", "1", "8.3"]


def test_every_class_has_its_recall_the_lowest_first(finished: Path, page: Page) -> None:
    """Of ten classes of 36 images the first seven have one mistake each, taken for the next class."""
    start = page.rows.index(["Class", "Images", "Share, %", "Recall, %", "95 % interval", "Most often taken for"])
    assert page.rows[start + 1] == ["0", "36", "10.0", "97.2", "[85.8, 99.5]", "1 (1)"]
    assert page.rows[start + 10] == ["9", "36", "10.0", "100.0", "[90.4, 100.0]", "–"]
    assert "Balanced accuracy, the mean recall of the classes: 98.1 %." in page.text
    assert "uneven" not in page.text
    lines = (finished.parent / "page_figures/by_class.csv").read_text().splitlines()
    assert lines[0] == "class,images,share,recall,low,high,taken_for,mistaken"
    assert lines[1].startswith("0,36,0.1,0.9722222222222222,0.85")
    assert lines[1].endswith(",1,1")
    assert len(lines) == 11


@pytest.mark.slow
def test_of_many_classes_the_lowest_recalls_are_shown_and_all_are_in_the_file(make_run: MakeRun) -> None:
    folder = make_run(classes=40, mistakes=20)
    page = page_of(folder)
    assert "The 30 lowest recalls of 40; by_class.csv in the folder beside this page has all." in page.text
    assert len([row for row in page.rows if row[-1].endswith("(1)") or row[-1] == "–"]) == 30
    assert len((folder.parent / "page_figures/by_class.csv").read_text().splitlines()) == 41


@pytest.mark.slow
def test_uneven_classes_are_called_out_beside_the_accuracy(make_run: MakeRun) -> None:
    """An old run, too, of which balanced accuracy was not recorded: it is told from the predictions."""
    folder = make_run(names=["<cat>", "dog", *map(str, range(2, 10))], mistakes=0)
    with np.load(folder / "predictions.npz") as arrays:
        changed = dict(arrays) | {"labels": np.array([0] * 350 + [1] * 10)}
        changed["probabilities"] = np.tile(np.eye(10, dtype=np.float32)[0], (360, 1))
    np.savez(folder / "predictions.npz", **changed)
    page = page_of(folder)
    assert (
        "The classes are uneven: always saying <cat> would be right for 97.2 % of the test images. Balanced accuracy, "
        "the mean recall of the classes, is 50.0 %."
    ) in page.text
    assert next(row for row in page.rows if row[:2] == ["dog", "10"])[-3:] == ["0.0", "[0.0, 27.8]", "<cat> (10)"]


@pytest.mark.slow
def test_no_mistakes_at_all(make_run: MakeRun) -> None:
    page = page_of(make_run(mistakes=0))
    assert "None: all 360 test images were classified correctly." in page.text


@pytest.mark.slow
def test_one_evaluation_is_a_dot(make_run: MakeRun) -> None:
    metrics = make_run() / "metrics.jsonl"
    metrics.write_text(metrics.read_text().splitlines()[0] + "\n")
    assert len(page_of(metrics.parent).drawings) == 4


@pytest.mark.slow
def test_large_pictures_are_reduced(make_run: MakeRun) -> None:
    folder = make_run()
    with np.load(folder / "predictions.npz") as arrays:
        changed = dict(arrays) | {
            "mistake_pixels": np.random.default_rng(0).integers(0, 256, (7, 300, 200, 3), np.uint8)
        }
    np.savez(folder / "predictions.npz", **changed)
    assert len(page_of(folder).source) < 1e6
    with Image.open(folder.parent / "page_figures/mistake_01.png") as png:
        assert png.size == (85, 128)


def test_a_damaged_record_leaves_no_page(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run()
    (folder / "predictions.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"predictions\.npz is damaged"):
        write_report(folder, out=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


# ------------------------------------------------------------------------------------------------------- as a whole


@pytest.mark.slow
def test_reading_a_run_does_not_import_torch() -> None:
    script = "import sys, vitlab.report.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.slow
def test_a_browser_draws_the_page_without_complaint(make_run: MakeRun, tmp_path: Path) -> None:
    page, picture = write_report(make_run(channels=3), out=tmp_path / "page.html"), tmp_path / "page.png"
    done = browse(page, f"--screenshot={picture}", "--window-size=1200,2400")
    assert "CONSOLE" not in done.stderr
    with Image.open(picture) as png:
        assert len(set(png.convert("RGB").reduce(8).get_flattened_data())) > 50
