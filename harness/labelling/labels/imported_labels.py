"""Labels that somebody else published, as a file: a header that says where they come from, then lines of
rankings.jsonl.

The teacher `recorded` replays them, and the card of a run that learnt from them names their source. Equal labels give
equal bytes::

    {"format": "distil-harness imported labels", "version": 1, "source": {"name": ..., "date": ..., ...}}
    {"query": ..., "ordered": [...], ...}
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.files import atomic_file
from harness.labelling.labels.label_lines import LabelLines, json_line
from harness.labelling.labels.ranking import Ranking

FORMAT: Literal["distil-harness imported labels"] = "distil-harness imported labels"
UNKNOWN = "not stated"
Line = Annotated[str, Field(min_length=1, max_length=300)]


class LabelSource(BaseModel):
    """Where imported labels come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    date: Line = UNKNOWN
    licence: Line = UNKNOWN
    form: Line
    """The form in which they were published."""
    file_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """sha256 of the file that they were published in."""
    collection: Line
    content_hash: Line
    """Of the collection that they were matched to."""


class ImportHeader(BaseModel):
    """The first line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["distil-harness imported labels"] = FORMAT
    version: Literal[1] = 1
    source: LabelSource


def write_imported(path: Path, source: LabelSource, rankings: Iterable[Ranking]) -> None:
    """Write the file, complete or not at all, gzipped."""
    header = ImportHeader(source=source).model_dump(mode="json")
    with (
        atomic_file(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as stream,
    ):
        stream.write(json_line(header))
        for ranking in rankings:
            stream.write(json_line(ranking.to_json(), "replace"))


def imported_source(path: Path) -> LabelSource:
    """The source that such a file names. Raises UserError."""
    with closing(LabelLines(path)) as lines:
        return lines.as_model(ImportHeader, lines.next(), "the header").source
