"""Where knowledge is lost between the judgments, the teacher, the ranker and the retriever of a run: ``trace.json``
beside its card.

Agreement is nDCG@10 with the target's order as gains, and Kendall's tau-b (evaluation/list_agreement.py). No number of
the board rests on it, and runs of before it was written have none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from harness.errors import UserError
from harness.published.card_section import CardSection, Line
from harness.published.result_folder import TRACE, check_file
from harness.text import plain
from harness.validation import validated_json

Share = Annotated[float, Field(ge=0, le=1)]
Tau = Annotated[float, Field(ge=-1, le=1)]
Sources = Annotated[dict[Line, NonNegativeInt], Field(max_length=100)]


class OrderAgreement(CardSection):
    """Agreement of an order with the grades of the judgments; tau is None where no list has one."""

    ndcg: Share
    tau: Tau | None = None


class TeacherTrace(OrderAgreement):
    """The teacher's orders by the judgments of `lists` training queries, beside the candidates' own order."""

    lists: NonNegativeInt
    sources: Sources = Field(default={})
    """How many of the queries come from where; of those that nobody judged, gold is the document each was made from."""
    candidates: OrderAgreement


class ModelAgreement(OrderAgreement):
    """Agreement of a model with what taught it, on `lists` lists."""

    lists: NonNegativeInt
    chance: Share
    """The mean nDCG@10 of orders by lot on the same lists; their tau is 0."""
    sources: Sources = Field(default={})


class FidelityTrace(CardSection):
    """How far a model follows its target, on lists that it learnt and on held-out ones."""

    own: ModelAgreement | None = None
    held_out: ModelAgreement | None = None
    reason: Line = ""
    """Why there are no held-out lists."""


class Reranked(CardSection):
    """The ranker itself on the evaluated split: the first `depth` candidates of every query in its order."""

    metric: Line
    mean: float
    candidates: float
    """The mean of the candidates' own order."""
    depth: Annotated[int, Field(ge=1)]
    queries: Annotated[dict[Annotated[str, Field(max_length=2_000)], float], Field(min_length=1)]
    """The value of every query."""


class RankerTrace(CardSection):
    """The model between the teacher and the retriever."""

    label: Line = ""
    teacher: FidelityTrace | None = None
    """Its agreement with the teacher; None where no teacher's order trained it."""
    reranked: Reranked | None = None


class StudentTrace(FidelityTrace):
    """The retriever's agreement with what taught it."""

    target: Literal["ranker", "teacher"]


class RunTrace(CardSection):
    """From the teacher to the retriever; what a method does not have is None."""

    version: Literal[1] = 1
    teacher: TeacherTrace | None = None
    ranker: RankerTrace | None = None
    student: StudentTrace | None = None

    def to_json(self) -> bytes:
        """The file."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def read_trace(folder: Path) -> RunTrace | None:
    """What lies in a result folder; None where it was published without. Raises UserError for a link, a large or
    malformed file."""
    path = folder / TRACE
    if not path.is_symlink() and not path.exists():
        return None
    try:
        check_file(path)
        return validated_json(RunTrace, path.read_bytes(), what="the trace", file=path)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(plain(str(error)), file=path) from error
