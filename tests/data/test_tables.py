import tracemalloc

import datasets
import pytest

from vitlab.base.errors import DataError
from vitlab.data import tables
from vitlab.data.decode import Frame, Unreadable
from vitlab.data.reach import Reach
from vitlab.data.tables import Column, Columns, columns, picture_of

PICTURE, NUMBER, TEXT = datasets.Image(), datasets.Value("int64"), datasets.Value("string")
CLASSES = datasets.ClassLabel(names=["cat", "dog"])
STORED = {"bytes": datasets.Value("binary"), "path": TEXT}


def found(**kinds: object) -> Columns:
    return columns({"pets": kinds}, None, None)


# --------------------------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize("picture", [PICTURE, STORED, datasets.Value("binary")])
def test_the_only_ones_that_can_be_meant_are_found(picture: object):
    assert found(scan=picture, pet=CLASSES, age=NUMBER) == Columns("scan", "pet", ("cat", "dog"))


def test_numbers_are_labels_if_they_are_called_so():
    assert found(image=PICTURE, label=NUMBER, age=NUMBER) == Columns("image", "label", None)
    with pytest.raises(DataError, match=r"pets has no column that can be the label; name it: data\.label=COLUMN"):
        found(image=PICTURE, age=NUMBER)


def test_of_several_one_must_be_named():
    kinds = {"pets": {"image": PICTURE, "fine": CLASSES, "coarse": datasets.ClassLabel(names=["pet"])}}
    with pytest.raises(DataError, match=r"2 columns \(fine, coarse\) that can be the label"):
        columns(kinds, None, None)
    assert columns(kinds, None, "coarse").class_names == ("pet",)


def test_what_is_named_must_be_there_and_of_its_kind():
    kinds = {"pets": {"image": PICTURE, "label": CLASSES, "text": TEXT}}
    with pytest.raises(DataError, match="pets has no column picture; it has image, label, text"):
        columns(kinds, "picture", None)
    with pytest.raises(DataError, match="its column text holds no pictures, but Value"):
        columns(kinds, "text", None)
    with pytest.raises(DataError, match="its column image holds neither class numbers nor words"):
        columns(kinds, None, "image")
    assert columns(kinds, None, "text") == Columns("image", "text", None, words=True)
    with pytest.raises(DataError, match="no columns whose kind is known"):
        columns({"pets": None}, None, None)


def test_splits_must_agree():
    other = {"image": PICTURE, "label": datasets.ClassLabel(names=["dog", "cat"])}
    with pytest.raises(DataError, match="2 classes and 2 classes; class 0 is cat in the first, and dog in the second"):
        columns({"train": {"image": PICTURE, "label": CLASSES}, "test": other}, None, None)
    other["label"] = NUMBER
    with pytest.raises(DataError, match="classes: image, label of 2 classes; image, label of numbers"):
        columns({"train": {"image": PICTURE, "label": CLASSES}, "test": other}, None, None)


def test_a_difference_does_not_grow_with_the_classes():
    names = [f"n{number:03}" for number in range(500)]
    many, fewer = ({"image": PICTURE, "label": datasets.ClassLabel(names=part)} for part in (names, names[:-1]))
    with pytest.raises(DataError) as caught:
        columns({"train": many, "test": fewer}, None, None)
    assert str(caught.value).endswith("500 classes and 499 classes; only the first has n499")


def test_no_message_grows_with_the_columns():
    kinds = {f"column {number}": NUMBER for number in range(1000)}
    with pytest.raises(DataError) as caught:
        found(**kinds)
    assert len(str(caught.value)) < 500


def test_names_of_classes_are_compared_in_one_spelling_of_unicode():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    train, test = ({"image": PICTURE, "label": datasets.ClassLabel(names=[name])} for name in (composed, decomposed))
    assert columns({"train": train, "test": test}, None, None).class_names == (composed,)
    with pytest.raises(DataError, match=f"pets has two classes called {composed}, in two spellings of Unicode"):
        found(image=PICTURE, label=datasets.ClassLabel(names=[composed, decomposed]))


# ---------------------------------------------------------------------------------------------------------- values


def table(pictures: list[object], labels: list[object], kind: object = NUMBER) -> datasets.Dataset:
    features = datasets.Features({"image": datasets.Image(decode=False), "label": kind})
    return datasets.Dataset.from_dict({"image": pictures, "label": labels}, features=features)


def stored(content: bytes | None = None, path: str | None = None) -> dict[str, object]:
    return {"bytes": content, "path": path}


def test_a_column_gives_bytes_and_says_where_they_are_from():
    column = Column(
        table([stored(b"one", "a/1.png"), stored(b"two"), stored(b"3")], [0, 1, 0]), "image", [("x", 2), ("y", 1)]
    )
    assert [column[row] for row in range(3)] == [b"one", b"two", b"3"]
    assert [column.name(row) for row in range(3)] == ["x, row 0 (1.png)", "x, row 1", "y, row 0"]


def test_a_picture_is_bytes_or_a_file_within_reach(tmp_path):
    assert picture_of(stored(path=str(tmp_path / "a.png")), Reach((tmp_path,))) == tmp_path / "a.png"
    assert picture_of(stored(b"bytes", "../elsewhere.png")) == picture_of(b"bytes") == b"bytes"
    with pytest.raises(Unreadable, match="outside of the data's folder"):
        picture_of(stored(path=str(tmp_path / "a.png")))
    for nothing in (None, stored()):
        with pytest.raises(Unreadable, match="there is no picture"):
            picture_of(nothing)


def test_numbers_without_names_are_classes_up_to_the_largest():
    splits = {"train": table([stored(b"")] * 3, [0, 3, 1]), "test": table([stored(b"")], [2])}
    listing = tables.hub_listing(splits, "hub:pets", None, None, Frame((4, 4)))
    assert listing.class_names == ("0", "1", "2", "3")
    assert listing.splits["train"].labels.tolist() == [0, 3, 1]
    assert listing.splits["test"].name(0) == "hub:pets test, row 0"


@pytest.mark.parametrize("labels", [[1, 2, 3], [0, 1, 3], [10**12, 5, 5]])
def test_identifiers_are_renumbered_on_request(labels: list[int]):
    splits = {"train": table([stored(b"")] * 3, labels)}
    with pytest.raises(DataError, match=r"different numbers? \(.*\), and .* from 0; data\.renumber=true makes each"):
        tables.hub_listing(splits, "hub:pets", None, None, Frame((4, 4)))
    listing = tables.hub_listing(splits, "hub:pets", None, None, Frame((4, 4)), renumber=True)
    assert listing.class_names == tuple(map(str, sorted(set(labels))))
    assert [int(listing.class_names[label]) for label in listing.splits["train"].labels] == labels


def test_words_are_classes_in_their_order():
    words = ["dog", "cat", "größer"]
    texts = {"train": table([stored(b"")] * 3, words, TEXT), "test": table([stored(b"")], ["cat"], TEXT)}
    listing = tables.hub_listing(texts, "hub:pets", None, None, Frame((4, 4)))
    assert listing.class_names == ("cat", "dog", "größer")
    assert (listing.splits["train"].labels.tolist(), listing.splits["test"].labels.tolist()) == ([1, 0, 2], [0])


def test_one_number_is_said_in_good_english():
    with pytest.raises(DataError, match=r"has 1 different number \(1\), and class numbers count from 0"):
        tables.hub_listing({"train": table([stored(b"")], [1])}, "hub:pets", None, None, Frame((4, 4)))


def test_two_spellings_of_unicode_are_one_class_and_it_is_said():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    texts = {
        "train": table([stored(b"")] * 2, [composed, "the"], TEXT),
        "test": table([stored(b"")], [decomposed], TEXT),
    }
    listing = tables.hub_listing(texts, "hub:pets", None, None, Frame((4, 4)))
    assert listing.class_names == (composed, "the")
    assert listing.splits["test"].labels.tolist() == [0]
    assert listing.notes == (f"{composed} in two spellings of Unicode: one class",)


def test_words_are_told_apart_by_all_of_their_characters():
    words = ["x\0", "x", " x", "", "x" * 1_000_000]
    listing = tables.hub_listing(
        {"train": table([stored(b"")] * 5, words, TEXT)}, "hub:pets", None, None, Frame((4, 4))
    )
    assert [listing.class_names[label] for label in listing.splits["train"].labels] == words


def test_a_long_word_takes_its_own_memory_and_not_that_of_every_row():
    words = ["cat", "dog", "x" * 1_000_000] + ["cat"] * 1000
    opened = {"train": table([stored(b"")] * len(words), words, TEXT)}
    tracemalloc.start()
    tables.hub_listing(opened, "hub:pets", None, None, Frame((4, 4)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000_000


def test_whole_numbers_may_be_stored_as_floating_point():
    floats = datasets.Value("float64")
    listing = tables.hub_listing(
        {"train": table([stored(b"")] * 3, [1.0, 0.0, 2.0], floats)}, "hub:pets", None, None, Frame((4, 4))
    )
    assert (listing.class_names, listing.splits["train"].labels.tolist()) == (("0", "1", "2"), [1, 0, 2])
    for fraction in (0.5, float("inf")):
        broken = {"train": table([stored(b"")] * 2, [0.0, fraction], floats)}
        with pytest.raises(DataError, match=rf"column label has {fraction}, .* whole; if .*: data\.label=COLUMN"):
            tables.hub_listing(broken, "hub:pets", None, None, Frame((4, 4)))
    missing = {"train": table([stored(b"")] * 2, [0.0, float("nan")], floats)}
    with pytest.raises(DataError, match="the train split has 1 row without a label: leave them out of the table"):
        tables.hub_listing(missing, "hub:pets", None, None, Frame((4, 4)))


def test_tables_are_joined_if_their_columns_are_the_same():
    parts = {"2019": table([stored(b"")], [0]), "2020": table([stored(b"")] * 2, [1, 0])}
    assert tables.joined(parts).data.column("label").to_pylist() == [0, 1, 0]
    with pytest.raises(DataError, match=r"2019, 2020 are no one table, as their columns differ; data\.splits says"):
        tables.joined(parts | {"2020": table([stored(b"")], ["cat"], TEXT)})


def test_a_table_may_be_empty():
    listing = tables.hub_listing({"train": table([], [])}, "hub:pets", None, None, Frame((4, 4)))
    assert (len(listing.splits["train"]), listing.class_names) == (0, ())


def test_a_row_without_a_label_is_refused():
    with pytest.raises(DataError, match="the train split has 2 rows without a label"):
        tables.hub_listing({"train": table([stored(b"")] * 3, [0, None, None])}, "pets", None, None, Frame((4, 4)))
