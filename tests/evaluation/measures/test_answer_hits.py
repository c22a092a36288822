"""Answers in passages against DPR's own loop over its own tokenizer, written down here with the library it uses."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.evaluation.measures._passage_hits import PassageHits, holds, joined, tokens
from harness.evaluation.measures.answer_measures import AnswerCase
from harness.evaluation.metrics.answer_metrics import answer_scores, deepest, needs_answers, needs_reader
from harness.evaluation.metrics.lookup import evaluate, metric

regex = pytest.importorskip("regex")
SIMPLE = regex.compile(
    r"([\p{L}\p{N}\p{M}]+)|([^\p{Z}\p{C}])", flags=regex.IGNORECASE + regex.UNICODE + regex.MULTILINE
)


def words(text: str) -> list[str]:
    return [match.group().lower() for match in SIMPLE.finditer(unicodedata.normalize("NFD", text))]


def has_answer(answers: list[str], text: str) -> bool:
    found = words(text)
    for answer in answers:
        single = words(answer)
        for i in range(len(found) - len(single) + 1):
            if single == found[i : i + len(single)]:
                return True
    return False


PIECES = [
    "oil",
    "Oil",
    "OIL-price",
    "1973",
    "$12",
    "café",
    "cafe\u0301",
    "naïve",
    "U.S.",
    "\u00a0",
    "\u200b",
    "東京",
    "x²",
    "İ",
    "_",
    "\n",
    "don’t",
]
# The library knows characters of a newer Unicode than the standard library of some Pythons: those are not assigned
# here.
ASSIGNED = st.text(st.characters(exclude_categories=("Cn", "Cs")), max_size=20)
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join), ASSIGNED)


@settings(max_examples=300, deadline=None)
@given(texts)
@example("crisis,oil\x00price")
def test_tokens_are_dprs(text: str) -> None:
    assert tokens(text) == words(text)


@settings(max_examples=300, deadline=None)
@given(texts, st.lists(texts, min_size=1, max_size=3), st.booleans())
def test_a_passage_holds_what_dprs_loop_finds(text: str, answers: list[str], inside: bool) -> None:
    answers = [*answers, " ".join(text.split()[1:3])] if inside else answers
    answers = [answer for answer in answers if words(answer)]
    assert holds(joined(text), map(joined, answers)) == has_answer(answers, text)


def test_an_answer_without_tokens_is_held_by_nothing() -> None:
    assert not holds(joined("anything"), [joined("")]) and not holds(joined(""), [joined(" \u200b ")])


def test_words_are_whole_and_in_a_row() -> None:
    passages = PassageHits()
    assert passages.first_hit(["the oily price", "price of oil", "Oil price!"], ["oil price", "gas"]) == 3
    assert passages.first_hit(["oil price", "oil price"], ["Oil-Price"]) is None
    assert passages.first_hit([], ["oil"]) is None


def test_metrics_by_name() -> None:
    cases = {
        "q1": AnswerCase(("oil",), "The oil.", 2),
        "q2": AnswerCase(("gas", "crude oil"), "oil", None),
        "q3": AnswerCase((), "oil", None),
    }
    names = ["EM", "TokenF1", "AnswerHit@1", "AnswerHit@2", "nDCG@10"]
    assert answer_scores(cases, names) == {
        "EM": {"q1": 1.0, "q2": 0.0, "q3": 0.0},
        "TokenF1": {"q1": 1.0, "q2": pytest.approx(2 / 3), "q3": 0.0},
        "AnswerHit@1": {"q1": 0.0, "q2": 0.0, "q3": 0.0},
        "AnswerHit@2": {"q1": 1.0, "q2": 0.0, "q3": 0.0},
    }
    assert deepest(names) == 2 and deepest(["EM"]) == 0
    assert [needs_answers(name) for name in names] == [True] * 4 + [False]
    assert [needs_reader(name) for name in names] == [True, True, False, False, False]
    assert str(metric("answerf1")) == "TokenF1" and str(metric("answerhit@20")) == "AnswerHit@20"


def test_judged_documents_give_no_answers() -> None:
    with pytest.raises(UserError, match="EM needs short answers"):
        evaluate({"q": {"d": 1.0}}, {"q": {"d": 1}}, ["EM"])
    with pytest.raises(UserError, match="needs a cutoff"):
        metric("AnswerHit")
