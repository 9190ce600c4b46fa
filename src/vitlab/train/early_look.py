"""A first look at the validation images while nothing else is to be seen yet: whether it learns, within a minute.

It is for the person who waits: it is printed and not recorded, for when it comes depends on the machine. Nothing of the
training depends on it.
"""

import time

from vitlab.processes import Processes
from vitlab.train.evaluations import Evaluations, Measured
from vitlab.train.step.loop import Loop

AFTER = 25.0  # seconds of training
IMAGES = 256  # of the validation split, at most


class EarlyLook:
    """Due once, where the first evaluation is still far away."""

    def __init__(self, loop: Loop, evaluations: Evaluations, processes: Processes):
        self.loop, self.evaluations = loop, evaluations
        self.began, self.first = time.monotonic(), loop.state.step
        self.over = processes.count > 1 or not evaluations.can_look()

    def due(self) -> bool:
        """Whether it is time, after a step."""
        waited = time.monotonic() - self.began
        if self.over or waited < AFTER:
            return False
        self.over = True
        taken = self.loop.state.step - self.first
        return self.evaluations.steps_left() * waited / max(taken, 1) > AFTER

    def look(self) -> Measured:
        """What is measured of some of the validation images."""
        return self.evaluations.look(IMAGES)
