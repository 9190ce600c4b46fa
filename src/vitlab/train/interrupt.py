"""Interruption: Ctrl-C and SIGTERM as a question that the loop asks between steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Request:
    """Whether somebody asked to stop: `signum` is 0 until then."""

    signum = 0

    def note(self, signum: int, frame: FrameType | None) -> None:
        """The signal handler. A second Ctrl-C does not wait for the step to end."""
        if self.signum == signal.SIGINT == signum:
            raise KeyboardInterrupt
        self.signum = signum


@contextmanager
def listening() -> Iterator[Request]:
    """Note SIGINT and SIGTERM while the block runs; then the old handlers are back."""
    request = Request()
    try:
        old = {number: signal.signal(number, request.note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only a process's main thread may handle signals
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
