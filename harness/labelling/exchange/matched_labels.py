"""Foreign labels as rankings of a collection's documents, and what did not match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.labelling.exchange.label_form import ForeignLabel
from harness.labelling.exchange.text_match import Match
from harness.labelling.labels.ranking import Ranking

OUTSIDE = "no document of the collection"
_NAMED = 5
"""Unmatched queries that are named; all are counted."""


@dataclass
class MatchCounts:
    """What became of the labels of a file."""

    labels: int = 0
    """In the file."""
    imported: int = 0
    unmatched_queries: int = 0
    repeated_queries: int = 0
    """A label of a query that had one before; the first stays."""
    documents: int = 0
    """Of the imported labels, in the file."""
    unmatched_documents: int = 0
    equal_documents: int = 0
    """Documents that share a place, since nobody can tell their texts apart."""
    tied_documents: int = 0
    """Documents whose grade another one of the list has too; between them the order says nothing."""
    unmatched: list[str] = field(default_factory=list)
    """The first few queries that the collection lacks, by id or by the key of their text."""


def matched(labels: Sequence[ForeignLabel], queries: Match, documents: Match, counts: MatchCounts) -> Iterator[Ranking]:
    """The labels of queries that the collection has, in file order, counted in `counts`."""
    taken: set[str] = set()
    for label in labels:
        counts.labels += 1
        # Equal queries are one query under several ids; the first is meant.
        query = next(iter(reversed(queries(label.query))), None)
        if query is None:
            counts.unmatched_queries += 1
            if len(counts.unmatched) < _NAMED:
                counts.unmatched.append(label.query.id or label.query.key[:60])
        elif query in taken:
            counts.repeated_queries += 1
        else:
            taken.add(query)
            counts.imported += 1
            yield _ranking(label, query, documents, counts)


def _ranking(label: ForeignLabel, query: str, documents: Match, counts: MatchCounts) -> Ranking:
    ids = {place: documents(reference) for place, reference in enumerate(label.documents)}
    counts.documents += len(ids)
    counts.unmatched_documents += sum(not found for found in ids.values())
    # A document that has several places has the best of them.
    placed = list(dict.fromkeys(id for place in label.order for id in ids[place]))
    known = set(placed)
    tail = list(dict.fromkeys(id for found in ids.values() for id in found if id not in known))
    counts.equal_documents += sum(len(found) for found in ids.values() if len(found) > 1)
    scores = _scores(label, ids, [*placed, *tail], counts)
    if scores is not None:
        # Equal scores by falling id, as everywhere.
        placed.sort(reverse=True)
        placed.sort(key=lambda id: -scores[id])
    presented = tuple(dict.fromkeys(id for found in ids.values() for id in found)) if label.presented else ()
    return Ranking(
        query,
        tuple(placed),
        tuple(tail),
        label.verdict if placed else "failed",
        label.reason if placed or label.verdict == "failed" else OUTSIDE,
        label.raw,
        None if scores is None else tuple(scores[id] for id in [*placed, *tail]),
        presented,
    )


def _scores(
    label: ForeignLabel, ids: dict[int, tuple[str, ...]], order: Sequence[str], counts: MatchCounts
) -> dict[str, float] | None:
    if label.scores is None:
        return None
    scores: dict[str, float] = {}
    for place, found in ids.items():
        for id in found:
            scores.setdefault(id, label.scores[place])
    times = Counter(scores[id] for id in order)
    counts.tied_documents += sum(number for number in times.values() if number > 1)
    return scores
