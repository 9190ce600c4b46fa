"""From a template of this folder and values to one HTML file."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vitlab.base.records import replacing


def render(template: str, **values: Any) -> str:
    """A template of this folder with its values; every text is escaped, and a forgotten value is an error."""
    environment = Environment(
        loader=PackageLoader("vitlab", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def write_page(out: Path, template: str, **values: Any) -> Path:
    """Render into the file `out`; the file."""
    page = render(template, **values)
    with replacing(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return out


def figures_folder(out: Path) -> Path:
    """`<stem>_figures/` beside a page, made if need be."""
    folder = out.parent / f"{out.stem}_figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sorting() -> dict[str, str]:
    """The script that sorts tables, and the hash by which the page's policy lets it and no other run."""
    script = files("vitlab.report").joinpath("sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"script": Markup(script), "script_hash": f"sha256-{digest}"}
