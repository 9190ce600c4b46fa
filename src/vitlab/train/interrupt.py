"""Interruption: Ctrl-C, SIGTERM and a closed terminal, as a question that the loop asks or obeyed where they come."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vitlab.base.errors import Interrupted


class Request:
    """Whether somebody asked to stop: `signum` is 0 until then."""

    signum = 0
    _at_once = False

    def note(self, signum: int, frame: FrameType | None) -> None:
        """The signal handler. A second Ctrl-C does not wait for the step to end."""
        if self.signum == signal.SIGINT == signum:
            raise KeyboardInterrupt
        self.signum = signum
        self._obey_at_once()

    @contextmanager
    def obeyed_at_once(self) -> Iterator[None]:
        """While there is nothing to save that takes long: a signal raises Interrupted where it comes."""
        self._at_once = True
        try:
            self._obey_at_once()
            yield
        finally:
            self._at_once = False

    def _obey_at_once(self) -> None:
        if self.signum and self._at_once:
            raise Interrupted(self.signum)


def _signals() -> list[signal.Signals]:
    """Those that ask to stop. SIGHUP, which Windows has not, comes when a terminal closes; `nohup` has it ignored."""
    hangup = [signal.Signals.SIGHUP] if hasattr(signal, "SIGHUP") else []
    heard = [number for number in hangup if signal.getsignal(number) != signal.SIG_IGN]
    return [signal.SIGINT, signal.SIGTERM, *heard]


@contextmanager
def listening() -> Iterator[Request]:
    """Note signals to stop while the block runs; then the old handlers are back."""
    request = Request()
    try:
        old = {number: signal.signal(number, request.note) for number in _signals()}
    except ValueError:  # only a process's main thread may handle signals
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in old.items():
            again = number == request.signum and number not in (signal.SIGINT, signal.SIGTERM)
            signal.signal(number, signal.SIG_IGN if again else handler)  # a terminal that closes says so twice
