"""Loss, top-1 and top-5 of a split, and the probabilities behind them."""

from collections.abc import Callable

import torch
from torch import Tensor

from vitlab.data.images import Pictures
from vitlab.evaluate.sums import added
from vitlab.processes import ALONE, Processes
from vitlab.rng import sample_keys, subkeys
from vitlab.tasks._base import Scores

Scorer = Callable[[Tensor, Tensor, Tensor | None], Scores]  # images, targets, no keys; leading run axis
Prepare = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # pixels, labels, keys -> images, targets


@torch.no_grad()
def evaluate(
    scores: Scorer,
    prepare: Prepare,
    images: Pictures,
    runs: int,
    batch_size: int = 512,
    processes: Processes = ALONE,
    seeds: Tensor | None = None,
) -> tuple[list[dict[str, float]], Tensor]:
    """Score every image with each of R runs -> (means for each run: loss, top1, top5; logits [R, m, Y] on the CPU).

    Sums are taken over samples, so an uneven last batch counts as what it is; each process scores its part, and has the
    logits of these m images. With `seeds` [R] the model draws its dropout as in training: a slip of published code,
    never right otherwise.
    """
    part = processes.part(len(images))
    mine = images if processes.count == 1 else images.subset(torch.arange(part.start, part.stop))
    sums: dict[str, Tensor] = {}
    logits = []
    positions = torch.arange(part.start, part.stop).split(batch_size)
    for (pixels, labels), at in zip(mine.batches(batch_size), positions, strict=True):
        given = [each.expand(runs, *each.shape) for each in (pixels, labels, torch.zeros_like(labels))]
        batch, targets = prepare(*given)
        keys = None if seeds is None else subkeys(sample_keys(seeds, at), "evaluate").to(batch.device)
        result = scores(batch, targets, keys)
        exact = torch.float64 if batch.device.type != "mps" else None
        sums = added(sums, {name: value.sum(dim=1, dtype=exact) for name, value in result.metrics.items()})
        logits.append(result.logits.float().cpu())
    processes.add_up(list(sums.values()))
    columns = {name: (total / len(images)).tolist() for name, total in sums.items()}
    means = [{name: values[run] for name, values in columns.items()} for run in range(runs)]
    return means, torch.cat(logits, dim=1)
