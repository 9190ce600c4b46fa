"""What a user of vitlab might write: a task with parameters, an evaluator, an executor. Each is one file."""

TASK = '''"""Blanks: the pixels of hidden patches from the visible ones, a toy."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from vitlab.base.metric import Metric
from vitlab.models.spec import subset_conflict
from vitlab.rng import uniform
from vitlab.tasks._base import Scores, Task, TaskSpec

ERROR = Metric("error", "error of the blanks", "", "lower")


class Blanks(Task):
    parameter_kinds = {"blank": "token"}

    def __init__(self, spec, model):
        super().__init__()
        dims = model.dims()
        self.visible = round(dims.num_patches * (1 - spec.hidden))
        self.patch = dims.patch_size
        self.blank = nn.Parameter(torch.zeros(1, 1, dims.embed_dim))
        self.decoder = nn.Linear(dims.embed_dim, dims.patch_size[0] * dims.patch_size[1] * dims.in_chans)

    def forward(self, model, images, targets, keys, noise):
        tokens = model.embed(model.patches(images).patches, noise)
        order = uniform(keys, "blanks", tokens.shape[1] - model.num_prefix_tokens).argsort(-1)
        seen = model.encode(tokens, noise, order[:, : self.visible])[:, model.num_prefix_tokens :]
        guess = self.decoder(self.blank + seen.mean(1, keepdim=True))[:, 0]
        height, width = self.patch
        patches = images.unfold(2, height, height).unfold(3, width, width).permute(0, 2, 3, 1, 4, 5)
        patches = patches.flatten(3).flatten(1, 2)
        hidden = order[:, self.visible :, None].expand(-1, -1, patches.shape[-1])
        error = (patches.gather(1, hidden) - guess[:, None]).square().mean((1, 2)).to(targets.dtype)
        return Scores(error, {"error": error.detach().clone()}, {})


@dataclass(frozen=True)
class Spec(TaskSpec):
    """`hidden`: the share of the patches that is not shown."""

    selects: ClassVar[str] = "error"
    needs_labels: ClassVar[bool] = False
    hidden: float = 0.5

    def build(self, model):
        return Blanks(self, model)

    def metrics(self, model):
        return (ERROR,)

    def conflict(self, model):
        return subset_conflict(model)
'''

EVALUATOR = '''"""Spread: how far the representations of a split's images lie apart, a toy."""

from dataclasses import dataclass

import torch

from vitlab.base.metric import Metric
from vitlab.evaluate._base import Evaluation, EvaluatorSpec


@dataclass(frozen=True)
class Spec(EvaluatorSpec):
    """`power`: of the distances."""

    power: float = 2.0

    def metrics(self, task, model):
        return (Metric("spread", "spread of features", "", "higher"),)

    @torch.no_grad()
    def evaluate(self, subject):
        features = torch.cat([subject.features(batch.images) for batch in subject.batches(self.split)], dim=1).float()
        distances = (features - features.mean(1, keepdim=True)).norm(dim=-1) ** self.power
        return Evaluation([{"spread": value} for value in distances.mean(1).tolist()])
'''

EXECUTOR = '''"""Spool: every job is a file, and a process of its own reads it, a toy."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

from vitlab.study.executor._base import Ended, Executor, ExecutorSpec

PROGRAM = "import json, sys; from vitlab.study.worker import run_job; run_job(json.load(open(sys.argv[1])))"


class Spool(Executor):
    def __init__(self, folder, at_once):
        self.folder, self.at_once, self.running = folder, at_once, {}

    def host(self):
        return {"kind": "spool"}

    def accepts(self, job):
        return len(self.running) < self.at_once

    def submit(self, job):
        path = self.folder / f"{len(list(self.folder.iterdir()))}.json"
        path.write_text(json.dumps(job.work()))
        paths = os.pathsep.join(sys.path)
        self.running[job.id] = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE
        )

    def ended(self, seconds):
        time.sleep(min(seconds, 0.05))
        done = [name for name, process in self.running.items() if process.poll() is not None]
        return [self._ended(name, self.running.pop(name)) for name in done]

    def _ended(self, name, process):
        said = process.communicate()[1].decode().strip().splitlines()
        return Ended(name, said[-1] if process.returncode else None)

    def cancel(self, signum):
        for process in self.running.values():
            process.send_signal(signum)


@dataclass(frozen=True)
class Spec(ExecutorSpec):
    """`at_once`: how many processes."""

    measures = False
    at_once: int = 2

    @contextmanager
    def open(self, study):
        folder = study / "spool"
        folder.mkdir(exist_ok=True)
        yield Spool(folder, self.at_once)
'''

TOYS = {"blanks": TASK, "spread": EVALUATOR, "spool": EXECUTOR}
