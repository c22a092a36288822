"""Queries that are documents of their collection (arguments, questions, citing papers): the document with the id of a
query leaves whatever is found for it, learnt from it and scored of it, as BEIR's search and evaluation have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.collections.collection import Judgments, Qrels, Texts
from harness.collections.import_report import EXAMPLES, FOUND, IDENTICAL, ImportFault, ImportReport
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.collections.texts import StoredTexts

MARK = "without identical ids"
"""What follows the identity of queries and judgments whose own documents are left out."""


class DroppingQueries:
    """The `Texts` of queries for which their own documents are left out; pickles."""

    drop_identical = True

    def __init__(self, queries: Texts) -> None:
        self.all = queries
        """The same queries, of which nothing is left out."""

    @property
    def identity(self) -> str:
        """That of the queries, marked."""
        return f"{self.all.identity} {MARK}"

    @property
    def ids(self) -> Sequence[str]:
        """All ids in order."""
        return self.all.ids

    def __len__(self) -> int:
        return len(self.all)

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Texts of `ids`, in that order. Raises KeyError on an unknown id."""
        return self.all.texts(ids)

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids`. Raises KeyError on an unknown id."""
        return self.all.rows(ids)

    def slice_texts(self, start: int, stop: int) -> list[str]:
        """Texts of the positions start to stop."""
        return self.all.slice_texts(start, stop)


def dropping(judgments: Judgments) -> Judgments:
    """The judgments of queries for which their own documents are left out; as in BEIR, one of such a document stays and
    is never met."""
    return Judgments(judgments.split, f"{judgments.identity} {MARK}", judgments.qrels, drop_identical=True)


def plain_queries(queries: Texts) -> Texts:
    """The queries alone: for whoever reads their texts and nothing else."""
    return queries.all if isinstance(queries, DroppingQueries) else queries


def drops_identical(source: object) -> bool:
    """Whether own documents are left out for queries or by judgments, or by any that a stage was made from."""
    waiting, seen = [source], set[int]()
    while waiting:
        one = waiting.pop()
        if getattr(one, "drop_identical", False):
            return True
        if isinstance(one, Stage) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.inputs()
    return False


def own_documents(corpus: StoredTexts, qrels: Qrels) -> dict[str, Any]:
    """``{"count", "examples", "judged"}`` of the queries of `qrels` that have the id of a document, with how many are
    judged to be answered by themselves."""
    queries = list(qrels)
    own = [query for query, row in zip(queries, corpus.find(queries), strict=True) if row >= 0]
    judged = sum(qrels[query].get(query, 0) > 0 for query in own)
    return {"count": len(own), "examples": own[:EXAMPLES], "judged": judged}


def report_dropped(report: ImportReport, dropped: dict[str, dict[str, Any]]) -> ImportReport:
    """`report`, which says of queries that they find themselves, where by split their own documents are left out."""
    stays = [one for one in report if not any(one.message == finds_itself(split) for split in dropped)]
    for split, own in dropped.items():
        left_out = f"queries of '{split}' {IDENTICAL}, which is left out for them, as BEIR does"
        stays.append(ImportFault(left_out, own["count"], tuple(own["examples"])))
        if own["judged"]:
            stays.append(ImportFault(f"of them in '{split}' are judged to be answered by that document", own["judged"]))
    return ImportReport(tuple(stays))


def finds_itself(split: str) -> str:
    """What is said of a split whose queries find themselves."""
    return f"queries of '{split}' {FOUND}"
