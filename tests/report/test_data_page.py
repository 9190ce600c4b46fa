import numpy as np

from vitlab.records.data import Found, FoundSplit
from vitlab.report.data_page import data_page


def test_classes_notes_and_pictures():
    found = Found("no splits", {"train": FoundSplit(3, {"<cat>": 2, "dog": 1})}, notes=("something is odd",))
    sheet = {"<cat>": {"train": [np.zeros((4, 200, 3), np.uint8)]}, "dog": {"train": [np.zeros((4, 4, 1), np.uint8)]}}
    page = data_page("pets", found, sheet).html
    assert "something is odd" in page
    assert "&lt;cat&gt;" in page
    assert "<cat>" not in page
    assert page.count("data:image/png") == 2


def test_pictures_of_many_bands_are_seen_by_their_first_three():
    found = Found("", {"train": FoundSplit(1, {"a": 1})})
    assert "data:image/png" in data_page("bands", found, {"a": {"train": [np.zeros((4, 4, 10), np.uint8)]}}).html
