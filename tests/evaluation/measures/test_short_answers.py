"""Exact match and token F1 against the official evaluation script of SQuAD v1.1, written down here word for word."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evaluation.measures._em_f1 import exact_match, normalise, token_f1


def normalize_answer(s: str) -> str:
    def remove_articles(text: str) -> str:
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text: str) -> str:
        return " ".join(text.split())

    def remove_punc(text: str) -> str:
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    def lower(text: str) -> str:
        return text.lower()

    return white_space_fix(remove_articles(remove_punc(lower(s))))


def f1_score(prediction: str, ground_truth: str) -> float:
    prediction_tokens = normalize_answer(prediction).split()
    ground_truth_tokens = normalize_answer(ground_truth).split()
    common = Counter(prediction_tokens) & Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return (2 * precision * recall) / (precision + recall)


def exact_match_score(prediction: str, ground_truth: str) -> bool:
    return normalize_answer(prediction) == normalize_answer(ground_truth)


def metric_max_over_ground_truths(metric_fn: Any, prediction: str, ground_truths: list[str]) -> float:
    return max(metric_fn(prediction, ground_truth) for ground_truth in ground_truths)


PIECES = [
    "the",
    "a",
    "An",
    "THE",
    "theory",
    "1973",
    "U.S.",
    "$12",
    "Éa",
    "don't",
    "--",
    " ",
    "\n",
    "\u3000",
    "ß",
    "«x»",
    "an-other",
    "İ",
    "a.b",
]
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join), st.text(max_size=30))


@settings(max_examples=300, deadline=None)
@given(texts, st.lists(texts, min_size=1, max_size=4))
def test_values_are_those_of_the_official_script(said: str, golds: list[str]) -> None:
    assert normalise(said) == normalize_answer(said)
    assert exact_match(said, golds) == metric_max_over_ground_truths(exact_match_score, said, golds)
    assert token_f1(said, golds) == metric_max_over_ground_truths(f1_score, said, golds)


@settings(max_examples=100, deadline=None)
@given(texts, st.lists(texts, min_size=1, max_size=4), texts)
def test_more_gold_answers_never_hurt_and_a_match_is_whole(said: str, golds: list[str], other: str) -> None:
    for value in (exact_match, token_f1):
        assert 0 <= value(said, golds) <= value(said, [*golds, other]) <= 1
    if exact_match(said, golds) and normalise(said):
        assert token_f1(said, golds) == 1
    assert token_f1(said, [other]) == pytest.approx(token_f1(other, [said]), abs=1e-15)


def test_values_by_hand() -> None:
    assert exact_match("The 1973 oil crisis!", ["1973 oil crisis"]) == 1
    assert token_f1("in October 1973", ["October 1973", "1973"]) == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert token_f1("oil oil", ["oil"]) == pytest.approx(2 / 3)


def test_nothing_said_and_nothing_known() -> None:
    assert (exact_match("", ["the"]), token_f1("", ["the"])) == (1, 0)
    assert (exact_match("", ["oil"]), token_f1("", ["oil"])) == (0, 0)
    assert (exact_match("oil", []), token_f1("oil", [])) == (0, 0)
