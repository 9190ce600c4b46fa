"""A process that makes pictures for one thread of another: it reads work from standard input, and answers.

    python -m vitlab.data.decoder

Of several threads only one can be inside Python at a time, and every picture needs Python for a while. So beyond a few
cores each thread hands its pictures to a process of its own and waits, which lets the others work. A process greets
when it is ready, which takes seconds; until then the thread has to do without.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO, NamedTuple

import numpy as np
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.data.decode import Seen


class Made(NamedTuple):
    """What was made of a picture: pixels [C, H, W] uint8, or why there are none; and what a look at it saw."""

    pixels: Tensor | None
    unreadable: str | None = None
    digest: bytes = b""
    seen: Seen | None = None


GREETING = b"\n"
Work = Callable[[bytes | Path], Made]  # of a picture as it is stored


def make_here(work: Work, source: bytes | Path, slot: np.ndarray) -> Made:
    """Do the work in this thread; the pixels go into `slot` [C, H, W]."""
    made = work(source)
    if made.pixels is not None:
        np.copyto(slot, made.pixels.numpy())
    return made


class Decoder:
    """The process, as its thread has it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vitlab.data.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C reaches only us
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.asking, self.answers = self.process.stdin, self.process.stdout
        self.ready = Event()
        Thread(target=self._welcome, daemon=True).start()

    def _welcome(self) -> None:
        if self.answers.read(len(GREETING)):  # nothing if it died
            self.ready.set()

    def make(self, work: Work, source: bytes | Path, slot: np.ndarray) -> Made:
        """As `make_here`, but `pixels` are in the slot only; of one that is ready. Raises UserError if it has died."""
        try:
            pickle.dump((work, source), self.asking)
            self.asking.flush()
            made: Made = pickle.load(self.answers)
            if made.unreadable is None and self.answers.readinto(slot) < slot.nbytes:  # type: ignore[attr-defined]
                raise EOFError
        except (BrokenPipeError, EOFError):
            code = self.process.wait()
            raise UserError(
                f"a process that decodes pictures ended with code {code}; often the memory was not enough"
            ) from None
        return made

    def end(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self.answers.close()
        with suppress(BrokenPipeError):
            self.asking.close()


def main(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Greet, and answer until nobody asks any more."""
    answers.write(GREETING)
    answers.flush()
    while asked.peek(1):  # type: ignore[attr-defined]  # a buffered reader has it
        work, source = pickle.load(asked)
        made = work(source)
        pickle.dump(made._replace(pixels=None), answers)
        if made.pixels is not None:
            answers.write(made.pixels.contiguous().numpy().data)
        answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
