"""Judgments by subtopic (TREC's diversity tasks) and the metrics that need them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.collections.collection import Qrels
from harness.collections.located_lines import read_lines
from harness.errors import UserError
from harness.evaluation.measures.diversity import SubtopicMeasure
from harness.evaluation.metrics.lookup import Scores, evaluate, metric

if TYPE_CHECKING:
    from harness.retrieval.run import Run

Subtopics = dict[str, dict[str, dict[str, int]]]
"""query id -> document id -> subtopic -> grade"""
_RIGHT = "a right line looks like 'q1 2 d7 1' (query, subtopic, document, grade)"


def read_subtopics(path: Path) -> Subtopics:
    """The judgments of a diversity qrels file, plain or compressed. Raises UserError with the line number when a line
    is corrupt."""
    found: Subtopics = {}
    for line in read_lines(path):
        fields = line.text.split()
        if len(fields) != 4 or not fields[3].lstrip("+-").isdecimal():
            raise UserError(
                f"no judgment of a subtopic: {line.text[:80]!r}", file=path, line=line.number, remedy=_RIGHT
            )
        query, subtopic, document, grade = fields
        grades = found.setdefault(query, {}).setdefault(document, {})
        if grades.setdefault(subtopic, int(grade)) != int(grade):
            message = f"query '{query}', subtopic '{subtopic}' and document '{document}' have two grades"
            raise UserError(message, file=path, line=line.number, remedy="keep one of the two lines")
    if not found:
        raise UserError("holds no judgments", file=path, remedy=_RIGHT)
    return found


def needs_subtopics(name: str) -> bool:
    """Whether the metric tells subtopics apart. Raises UserError for an unknown one."""
    return issubclass(metric(name).kind, SubtopicMeasure)


def flattened(subtopics: Subtopics) -> Qrels:
    """The best grade of each document over its subtopics: what metrics of whole queries are computed from."""
    return {
        query: {document: max(grades.values()) for document, grades in judged.items()}
        for query, judged in subtopics.items()
    }


def diversity_scores(run: Run, subtopics: Subtopics, names: Sequence[str]) -> Scores:
    """Value of each metric for every judged query, in the order of their ids; those that need no subtopics see the best
    grades."""
    wanted = list(dict.fromkeys(map(metric, names)))
    plain = evaluate(
        run.scores, flattened(subtopics), [one for one in wanted if not issubclass(one.kind, SubtopicMeasure)]
    )
    scores: Scores = {}
    for one in wanted:
        measure = one.kind(one.settings)
        scores[str(one)] = (
            {query: measure.of(run.top(query), subtopics[query]) for query in sorted(subtopics)}
            if isinstance(measure, SubtopicMeasure)
            else plain[str(one)]
        )
    return scores
