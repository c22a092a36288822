"""A judge's confusion of grades: how often it gives each grade to documents of each human grade.

``{"grades": [0, 1, 2, 3], "matrix": [[...], ...]}``: a row a human grade, a column a grade of the judge; rows of counts
or of shares. A document's grade is drawn from the row of its human grade, once for a query and a document, so that
'like GPT-4o' is measured and not guessed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from harness.errors import UserError
from harness.labelling.labels.teacher import Task
from harness.plugins import Settings
from harness.validation import validated_json

Share = Annotated[float, Field(ge=0)]


class JudgeConfusion(Settings):
    """The matrix of one judge."""

    grades: tuple[int, ...] = Field(min_length=2, description="the grades of rows and columns, ascending")
    matrix: tuple[tuple[Share, ...], ...] = Field(description="a row a human grade, a column a grade of the judge")
    source: str = Field("", description="which judge, on which judgments")

    @model_validator(mode="after")
    def _square(self) -> JudgeConfusion:
        size = len(self.grades)
        if list(self.grades) != sorted(set(self.grades)):
            raise ValueError("the grades must ascend, as in [0, 1, 2, 3]")
        if [len(row) for row in self.matrix] != [size] * size:
            raise ValueError(f"must have {size} rows of {size} numbers, one for each grade")
        if any(not sum(row) > 0 for row in self.matrix):
            raise ValueError("a row without a single judgment says nothing of its grade")
        return self

    def drawn(self, tasks: list[Task], width: int, seed: int) -> np.ndarray:
        """(Q, `width`) the judge's grades of the candidates of `tasks`, 0 behind the last; a grade that the matrix
        lacks counts as the nearest below, or the lowest."""
        rows = np.array([np.cumsum(row) / sum(row) for row in self.matrix])
        found = np.zeros((len(tasks), width))
        for place, task in enumerate(tasks):
            for column, candidate in enumerate(task.candidates):
                human = (task.gold or {}).get(candidate.id, 0)
                row = max((n for n, grade in enumerate(self.grades) if grade <= human), default=0)
                picked = int(np.searchsorted(rows[row], _uniform(seed, task.query, candidate.id), side="right"))
                found[place, column] = self.grades[min(picked, len(self.grades) - 1)]
        return found


def read_confusion(path: Path) -> JudgeConfusion:
    """The matrix in a JSON file. Raises UserError where there is none, or it is malformed."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError("the judge's confusion of grades cannot be read", file=path, key="judge") from error
    return validated_json(JudgeConfusion, text, what="the judge's confusion of grades", file=path)


def _uniform(seed: int, query: str, document: str) -> float:
    """In [0, 1), the same for a pair in every list."""
    hashed = hashlib.blake2b(f"judge\0{seed}\0{query}\0{document}".encode(), digest_size=8).digest()
    return (int.from_bytes(hashed, "big") >> 11) / 2**53
