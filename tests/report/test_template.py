import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from vitlab.report.template import figures_folder, render, sorting


def test_the_policy_names_the_very_script():
    found = sorting()
    digest = hashlib.sha256(str(found["script"]).encode()).digest()
    assert found["script_hash"] == f"sha256-{base64.b64encode(digest).decode()}"
    assert "</script" not in found["script"]


def test_a_forgotten_value_is_an_error():
    with pytest.raises(UndefinedError):
        render("run.html")


def test_figures_stand_beside_the_page(tmp_path):
    folder = figures_folder(tmp_path / "new" / "page.html")
    assert folder == tmp_path / "new" / "page_figures"
    assert folder.is_dir()
