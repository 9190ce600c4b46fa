"""Files that somebody made to do harm: pictures, tables, archives and checkpoints, each with what it is answered."""

import json
import os
import pickle
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from pyarrow import parquet
from safetensors.torch import save_file

from tests.fieldcases.conftest import picture
from vitlab import api
from vitlab.base.errors import CheckpointError, DataError, UserError
from vitlab.base.files import read_json, write_json
from vitlab.base.lock import alone_in
from vitlab.checkpoints import native
from vitlab.checkpoints.files import read_tensors

pytestmark = pytest.mark.slow


class Harm:
    """What runs code as soon as it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (f"touch {self.mark}",)

    def __init__(self, mark: Path):
        self.mark = mark


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kB that says to be so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# ------------------------------------------------------------------------------------------------------------ pictures


@pytest.fixture
def pets(tree) -> Path:
    """A folder with 60 pictures of each of two classes."""
    return tree("pets", ["cat", "dog"], 60)


LARGE, NONE = r"pixels; data\.max_pixels=67108864 is the limit", r"odd\.png"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(20_000, 20_000), f"it has 20000 × 20000 {LARGE}"),
        (bomb(2**31 - 1, 2**31 - 1), LARGE),
        (b"\x89PNG\r\n\x1a\n", NONE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run", NONE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", NONE),
        (b"", NONE),
    ],
)
def test_a_picture_that_would_fill_the_memory_or_is_none_is_unreadable(content, said, pets):
    (pets / "cat" / "odd.png").write_bytes(content)
    found = api.look(str(pets), {"max_unreadable": 0.5})
    assert [name for names in found.unreadable.values() for name in names] == ["cat/odd.png"]
    with pytest.raises(DataError, match=said):
        api.look(str(pets), {"max_unreadable": 0.0})


def test_a_file_without_end_is_not_read(pets):
    with (pets / "cat" / "sparse.png").open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(DataError, match=r"it has 4,398,046,511,104 bytes, and no picture of 67,108,864 pixels"):
        api.look(str(pets), {"max_unreadable": 0.0})


def test_a_pipe_or_a_device_that_is_called_like_a_picture_is_not_opened(pets):
    os.mkfifo(pets / "cat" / "pipe.png")
    (pets / "dog" / "zero.png").symlink_to("/dev/zero")
    began = time.monotonic()
    assert "2 pipe or device" in " ".join(api.look(str(pets)).found.told())
    assert time.monotonic() - began < 30


# -------------------------------------------------------------------------------------------------------------- tables


def table(folder: Path, pictures: list[dict[str, object]]) -> Path:
    """A parquet file of these pictures, of two classes in turn."""
    kinds = datasets.Features({"image": datasets.Image(decode=False), "label": datasets.Value("int64")})
    labels = [place % 2 for place in range(len(pictures))]
    folder.mkdir(parents=True, exist_ok=True)
    rows = datasets.Dataset.from_dict({"image": pictures, "label": labels}, features=kinds)
    parquet.write_table(
        rows.data.table, folder / "train-00000-of-00001.parquet"
    )  # as it is: `datasets` would read files
    return folder


ADDRESSES = ["{}/private.png", "../private.png", "file://{}/private.png", "https://x.y/a.png"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_table_reads_no_file_of_anybody_else(address, tmp_path):
    private = picture(tmp_path / "private.png", 1)
    inside = [picture(tmp_path / "data" / f"{shade}.png", shade) for shade in range(40)]
    rows: list[dict[str, object]] = [{"bytes": file.read_bytes(), "path": None} for file in inside]
    rows += [{"bytes": None, "path": "3.png"}, {"bytes": None, "path": address.format(tmp_path)}]
    data = table(tmp_path / "data", rows)
    found = api.look(str(data), {"max_unreadable": 0.5})
    assert len([name for names in found.unreadable.values() for name in names]) == 1
    with pytest.raises(DataError, match=r"is outside of the data's folder|a table may only name files of its own"):
        api.look(str(data), {"max_unreadable": 0.0})
    assert private.exists()


def test_a_pipe_that_is_called_like_a_table_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "train-00000-of-00001.parquet")
    with pytest.raises(DataError, match=r"train-00000-of-00001\.parquet is not a file"):
        api.look(f"parquet:{tmp_path}")


@pytest.mark.parametrize("repo", ["/etc", "../../x", "a/b/c", "a/../b", "~/x", "-x/y", "a--b/c", "file:///etc", "a b"])
def test_the_hub_is_asked_for_no_path(repo, vitlab):
    answer = vitlab("data", f"hub:{repo}")
    assert (answer.code, answer.err.strip()) == (2, f"vitlab: --data hub:{repo}: expected hub:ORG/NAME")
    with pytest.raises(UserError, match="expected ORG/NAME"):
        api.train("pictures", "nowhere", settings={"data": {"name": "hub", "repo": repo}})


def test_a_folder_is_not_read_in_place_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "org" / "name", [{"bytes": b"", "path": None}] * 4)
    with pytest.raises(DataError, match=r"hub:org/name is ambiguous: .* parquet:\./org/name"):
        api.look("hub:org/name")


# ------------------------------------------------------------------------------------------------ checkpoints, archives


@pytest.fixture
def trained(run, tree) -> Path:
    """A run that has been trained."""
    return run(tree("pets", ["a", "b"], 20))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors", ""])
def test_a_pickle_that_runs_code_does_not(suffix, tmp_path):
    mark, file = tmp_path / "it-ran", tmp_path / f"weights{suffix}"
    said = r"weights.* (is not opened: it is a pickle|is damaged or not a checkpoint)"
    file.write_bytes(pickle.dumps({"model": Harm(mark)}))
    with pytest.raises(CheckpointError, match=said):
        read_tensors(file)
    torch.save({"model": Harm(mark)}, file)
    with pytest.raises(CheckpointError, match=said):
        read_tensors(file)
    assert not mark.exists()


def test_an_archive_that_grows_when_it_is_read_is_not_read(tmp_path):
    torch.save({"weight": torch.zeros(1_000_000)}, tmp_path / "plain.pt")
    assert read_tensors(tmp_path / "plain.pt")["weight"].shape == (1_000_000,)
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry))
    with pytest.raises(CheckpointError, match=r"packed\.pt is not opened: [\d,]+ bytes are packed to fill 4,0[\d,]+"):
        read_tensors(tmp_path / "packed.pt")


def test_predictions_that_would_fill_the_memory_are_not_unpacked(trained, monkeypatch):
    monkeypatch.setattr("vitlab.records._archives._LARGEST", 1 << 20)
    np.savez_compressed(trained / "predictions.npz", labels=np.zeros(1 << 20))
    with pytest.raises(DataError, match=r"predictions\.npz is damaged: it would be 8,388,7\d\d bytes"):
        api.report(trained)


def test_a_header_that_promises_more_tensors_than_there_are(tmp_path):
    header = json.dumps({"weight": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(CheckpointError, match=r"a\.safetensors is damaged or not a checkpoint"):
        read_tensors(tmp_path / "a.safetensors")


def resigned(checkpoint: Path, **changes: object) -> None:
    """Another meta.json, with the checksum that it should have: made by somebody who knows how."""
    meta = read_json(checkpoint / "meta.json", 2)
    for path, value in changes.items():
        *outer, last = path.split("__")
        inside = meta
        for key in outer:
            inside = inside[key]
        inside[last] = value
    meta["checksum"] = ""
    write_json(checkpoint / "meta.json", meta, 2)
    text = (checkpoint / "meta.json").read_text()
    write_json(checkpoint / "meta.json", {**meta, "checksum": native._digest(text)}, 2)


def test_a_checkpoint_s_settings_build_no_model_that_its_tensors_do_not_fill(trained):
    checkpoint = native.latest(trained / "checkpoint")
    for changes in ({"model__embed_dim": 1 << 16}, {"model__depth": 999}):
        before = (checkpoint / "meta.json").read_text()
        resigned(checkpoint, **changes)
        with pytest.raises(CheckpointError, match=r"does not fit its own settings: [\d,]+ of [\d,]+ weights"):
            api.load(trained)
        (checkpoint / "meta.json").write_text(before)
    api.load(trained)


def test_a_checkpoint_names_no_file_elsewhere(trained):
    checkpoint = native.latest(trained / "checkpoint")
    resigned(checkpoint, checksums={"model.safetensors": "0", "../../spec.json": "0"})
    with pytest.raises(CheckpointError, match=r"meta\.json does not name its files"):
        api.load(trained)


def test_what_else_lies_among_checkpoints_is_not_used(trained):
    """`predict` takes the last one, by its step."""
    folder, kept = trained / "checkpoint", native.latest(trained / "checkpoint")
    for stray in (
        "step-99999999x",
        "step-9",
        "step-zzzzzzzz",
        "best-of-all",
        "step-" + 8 * "\u0669",
    ):
        (folder / stray).mkdir()
    (folder / "step-99999998").touch()
    assert native.latest(folder) == kept
    assert native.best(folder) is None
    assert len(api.predict(trained, [trained.parent / "pets/a/0.png"])) == 1


def test_a_checkpoint_of_another_run_is_not_used_as_this_one_s(run, tree, tmp_path):
    pets = tree("pets", ["a", "b"], 20)
    ours, theirs = run(pets), run(pets, "another", seed=1)
    kept = native.latest(theirs / "checkpoint")
    native.remove(native.latest(ours / "checkpoint"))
    kept.rename(ours / "checkpoint" / kept.name)
    for use in (api.load, api.evaluate, lambda path: api.train("digits", tmp_path / "new", init=path)):
        with pytest.raises(CheckpointError, match=r"the checkpoint of step \d+ in .* was written by another run"):
            use(ours)


def test_safetensors_of_anybody_s_may_be_a_start_and_nothing_runs(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="does not fit this model"):
        api.train("digits", tmp_path / "run", init=tmp_path / "a.safetensors")


def test_records_in_a_folder_that_may_not_be_written_are_read(trained):
    """A lock is for whoever writes."""
    with alone_in(trained, "trains this run"):
        assert api.report(trained, out=trained.parent / "page.html").exists()
        api.evaluate(trained)
