import base64
from dataclasses import replace

from vitlab.report.tables import Column, Entry, Table, absent, named


def test_a_table_s_data_are_unrounded_and_what_is_missing_is_empty(beside):
    columns = (Column("Cell", ("cell",), numeric=False), Column("95 % t", ("low", "high")))
    rows = ((named('a "b", c'), Entry("[0.1, 0.3]", (0.1, 1 / 3))), (named("d"), absent("1 value has no spread", 2)))
    table = Table("things", "Things.", columns, rows)
    kept = table.kept(beside)
    assert replace(kept, address="") == table
    assert base64.b64decode(kept.address.partition("base64,")[2]) == beside["things.csv"]  # what the page itself holds
    assert beside["things.csv"].decode() == (
        f'cell,low,high\n"a ""b"", c",0.1,{1 / 3}\nd,,\n'
    )  # fmt: skip
