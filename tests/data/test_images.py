import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.images import Images, Splits, check


def images(*labels: int) -> Images:
    return Images(torch.zeros(len(labels), 1, 2, 2, dtype=torch.uint8), torch.tensor(labels))


def test_length_and_device():
    moved = images(0, 1, 2).to("meta")
    assert len(moved) == 3
    assert moved.pixels.device.type == moved.labels.device.type == "meta"


def test_pixels_are_given_out_as_asked_for():
    four = Images(
        torch.arange(4, dtype=torch.uint8)[:, None, None, None].expand(4, 1, 2, 2), torch.tensor([5, 6, 7, 8])
    )
    asked = torch.tensor([[3, 0, 0], [1, 2, 3]])
    assert torch.equal(four.ask(asked)()[..., 0, 0, 0].long(), asked)
    part = four.subset(torch.tensor([2, 0]))
    assert part.labels.tolist() == [7, 5]
    assert part.pixels[:, 0, 0, 0].tolist() == [2, 0]


def test_batches_come_in_order_and_the_last_may_be_smaller():
    batches = list(images(4, 3, 2, 1, 0).batches(2))
    assert [labels.tolist() for _, labels in batches] == [[4, 3], [2, 1], [0]]
    assert [len(pixels) for pixels, _ in batches] == [2, 2, 1]
    assert list(images().batches(2)) == []


def test_a_good_set_passes():
    check(Splits(images(1, 0), images(0), ("cat", "dog")))  # the test split may lack a class


@pytest.mark.parametrize("bad", [2, -1])
def test_a_label_outside_the_classes_is_refused(bad: int):
    with pytest.raises(DataError, match=f"test image 1 has label {bad}; legal: 0 to 1"):
        check(Splits(images(0, 1), images(0, bad), ("cat", "dog")))
    with pytest.raises(DataError, match=f"train image 2 has label {bad}"):
        check(Splits(images(0, 1, bad), images(0), ("cat", "dog")))


def test_a_class_without_a_training_image_is_refused():
    with pytest.raises(DataError, match="'dog'"):
        check(Splits(images(0, 2), images(1), ("cat", "dog", "cow")))
