"""A ranking is one label: an ordered prefix, an unordered tail, a verdict, and the raw text it came from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

Verdict = Literal["ok", "partial", "repaired", "failed"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Answer(NamedTuple):
    """One of several answers that became one ranking: the order shown, and the ids that it places, best first."""

    presented: tuple[str, ...]
    ranked: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """How a teacher ordered the candidates of one query.

    `ranked` is best first; `unranked` holds the candidates that the teacher did not place, in no order. `scores` are
    the teacher's own numbers (likelihoods) for ``ranked + unranked``, where it has any; higher is better. `reason` says
    why the verdict is not ok, several reasons joined by a comma and a space. `presented` is the order in which the
    candidates were presented, empty where that is not known or several were; then `answers` has each of these with what
    was answered, as long as the ranking is in memory: files do not hold them. Raises ValueError when an id stands
    twice, the scores are not one an id, `presented` holds other ids, or the verdict is none of `VERDICTS`.

    >>> import harness
    >>> harness.Ranking("q1", ranked=("d2", "d1"), unranked=("d3",), verdict="partial", reason="missing").ranked
    ('d2', 'd1')
    >>> harness.Ranking("q1", ("d1", "d1"))
    Traceback (most recent call last):
        ...
    ValueError: query 'q1': a document stands twice in one ranking
    """

    query: str
    ranked: tuple[str, ...]
    unranked: tuple[str, ...] = ()
    verdict: Verdict = "ok"
    reason: str = ""
    raw: str = ""
    scores: tuple[float, ...] | None = None
    presented: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        ids = self.ranked + self.unranked
        if len(set(ids)) != len(ids):
            raise ValueError(f"query '{self.query}': a document stands twice in one ranking")
        if self.scores is not None and len(self.scores) != len(ids):
            raise ValueError(f"query '{self.query}': {len(self.scores)} scores for {len(ids)} documents")
        if self.presented and (len(self.presented) != len(ids) or set(self.presented) != set(ids)):
            raise ValueError(f"query '{self.query}': other documents were shown than ranked")
        if self.verdict not in VERDICTS:
            raise ValueError(f"query '{self.query}': unknown verdict '{self.verdict}', known: {', '.join(VERDICTS)}")

    @property
    def scores_by_id(self) -> dict[str, float]:
        """The teacher's own numbers by document; empty where it has none."""
        return dict(zip(self.ranked + self.unranked, self.scores or (), strict=False))

    def cut(self, n: int) -> Ranking:
        """The first `n` stay ranked, the others are unranked; scores and presentation stay as they are.

        >>> import harness
        >>> harness.Ranking("q1", ("d2", "d1", "d3"), ("d4",)).cut(1).unranked
        ('d1', 'd3', 'd4')
        """
        if n < 0:
            raise ValueError(f"the first {n} of a ranking: give 0 or more")
        return replace(self, ranked=self.ranked[:n], unranked=self.ranked[n:] + self.unranked)

    def check(self, query: str, candidates: Collection[str]) -> None:
        """Raise ValueError unless this ranks exactly `candidates` for `query`."""
        if self.query != query:
            raise ValueError(f"a ranking of query '{self.query}' came back for query '{query}'")
        if set(self.ranked + self.unranked) != set(candidates):
            raise ValueError(f"query '{query}': the ranking does not hold exactly the documents that were shown")

    def to_json(self) -> dict[str, Any]:
        """As it stands in files, where three fields have older names; what is empty is left out."""
        return {
            _STORED.get(name, name): value
            for name, value in vars(self).items()
            if name != "answers" and (name not in _EMPTY or value != _EMPTY[name])
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Ranking:
        """The ranking that `to_json` wrote; anybody may have written `row`. Raises ValueError or KeyError where it is
        none."""
        if unknown := row.keys() - _FIELDS.keys():
            raise ValueError(f"unknown key '{min(unknown)}', known: {', '.join(_FIELDS)}")
        for key, value in row.items():
            wanted, holds = _FORMS.get(key, _TEXT)
            if not holds(value):
                raise ValueError(f"'{key}' is not {wanted}")
        stored: dict[str, Any] = {"query": row["query"], "ordered": row["ordered"], **row}
        fields: dict[str, Any] = {
            _FIELDS[key]: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
        }
        return cls(**fields)


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(id, str) for id in value)


def _are_scores(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(type(one) in (int, float) and math.isfinite(one) for one in value)
    )


_STORED = {"ranked": "ordered", "unranked": "tail", "presented": "shown"}
_FIELDS = {_STORED.get(one.name, one.name): one.name for one in dataclasses.fields(Ranking) if one.name != "answers"}
"""Keys in files, and the fields that they are of."""
_TEXT = ("text", lambda value: isinstance(value, str))
_IDS = ("a list of document ids", _are_ids)
_FORMS = {"ordered": _IDS, "tail": _IDS, "shown": _IDS, "scores": ("a list of finite numbers", _are_scores)}
_EMPTY: dict[str, Any] = {"unranked": (), "reason": "", "raw": "", "scores": None, "presented": ()}
