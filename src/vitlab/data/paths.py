"""Paths of data: beside the work, or where the environment says; and which texts can name data at all. No torch."""

import os
import re
from pathlib import Path

from vitlab.base.errors import DataError, unknown
from vitlab.base.foreign import file_of
from vitlab.base.spec import component_names

FAMILY = "vitlab.data.sets"
_OF_THE_SYSTEM = tuple(f"/{name}/" for name in ("proc", "sys", "dev"))
_REPO = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
AFTER_COLON = {"folder": "path", "parquet": "path", "hub": "repo"}  # the setting whose value stands after the colon


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
    """The same, but raises DataError where there is none, and for what the system shows as folders."""
    folder = find(path)
    if folder is not None and f"{folder.resolve().as_posix()}/".startswith(_OF_THE_SYSTEM):
        raise DataError(f"{path} holds no files: it is what the system says of processes and devices")
    if folder is None:
        if Path(path).expanduser().exists():
            raise DataError(f"{path} is not a folder")
        looked = ", ".join(map(str, [Path.cwd(), *roots()]))
        raise DataError(f"there is no folder {path}" + ("" if Path(path).is_absolute() else f" in {looked}"))
    return folder


def is_repo(name: str) -> bool:
    """Whether the hub may call a set so: ORG/NAME, or a NAME alone. A path is none."""
    return _REPO.fullmatch(name) is not None and ".." not in name and "--" not in name


def meant(text: str) -> dict[str, str]:
    """The settings that a text names: of a set with its name, or of a place, whose name only a look at it tells.

    Raises DataError for what names no data: no set, no place, and no module of somebody's own.
    """
    names = component_names(FAMILY)
    kind, _, rest = text.partition(":")
    if kind in AFTER_COLON:
        if rest and (kind != "hub" or is_repo(rest)):
            return {"name": kind, AFTER_COLON[kind]: rest}
        raise DataError(f"--data {text}: expected {kind}:{'ORG/NAME' if kind == 'hub' else 'PATH'}")
    if text in names:
        return {"name": text}
    if find(text) is not None or os.sep in text or "/" in text or Path(text).exists():
        return {"path": text}  # whoever reads it will say what is wrong: it is no folder, or not there
    if "." in text or file_of(text) is not None:
        return {"name": text}  # somebody else's set, by the name of its module
    legal = [name for name in names if name not in AFTER_COLON] + [f"{name}:…" for name in AFTER_COLON]
    raise DataError(unknown("data", text, legal))
