"""`python -m vitlab`: the current folder is no library."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_file_here_is_no_library(tmp_path):
    """What Python imports before it reaches vitlab (runpy, contextlib) is not vitlab's to choose: docs/security.md."""
    for name in ("re", "typing", "rich", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("open('it-ran', 'w')\n")
    done = subprocess.run(
        [sys.executable, "-m", "vitlab", "list", "studies"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "it-ran").exists()
