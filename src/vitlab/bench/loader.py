"""The data path alone: batches a second, with and without augmentation, beside the training step that eats them."""

from dataclasses import replace
from typing import Any

import torch

from vitlab.bench.contest import Contestant, run_rounds
from vitlab.train.choices import Wishes
from vitlab.train.loop import build_loop
from vitlab.train.spec import RunSpec
from vitlab.train.trial import choose


def bench_loader(spec: RunSpec, rounds: int, device: str | None) -> dict[str, Any]:
    """Figures for a run's data path; `share_of_step` is augmented batch over whole training step."""
    images = spec.data.load()
    indices = torch.arange(len(images.train))
    choices = choose(Wishes(device=device), [spec], images, indices)
    where = torch.device(choices.device)
    images = replace(images, train=images.train.to(where))
    loop = build_loop([spec], images, indices, choices)
    bare = build_loop([replace(spec, augment=())], images, indices, choices)
    contestants = {
        "without_augmentation": Contestant("loader", "bare", spec.batch_size, lambda: bare.loader.batch(0)),
        "with_augmentation": Contestant("loader", "augmented", spec.batch_size, lambda: loop.loader.batch(0)),
        "training_step": Contestant("train", "", spec.batch_size, loop.step),
    }
    run_rounds(list(contestants.values()), where, rounds)
    paths = {name: {"images_per_second": c.images_per_second} for name, c in contestants.items()}
    share = paths["training_step"]["images_per_second"] / paths["with_augmentation"]["images_per_second"]
    return {"batch_size": spec.batch_size, "paths": paths, "share_of_step": share}
