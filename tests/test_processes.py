import pytest
import torch

from vitlab import processes as module
from vitlab.base.errors import UserError
from vitlab.processes import ALONE, Processes, ProcessLost, explaining_a_lost_process, process_group


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [7, 8, 100])
def test_the_shares_are_the_whole_and_differ_by_one_at_most(count: int, size: int):
    shares = [Processes(rank, count).shard(size) for rank in range(count)]
    assert [index for share in shares for index in range(size)[share]] == list(range(size))
    lengths = [share.stop - share.start for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_alone_nothing_is_exchanged():
    tensor = torch.ones(3)
    ALONE.all_reduce([tensor])
    assert tensor.tolist() == [1, 1, 1]
    assert ALONE.all_reduce_max([3, 0]) == [3, 0]
    assert ALONE.broadcast_from_main(lambda: 5) == 5
    assert ALONE.main_first(lambda: 6) == 6
    assert ALONE.is_main


def test_the_shares_of_all_are_put_together(monkeypatch: pytest.MonkeyPatch):
    everything = torch.arange(1.0, 15.0).view(1, 7, 2)
    shares = [everything[:, Processes(rank, 3).shard(7)] for rank in range(3)]
    assert ALONE.all_gather(everything, 7) is everything
    added: list[torch.Tensor] = []
    monkeypatch.setattr(Processes, "all_reduce", lambda self, tensors: added.extend(tensors))
    for rank, share in enumerate(shares):
        Processes(rank, 3).all_gather(share, 7)
    assert torch.equal(torch.stack(added).sum(dim=0), everything)


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group() as processes:
        assert processes is ALONE


def test_a_broken_connection_is_a_sentence():
    with (
        pytest.raises(ProcessLost, match=r"another process of this job ended.*--resume.*peer\)$"),
        explaining_a_lost_process(),
    ):
        raise RuntimeError("[127.0.0.1]:1234: Connection closed by peer. This is typically caused by a bug.\nmore")


def test_a_process_that_takes_too_long_has_not_ended():
    with (
        pytest.raises(ProcessLost, match=r"has waited 30 days for another one.*still be preparing the data"),
        explaining_a_lost_process(),
    ):
        raise RuntimeError("[unbound_buffer.cc:78] Timed out waiting 5000ms for recv operation to complete")


def test_a_mistake_of_the_only_process_stays_what_it_is():
    def mistake() -> None:
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        ALONE.main_first(mistake)


@pytest.mark.parametrize(("mine", "theirs", "alike"), [(5, 5, True), (0, 5, False), (5, 0, False)])
def test_processes_agree_or_all_know_that_they_do_not(
    monkeypatch: pytest.MonkeyPatch, mine: int, theirs: int, alike: bool
):
    largest = [max(mine, theirs), max(-mine, -theirs)]
    monkeypatch.setattr(Processes, "all_reduce_max", lambda self, values: largest)
    assert Processes(0, 2).all_agree(mine) is alike
    assert Processes(1, 2).all_agree(theirs) is alike


def test_a_mistake_of_all_is_said_by_the_first():
    with pytest.raises(UserError, match="too few"):
        Processes(0, 2).abort(UserError("too few"))
    with pytest.raises(SystemExit) as ended:
        Processes(1, 2).abort(UserError("too few"))
    assert ended.value.code == 2


def test_each_takes_a_gpu_and_more_processes_than_gpus_take_turns(monkeypatch: pytest.MonkeyPatch):
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    ALONE.set_gpu()
    assert taken == []
    for local_rank in range(3):
        Processes(local_rank + 4, 7, 3, local_rank).set_gpu()
    assert taken == [0, 1, 0]


@pytest.mark.parametrize(("gpus", "backend"), [(0, "gloo"), (1, "gloo"), (2, "cpu:gloo,cuda:nccl")])
def test_to_join_does_not_start_cuda(monkeypatch: pytest.MonkeyPatch, gpus: int, backend: str):
    """What must be settled before CUDA starts, such as deterministic kernels, is not known yet."""
    for name, value in {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    begun: list[str] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: pytest.fail("CUDA was started"))
    monkeypatch.setattr(module.dist, "init_process_group", lambda backend, timeout: begun.append(backend))
    monkeypatch.setattr(module.dist, "get_rank", lambda: 3)
    monkeypatch.setattr(module.dist, "destroy_process_group", lambda: None)
    with process_group() as processes:
        assert processes == Processes(3, 4, 2, 1)
    assert begun == [backend]
