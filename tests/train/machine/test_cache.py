import json
import os

import pytest

from vitlab.train.machine import cache as module
from vitlab.train.machine.cache import recall, remember

QUESTION = ["which", {"threads": 2, "device": "cpu"}, [1, None, 0.5]]


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    return tmp_path / "choices"


def test_what_was_never_asked_has_no_answer():
    assert recall(QUESTION) is None


def test_an_answer_is_remembered_to_the_question():
    remember(QUESTION, {"way": "stacked", "seconds": 0.1})
    assert recall(QUESTION) == {"way": "stacked", "seconds": 0.1}
    assert recall([*QUESTION, 1]) is None
    remember(QUESTION, {"way": "alone"})
    assert recall(QUESTION) == {"way": "alone"}


def test_the_order_of_keys_is_no_other_question():
    remember(QUESTION, {"way": "stacked"})
    assert recall(["which", {"device": "cpu", "threads": 2}, [1, None, 0.5]]) == {"way": "stacked"}


def test_another_machine_and_another_torch_ask_anew(monkeypatch):
    remember(QUESTION, {"way": "stacked"})
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(module, "hardware", lambda: {"cpu": "another"})
        assert recall(QUESTION) is None
    with monkeypatch.context() as later:
        later.setattr(module.torch, "__version__", "99")
        assert recall(QUESTION) is None
    assert recall(QUESTION) == {"way": "stacked"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"schema": 99, "answer": {}})])
def test_a_record_that_cannot_be_used_is_no_memory(memory, text):
    remember(QUESTION, {"way": "stacked"})
    (file,) = memory.iterdir()
    file.write_text(text)
    assert recall(QUESTION) is None


def test_a_cache_that_cannot_be_written_forgets(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VITLAB_CACHE", os.fspath(tmp_path / "file"))
    remember(QUESTION, {"way": "stacked"})
