import json
import os

import pytest

from vitlab.train.machine import cache as module
from vitlab.train.machine.cache import keep_answer, read_answer

QUESTION = ["which", {"threads": 2, "device": "cpu"}, [1, None, 0.5]]


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    return tmp_path / "choices"


def test_what_was_never_asked_has_no_answer():
    assert read_answer(QUESTION) is None


def test_a_cache_that_is_no_folder_has_no_answer(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "file"))
    keep_answer(QUESTION, {"execution": "stacked"})
    assert read_answer(QUESTION) is None


def test_an_answer_is_remembered_to_the_question():
    keep_answer(QUESTION, {"execution": "stacked", "seconds": 0.1})
    assert read_answer(QUESTION) == {"execution": "stacked", "seconds": 0.1}
    assert read_answer([*QUESTION, 1]) is None


def test_of_several_who_have_tried_the_first_is_believed_and_what_was_known_before_is_replaced():
    assert keep_answer(QUESTION, {"execution": "stacked"}) == {"execution": "stacked"}
    assert keep_answer(QUESTION, {"execution": "alone"}) == {"execution": "stacked"}
    assert keep_answer(QUESTION, {"execution": "alone"}, known={"execution": "other"}) == {"execution": "stacked"}
    assert keep_answer(QUESTION, {"execution": "alone"}, known={"execution": "stacked"}) == {"execution": "alone"}
    assert read_answer(QUESTION) == {"execution": "alone"}


def test_what_another_kind_of_host_answered_is_not_this_ones():
    keep_answer(QUESTION, {"execution": "stacked"}, {"kind": "cluster"})
    assert read_answer(QUESTION) is None
    assert read_answer(QUESTION, {"kind": "cluster"}) == {"execution": "stacked"}


def test_the_order_of_keys_is_no_other_question():
    keep_answer(QUESTION, {"execution": "stacked"})
    assert read_answer(["which", {"device": "cpu", "threads": 2}, [1, None, 0.5]]) == {"execution": "stacked"}


def test_another_machine_and_another_torch_ask_anew(monkeypatch):
    keep_answer(QUESTION, {"execution": "stacked"})
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(module, "hardware", lambda: {"cpu": "another"})
        assert read_answer(QUESTION) is None
    with monkeypatch.context() as later:
        later.setattr(module.torch, "__version__", "99")
        assert read_answer(QUESTION) is None
    assert read_answer(QUESTION) == {"execution": "stacked"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"schema": 99, "answer": {}})])
def test_a_record_that_cannot_be_used_is_no_memory(memory, text):
    keep_answer(QUESTION, {"execution": "stacked"})
    (file,) = memory.iterdir()
    file.write_text(text)
    assert read_answer(QUESTION) is None


def test_a_cache_that_cannot_be_written_forgets(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VITLAB_CACHE", os.fspath(tmp_path / "file"))
    keep_answer(QUESTION, {"execution": "stacked"})
