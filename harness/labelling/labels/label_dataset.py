"""A set of labels as it is published for others: by ids alone, one file a collection and teacher.

Gzipped JSON lines: a header that says what all of them have in common, then a line a list in the order of the queries'
ids. Equal labels give equal bytes::

    {"format": "distil-harness label set", "version": 1, "about": {...}, "date": "2026-11-30", "licence": "..."}
    {"query": "title:12", "mark": "3f0c9a17", "source": "titles", "given": ["12", "7"], "order": [2, 1]}

No text of a collection stands in it, nor what the teacher said in its own words, which may quote one.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, NonNegativeInt, model_validator

from harness.labelling.labels.imported_labels import UNKNOWN, Line
from harness.labelling.labels.label_lines import LabelLines, json_line
from harness.labelling.labels.ranking import Ranking, Verdict

FORMAT: Literal["distil-harness label set"] = "distil-harness label set"
MARK_LENGTH = 8
Id = Annotated[str, Field(max_length=2_000)]
Places = tuple[Annotated[int, Field(ge=1)], ...]


class _Part(BaseModel):
    """Unknown keys are errors, numbers are finite; `presented` has the name on disk that other files of labels have."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )


class DatasetAbout(_Part):
    """What labels must have in common to be of one set: who was asked, how, over which candidates of which texts."""

    collection: Line
    split: Line
    """Whose queries the content hash covers beside the documents: the training queries, where people wrote any."""
    content_hash: Line
    """Of documents, queries and judgments, in any order."""
    kind: Line
    """The plug-in that is the teacher."""
    model: str = Field("", max_length=300)
    identity: Annotated[str, Field(max_length=300)]
    """Of the teacher: its model's hash, prompt, settings and numerics."""
    candidates: dict[str, JsonValue]
    depth: NonNegativeInt
    """How many candidates a query has at most."""

    def differences(self, other: DatasetAbout) -> Iterator[tuple[str, Any, Any]]:
        """What keeps labels of the two from being of one set: key, value here, value of the other."""
        for key in type(self).model_fields:
            here, there = getattr(self, key), getattr(other, key)
            if here != there:
                yield key, here, there


class DatasetHeader(_Part):
    """The first line."""

    format: Literal["distil-harness label set"] = FORMAT
    version: Literal[1] = 1
    about: DatasetAbout
    date: Line = UNKNOWN
    """When the last of them was labelled."""
    licence: Line = UNKNOWN
    """Of the labels; the texts have their own."""


class DatasetRow(_Part):
    """One label. Places count from 1 and are those of `given`, the candidates in the first stage's order."""

    query: Id
    mark: Annotated[str, Field(pattern=f"^[0-9a-f]{{{MARK_LENGTH}}}$")]
    """Of the query's text (`text_mark`): queries of two collections may have one id."""
    source: Line
    """Where the query comes from: train, titles, sentences."""
    given: tuple[Id, ...]
    order: Places = ()
    """What the teacher placed, best first."""
    tail: Places = ()
    """The others, which have no order; empty where they stand as in `given`."""
    presented: Places = Field(default=(), alias="shown")
    """The order in which they were presented to the teacher; empty where that is not known, or several were."""
    verdict: Verdict = "ok"
    reason: Annotated[str, Field(max_length=1_000)] = ""
    scores: tuple[float, ...] = ()
    """The teacher's own numbers for `given`, where it has any; higher is better."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        size = len(self.given)
        for places in (self.order, self.tail, self.presented):
            if len(set(places)) != len(places) or any(place > size for place in places):
                raise ValueError("a place stands twice, or is none of the candidates'")
        whole = {len(self.presented), len(self.scores), len({*self.order, *self.tail}) if self.tail else size}
        if whole - {0, size} or len(set(self.given)) != size or set(self.order) & set(self.tail):
            raise ValueError("not one place or score a candidate")
        return self

    @classmethod
    def of(cls, ranking: Ranking, text: str, source: str, given: Sequence[str]) -> DatasetRow:
        """The row of a ranking of exactly the candidates `given`, for a query with that text."""
        place = {document: number for number, document in enumerate(given, 1)}
        order, tail = ([place[one] for one in ids] for ids in (ranking.ranked, ranking.unranked))
        scores = ranking.scores_by_id
        return cls(
            query=ranking.query,
            mark=text_mark(text),
            source=source,
            given=tuple(given),
            order=tuple(order),
            tail=() if tail == sorted(tail) else tuple(tail),
            presented=tuple(place[one] for one in ranking.presented),
            verdict=ranking.verdict,
            reason=ranking.reason[:1_000],
            scores=tuple(scores[one] for one in given) if scores else (),
        )

    def ranking(self) -> Ranking:
        """The label as it was given, without the teacher's words."""
        placed = set(self.order)
        tail = self.tail or tuple(place for place in range(1, len(self.given) + 1) if place not in placed)
        ranked, unranked, presented = (
            tuple(self.given[place - 1] for place in places) for places in (self.order, tail, self.presented)
        )
        scores = tuple(self.scores[place - 1] for place in (*self.order, *tail)) if self.scores else None
        return Ranking(self.query, ranked, unranked, self.verdict, self.reason, "", scores, presented)


class LabelDataset(NamedTuple):
    """What one file holds."""

    header: DatasetHeader
    rows: tuple[DatasetRow, ...]

    def packed(self) -> bytes:
        """The file's bytes."""
        buffer = io.BytesIO()
        with gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
            stream.write(json_line(self.header.model_dump(mode="json")))
            for row in sorted(self.rows, key=lambda one: one.query):
                stream.write(json_line(row.model_dump(mode="json", exclude_defaults=True), "replace"))
        return buffer.getvalue()

    def rankings(self) -> Iterable[Ranking]:
        """The labels, in the file's order."""
        return (row.ranking() for row in self.rows)


def read_dataset(path: Path) -> LabelDataset:
    """What a file of this form holds. Raises UserError for the first line that is damaged, or labels a query again."""
    rows: dict[str, DatasetRow] = {}
    with closing(LabelLines(path)) as lines:
        header = lines.as_model(DatasetHeader, lines.next(), "the header")
        for line in lines:
            row = lines.as_model(DatasetRow, line, "a label")
            if row.query in rows:
                raise lines.fault(f"query '{row.query}' is labelled twice")
            rows[row.query] = row
    return LabelDataset(header, tuple(rows.values()))


def dataset_header(path: Path) -> DatasetHeader:
    """The first line of a file of this form. Raises UserError."""
    with closing(LabelLines(path)) as lines:
        return lines.as_model(DatasetHeader, lines.next(), "the header")


def text_mark(text: str) -> str:
    """What tells a query's text from others: the beginning of its sha256 in hex."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:MARK_LENGTH]
