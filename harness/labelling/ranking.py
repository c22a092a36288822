"""A ranking is one label: an ordered prefix, an unordered tail, a verdict, and the raw text it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["ok", "partial", "repaired", "failed"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Ranking:
    """How a teacher ordered the candidates of one query.

    `ordered` is best first; `tail` holds the candidates that the teacher did not place, in no order. `scores` are the teacher's own
    numbers (likelihoods) for ``ordered + tail``, where it has any; higher is better.
    """

    query: str
    ordered: tuple[str, ...]
    tail: tuple[str, ...] = ()
    verdict: Verdict = "ok"
    reason: str = ""
    raw: str = ""
    scores: tuple[float, ...] | None = None
