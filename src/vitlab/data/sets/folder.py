"""A folder of pictures, with one folder per class: `train/CLASS/…` with `val/` and `test/`, or just `CLASS/…`.

In the second case some pictures of every class are held out, the same in every run.
"""

from dataclasses import dataclass

from vitlab.data.sets._folder import FolderSpec


@dataclass(frozen=True, kw_only=True)
class Spec(FolderSpec):
    """Of any classes and any number of pictures."""
