"""Graded judgments of LLM judges as labels: passages by falling grade."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UserError
from harness.labelling.exchange.json_rows import read_text
from harness.labelling.exchange.label_form import ForeignLabel, LabelForm, Reference


class GradesForm(LabelForm):
    """Lines of TREC qrels (query, 0, document, grade), or of three columns. Equal grades say nothing of an order."""

    name = "grades"
    summary = "graded judgments as TREC qrels, for example of LLMJudge"
    source = "Rahmani et al., arXiv 2502.13908 (LLMJudge)"

    def labels(self, file: Path, hits: Path | None) -> Iterator[ForeignLabel]:
        for query, grades in _read(file).items():
            documents = tuple(Reference(document) for document in grades)
            order = tuple(range(len(documents)))
            yield ForeignLabel(Reference(query), documents, order, scores=tuple(grades.values()))


def _read(file: Path) -> dict[str, dict[str, float]]:
    queries: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_text(file).split("\n"), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) not in (3, 4):
            raise UserError("a judgment has 3 or 4 columns: query, 0, document, grade", file=file, line=number)
        query, document, grade = fields[0], fields[-2], _grade(fields[-1], file, number)
        if queries.setdefault(query, {}).setdefault(document, grade) != grade:
            raise UserError(f"document '{document}' has two grades for query '{query}'", file=file, line=number)
    return queries


def _grade(text: str, file: Path, line: int) -> float:
    try:
        grade = float(text)
    except ValueError:
        grade = math.nan
    if not math.isfinite(grade):
        raise UserError(f"'{text}' is no grade", file=file, line=line)
    return grade
