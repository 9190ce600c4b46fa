"""Trained runs, as the tests of training have them."""

from tests.train.conftest import digits, run_tiny, tiny_run

__all__ = ["digits", "run_tiny", "tiny_run"]
