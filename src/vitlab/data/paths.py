"""Paths of data: beside the work, or where the environment says."""

import os
from pathlib import Path

from vitlab.base.errors import DataError


def roots() -> list[Path]:
    """The folders that data sets are looked for in: `$VITLAB_DATA`, or, where that is not set, two usual ones."""
    chosen = os.environ.get("VITLAB_DATA")
    return [Path(chosen)] if chosen else [Path("data"), Path("../shared/data")]


def local_folder(name: str) -> Path | None:
    """The first folder `name` under `$VITLAB_DATA`, or, where that is not set, under `data` or `../shared/data`."""
    return next((root / name for root in roots() if (root / name).is_dir()), None)


def find(path: str) -> Path | None:
    """The folder at `path`: from here, else from where data sets are looked for; None if there is none."""
    here = Path(path).expanduser()
    return here if here.is_dir() else local_folder(path)


def locate(path: str) -> Path:
    """The same, but raises DataError where there is none."""
    folder = find(path)
    if folder is None:
        if Path(path).expanduser().exists():
            raise DataError(f"{path} is not a folder")
        looked = ", ".join(map(str, [Path.cwd(), *roots()]))
        raise DataError(f"there is no folder {path}" + ("" if Path(path).is_absolute() else f" in {looked}"))
    return folder
