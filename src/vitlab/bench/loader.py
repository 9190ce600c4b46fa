"""The data path alone: decoding, augmentation, both; beside the training step that eats it, and beside torchvision."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vitlab.augment.pipeline import Pipeline
from vitlab.base.env import environment
from vitlab.base.errors import UserError
from vitlab.bench import torchvision_path
from vitlab.bench.contest import Contestant, ratio, run_rounds
from vitlab.data.decode import decode
from vitlab.data.images import Images, ImageSet
from vitlab.data.loader import Loader
from vitlab.data.sets._pictures import PicturesSpec
from vitlab.rng import sample_keys
from vitlab.train.machine.autotune import choose
from vitlab.train.machine.choices import Choices, Overrides
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import augmentation_of, build_loop, loader_of

CPU = torch.device("cpu")


def bench_loader(spec: RunSpec, rounds: int, device: str | None, against: str = "") -> dict[str, Any]:
    """Figures for a run's data path; `share_of_step` is augmented batch over whole training step, as training has them.

    `per_core` has rates on one core: decoding (of sets that are stored encoded), augmentation, both; and, with
    `against="torchvision"`, how many times as fast as torchvision each of them is.
    """
    if against not in ("", "torchvision"):
        raise UserError(f"--against {against}: legal: torchvision")
    images = spec.load_images()
    indices = torch.arange(len(images.train))
    choices = choose(Overrides(device=device), [spec], images, indices)
    where = torch.device(choices.device)
    images = replace(images, train=images.train.to(where))
    loop = build_loop([spec], images, indices, choices)
    bare, augmented = (
        loader_of([one], images, indices, choices) for one in (replace(spec, augment=spec.preprocess), spec)
    )
    paths = {
        "without_augmentation": _batches("bare", bare),
        "with_augmentation": _batches("augmented", augmented),
        "training_step": Contestant("train", "", spec.batch_size, loop.step),
    }
    run_rounds(list(paths.values()), where, rounds)
    share = statistics.median(
        a / b for a, b in zip(paths["with_augmentation"].seconds, paths["training_step"].seconds, strict=True)
    )
    return {
        "batch_size": spec.batch_size,
        "device": choices.device,
        "paths": {name: {"images_per_second": path.images_per_second} for name, path in paths.items()},
        "share_of_step": share,
        "per_core": _per_core(spec, images, rounds, against),
        "env": environment(),
    }


def _batches(name: str, loader: Loader) -> Contestant:
    """One batch after another, as training asks for them."""
    steps = count()
    return Contestant("loader", name, loader.batch_size, lambda: loader.batch(next(steps)))


# ---------------------------------------------------------------------------------------------------- on one core


def _per_core(spec: RunSpec, images: ImageSet, rounds: int, against: str) -> dict[str, Any]:
    """Rates on one core by what is done, each with torchvision's and the ratio where there is one.

    A crop of the picture as it is stored is part of the decoding.
    """
    pipeline = augmentation_of(spec, images, Choices())
    stored, pictures = _some_pictures(spec, images, pipeline)
    with _one_thread():
        ours = _ours(pipeline, spec, stored, pictures)
        theirs = _theirs(spec, stored, pictures) if against else {}
        run_rounds([*ours.values(), *chain.from_iterable(theirs.values())], CPU, rounds)
    return {name: _figures(mine, theirs.get(name, [])) for name, mine in ours.items()}


def _some_pictures(spec: RunSpec, images: ImageSet, pipeline: Pipeline) -> tuple[list[bytes], Images]:
    """A batch of the set as it is stored, if it is stored encoded, and the same decoded."""
    rows = torch.arange(spec.batch_size) * 37 % len(images.train)  # of all classes
    if isinstance(spec.data, PicturesSpec):
        encoded = spec.data.source().open().splits["train"]
        places = [encoded.stored[int(encoded.rows[row])] for row in rows]
        stored = [place.read_bytes() if isinstance(place, Path) else place for place in places]
        return stored, Images(_decoded(stored, spec, pipeline), encoded.labels[rows])
    train = images.train
    assert isinstance(train, Images)
    pixels = train.ask(rows, pipeline.cuts(_keys(spec)[0]))()
    return [], Images(pixels, train.labels[rows]).to(CPU)


def _keys(spec: RunSpec) -> Tensor:
    return sample_keys(torch.tensor([0]), torch.arange(spec.batch_size))


def _decoded(stored: list[bytes], spec: RunSpec, pipeline: Pipeline) -> Tensor:
    """[B, C, H, W], the crops of pictures as they are stored where there are some"""
    frame, cuts = spec.data.frame, pipeline.cuts(_keys(spec))
    each = cuts.one_by_one(*frame.img_size) if cuts else [None] * len(stored)
    return torch.stack([decode(data, frame, cut) for data, cut in zip(stored, each, strict=True)])


def _ours(pipeline: Pipeline, spec: RunSpec, stored: list[bytes], pictures: Images) -> dict[str, Contestant]:
    def augmented(pixels: Tensor) -> object:
        return pipeline(pixels[None], pictures.labels[None], _keys(spec))

    work: dict[str, Callable[[], object]] = {"augment": lambda: augmented(pictures.pixels)}
    if stored:
        work |= {
            "decode": lambda: _decoded(stored, spec, pipeline),
            "decode and augment": lambda: augmented(_decoded(stored, spec, pipeline)),
        }
    return {name: Contestant("vitlab", "", len(pictures), call) for name, call in work.items()}


def _theirs(spec: RunSpec, stored: list[bytes], pictures: Images) -> dict[str, list[Contestant]]:
    """torchvision's contestants; none where it is not installed."""
    try:
        augment = torchvision_path.augmentation(spec)
        decoders = torchvision_path.decoders(spec)
    except ImportError:
        return {}

    def contestant(setting: str, work: Callable[[], object]) -> Contestant:
        return Contestant("torchvision", setting, len(pictures), work)

    def both(decoder: Callable[[bytes], Tensor]) -> object:
        return augment(torchvision_path.all_decoded(decoder, stored), pictures.labels)

    theirs = {"augment": [contestant("", lambda: augment(list(pictures.pixels), pictures.labels))]}
    if stored:
        decoded = torchvision_path.all_decoded
        theirs["decode"] = [contestant(name, partial(decoded, decoder, stored)) for name, decoder in decoders.items()]
        theirs["decode and augment"] = [contestant(name, partial(both, decoder)) for name, decoder in decoders.items()]
    return theirs


def _figures(mine: Contestant, theirs: list[Contestant]) -> dict[str, Any]:
    peers = [
        {"setting": peer.setting, "images_per_second": peer.images_per_second, "ratio": ratio(mine, peer)}
        for peer in theirs
    ]
    return {"images_per_second": mine.images_per_second, "torchvision": peers}


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
