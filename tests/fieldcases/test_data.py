"""Data as people have them. Each test is a case that users of such tools ran into, by its number in the list."""

import os
import re
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from rich.console import Console

from tests.fieldcases.conftest import link, picture, said, split_images
from tests.reading import read_json
from vitlab import api
from vitlab.base.errors import DataError, SpecError, UserError

pytestmark = pytest.mark.slow  # whole commands, of which each takes half a second

# ------------------------------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize("names", [("training", "testing"), ("train", "test"), ("Training", "Valid")])
def test_1_split_folders_have_the_names_that_the_field_has_for_them(tree, names):
    tree(f"m/{names[0]}", list("0123"), 20)
    look = api.look(str(tree(f"m/{names[1]}", list("0123"), 5)))
    assert look.classes == ("0", "1", "2", "3")
    assert split_images(look) == {"train": 80, "test": 20}


def test_3_pictures_without_class_folders_in_val_are_refused(tree, tmp_path):
    data = tree("f/train", ["a", "b"], 20)
    for number in range(10):
        picture(tmp_path / f"f/val/{number}.png", number)
    with pytest.raises(
        DataError, match=r"val has 10 pictures and no folder for every class.*Sort them into val/CLASS/"
    ):
        api.look(str(data))
    assert split_images(api.look(str(data), {"data.splits": {"train": "train"}})) == {"train": 36, "test": 4}


def test_4_val_is_the_validation_split_where_there_is_a_test(tree, run):
    for split, count in (("train", 20), ("val", 7), ("test", 5)):
        data = tree(f"t/{split}", ["a", "b"], count)
    record = read_json(run(data, val_fraction=0.1) / "data.json")
    assert [record[split]["images"] for split in ("train", "val", "test")] == [40, 14, 10]
    record = read_json(run(data, "none", val_fraction=0) / "data.json")
    assert [record[split]["images"] for split in ("train", "val", "test")] == [40, 0, 10]


def test_5_classes_one_level_deeper_are_said_and_can_be_chosen(tree):
    tree("p/a", ["airfield", "alley"], 4)
    data = tree("p/b", ["bakery", "bar"], 4)
    assert "data.class_depth=2" in said(api.look(str(data)))
    look = api.look(str(data), {"data.class_depth": 2})
    assert look.classes == ("a/airfield", "a/alley", "b/bakery", "b/bar")
    assert "class_depth" not in said(look)


def test_5_every_folder_with_pictures_may_be_a_class(tree):
    tree("p/a", ["airfield"], 4)
    data = tree("p/a/building", ["outdoor"], 4)
    assert api.look(str(data), {"data.class_depth": None}).classes == ("a/airfield", "a/building/outdoor")


@pytest.mark.parametrize("target", [".", "..", "../dog"])
def test_6_a_link_that_leads_back_is_not_followed(tree, tmp_path, target):
    tree("l/train", ["cat", "dog"], 3)
    data = tree("l/test", ["cat", "dog"], 2)
    link(tmp_path / "l/train/cat/again", target)
    look = api.look(str(data))
    assert split_images(look) == {"train": 6, "test": 4}
    assert "train/cat/again" in said(look)


def test_6_a_picture_by_two_names_is_one_picture_and_the_test_has_it(tree, tmp_path):
    tree("l/train", ["cat", "dog"], 3)
    data = tree("l/test", ["cat", "dog"], 2)
    link(tmp_path / "l/train/cat/9.png", str(tmp_path / "l/test/cat/0.png"))
    assert split_images(api.look(str(data))) == {"train": 6, "test": 4}


def test_6_links_to_elsewhere_are_followed(tree, tmp_path):
    data, elsewhere = tree("l", ["cat", "dog"], 6), tree("store", ["more"], 5)
    link(tmp_path / "l/cat/more", str(elsewhere / "more"))
    assert sum(split_images(api.look(str(data))).values()) == 17


def test_7_files_that_are_no_pictures_are_counted_by_suffix(tree, tmp_path):
    data = tree("h", ["a", "b"], 4)
    for number in range(40):
        (tmp_path / f"h/a/{number}.HEIC").write_bytes(b"x")
    shutil.copy(tmp_path / "h/a/0.png", tmp_path / "h/a/cat")
    look = api.look(str(data))
    assert look.found.not_pictures == {".heic": 40, "no suffix": 1}
    assert "40 .heic, 1 no suffix; .heic: convert them to JPEG" in said(look)


def test_8_names_are_compared_in_one_normal_form(tree):
    tree("u/train", ["café", "the"], 6)
    look = api.look(str(tree("u/test", [unicodedata.normalize("NFD", "café"), "the"], 2)))
    assert look.classes == ("café", "the")
    assert look.found.splits["test"].classes == {"café": 2, "the": 2}


def test_a_folder_that_is_in_no_split_is_said(tree):
    tree("s/train", ["a", "b"], 4)
    tree("s/test", ["a", "b"], 2)
    assert "not read: extra/ (6 pictures), which is in no split" in said(api.look(str(tree("s/extra", ["a"], 6))))


def test_two_folders_for_one_role_are_refused(tree):
    tree("s/train", ["a", "b"], 4)
    tree("s/test", ["a", "b"], 2)
    with pytest.raises(
        DataError, match=r"has test and testing, and either can be the test split; name it: data\.splits"
    ):
        api.look(str(tree("s/testing", ["a", "b"], 2)))


# -------------------------------------------------------------------------------------------------------------- pixels


def test_10_a_white_level_below_the_range_is_said_and_can_be_set(tmp_path):
    values = (np.arange(65536).reshape(256, 256) % 4096).astype("uint16")
    for name in ("a", "b"):
        for number in range(4):
            (tmp_path / "w" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / "w" / name / f"{number}.png")
    settings = {"data.in_chans": 1, "data.img_size": 256}
    look = api.look(str(tmp_path / "w"), settings)
    assert look.found.depths["16"].brightest == 4095
    assert "data.white=4095 makes it white" in said(look)
    from vitlab.data.sets.folder import Spec

    dark, bright = (
        Spec(path=str(tmp_path / "w"), in_chans=1, img_size=(256, 256), white=w).load() for w in (None, 4095)
    )
    assert len(dark.train.pixels.unique()) < 20
    assert len(bright.train.pixels.unique()) == 256


def test_11_metadata_never_cost_a_picture(tree, tmp_path):
    data = tree("h", ["a", "b"], 6)
    about = PngImagePlugin.PngInfo()
    about.add_text("comment", "x" * 3_000_000, zip=True)
    Image.new("RGB", (8, 8), "red").save(tmp_path / "h/a/0.png", pnginfo=about)
    assert api.look(str(data)).unreadable == {}


def test_11_the_largest_picture_is_a_setting(tree, tmp_path):
    data = tree("h", ["a", "b"], 6)
    Image.new("L", (200, 100)).save(tmp_path / "h/a/0.png")
    with pytest.raises(DataError, match=r"it has 200 × 100 pixels; data\.max_pixels=19999 is the limit"):
        api.look(str(data), {"data.max_pixels": 19_999})
    assert api.look(str(data), {"data.max_pixels": 20_000}).unreadable == {}


def test_12_the_share_that_may_be_unreadable_is_a_setting_and_the_whole_list_is_written(tree, tmp_path):
    data = tree("c", ["a", "b"], 30, "jpg")
    broken = [tmp_path / f"c/a/{number}.jpg" for number in range(0, 30, 5)]
    for path in broken:
        path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(DataError, match=r"data\.max_unreadable=0\.01 may be left out.*the whole list is in ") as caught:
        api.look(str(data))
    written = Path(str(caught.value).rpartition("the whole list is in ")[2]).read_text(encoding="utf-8")
    assert len(written.splitlines()) >= 5
    look = api.look(str(data), {"data.max_unreadable": 0.2})
    assert sorted(name for names in look.unreadable.values() for name in names) == sorted(
        path.relative_to(tmp_path / "c").as_posix() for path in broken
    )


def _bands(folder: Path, bands: int, dtype: str, suffix: str) -> Path:
    import tifffile

    for name in ("a", "b"):
        for number in range(4):
            (folder / name).mkdir(parents=True, exist_ok=True)
            values = np.full((8, 8, bands), 100 + number, dtype)
            values[..., -1] = 10 + 30 * (name == "b")
            if suffix == "png" or (bands == 4 and dtype == "uint8"):
                Image.fromarray(values).save(folder / name / f"{number}.{suffix}")
            else:
                tifffile.imwrite(
                    folder / name / f"{number}.{suffix}", values, photometric="minisblack", planarconfig="contig"
                )
    return folder


@pytest.mark.parametrize(
    ("bands", "dtype", "suffix"), [(4, "uint8", "tif"), (4, "uint8", "png"), (10, "uint16", "tif")]
)
def test_13_pictures_of_more_bands_are_trained_on(tmp_path, run, bands, dtype, suffix):
    data = _bands(tmp_path / "n", bands, dtype, suffix)
    folder = run(data, **{"data.in_chans": bands, "task.label_smoothing": 0.0})
    assert read_json(folder / "spec.json")["spec"]["model"]["in_chans"] == bands
    from vitlab.data.sets.folder import Spec

    pixels = Spec(path=str(data), in_chans=bands, img_size=(8, 8), white=255).load().train.pixels
    assert set(pixels[:, 0].unique().tolist()) <= {100, 101, 102, 103}
    assert set(pixels[:, -1].unique().tolist()) == {10, 40}


def test_13_what_needs_colours_is_refused_before_anything_is_read(tmp_path, run):
    jitter = [{"name": "color_jitter", "hue": 0.1}]
    with pytest.raises(SpecError, match=r"color_jitter\.hue=0\.1: must be 0 for images of 4 channels"):
        run(_bands(tmp_path / "n", 4, "uint8", "tif"), **{"data.in_chans": 4, "augment": jitter})


def test_13_a_fourth_band_is_not_quietly_taken_for_transparency(tmp_path):
    told = said(api.look(str(_bands(tmp_path / "n", 4, "uint8", "tif"))))
    assert "taken for transparency" in told
    assert "data.in_chans=4" in told


def test_13_another_number_of_bands_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"it has 10 bands, and data\.in_chans=3"):
        api.look(str(_bands(tmp_path / "n", 10, "uint16", "tif")))


# ------------------------------------------------------------------------------------------------------ few and uneven


def test_18_a_rare_class_is_trained_on(tree, run):
    tree("r", ["a", "b"], 50)
    record = read_json(run(tree("r", ["rare"], 5), val_fraction=0.1) / "data.json")
    assert record["found"]["splits"]["train"]["classes"]["rare"] == 4
    assert record["val"]["images"] == 4 + 4 + 1


@pytest.fixture
def uneven(tree):
    """A set of 40 : 2 training and 20 : 1 test pictures; its folder."""
    for split, most, least in (("train", 40, 2), ("test", 20, 1)):
        tree(f"i/{split}", ["a"], most)
        data = tree(f"i/{split}", ["b"], least)
    return data


def test_19_an_uneven_set_is_said(uneven):
    assert "95% of the training images are a" in said(api.look(str(uneven)))


def test_19_a_training_names_what_evens_classes_out_once(uneven, run, capsys):
    evened = "uneven classes, 40 pictures of a and 2 of b: sampling=balanced_classes or task.class_weights=balanced"
    run(uneven, console=Console(width=200))
    assert capsys.readouterr().out.count(evened) == 1
    run(uneven, "weighted", console=Console(width=200), **{"task.class_weights": "balanced"})
    assert "uneven classes" not in capsys.readouterr().out


def test_19_the_majority_stands_beside_the_accuracy(uneven, run, vitlab):
    """A model that has learned to say a: the end of its training, an evaluation and the page say what that is worth."""
    folder = run(uneven, steps=40)
    score = api.evaluate(folder)
    assert score.values["test_balanced_accuracy"] == 0.5
    assert read_json(folder / "result.json")["metrics"]["test_balanced_accuracy"] == 0.5
    assert "top-1 95.24 % (always saying a: 95.24 %), balanced accuracy 50.00 %" in api.summary(folder)
    assert vitlab("evaluate", folder).out.splitlines()[1:] == [
        "always saying a would be right in 95.24 %",
        "lowest recall by class:",
        "  b    0.00 % of 1 image, most often taken for a",
        "  a  100.00 % of 20 images",
    ]
    page = api.report(folder).read_text(encoding="utf-8")
    assert "always saying a would be right for 95.2 % of the test images" in page
    lines = (folder / "report_figures/by_class.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["b", "1", str(1 / 21), "0.0"],
        ["a", "20", str(20 / 21), "1.0"],
    ]


def test_19_rare_classes_can_be_seen_as_often_as_others(uneven, run):
    record = read_json(run(uneven, sampling="balanced_classes") / "data.json")
    assert record["train"]["images"] == 80


def test_19_rare_classes_can_count_for_more(tmp_path, run):
    """Grey pictures whose levels overlap, 40 of one class and four of the other: a short training without weights never
    names the rare one.
    """
    for name, levels in (("common", np.linspace(60, 160, 40)), ("rare", np.linspace(130, 190, 4))):
        for split in ("train", "test"):
            for number, level in enumerate(levels):
                place = tmp_path / "i" / split / name / f"{number}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (8, 8), int(level)).save(place)
    recalls = {}
    for weights in ("none", "balanced"):
        settings = {"steps": 20, "augment": [], "task.class_weights": weights}
        score = api.evaluate(run(tmp_path / "i", weights, **settings))
        recalls[weights] = {each.name: each.recall for each in score.by_class}
    assert recalls["none"] == {"common": 1, "rare": 0}
    assert recalls["balanced"]["rare"] > 0.4


def test_20_a_handful_of_pictures_is_trained_on_and_the_length_is_said(tree, run, vitlab, capsys):
    """And to be among the five likeliest of three classes is no achievement."""
    handful = {"epochs": 20, "steps": None, "batch_size": 64}
    folder = run(tree("y", ["a", "b", "c"], 4), console=Console(width=200), **handful)
    out = capsys.readouterr().out
    assert "3 steps of training in all (epochs=20, 9 pictures): too few to learn much" in out
    said = [out, api.summary(folder), vitlab("evaluate", folder).out, api.report(folder).read_text(encoding="utf-8")]
    assert not [text for text in said if re.search("top-?5", text, re.IGNORECASE)]
    assert not [name for name in read_json(folder / "result.json")["metrics"] if "top5" in name]


def test_26_a_mean_of_the_other_convention_is_refused(tree, run):
    with pytest.raises(SpecError, match=r"mean=.*is of pixel values between 0 and 1; divide by 255"):
        run(tree("m", ["a", "b"], 4), **{"data.mean": [125.3, 123.0, 113.9]})


def test_a_share_of_the_data_is_part_of_a_larger_one(tree, run):
    data = tree("s", ["a", "b"], 20)
    counts = [
        read_json(run(data, f"run{share}", **{"data.train_fraction": share}) / "data.json")["train"]["images"]
        for share in (0.25, 0.5, 1.0)
    ]
    assert counts == [10, 18, 36]


# ------------------------------------------------------------------------------------------------------------ identity


def _begin_and_stop(run, data):
    folder = run(data, steps=4)
    (folder / "result.json").unlink()
    return folder


def test_23_a_run_does_not_go_on_with_other_pictures(tree, run, tmp_path):
    data = tree("d", ["ant", "bee", "cat"], 10)
    _begin_and_stop(run, data)
    shutil.move(tmp_path / "d/ant", tmp_path / "d/zebra")
    with pytest.raises(
        UserError, match=r"the data are not those of .*class ant of train is gone; class zebra of train"
    ):
        run(data, resume=True, steps=4)
    shutil.move(tmp_path / "d/zebra", tmp_path / "d/ant")
    for number in range(10, 20):
        picture(tmp_path / f"d/ant/{number}.png", 10_000 + number)
    with pytest.raises(UserError, match=r"train images of ant: 9 → 18"):
        run(data, resume=True, steps=4)


def test_23_a_picture_that_was_replaced_is_noticed(tree, run, tmp_path):
    data = tree("d", ["ant", "bee"], 10)
    _begin_and_stop(run, data)
    picture(tmp_path / "d/ant/0.png", 77_777)
    with pytest.raises(UserError, match="as many images as before, with other names or contents"):
        run(data, resume=True, steps=4)


def test_23_data_that_were_moved_are_the_same(tree, run, tmp_path):
    data = tree("d", ["ant", "bee"], 10)
    before = api.look(str(data)).found
    shutil.copytree(data, tmp_path / "elsewhere")
    os.utime(tmp_path / "elsewhere/ant/0.png")
    assert api.look(str(tmp_path / "elsewhere")).found == before


# -------------------------------------------------------------------------------------------------- scores elsewhere


def test_39_all_of_another_set_is_scored(tree, run):
    trained = run(tree("d", ["a", "b"], 10))
    assert api.evaluate(trained, str(tree("x", ["a", "b"], 100))).images == 200
    assert api.evaluate(trained, str(tree("x2/test", ["a", "b"], 5))).images == 10


def test_39_classes_are_matched_by_name_and_may_be_fewer(tree, run):
    trained = run(tree("d", ["a", "b", "c"], 10))
    other = str(tree("x/test", ["c"], 6))
    score = api.evaluate(trained, other)
    assert (score.images, score.classes, score.known) == (6, ("c",), ("a", "b", "c"))
    assert api.evaluate(trained, other, among="present").values["test_top1"] == 1.0
    with pytest.raises(DataError, match="classes that the model does not know: zebra"):
        api.evaluate(trained, str(tree("z/test", ["a", "zebra"], 2)))


def test_39_what_is_not_scored_may_be_of_other_classes(tree, run):
    trained = run(tree("d", ["a", "b"], 10))
    tree("x/train", ["a", "zebra"], 4)
    assert api.evaluate(trained, str(tree("x/test", ["a"], 3))).images == 3


def test_39_what_was_found_in_the_other_set_is_said(tree, run):
    trained = run(tree("d", ["a", "b"], 10))
    tree("x/other", ["a"], 4)
    score = api.evaluate(trained, str(tree("x/train", ["a", "b"], 3)))
    assert score.images == 6
    assert any("not read: other/" in line for line in score.data)


def test_39_the_set_that_was_trained_on_is_read_as_in_training_and_others_as_is_set(tree, run):
    for outer in ("x", "y"):
        data = tree(f"d/{outer}", ["a", "b"], 6)
    trained = run(data, **{"data.class_depth": 2})
    assert api.evaluate(trained, str(data)).known == ("x/a", "x/b", "y/a", "y/b")
    other = tree("e/x", ["a", "b"], 2)
    with pytest.raises(DataError, match="classes that the model does not know: x; it knows x/a"):
        api.evaluate(trained, str(other))
    assert api.evaluate(trained, str(other), settings={"class_depth": 2}).classes == ("x/a", "x/b")
    with pytest.raises(UserError, match="no --data"):
        api.evaluate(trained, settings={"class_depth": 2})


def test_39_changed_data_are_not_evaluated_on_as_if_they_were_the_run_s(tree, run, tmp_path):
    data = tree("d", ["a", "b"], 10)
    trained = run(data)
    picture(tmp_path / "d/a/99.png", 99_999)
    with pytest.raises(DataError, match=r"the data are not those of .*images of a: "):
        api.evaluate(trained)
