"""A thousand damaged and hostile checkpoints of others: every one is loaded or refused in a line, and nothing else.

They are read in a process of their own, which would take a crash of the interpreter for what it is; it may not start a
program, write outside of its folder, or take more memory than is sensible. Every mutation has its number as a seed.
"""

import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.fuzz.damage import TEXTS, damaged_json
from vitlab.base.words import printable
from vitlab.models.vit import build

pytestmark = pytest.mark.slow

COUNT = 1_200
MEMORY = 6 << 30  # bytes of address space, beyond what the libraries take themselves

READER = """
import faulthandler, json, os, resource, sys
faulthandler.enable()
from pathlib import Path
import torch, numpy, safetensors.torch
import vitlab
from vitlab.base.errors import UserError
from vitlab.checkpoints import published, trained
torch.set_num_threads(1)
used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]), used + int(sys.argv[2])))
home = os.path.realpath(sys.argv[1])
broken = []

def watch(event, arguments):
    if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect"):
        broken.append(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[0], str) and arguments[1] and set(arguments[1]) & set("wax+"):
        place = os.path.realpath(arguments[0])
        if not place.startswith((home, "/dev/", "/proc/")):
            broken.append(f"opens {place} to write")

sys.addaudithook(watch)
for line in sys.stdin:
    path, kind = json.loads(line)
    try:
        said = "loaded"
        trained.of_published(published.read(path, kind or None))
    except UserError as error:
        said = "refused " + str(error)
    except BaseException as error:
        said = f"raised {type(error).__name__}: {error}"
    if broken:
        said = "broke out: " + "; ".join(broken)
        broken.clear()
    print(json.dumps(said), flush=True)
"""


class Runs:
    """Unpickling this runs a program."""

    def __reduce__(self):
        return os.system, ("touch outside",)


class Writes:
    """And this opens a file."""

    def __reduce__(self):
        return open, ("outside", "w")


def corpus(tiny_spec, folder):
    """Files and folders as others write them, by kind."""
    tensors = build(tiny_spec(img_size=8, embed_dim=64, num_heads=1), seed=3).state_dict()
    tensors["pos_embed"] = tensors.pop("pos_embed.weight")
    folder.mkdir()
    torch.save({"model": tensors, "epoch": 3}, folder / "timm.pth")
    save_file(tensors, folder / "timm.safetensors")
    from vitlab.checkpoints import published
    from vitlab.checkpoints.trained import of_published

    model = of_published(published.read(folder / "timm.safetensors")).model
    for name, kind in (("google.npz", "google_npz"), ("torchvision.pth", "torchvision"), ("hf", "hf")):
        source = published.source_named(kind)
        written = published.write(source, model.spec, model.state_dict())
        if kind == "google_npz":
            np.savez(folder / name, **{key: tensor.numpy() for key, tensor in written.items()})
        elif kind == "torchvision":
            torch.save(written, folder / name)
        else:
            (folder / name).mkdir()
            save_file(written, folder / name / "model.safetensors")
            for text, values in source.texts(model.spec, model.preprocessing).items():
                (folder / name / text).write_text(json.dumps(values))
    return sorted(folder.iterdir())


def damaged_bytes(data: bytes, chance: random.Random) -> bytes:
    """A file with some bytes others, fewer, or more; a length in its header another."""
    values = bytearray(data)
    match chance.randrange(6):
        case 0:
            return bytes(values[: chance.randrange(len(values))])
        case 1:
            for _ in range(chance.randrange(1, 40)):
                values[chance.randrange(len(values))] = chance.randrange(256)
        case 2:  # of the first bytes most formats make the most
            for _ in range(chance.randrange(1, 8)):
                values[chance.randrange(min(400, len(values)))] = chance.randrange(256)
        case 3:
            start = chance.randrange(len(values))
            values[start : start + chance.randrange(1, 2_000)] = b""
        case 4:
            start = chance.randrange(len(values))
            values[start:start] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200)))
        case _:
            values[:8] = chance.choice([2**63 - 1, 2**40, 0, len(values)]).to_bytes(8, "little")
    return bytes(values)


def damaged_tensors(path: Path, chance: random.Random) -> None:
    """Well-formed, but with a tensor gone, renamed, of another shape or kind, not finite, or enormous in its claim."""
    tensors = torch.load(path, weights_only=True)
    tensors = tensors.get("model", tensors)
    name = chance.choice(sorted(tensors))
    match chance.randrange(7):
        case 0:
            del tensors[name]
        case 1:
            tensors[chance.choice(["x", "../../x", "a" * 5_000, "blocks.99999999.norm1.weight", "\x1b[2J"])] = (
                tensors.pop(name)
            )
        case 2:
            tensors[name] = tensors[name].flatten()[: chance.randrange(1, 5)]
        case 3:
            tensors[name] = torch.zeros([1] * chance.randrange(0, 20))
        case 4:
            tensors[name] = tensors[name].to(chance.choice([torch.int64, torch.bool, torch.complex64, torch.float16]))
        case 5:
            tensors[name] = torch.full_like(tensors[name], float("nan"))
        case _:
            tensors[name] = torch.zeros(1).expand(1 << 20, 1 << 10)  # four gigabytes, of one number
    torch.save(tensors, path)


def hostile_pickle(chance: random.Random) -> bytes:
    """A pickle that would run or write something, nests without end, or is none."""
    return chance.choice(
        [
            pickle.dumps(Runs()),
            pickle.dumps({"model": {"a": Runs()}}, protocol=2),
            pickle.dumps([Writes()] * 3),
            b"(" * 100_000,
            b"\x80\x04" + b"]" * 50_000 + b".",
            b"cposix\nsystem\n(S'touch outside'\ntR.",
            b"\x80\x02" + b"X" + (2**31 - 1).to_bytes(4, "little"),
        ]
    )


def mutate(original: Path, place: Path, chance: random.Random) -> Path:
    """A damaged copy of a file or folder, and what is to be read."""
    if original.is_dir():
        place.mkdir()
        for file in original.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
        victim = place / chance.choice(sorted(file.name for file in original.iterdir()))
        if victim.suffix == ".json" and chance.random() < 0.6:
            damaged_json(victim, chance)
        elif victim.suffix == ".json":
            victim.write_text(chance.choice(TEXTS)(victim.read_text()))
        else:
            victim.write_bytes(damaged_bytes(victim.read_bytes(), chance))
        return place
    copy = place.with_suffix(original.suffix)
    copy.write_bytes(original.read_bytes())
    if original.suffix == ".pth" and (luck := chance.random()) < 0.7:
        if luck < 0.5:
            damaged_tensors(copy, chance)
        else:
            copy.write_bytes(hostile_pickle(chance))
    else:
        copy.write_bytes(damaged_bytes(copy.read_bytes(), chance))
    return copy


def test_a_thousand_damaged_checkpoints(tiny_spec, tmp_path):
    originals = corpus(tiny_spec, tmp_path / "corpus")
    work = tmp_path / "work"
    work.mkdir()
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(work), str(MEMORY)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=work,
    )  # fmt: skip
    said: dict[int, str] = {}
    for number in range(COUNT):
        chance = random.Random(number)
        path = mutate(chance.choice(originals), work / f"m{number}", chance)
        reader.stdin.write(json.dumps([str(path), ""]) + "\n")
        reader.stdin.flush()
        answer = reader.stdout.readline()
        assert answer, f"mutation {number}: the interpreter died: {reader.wait()}"
        said[number] = json.loads(answer)
        remove(path)
    reader.stdin.close()
    reader.stdout.close()
    assert reader.wait() == 0
    wrong = {number: text for number, text in said.items() if not text.startswith(("loaded", "refused "))}
    assert not wrong, dict(list(wrong.items())[:5])
    long = {number: text for number, text in said.items() if len(text) > 3_000 or "\x1b" in printable(text)}
    assert not long, list(long)[:5]
    assert not (work / "outside").exists()
    assert sum(text.startswith("refused") for text in said.values()) > COUNT / 3


def remove(path: Path) -> None:
    for file in [*path.iterdir()] if path.is_dir() else []:
        file.unlink()
    path.rmdir() if path.is_dir() else path.unlink()
