"""The meta.json of a checkpoint: all that it takes to use its tensors.

The folder is enough to predict and to evaluate: it has the settings of the model and of its task, what a picture goes
through, the classes' names, and the data that it was trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from vitlab.base.errors import SpecError
from vitlab.records._base import Record

CHECKPOINTS = "checkpoint"  # the folder of them in a run's
OTHERS = (".safetensors", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".tar")  # what files of weights are called elsewhere


@dataclass(frozen=True)
class CheckpointMeta(Record):
    """`model`, `task`, `preprocessing`, `data`: settings. `data` is None where no run of ours trained it.

    `noise_seed`: where the run is evaluated with dropout, a slip of published code, the seed of that. `progress` is
    what the run goes on with: seconds, the best so far, running sums. `checksums` are of the files, by name, and
    `checksum` is of all that stands here. `run` is the id of the run that wrote it; empty where that is not known.
    `origin` says where somebody else's weights came from, in sentences.
    """

    file: ClassVar[str] = "meta.json"
    schema: ClassVar[int] = 2
    oldest: ClassVar[int] = 2

    step: int
    model: Mapping[str, Any]
    task: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    data: Mapping[str, Any] | None = None
    noise_seed: int | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum: str = ""
    run: str = ""
    origin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.step < 0:
            raise SpecError(f"step={self.step}: must not be negative")


def is_checkpoint(path: Path) -> bool:
    """Whether weights stand at a path, as far as names tell: a checkpoint of ours, a folder of them, or what somebody
    else has written, a file or a folder with one.
    """
    if path.is_file():
        return path.suffix in OTHERS
    ours = (path, *path.glob(f"{CHECKPOINTS}/*"))
    return any(CheckpointMeta.exists(folder) for folder in ours) or any(
        file.suffix in OTHERS for file in path.glob("*")
    )
