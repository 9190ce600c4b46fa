import json

import pytest

from vitlab.base.errors import DataError
from vitlab.base.files import SCHEMA, append_line, read_json, read_lines, replacing, write_json, write_lines


def test_a_record_reads_back_with_its_schema_first(tmp_path):
    write_json(tmp_path / "run" / "result.json", {"status": "done", "metrics": {"val_top1": 0.5}})
    values = read_json(tmp_path / "run" / "result.json")
    assert values == {"schema": SCHEMA, "status": "done", "metrics": {"val_top1": 0.5}}
    assert next(iter(values)) == "schema"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"status": "old"})

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("half a rec")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read_json(path)["status"] == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_until_the_write_ends_the_old_file_is_read(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"status": "old"})
    with replacing(path) as temporary:
        temporary.write_text('{"schema": 1, "status": "new"}')
        assert read_json(path)["status"] == "old"
    assert read_json(path)["status"] == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_value_leaves_the_old_record(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"status": "old"})
    with pytest.raises(TypeError):
        write_json(path, {"status": object()})
    assert read_json(path)["status"] == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_absent_record_is_named(tmp_path):
    with pytest.raises(DataError, match=r"spec\.json does not exist; is .* a run directory"):
        read_json(tmp_path / "spec.json")


@pytest.mark.parametrize(
    "content", [b'{"schema": 1, "stat', b"", b"\xff\xfe\x00", b"[1, 2]", b"null", b'{"schema": "x"}']
)
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "spec.json").write_bytes(content)
    with pytest.raises(DataError, match=r"spec\.json is damaged"):
        read_json(tmp_path / "spec.json")


def test_a_record_of_a_newer_vitlab_is_refused(tmp_path):
    (tmp_path / "spec.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    with pytest.raises(DataError, match=rf"from a newer vitlab: schema {SCHEMA + 1}; this one reads up to {SCHEMA}"):
        read_json(tmp_path / "spec.json")


def test_lines_come_back_in_order(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3):
        append_line(path, {"step": step, "note": "a\u2028b"})  # a line separator to Unicode, not to .jsonl
    assert [line["step"] for line in read_lines(path)] == [1, 2, 3]


def test_no_file_has_no_lines(tmp_path):
    assert read_lines(tmp_path / "metrics.jsonl") == []


def test_a_last_line_cut_off_by_a_crash_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste')
    assert [line["step"] for line in read_lines(path)] == [1, 2]


def test_damage_before_the_last_line_is_named_and_hides_nothing(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"ste\n{"step": 3}\n')
    with pytest.raises(DataError, match=r"metrics\.jsonl is damaged at line 2"):
        read_lines(path)


def test_lines_are_written_anew(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n{"ste')
    write_lines(path, read_lines(path)[:1])
    append_line(path, {"step": 30, "again": True})
    assert read_lines(path) == [{"step": 10}, {"step": 30, "again": True}]
