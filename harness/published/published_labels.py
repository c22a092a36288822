"""The labels that taught a run, beside its card: what the teacher was shown, how it ordered it, and what it said in its own words.

``labels.jsonl.gz`` is gzipped JSON lines: a header, then a row a query in the order of the draw, set by set where a run rests on several
sets of labels. Drawn queries are in random order, so the rows that fit are a random sample of all, and teachers that labelled one draw
have them in common.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, ValidationError, model_validator

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking, Verdict
from harness.published.card import CardSection
from harness.published.result_folder import LABELS
from harness.published.untrusted_run import check_run_file
from harness.text import plain

MOST_ROWS, MOST_DOCUMENTS = 1_000, 100
RAW, TEXT = 2_000, 500
"""Characters kept of what a teacher said, and of a query."""
_LARGEST = 1 << 26
"""Bytes after decompression above which a file is not read."""
Id = Annotated[str, Field(max_length=2_000)]
Places = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=MOST_DOCUMENTS)]
Scores = Annotated[tuple[float | None, ...], Field(max_length=MOST_DOCUMENTS)]


class Header(CardSection):
    """The first line: how many labels there are, and how many of them stand here."""

    format: Literal["distil-harness labels of a run"] = "distil-harness labels of a run"
    version: Literal[1] = 1
    labels: NonNegativeInt
    kept: NonNegativeInt


class LabelRow(CardSection):
    """One label. Places count from 1 and are those of `given`, the candidates in the first stage's order."""

    query: Id
    text: Annotated[str, Field(max_length=TEXT)] = ""
    given: Annotated[tuple[Id, ...], Field(max_length=MOST_DOCUMENTS)]
    shown: Places = ()
    """The order in which the teacher was shown them; empty where it was `given`'s, or is not known."""
    order: Places = ()
    """What the teacher placed, best first; the others are an unordered tail."""
    verdict: Verdict = "ok"
    reason: Annotated[str, Field(max_length=1_000)] = ""
    raw: Annotated[str, Field(max_length=RAW)] = ""
    cut: bool = False
    """True where the teacher said more than is kept."""
    scores: Scores = ()
    """The teacher's own numbers for `given`, where it has any."""
    ranker: Scores = ()
    """What the trained ranker scores `given`, where the run has one."""
    set: NonNegativeInt = 0
    """Which of the run's sets of labels it is of, largest first: methods may have queries labelled by a teacher in two ways, or twice."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        size = len(self.given)
        for places in (self.shown, self.order):
            if len(set(places)) != len(places) or any(place > size for place in places):
                raise ValueError("a place stands twice, or is none of the candidates'")
        if len(self.shown) not in (0, size) or {len(self.scores), len(self.ranker)} - {0, size} or len(set(self.given)) != size:
            raise ValueError("not one place or score a candidate")
        return self

    def ranking(self) -> Ranking:
        """The label as the harness's statistics read it."""
        placed = tuple(self.given[place - 1] for place in self.order)
        tail = tuple(document for document in self.given if document not in set(placed))
        shown = tuple(self.given[place - 1] for place in self.shown)
        return Ranking(self.query, placed, tail, self.verdict, self.reason, self.raw, presented=shown)


class LabelsOfRun(CardSection):
    """What one file holds."""

    header: Header
    rows: tuple[LabelRow, ...]


def row_of(ranking: Ranking, text: str, given: Sequence[str], ranker: dict[str, float] | None = None, of_set: int = 0) -> LabelRow | None:
    """A row from a ranking of the candidates `given`, in the set `of_set`.

    None where it ranks other documents, or is too large to be published.
    """
    if set(given) != set(ranking.ranked + ranking.unranked):
        return None
    try:
        return _row(ranking, text, given, ranker or {}, of_set)
    except ValidationError:
        return None


def _row(ranking: Ranking, text: str, given: Sequence[str], ranker: dict[str, float], of_set: int) -> LabelRow:
    place = {document: number for number, document in enumerate(given, 1)}
    shown = tuple(place[document] for document in ranking.presented)
    scores = dict(zip(ranking.ranked + ranking.unranked, ranking.scores or (), strict=False))
    return LabelRow(
        query=ranking.query,
        text=text[:TEXT],
        given=tuple(given),
        shown=() if shown == tuple(range(1, len(place) + 1)) else shown,
        order=tuple(place[document] for document in ranking.ranked),
        verdict=ranking.verdict,
        reason=ranking.reason[:1_000],
        raw=ranking.raw[:RAW],
        cut=len(ranking.raw) > RAW,
        scores=_numbers(given, scores),
        ranker=_numbers(given, ranker),
        set=of_set,
    )


def _numbers(given: Sequence[str], scores: dict[str, float]) -> tuple[float | None, ...]:
    short = [float(f"{scores[document]:.6g}") if document in scores else None for document in given]
    return tuple(short) if any(value is not None for value in short) else ()


def packed(rows: Iterable[LabelRow], labels: int) -> bytes:
    """The file's bytes, of the first rows that are allowed; `labels` is how many there are. Equal rows give equal bytes."""
    kept = list(rows)[:MOST_ROWS]
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(_line(Header(labels=labels, kept=len(kept)).model_dump()))
        for row in kept:
            # What says nothing is left out: most rows are short.
            stream.write(_line(row.model_dump(exclude_defaults=True)))
    return buffer.getvalue()


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace") + b"\n"


def read_labels(folder: Path) -> LabelsOfRun | None:
    """The labels in a result folder; None where it was published without. Raises UserError for a link, a large or malformed file."""
    path = folder / LABELS
    if not path.is_symlink() and not path.exists():
        return None
    try:
        check_run_file(path, _LARGEST)
        with gzip.open(path) as stream:
            header = Header.model_validate_json(stream.readline())
            rows = tuple(LabelRow.model_validate_json(line) for _, line in zip(range(MOST_ROWS), stream, strict=False))
    except ValidationError as error:
        raise UserError(plain(f"malformed: {error.errors(include_url=False)[0]['msg']}"), file=path) from error
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise UserError(plain(str(error)), file=path) from error
    return LabelsOfRun(header=header, rows=rows)
