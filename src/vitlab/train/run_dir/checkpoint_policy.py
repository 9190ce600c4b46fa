"""`CheckpointPolicy`: when a training is saved."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointPolicy:
    """A checkpoint is written every so many `steps`, or `seconds`, whichever comes first; and always at the end."""

    steps: int | None = None
    seconds: float = 120.0

    def due(self, step: int, last_step: int) -> bool:
        """Whether one is due after so many steps, whatever the clock says."""
        return step == last_step or bool(self.steps and step % self.steps == 0)
