"""A ranking is one label: an ordered prefix, an unordered tail, a verdict, and the raw text it came from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from harness.errors import UserError

Verdict = Literal["ok", "partial", "repaired", "failed"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Ranking:
    """How a teacher ordered the candidates of one query.

    `ordered` is best first; `tail` holds the candidates that the teacher did not place, in no order. `scores` are the teacher's own
    numbers (likelihoods) for ``ordered + tail``, where it has any; higher is better. `reason` says why the verdict is not ok, several
    reasons joined by a comma and a space. `shown` is the order in which the candidates were presented, empty where that is not known.
    Raises ValueError when an id stands twice, the scores are not one an id, `shown` holds other ids, or the verdict is none of
    `VERDICTS`.
    """

    query: str
    ordered: tuple[str, ...]
    tail: tuple[str, ...] = ()
    verdict: Verdict = "ok"
    reason: str = ""
    raw: str = ""
    scores: tuple[float, ...] | None = None
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = self.ordered + self.tail
        if len(set(ids)) != len(ids):
            raise ValueError(f"query '{self.query}': a document stands twice in one ranking")
        if self.scores is not None and len(self.scores) != len(ids):
            raise ValueError(f"query '{self.query}': {len(self.scores)} scores for {len(ids)} documents")
        if self.shown and (len(self.shown) != len(ids) or set(self.shown) != set(ids)):
            raise ValueError(f"query '{self.query}': other documents were shown than ranked")
        if self.verdict not in VERDICTS:
            raise ValueError(f"query '{self.query}': unknown verdict '{self.verdict}', known: {', '.join(VERDICTS)}")

    def check(self, query: str, shown: Collection[str]) -> None:
        """Raise ValueError unless this ranks exactly the documents `shown` for `query`."""
        if self.query != query:
            raise ValueError(f"a ranking of query '{self.query}' came back for query '{query}'")
        if set(self.ordered + self.tail) != set(shown):
            raise ValueError(f"query '{query}': the ranking does not hold exactly the documents that were shown")


def write_rankings(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write gzipped JSON lines, one ranking each; equal rankings give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as stream:
        for ranking in rankings:
            stream.write(json.dumps(_shown(ranking), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n")


def _shown(ranking: Ranking) -> dict[str, Any]:
    empty = {"tail": (), "reason": "", "raw": "", "scores": None, "shown": ()}
    return {name: value for name, value in vars(ranking).items() if name not in empty or value != empty[name]}


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
        row = json.loads(line)
        scores = row.pop("scores", None)
        return Ranking(
            ordered=tuple(row.pop("ordered")),
            tail=tuple(row.pop("tail", ())),
            scores=None if scores is None else tuple(scores),
            shown=tuple(row.pop("shown", ())),
            **row,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"no ranking: {error}", file=path, line=number) from error
