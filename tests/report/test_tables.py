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


def test_a_person_reads_no_empty_columns_and_is_told_of_them():
    columns = (Column("Cell", ("cell",), numeric=False), Column("p", ("p",)), Column("95 %", ("low", "high")))
    rows = ((named("a"), absent("one seed"), Entry("[1, 2]", (1, 2))), (named("b"), absent("one seed"), absent("", 2)))
    table = Table("things", "Things.", columns, rows)
    assert table.empty == ("p",)
    assert table.filled == Table("things", "Things.", columns[::2], tuple(row[::2] for row in rows))


def test_a_table_without_rows_keeps_its_columns():
    table = Table("things", "Things.", (Column("Cell", ("cell",)),), ())
    assert table.empty == ()
    assert table.filled == table


def test_of_two_sides_a_column_stays_while_either_has_a_value():
    columns = (Column("Cell", ("cell",)), *(Column(title, (title,)) for title in ("Mean", "Verdict") * 2))
    row = (named("a"), Entry("1", (1,)), absent("one seed"), absent("no run"), absent("one seed"))
    table = Table("things", "Things.", columns, (row,))
    assert table.empty == ("Verdict",)
    assert [column.title for column in table.filled.columns] == ["Cell", "Mean", "Mean"]
