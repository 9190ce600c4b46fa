import pytest

from vitlab.base.words import counted, first_few, printable, readable, shortened, shown, some


@pytest.mark.parametrize(("number", "said"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (12345, "12,345 runs")])
def test_a_noun_agrees_with_its_number(number, said):
    assert counted(number, "run") == said


def test_a_text_is_cut_where_it_is_too_long() -> None:
    assert shortened("position", 8) == "position"
    assert shortened("positions", 8) == "positio…"


def test_of_many_things_the_first_few_are_named():
    assert first_few("abcdef") == list("abcdef")
    assert first_few("abcdefgh") == [*"abcdef", "and 2 more"]


def test_names_are_shown_on_one_line_and_none_like_another():
    names = ["café", b"caf\xe9".decode("utf-8", "surrogateescape"), r"caf\xe9", "a\nb", r"a\nb", "a\x85b", "a\u2028b"]
    assert [readable(name) for name in names] == [
        "café",
        r"caf\xe9",
        r"caf\\xe9",
        r"a\nb",
        r"a\\nb",
        r"a\u0085b",
        r"a\u2028b",
    ]


def test_some_names_take_little_room_however_many_and_long_they_are():
    assert some("abc") == "a, b, c"
    assert some("abcde") == "a, b, c and 2 more"
    assert len(some(["x" * 1_000_000] * 1000)) < 700


def test_a_message_that_quotes_anything_moves_no_cursor_and_stays_short():
    assert printable("a\\b: \x1b[2J\nnext") == "a\\b: \\x1b[2J\nnext"
    assert len(printable("x" * 1_000_000)) == 2000


def test_a_value_is_shown_in_little_room():
    assert shown("linear") == "'linear'"
    assert len(shown("x" * 1_000_000)) < 100
    assert len(shown([["x" * 1000] * 1000] * 1000)) < 3000
