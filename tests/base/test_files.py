import errno
import json
import os

import pytest

from vitlab.base.errors import DataError, MissingModule
from vitlab.base.files import (
    SCHEMA,
    append_line,
    naming_source,
    open_file,
    parsed,
    read_json,
    read_lines,
    read_object,
    replacing,
    write_json,
    write_lines,
)


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "999.* is too large a number"),
        ('{"a": ' + "9" * 30 + "}", "9999.* is too large a number"),
        ('{"a": "\\ud800"}', "'utf-8' codec can't encode"),
        ("", "it is empty"),
        ("{1}", "not JSON: Expecting property name .* at line 1, column 2"),
        ("[]", r"expected a JSON object, got \[\]"),
        ('{"schema": true}', "schema=True: expected a whole number"),
        ('{"schema": "' + "x" * 10_000 + '"}', "schema='xxx"),
    ],
)
def test_a_record_that_anybody_may_have_written_is_a_short_message(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=rf"a\.json is damaged: {said}") as refused:
        read_json(tmp_path / "a.json")
    assert len(str(refused.value)) < 400


def test_sixty_four_levels_are_a_record():
    assert parsed('{"a": ' + "[" * 60 + "]" * 60 + "}")


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_not_opened(tmp_path, kind):
    path = tmp_path / "a.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"a\.json is damaged: not a file"):
        read_json(path)
    with pytest.raises(DataError, match=r"a\.json: not a file"):
        read_object(path)
    with pytest.raises(OSError, match=r"a\.json is not a file|Is a directory"):
        open_file(path)


def test_a_file_that_is_too_long_for_a_record_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("vitlab.base.files._LONGEST", 10)
    (tmp_path / "a.json").write_text('{"a": 12345}')
    with pytest.raises(DataError, match="longer than 10 bytes"):
        read_json(tmp_path / "a.json")


def test_the_first_of_several_to_write_is_read(tmp_path):
    write_json(tmp_path / "a.json", {"who": "first"}, unless_there=True)
    write_json(tmp_path / "a.json", {"who": "second"}, unless_there=True)
    assert read_json(tmp_path / "a.json")["who"] == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_on_a_disk_without_links_the_last_is(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    for who in ("first", "second"):
        write_json(tmp_path / "a.json", {"who": who}, unless_there=True)
    assert read_json(tmp_path / "a.json")["who"] == "second"


def test_a_refusal_of_settings_names_the_file_and_stays_what_it_was():
    with pytest.raises(MissingModule, match=r"^mine\.json: it is gone$"), naming_source("mine.json"):
        raise MissingModule("it is gone")
