from math import cos, pi, sin

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.pos_embed import rope2d

pytestmark = pytest.mark.usefixtures("double")
PREFIX = 2


@pytest.fixture
def rope(tiny_dims):
    return rope2d.Spec().build(tiny_dims(img_size=[16, 20], num_registers=1))  # 4 rows, 5 columns


def test_it_is_the_written_rotation(rope, normal):
    q = normal(1, 1, PREFIX + 20, 8)
    turned, _ = rope.rotate(q, q)
    for row in range(4):
        for column in range(5):
            before, after = q[0, 0, PREFIX + 5 * row + column], turned[0, 0, PREFIX + 5 * row + column]
            for start, position in ((0, column), (4, row)):
                for i in range(2):
                    angle = position * 100.0 ** (-2 * i / 4)
                    a, b = before[start + 2 * i].item(), before[start + 2 * i + 1].item()
                    assert after[start + 2 * i].item() == pytest.approx(a * cos(angle) - b * sin(angle), abs=1e-13)
                    assert after[start + 2 * i + 1].item() == pytest.approx(a * sin(angle) + b * cos(angle), abs=1e-13)


def test_across_the_picture_rows_first_and_pairs_from_both_halves(tiny_dims, normal):
    """DINOv3's form, written out."""
    spec = rope2d.Spec(coordinates="picture", first="y", pairs="halves")
    rope, q = spec.build(tiny_dims(img_size=[16, 20], num_registers=1)), normal(1, 1, PREFIX + 20, 8)
    turned, _ = rope.rotate(q, q)
    assert torch.equal(turned[:, :, :PREFIX], q[:, :, :PREFIX])
    for row in range(4):
        for column in range(5):
            before, after = q[0, 0, PREFIX + 5 * row + column], turned[0, 0, PREFIX + 5 * row + column]
            y, x = (row + 0.5) / 4 * 2 - 1, (column + 0.5) / 5 * 2 - 1
            for start, position in ((0, y), (2, x)):
                for i in range(2):
                    angle = 2 * pi * position * 100.0 ** (-2 * i / 4)
                    a, b = before[start + i].item(), before[start + i + 4].item()
                    assert after[start + i].item() == pytest.approx(a * cos(angle) - b * sin(angle), abs=1e-13)
                    assert after[start + i + 4].item() == pytest.approx(a * sin(angle) + b * cos(angle), abs=1e-13)


def test_a_logit_depends_on_the_offset_only(rope, normal):
    q, k = normal(8).expand(1, 1, PREFIX + 20, 8), normal(8).expand(1, 1, PREFIX + 20, 8)
    q, k = rope.rotate(q, k)
    logits = (q @ k.transpose(-2, -1))[0, 0, PREFIX:, PREFIX:]
    places = [(row, column) for row in range(4) for column in range(5)]
    by_offset = {}
    for i, (y, x) in enumerate(places):
        for j, (v, u) in enumerate(places):
            by_offset.setdefault((v - y, u - x), []).append(logits[i, j])
    assert max((torch.stack(same) - same[0]).abs().max() for same in by_offset.values()) < 1e-12
    means = torch.stack([same[0] for same in by_offset.values()])
    assert len(means.round(decimals=9).unique()) == len(means)  # and no two offsets look alike


def test_lengths_are_kept_and_prefix_tokens_left_alone(rope, normal):
    q, k = normal(2, 3, PREFIX + 20, 8), normal(2, 3, PREFIX + 20, 8)
    for before, after in zip((q, k), rope.rotate(q, k), strict=True):
        torch.testing.assert_close(after.norm(dim=-1), before.norm(dim=-1), rtol=1e-13, atol=0)
        assert torch.equal(after[:, :, :PREFIX], before[:, :, :PREFIX])
        assert not torch.isclose(after[:, :, PREFIX + 1 :], before[:, :, PREFIX + 1 :]).all(dim=-1).any()


def test_it_is_a_constant_and_no_part_of_a_checkpoint(rope):
    assert not list(rope.parameters())
    assert rope.state_dict() == {}


def test_an_attention_head_that_does_not_split_in_four_is_refused(tiny_dims):
    assert "rope2d needs head_dim divisible by 4" in rope2d.Spec().conflict(tiny_dims(head_dim=6))
    assert rope2d.Spec().conflict(tiny_dims(head_dim=4)) is None


def test_across_the_picture_no_range_was_seen(tiny_dims):
    spec = rope2d.Spec(coordinates="picture")
    assert spec.adapted(tiny_dims(), tiny_dims(img_size=[16, 20])) == spec
    with pytest.raises(SpecError, match=r"pos_embed.seen=\[2, 3\]: coordinates=picture has no range, on any grid"):
        rope2d.Spec(coordinates="picture", seen=(2, 3))
