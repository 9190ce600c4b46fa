"""A folder's lock: of several processes, on whatever machine, one works in a folder.

The system lets go of it when a process ends, however it ends: whoever is dead holds nothing. Who works there is written
beside it for those who are refused, and decides nothing. A disk that has no such locks (some network disks have none)
gets a file that stands for one; there the dead are told from the living on their own machine alone.
"""

import errno
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from vitlab.base.env import command
from vitlab.base.errors import UserError
from vitlab.base.files import open_file, replacing
from vitlab.base.words import readable

_LOCK, _MARK, _OWNER = ".lock", ".lock-mark", ".owner"
_LONGEST = 1000  # bytes of what is said of an owner
_PATIENCE = 2.0  # seconds in which a process that was killed is gone, and its lock with it
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}  # what such a disk answers


@contextmanager
def alone_in(folder: Path, doing: str) -> Iterator[None]:
    """Hold the folder's lock while the block runs. Raises UserError, which says who does what there, if another does.

    Folders that had to be made for the lock are removed again, unless something came to stand in them.
    """
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = _acquired(folder, doing)
    try:
        with suppress(OSError), replacing(folder / _OWNER) as temporary:  # a link that lay there is not written through
            temporary.write_text(f"process {os.getpid()} on {platform.node()}: {command(sys.argv)}\n", "utf-8")
        yield
    finally:
        with suppress(OSError):
            (folder / _OWNER).unlink()
            if new:
                _remove_if_empty(folder)
            for parent in new[1:]:
                parent.rmdir()  # which fails where something stands in it, be it the lock of another process
        lock.release()


def _acquired(folder: Path, doing: str) -> BaseFileLock:
    lock: BaseFileLock = FileLock(folder / _LOCK, fallback_to_soft=False)
    hint = ""
    try:
        try:
            lock.acquire(timeout=_PATIENCE)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            lock = SoftFileLock(folder / _MARK)
            hint = f"; if that one is gone, with its machine, remove {lock.lock_file}"
            lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise UserError(f"--out {folder}: another process {doing}{_owner(folder)}{hint}") from None
    return lock


def _remove_if_empty(folder: Path) -> None:
    """Remove a folder in which nothing but its lock stands."""
    if all(file.name in (_LOCK, _MARK) for file in folder.iterdir()):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _owner(folder: Path) -> str:
    """Who holds the lock, as far as that is known."""
    try:
        with open_file(folder / _OWNER) as file:
            return f" ({readable(file.read(_LONGEST).decode().strip())})"
    except (OSError, UnicodeDecodeError):
        return ""
