"""What follows from a set of labels and its collection: counts, verdicts, agreement with judgments and with the order
of the candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.collections.collection import Collection
from harness.collections.crops import HUMAN
from harness.labelling.labels.agreement import agreement, orders, quality
from harness.labelling.labels.label_dataset import DatasetRow
from harness.labelling.labels.label_stage import summarise
from harness.published.card_costs import Verdicts
from harness.published.label_sets.label_card import SourceLabels

_DIGITS = 6
"""Of means on a card: more are a machine's own."""


def label_statistics(rows: Sequence[DatasetRow], collection: Collection) -> dict[str, Any]:
    """``{"lists", "documents", "verdicts", "sources"}`` of a `LabelCard`; sources in the order of their names."""
    sources = sorted({row.source for row in rows})
    return {
        "lists": len(rows),
        "documents": len({document for row in rows for document in row.given}),
        "verdicts": Verdicts.of([summarise([row.ranking() for row in rows])]),
        "sources": {name: _source([row for row in rows if row.source == name], collection) for name in sources},
    }


def _source(rows: Sequence[DatasetRow], collection: Collection) -> SourceLabels:
    rankings = [row.ranking() for row in rows]
    first = {row.query: row.given for row in rows}
    judged = quality(rankings, first, _gold(rows, collection)) or {"queries": 0}
    order = agreement(orders(rankings), first)
    return SourceLabels(
        lists=len(rows),
        judged=judged["queries"],
        teacher_ndcg=_rounded(judged.get("nDCG@10")),
        candidates_ndcg=_rounded(judged.get("first_stage")),
        compared=order["queries"],
        tau=_rounded(order["tau"]),
        rbo=_rounded(order["rbo"]),
    )


def _gold(rows: Sequence[DatasetRow], collection: Collection) -> Mapping[str, Mapping[str, int]]:
    """Grades by query and document, as a pool has them: the curators' judgments, or the document that the query was
    made from."""
    human = collection.judgments(HUMAN) if HUMAN in collection.splits else None
    gold: dict[str, Mapping[str, int]] = {}
    for row in rows:
        if row.source != HUMAN:
            gold[row.query] = {row.query.partition(":")[2]: 1}
        elif human is not None:
            own = {row.query} if human.drop_identical else set()
            found = human.qrels.get(row.query, {})
            gold[row.query] = {document: grade for document, grade in found.items() if document not in own}
    return gold


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
