"""Texts are cut so that they fit, whatever they are made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.labelling.prompting.text_cut import TextCut, safe_tokens
from harness.labelling.strategies._defusing import defuse_brackets, defuse_letters

TEXTS = st.text(max_size=400) | st.lists(st.sampled_from(["word", "0a9f", "\u691c\u7d22", "1234567", "[3]"])).map(
    " ".join
)


def count_bytes(text: str) -> int:
    """A tokenizer that knows bytes only: no other makes more tokens."""
    return len(text.encode("utf-8", "surrogatepass"))


@given(TEXTS, st.integers(1, 60))
def test_what_is_left_fits_and_is_the_beginning(text: str, tokens: int) -> None:
    for count in (None, count_bytes):
        found = TextCut(None, tokens, count)[text]

        assert text.startswith(found.text)
        assert (count or safe_tokens)(found.text) <= tokens
        assert found.is_cut == (found.text != text)


@given(TEXTS, st.integers(1, 60))
def test_no_more_is_cut_than_must_be(text: str, tokens: int) -> None:
    found = TextCut(None, tokens, count_bytes)[text].text

    if found != text:
        rest = text[len(found) :]
        assert count_bytes(found + rest[: len(rest) - len(rest.lstrip()) + 1]) > tokens


@given(TEXTS)
def test_words_are_cut_first(text: str) -> None:
    assert TextCut(3, 10_000)[text].text == " ".join(text.split()[:3])


def test_lengths_that_people_know() -> None:
    assert safe_tokens("neural ranking") == 5
    assert safe_tokens("31337") == 5
    assert safe_tokens("\u691c\u7d22") == 4


@given(TEXTS)
def test_defused_text_is_not_defused_again(text: str) -> None:
    for defuse in (defuse_brackets, defuse_letters):
        assert defuse(defuse(text)) == defuse(text)


def test_only_what_looks_like_an_identifier_is_defused() -> None:
    assert defuse_brackets("[1] [ 12 ] [3-5] [sic] [2019] a[i] []") == "(1) (12) (3-5) [sic] [2019] a[i] []"
    assert (
        defuse_letters("Passage A, passage by passage, Passage Alpha")
        == "Passage (A), passage by passage, Passage Alpha"
    )
