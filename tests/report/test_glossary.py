import re

import pytest

from tests.report.conftest import write_run
from tests.report.studies import write_study
from tests.report.test_page import Page
from vitlab.report.glossary import WORDS, explained
from vitlab.report.write import write_report

MIXED = re.compile(r"\b[Pp]ictures?\b")  # "images" is what the pages say


def test_words_are_explained_where_they_occur_alone_or_in_the_plural():
    assert explained(["pooling cls", "Validation loss, nats", "6 Seeds", "classes", "top-10"]) == [
        (word, WORDS[word]) for word in ("cls", "nats", "pooling", "seed")
    ]
    assert explained([]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("study", {"cell", "cls", "nats", "points", "pooling", "position", "seed", "top-1"}),
        ("run", {"interval", "nats", "seed", "top-1", "top-5"}),
        ("two", {"FLOPs", "interval", "nats", "points", "seed", "top-1", "top-5"}),
    ],
)
def test_a_page_explains_its_words_and_calls_an_image_an_image(what, words, tmp_path):
    if what == "study":
        page = Page(write_report(write_study(tmp_path / "s", cells=5, seeds=3)))
    else:
        runs = [write_run(tmp_path / name) for name in ("a", "b")]
        page = Page(write_report(*(runs if what == "two" else runs[:1])))
    shown = page.source.partition('<dl class="words">')[2].partition("</dl>")[0]
    assert set(re.findall("<dt>(.*?)</dt>", shown)) == words
    assert 'href="#words"' in page.source
    assert MIXED.findall(page.text) == []
