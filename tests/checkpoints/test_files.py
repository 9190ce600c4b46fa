"""Files that somebody else wrote: tensors are read, code is never run."""

import argparse
import collections
import datetime
import os
import pathlib
import pickle
import types
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.content import content_at
from vitlab.checkpoints.files import read_tensors

TENSORS = {"head.weight": torch.arange(6.0).view(2, 3)}


class Malicious:
    """Unpickling this runs a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("wrapped", [None, "model", "state_dict"])
def test_a_pickle_of_tensors_is_read(tmp_path, wrapped):
    torch.save(TENSORS if wrapped is None else {wrapped: TENSORS, "epoch": 3}, tmp_path / "weights.pt")
    assert torch.equal(read_tensors(tmp_path / "weights.pt")["head.weight"], TENSORS["head.weight"])


def test_safetensors_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "weights.safetensors")
    assert torch.equal(read_tensors(tmp_path / "weights.safetensors")["head.weight"], TENSORS["head.weight"])


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, writer):
    proof = tmp_path / "executed"
    contents = {"head.weight": TENSORS["head.weight"], "extra": Malicious(proof)}
    if writer == "torch":
        torch.save(contents, tmp_path / "weights.pt")
    else:
        (tmp_path / "weights.pt").write_bytes(pickle.dumps(contents, protocol=2))
    with pytest.raises(CheckpointError, match="not opened"):
        read_tensors(tmp_path / "weights.pt")
    assert not proof.exists()
    pickle.loads(pickle.dumps(Malicious(proof)))
    assert proof.exists()  # it would have been


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_rubbish_is_refused(tmp_path, name):
    path = tmp_path / name
    for contents in (b"", b"not a checkpoint", b"PK\x03\x04" + bytes(40)):
        path.write_bytes(contents)
        with pytest.raises(CheckpointError, match="weights"):
            read_tensors(path)


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_truncated_file_is_refused(tmp_path, name):
    path = tmp_path / name
    torch.save(TENSORS, path) if name.endswith(".pt") else save_file(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CheckpointError, match="damaged"):
        read_tensors(path)


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_an_absent_file(tmp_path, name):
    with pytest.raises(CheckpointError, match="does not exist"):
        read_tensors(tmp_path / name)


@pytest.mark.parametrize("suffix", ["pt", "safetensors", "npz"])
def test_a_name_inside_of_a_file_that_has_no_inside(tmp_path, suffix):
    path = tmp_path / f"weights.{suffix}"
    match suffix:
        case "pt":
            torch.save(TENSORS, path)
        case "safetensors":
            save_file(TENSORS, path)
        case _:
            np.savez(path, **{name: tensor.numpy() for name, tensor in TENSORS.items()})
    with pytest.raises(CheckpointError, match="has no teacher: it holds the tensors of one model"):
        read_tensors(path, "teacher")


@pytest.mark.parametrize("contents", [[torch.ones(2)], {"epoch": 3}, torch.ones(2)])
def test_what_is_no_named_tensors(tmp_path, contents):
    torch.save(contents, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="named tensors"):
        read_tensors(tmp_path / "weights.pt")


@pytest.mark.parametrize(("place", "inner"), [("checkpoint.model", ""), ("checkpoint.teacher", "checkpoint.teacher")])
def test_tensors_may_stand_deeper(tmp_path, place, inner):
    outer, _, name = place.partition(".")
    beside = {"student": {"a": torch.zeros(1)}} if inner else {}
    torch.save({outer: {name: TENSORS, **beside, "epoch": 3}}, tmp_path / "weights.pt")
    assert torch.equal(read_tensors(tmp_path / "weights.pt", inner)["head.weight"], TENSORS["head.weight"])


def test_dictionaries_that_hold_themselves_many_times_are_looked_at_once(tmp_path):
    inside: dict = {}
    inside |= {str(number): inside for number in range(3000)}
    torch.save(inside, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="does not hold named tensors"):
        read_tensors(tmp_path / "weights.pt")


def test_what_stands_in_the_place_of_weights_is_named_with_the_cure(tmp_path):
    module, program, pointer = (tmp_path / name for name in ("module.pt", "program.pt", "pointer.safetensors"))
    torch.save(torch.nn.Linear(2, 2), module)
    with zipfile.ZipFile(program, "w") as archive:  # as torch.jit lays it out
        archive.writestr("program/code/__torch__.py", "raise SystemExit")
        archive.writestr("program/data.pkl", b"")
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    for path, cure in ((module, "model.state_dict"), (program, "torch.jit.load"), (pointer, "git lfs pull")):
        with pytest.raises(CheckpointError, match=cure):
            read_tensors(path)


@pytest.mark.parametrize(
    "beside",
    [
        np.float64(3.5),
        np.arange(4),
        np.array("text"),
        np.random.default_rng(0).integers(0, 9, 3),
        pathlib.Path("runs"),
        argparse.Namespace(lr=np.float32(0.1), out=pathlib.Path("out")),
        types.SimpleNamespace(epochs=3),
        datetime.datetime(2026, 1, 1),
        collections.Counter("aab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_training_keeps_beside_its_tensors_is_no_reason_to_refuse_them(tmp_path, beside):
    torch.save({"model": TENSORS, "best": beside}, tmp_path / "weights.pt")
    assert torch.equal(read_tensors(tmp_path / "weights.pt")["head.weight"], TENSORS["head.weight"])


@pytest.mark.parametrize("name", [r"(posix|os)\.system", r"collections\.defaultdict"])
def test_what_may_run_as_code_is_named_with_the_cure(tmp_path, name):
    beside = collections.defaultdict(list, a=[1]) if "default" in name else Malicious(tmp_path / "proof")
    torch.save({"model": TENSORS, "best": beside}, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=rf"{name}, which may run as code.*weights_only=False"):
        read_tensors(tmp_path / "weights.pt")


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.eye(4).to_sparse(), "is sparse; weights are dense"),
        (torch.empty(4, 4, device="meta"), "is without numbers"),
    ],
)
def test_tensors_that_are_none_of_plain_numbers_are_named(tmp_path, tensor, said):
    torch.save({"odd\n\nvitlab: ok": tensor, **TENSORS}, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=said) as refused:
        content_at(tmp_path / "weights.pt")
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("error")
def test_of_an_old_pickle_one_line_is_said(tmp_path):
    (tmp_path / "weights.pt").write_bytes(pickle.dumps({"a": Malicious(tmp_path / "proof")}, protocol=4))
    with pytest.raises(CheckpointError, match="not opened"):
        read_tensors(tmp_path / "weights.pt")
