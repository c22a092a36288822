"""The labels that taught a run, beside its card: what the teacher was shown, how it ordered it, and what it said in its
own words.

``labels.jsonl.gz`` is gzipped JSON lines: a header, then a row a query in the order of the draw, set by set where a run
rests on several sets of labels. Drawn queries are in random order, so the rows that fit are a random sample of all, and
teachers that labelled one draw have them in common.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from harness.errors import UserError
from harness.labelling.labels.label_lines import json_line
from harness.labelling.labels.ranking import Ranking, Verdict
from harness.validation import validated

FORMAT: Literal["distil-harness labels of a run"] = "distil-harness labels of a run"
MOST_ROWS, MOST_DOCUMENTS = 1_000, 100
RAW, TEXT = 2_000, 500
"""Characters that are published of what a teacher said, and of a query."""
Id = Annotated[str, Field(max_length=2_000)]
Places = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=MOST_DOCUMENTS)]
Scores = Annotated[tuple[float | None, ...], Field(max_length=MOST_DOCUMENTS)]


class _Record(BaseModel):
    """A line: unknown keys are errors, numbers are finite; two keys on disk are older than the names here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )


class Header(_Record):
    """The first line: how many labels there are, and how many of them have a row here."""

    format: Literal["distil-harness labels of a run"] = FORMAT
    version: Literal[1] = 1
    labels: NonNegativeInt
    rows: NonNegativeInt = Field(alias="kept")


class LabelRow(_Record):
    """One label. Places count from 1 and are those of `given`, the candidates in the first stage's order."""

    query: Id
    text: Annotated[str, Field(max_length=TEXT)] = ""
    given: Annotated[tuple[Id, ...], Field(max_length=MOST_DOCUMENTS)]
    presented: Places = Field(default=(), alias="shown")
    """The order in which they were presented to the teacher; empty where it was `given`'s, or is not known."""
    order: Places = ()
    """What the teacher placed, best first; the others are an unordered tail."""
    verdict: Verdict = "ok"
    reason: Annotated[str, Field(max_length=1_000)] = ""
    raw: Annotated[str, Field(max_length=RAW)] = ""
    cut: bool = False
    """True where the teacher said more than stands here."""
    scores: Scores = ()
    """The teacher's own numbers for `given`, where it has any."""
    ranker: Scores = ()
    """What the trained ranker scores `given`, where the run has one."""
    set: NonNegativeInt = 0
    """Which of the run's sets of labels it is of, largest first: methods may have queries labelled by a teacher in two
    ways, or twice."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        size = len(self.given)
        for places in (self.presented, self.order):
            if len(set(places)) != len(places) or any(place > size for place in places):
                raise ValueError("a place stands twice, or is none of the candidates'")
        if (
            len(self.presented) not in (0, size)
            or {len(self.scores), len(self.ranker)} - {0, size}
            or len(set(self.given)) != size
        ):
            raise ValueError("not one place or score a candidate")
        return self

    def ranking(self) -> Ranking:
        """The label as the harness's statistics read it."""
        placed = tuple(self.given[place - 1] for place in self.order)
        tail = tuple(document for document in self.given if document not in set(placed))
        presented = tuple(self.given[place - 1] for place in self.presented)
        return Ranking(
            self.query, placed, tail, self.verdict, self.reason, self.raw, self._scores(placed + tail), presented
        )

    def _scores(self, documents: Sequence[str]) -> tuple[float, ...] | None:
        """The teacher's numbers for `documents`; None unless it has one for each."""
        known = {document: score for document, score in zip(self.given, self.scores, strict=False) if score is not None}
        return tuple(known[document] for document in documents) if known and len(known) == len(documents) else None


class LabelsOfRun(_Record):
    """What one file holds."""

    header: Header
    rows: tuple[LabelRow, ...]


def row_of(
    ranking: Ranking, text: str, given: Sequence[str], ranker: dict[str, float] | None = None, of_set: int = 0
) -> LabelRow | None:
    """A row from a ranking of the candidates `given`, in the set `of_set`.

    None where it ranks other documents, or is too large to be published.
    """
    if set(given) != set(ranking.ranked + ranking.unranked):
        return None
    try:
        return _row(ranking, text, given, ranker or {}, of_set)
    except UserError:
        return None


def _row(ranking: Ranking, text: str, given: Sequence[str], ranker: dict[str, float], of_set: int) -> LabelRow:
    place = {document: number for number, document in enumerate(given, 1)}
    presented = tuple(place[document] for document in ranking.presented)
    scores = ranking.scores_by_id
    row = {
        "query": ranking.query,
        "text": text[:TEXT],
        "given": tuple(given),
        "presented": () if presented == tuple(range(1, len(place) + 1)) else presented,
        "order": tuple(place[document] for document in ranking.ranked),
        "verdict": ranking.verdict,
        "reason": ranking.reason[:1_000],
        "raw": ranking.raw[:RAW],
        "cut": len(ranking.raw) > RAW,
        "scores": _numbers(given, scores),
        "ranker": _numbers(given, ranker),
        "set": of_set,
    }
    return validated(LabelRow, row, what="a label")


def _numbers(given: Sequence[str], scores: dict[str, float]) -> tuple[float | None, ...]:
    short = [float(f"{scores[document]:.6g}") if document in scores else None for document in given]
    return tuple(short) if any(value is not None for value in short) else ()


def packed(rows: Iterable[LabelRow], labels: int) -> bytes:
    """The file's bytes, of the first rows that are allowed; `labels` is how many there are. Equal rows give equal
    bytes."""
    written = list(rows)[:MOST_ROWS]
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(json_line(Header(labels=labels, rows=len(written)).model_dump()))
        for row in written:
            # What says nothing is left out: most rows are short.
            stream.write(json_line(row.model_dump(exclude_defaults=True), "replace"))
    return buffer.getvalue()
