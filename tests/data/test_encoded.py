from collections.abc import Callable

import pytest
import torch

from vitlab.base.errors import DataError


def test_pixels_have_the_shape_of_what_is_asked(on_shelf: Callable):
    asked = torch.tensor([[3, 0, 0], [1, 2, 3]])
    pixels = on_shelf(5).ask(asked)()
    assert pixels.shape == (2, 3, 1, 4, 4)
    assert pixels.dtype == torch.uint8
    assert torch.equal(pixels[..., 0, 0, 0].long(), asked)


def test_a_picture_that_is_asked_for_twice_is_decoded_once(on_shelf: Callable):
    pictures = on_shelf(20)
    pictures.ask(torch.tensor([7, 2, 7, 7, 2]))()
    assert sorted(pictures.stored.taken) == [2, 7]


def test_a_promise_can_be_kept_more_than_once(on_shelf: Callable):
    promise = on_shelf(3).ask(torch.tensor([2, 1]))
    assert torch.equal(promise(), promise())


def test_subsets_of_subsets(on_shelf: Callable):
    part = on_shelf(10, classes=10).subset(torch.tensor([9, 4, 2, 6])).subset(torch.tensor([2, 0]))
    assert part.labels.tolist() == [2, 9]
    assert part.ask(torch.arange(2))()[:, 0, 0, 0].tolist() == [2, 9]
    assert (len(part), part.name(1)) == (2, "picture 9")


def test_batches_come_in_order_and_the_last_may_be_smaller(on_shelf: Callable):
    batches = list(on_shelf(11, classes=11).batches(4))
    assert [len(labels) for _, labels in batches] == [4, 4, 3]
    assert torch.cat([labels for _, labels in batches]).tolist() == list(range(11))
    assert torch.cat([pixels for pixels, _ in batches])[:, 0, 0, 0].tolist() == list(range(11))
    assert list(on_shelf(0).batches(4)) == []


def test_batches_are_not_all_decoded_at_once(on_shelf: Callable):
    pictures = on_shelf(100)
    next(pictures.batches(5))
    assert max(pictures.stored.taken) < 5 * 4


def test_what_has_become_unreadable_is_named(on_shelf: Callable):
    promise = on_shelf(5, broken=[3]).ask(torch.arange(5))
    with pytest.raises(DataError, match="picture 3 is unreadable: it is not a picture"):
        promise()


def test_labels_follow_the_device(on_shelf: Callable):
    moved = on_shelf(3).to("meta")
    assert moved.labels.device.type == "meta"
    assert moved.ask(torch.tensor([0, 1]))().device.type == "meta"
