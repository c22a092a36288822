"""Exact match and token F1 of short answers, as the official script of SQuAD v1.1 computes them (Rajpurkar et al.,
arXiv 1606.05250).

NQ-open is scored by the same rules (Lee et al., arXiv 1906.00300; DPR, arXiv 2004.04906).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """`text` in lower case, without ASCII punctuation, then without English articles, with one space between words."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1 where `answer` equals one of the gold answers after normalisation, else 0; 0 without gold answers."""
    return float(any(normalise(answer) == normalise(gold) for gold in golds))


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """The largest F1 of the words of `answer` against those of a gold answer, both as bags; 0 without gold answers.

    As in v1.1, nothing shared is 0, even where both are empty after normalisation.
    """
    words = normalise(answer).split()
    return max((_f1(words, normalise(gold).split()) for gold in golds), default=0.0)


def _f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    shared = sum((Counter(answer) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(answer), shared / len(gold)
    return 2 * precision * recall / (precision + recall)
