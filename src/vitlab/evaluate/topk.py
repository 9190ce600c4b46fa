"""Loss, top-1 and top-5 of a split, and the probabilities behind them."""

from collections.abc import Callable

import torch
from torch import Tensor

from vitlab.data.images import Images
from vitlab.tasks._base import Scores

Scorer = Callable[[Tensor, Tensor, Tensor | None], Scores]  # images, targets, no keys; leading run axis
Prepare = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # pixels, labels, keys -> images, targets


@torch.no_grad()
def evaluate(
    scores: Scorer, prepare: Prepare, images: Images, runs: int, batch_size: int = 512
) -> tuple[list[dict[str, float]], Tensor]:
    """Score every image with each of R runs -> (means for each run: loss, top1, top5; logits [R, n, Y] on the CPU).

    Sums are taken over samples, so an uneven last batch counts as what it is.
    """
    sums: dict[str, Tensor] = {}
    logits = []
    for start in range(0, len(images), batch_size):
        pixels = images.pixels[start : start + batch_size].expand(runs, -1, -1, -1, -1)
        labels = images.labels[start : start + batch_size].expand(runs, -1)
        batch, targets = prepare(pixels, labels, torch.zeros_like(labels))
        result = scores(batch, targets, None)
        for name, value in {"loss": result.loss, **result.metrics}.items():
            total = value.sum(dim=1, dtype=torch.float64 if value.device.type != "mps" else None)
            sums[name] = sums[name] + total if name in sums else total
        logits.append(result.logits.float().cpu())
    columns = {name: (total / len(images)).tolist() for name, total in sums.items()}
    means = [{name: values[run] for name, values in columns.items()} for run in range(runs)]
    return means, torch.cat(logits, dim=1)
