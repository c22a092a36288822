"""A ranking is one label: an ordered prefix, an unordered tail, a verdict, and the raw text it came from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, get_args

from harness.errors import UserError

Verdict = Literal["ok", "partial", "repaired", "failed"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Ranking:
    """How a teacher ordered the candidates of one query.

    `ranked` is best first; `unranked` holds the candidates that the teacher did not place, in no order. `scores` are the teacher's own
    numbers (likelihoods) for ``ranked + unranked``, where it has any; higher is better. `reason` says why the verdict is not ok, several
    reasons joined by a comma and a space. `presented` is the order in which the candidates were presented, empty where that is not known.
    Raises ValueError when an id stands twice, the scores are not one an id, `presented` holds other ids, or the verdict is none of
    `VERDICTS`.
    """

    query: str
    ranked: tuple[str, ...]
    unranked: tuple[str, ...] = ()
    verdict: Verdict = "ok"
    reason: str = ""
    raw: str = ""
    scores: tuple[float, ...] | None = None
    presented: tuple[str, ...] = ()

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

    def cut(self, n: int) -> Ranking:
        """The first `n` stay ranked, the others are unranked; scores and presentation stay as they are.

        >>> Ranking("q1", ("d2", "d1", "d3"), ("d4",)).cut(1).unranked
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
        return {_STORED.get(name, name): value for name, value in vars(self).items() if name not in _EMPTY or value != _EMPTY[name]}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Ranking:
        """The ranking that `to_json` wrote. Raises ValueError, TypeError or KeyError where `row` is none."""
        fields: dict[str, Any] = {_NAMES.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        fields["ranked"] = tuple(row["ordered"])
        return cls(**fields)


_STORED = {"ranked": "ordered", "unranked": "tail", "presented": "shown"}
_NAMES = {key: name for name, key in _STORED.items()}
_EMPTY: dict[str, Any] = {"unranked": (), "reason": "", "raw": "", "scores": None, "presented": ()}


def write_rankings(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write gzipped JSON lines, one ranking each; equal rankings give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as stream:
        for ranking in rankings:
            stream.write(json.dumps(ranking.to_json(), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n")


def read_rankings(path: Path) -> list[Ranking]:
    """Rankings in file order, from JSON lines, plain or gzipped. Raises UserError with the line that is no ranking."""
    try:
        with _opened(path) as stream:
            return [_ranking(path, number, line) for number, line in enumerate(stream, 1) if line.strip()]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=path) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8") as stream:
        yield stream


def _ranking(path: Path, number: int, line: str) -> Ranking:
    try:
        return Ranking.from_json(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"no ranking: {error}", file=path, line=number) from error
