"""Pages: from a template of this folder and values to one HTML file, with a folder beside it."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vitlab.base.env import versions
from vitlab.base.files import replacing
from vitlab.report.beside import Beside

_SCRIPTS = ("sort", "marks", "copy")


def render(template: str, **values: Any) -> str:
    """A template of this folder with its values; every text is escaped, and a forgotten value is an error."""
    environment = Environment(
        loader=PackageLoader("vitlab", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(version=versions().get("vitlab", ""), **values)


class Page(NamedTuple):
    """A page that is computed and not yet saved, with what is to stand beside it."""

    html: str
    beside: Beside

    def save(self, out: Path) -> Path:
        """Write the page into the file `out`, and the rest into the folder beside it; the file."""
        self.beside.save(folder_beside(out))
        with replacing(out) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return out


def folder_beside(out: Path) -> Path:
    """Where the files of a page stand: `<stem>_figures/` beside it."""
    return out.parent / f"{out.stem}_figures"


def scripts(*names: str) -> dict[str, str]:
    """A page's scripts, or these of them, as one, and the hash by which its policy lets that and no other run."""
    folder = files("vitlab.report")
    texts = (folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in names or _SCRIPTS)
    script = "\n".join(['"use strict";', *(f"{{\n{text}}}" for text in texts)])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"script": Markup(script), "script_hash": f"sha256-{digest}"}
