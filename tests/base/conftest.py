"""What several tests of the base need."""

import sys

import pytest


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """The current folder, with nothing in it; what is imported from it is forgotten."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
