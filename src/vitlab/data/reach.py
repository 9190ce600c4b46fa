"""How far a table of pictures reaches: the files and addresses that may stand in place of a picture's bytes.

A row may name any file of this machine, and any address that fsspec knows. Of a table in a folder only files of that
folder are read; of a set of the hub the hub's own addresses, and what was downloaded from there.
"""

from pathlib import Path
from typing import NamedTuple

from vitlab.base.files import is_no_file
from vitlab.data.values import Unreadable

_LARGEST = 1 << 30  # bytes of a file from elsewhere
_HUB = "hf"
_ARCHIVES = {"zip", "tar", "gzip", "bz2", "xz", "zstd"}  # in which a file of the hub may lie: zip://a.png::hf://…


class Reach(NamedTuple):
    """Files inside of `folders` may be read, a relative path from the first; and, with `hub`, addresses of the hub."""

    folders: tuple[Path, ...]
    hub: bool = False

    def picture(self, path: str) -> bytes | Path:
        """The file that a row names. Raises Unreadable for one that is out of reach, or not there."""
        if "://" in path:
            return self._fetched(path)
        first = self.folders[0] if self.folders else Path()
        file = Path(first, path).resolve()
        if not any(file.is_relative_to(folder.resolve()) for folder in self.folders):
            raise Unreadable(f"{path} is outside of the data's folder, and is not read")
        if is_no_file(file):
            raise Unreadable(f"{path} is not a file")
        return file

    def _fetched(self, address: str) -> bytes:
        """A file that is not here: so a folder of pictures on the hub names its own, when it is streamed."""
        *outer, last = (part.partition("://")[0] for part in address.split("::"))
        if not (self.hub and last == _HUB and set(outer) <= _ARCHIVES):
            raise Unreadable(f"{address} is not read: a table may only name files of its own folder or of the hub")
        import fsspec

        try:
            with fsspec.open(address, "rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError as error:
            raise Unreadable(f"{address}: {error}") from None
        if len(content) > _LARGEST:
            raise Unreadable(f"{address} has over {_LARGEST:,} bytes")
        return content


NOWHERE = Reach(())  # of a table that has all bytes itself


def of_hub() -> Reach:
    """That of a set of the hub."""
    from datasets.config import HF_DATASETS_CACHE
    from huggingface_hub.constants import HF_HUB_CACHE

    return Reach((Path(HF_DATASETS_CACHE), Path(HF_HUB_CACHE)), hub=True)
