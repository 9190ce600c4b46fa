import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.processes import ALONE, Processes, ProcessLost, joined, naming_the_loss


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [7, 8, 100])
def test_the_parts_are_the_whole_and_differ_by_one_at_most(count: int, size: int):
    parts = [Processes(rank, count).part(size) for rank in range(count)]
    assert [index for part in parts for index in range(size)[part]] == list(range(size))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1


def test_alone_nothing_is_exchanged():
    tensor = torch.ones(3)
    ALONE.add_up([tensor])
    assert tensor.tolist() == [1, 1, 1]
    assert ALONE.most([3, 0]) == [3, 0]
    assert ALONE.by_first(lambda: 5) == 5
    assert ALONE.first_ahead(lambda: 6) == 6
    assert ALONE.first


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as processes:
        assert processes is ALONE


def test_a_broken_connection_is_a_sentence():
    with pytest.raises(ProcessLost, match=r"another process of this job ended.*--resume"), naming_the_loss():
        raise RuntimeError("Connection closed by peer [127.0.0.1]:1234\nmore")


def test_a_mistake_of_the_only_process_stays_what_it_is():
    def mistake() -> None:
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        ALONE.first_ahead(mistake)
