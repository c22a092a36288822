"""One training query as the teachers behind chosen rows saw it: the candidates, each teacher's order and words, each
ranker's scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.collections.collection import Collection
from harness.labelling.labels.ranking import Verdict
from harness.labelling.labels.run_labels import RAW, LabelRow
from harness.leaderboard.inspect.query_rankings import one_line, safe_text, texts_of
from harness.text import plain

Numbers = tuple[float | None, ...]
Places = tuple[int | None, ...]


class InspectedCandidate(NamedTuple):
    """A candidate, one entry a row in each tuple: its place in what the teacher was shown, its place in the teacher's
    order (None in the tail), the teacher's own number, the ranker's score and the place that gives; all None for a row
    without this query."""

    document: str
    grade: int | None
    presented_at: Places
    placed: Places
    scores: Numbers
    ranker: Numbers
    ranker_placed: Places
    text: str


class Opinion(NamedTuple):
    """What the teacher of one row said: its words (empty for a teacher that gives numbers only), and how they could be
    read."""

    name: str
    verdict: Verdict
    reason: str
    raw: str
    cut: bool


@dataclass(frozen=True)
class InspectedQuery:
    """A training query; candidates in the first stage's order, those of the first row that has it first."""

    query: str
    text: str
    candidates: tuple[InspectedCandidate, ...]
    opinions: tuple[Opinion, ...]


def training_query(rows: Sequence[tuple[str, LabelRow | None]], collection: Collection | None = None) -> InspectedQuery:
    """The labels that named `rows` have of one query, of which one at least is there; texts and grades come from
    `collection`."""
    labels = [row for _, row in rows]
    first = next(row for row in labels if row is not None)
    documents = list(dict.fromkeys(document for row in labels if row for document in row.given))
    grades, texts = _grades(collection, first.query), texts_of(collection, documents)
    views = [_View.of(row) for row in labels]
    candidates = tuple(
        InspectedCandidate(
            plain(document),
            grades.get(document),
            tuple(view.presented_at.get(document) for view in views),
            tuple(view.placed.get(document) for view in views),
            tuple(view.scores.get(document) for view in views),
            tuple(view.ranker.get(document) for view in views),
            tuple(view.ranker_placed.get(document) for view in views),
            texts.get(document, ""),
        )
        for document in documents
    )
    opinions = tuple(
        Opinion(name, row.verdict, plain(row.reason), safe_text(row.raw, RAW), row.cut)
        for name, row in rows
        if row is not None
    )
    return InspectedQuery(plain(first.query), one_line(first.text), candidates, opinions)


@dataclass(frozen=True)
class _View:
    """One row's numbers by document."""

    presented_at: dict[str, int]
    placed: dict[str, int]
    scores: dict[str, float | None]
    ranker: dict[str, float | None]
    ranker_placed: dict[str, int]

    @classmethod
    def of(cls, row: LabelRow | None) -> _View:
        if row is None:
            return cls({}, {}, {}, {}, {})
        order = row.presented or range(1, len(row.given) + 1)
        ranker = dict(zip(row.given, row.ranker, strict=False))
        known = {document: score for document, score in ranker.items() if score is not None}
        best = sorted(known, key=lambda document: (known[document], document), reverse=True)
        return cls(
            {row.given[place - 1]: number for number, place in enumerate(order, 1)},
            {row.given[place - 1]: number for number, place in enumerate(row.order, 1)},
            dict(zip(row.given, row.scores, strict=False)),
            ranker,
            {document: number for number, document in enumerate(best, 1)},
        )


def _grades(collection: Collection | None, query: str) -> dict[str, int]:
    """Judgments of the query in whichever split has it; queries that were made from documents have none."""
    if collection is None:
        return {}
    found = (collection.judgments(split).qrels.get(query) for split in collection.splits)
    return next((grades for grades in found if grades), {})
