"""A micro-batch's gradient as a CUDA graph: recorded once for each shape, then replayed with one call.

A small ViT's step is some two thousand kernels of a few microseconds, which Python starts more slowly than a GPU works
them off. A replay starts them all at once. It reads weights and writes gradients where they were when it was recorded,
so what it is given is copied there, and what it gives is overwritten by the next replay.

What cannot be recorded, a part that waits for the device, say, is computed as ever.

Only where it is wished (`--replay`): in double precision ten replayed steps are ten computed ones, but the one long
training in bf16 that used it, stacked, did not learn, and why is not known yet (docs/lab-log.md).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.train.part import Part, PartGradient

WARM_UP = 3  # calls before recording: kernels are chosen, workspaces taken


class Recorded(NamedTuple):
    """One shape's graph: where its inputs lie, and what it writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, Tensor, Tensor]
    part: Part


class Replayed:
    """A `PartGradient` that is recorded and replayed."""

    def __init__(self, part: PartGradient):
        self.compute = part
        self.recorded: dict[tuple[torch.Size, int], Recorded | None] = {}  # None: cannot be recorded

    def __call__(self, images: Tensor, targets: Tensor, keys: Tensor, size: int) -> Part:
        """What `compute` gives; the gradients stay until the next call."""
        shape = (images.shape, size)
        if shape not in self.recorded:
            self.recorded[shape] = self._record(images, targets, keys, size)
        found = self.recorded[shape]
        if found is None:
            return self.compute(images, targets, keys, size)
        for place, given in zip(found.inputs, (images, targets, keys), strict=True):
            place.copy_(given)
        found.graph.replay()
        return Part(found.part.gradients, {name: value.clone() for name, value in found.part.sums.items()})

    def _record(self, images: Tensor, targets: Tensor, keys: Tensor, size: int) -> Recorded | None:
        inputs = (images.clone(), targets.clone(), keys.clone())
        apart = torch.cuda.Stream()
        apart.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(apart):
            for _ in range(WARM_UP):
                self.compute(*inputs, size)
        torch.cuda.current_stream().wait_stream(apart)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                part = self.compute(*inputs, size)
        except torch.AcceleratorError:
            return None
        return Recorded(graph, inputs, part)
