import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from vitlab.report.beside import Beside
from vitlab.report.template import Page, folder_beside, render, scripts


def test_the_policy_names_the_very_script():
    found = scripts("sort", "marks")
    digest = hashlib.sha256(str(found["script"]).encode()).digest()
    assert found["script_hash"] == f"sha256-{base64.b64encode(digest).decode()}"
    assert "</script" not in found["script"]


def test_a_forgotten_value_is_an_error():
    with pytest.raises(UndefinedError):
        render("run.html")


def test_files_stand_in_a_folder_beside_the_page(tmp_path):
    beside = Beside()
    beside.add_text("a.csv", "b\nü")
    beside["c.png"] = b"PNG"
    page = Page("<p>ü</p>", beside)
    assert list(tmp_path.iterdir()) == []  # computed, and not yet saved
    out = page.save(tmp_path / "new" / "page.html")
    folder = folder_beside(out)
    assert folder == tmp_path / "new" / "page_figures"
    assert out.read_text(encoding="utf-8") == "<p>ü</p>"
    assert (folder / "a.csv").read_text(encoding="utf-8") == "b\nü"
    assert (folder / "c.png").read_bytes() == b"PNG"
