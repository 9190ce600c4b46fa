"""Running sums of what the training batches scored, kept on the device: reading them is the only synchronisation."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vitlab.evaluate._sums import added


class Meter:
    """Sums over the samples since it was last read, for R runs, and the first step at which a loss was not finite."""

    NEVER = 2**62

    def __init__(self, runs: int, device: torch.device):
        self.sums: dict[str, Tensor] = {}
        self.samples = 0
        self.first_bad = torch.full((runs,), self.NEVER, device=device)

    def add(self, totals: Mapping[str, Tensor], samples: int, step: int) -> None:
        """Count one batch: sums [R] over its `samples` samples, taken at `step`."""
        self.sums = added(self.sums, totals)
        self.samples += samples
        finite = torch.stack([total.isfinite() for total in totals.values()]).all(dim=0)
        self.first_bad = torch.where(finite, self.first_bad, self.first_bad.clamp(max=step))

    def failed_at(self) -> list[int | None]:
        """For every run the first step at which a loss (the task's, or an auxiliary part's) was not finite, or None."""
        return [None if step == self.NEVER else step for step in self.first_bad.tolist()]

    def read(self) -> list[dict[str, float]]:
        """The means of every run since the last reading, named `train_…`; starts anew."""
        columns = {f"train_{name}": (total / max(self.samples, 1)).tolist() for name, total in self.sums.items()}
        self.sums, self.samples = {}, 0
        return [{name: values[run] for name, values in columns.items()} for run in range(len(self.first_bad))]

    def save(self, run: int) -> dict[str, Any]:
        """One run's share, as JSON values."""
        return {"samples": self.samples, "sums": {name: float(total[run]) for name, total in self.sums.items()}}

    def restore(self, saved: list[dict[str, Any]], dtype: torch.dtype) -> None:
        """Go on from what `save` gave for every run."""
        device = self.first_bad.device
        self.samples = saved[0]["samples"]
        names = saved[0]["sums"]
        self.sums = {n: torch.tensor([s["sums"][n] for s in saved], dtype=dtype, device=device) for n in names}
