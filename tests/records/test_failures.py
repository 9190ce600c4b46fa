"""Runs that have no result of their own."""

from tests.records.checks import check_record
from vitlab.records.failures import Failures


def test_reasons_by_run(tmp_path):
    check_record(Failures({"plain/seed-0": "its process was killed"}), tmp_path, [], [])
