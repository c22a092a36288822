"""The run formats that ranx writes beside TREC, read without ranx, which compiles for half a minute and fails on some
of them.

ranx 0.3.21: JSON is ``{query: {document: score}}``; .lz4 is CBOR of the same, compressed twice; Parquet has the columns
q_id, doc_id and score (ranx's own reader passes its options wrongly and refuses the string columns of pandas 3). None
of them keeps the run's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2
import lz4.frame

from harness._lazy import lazy
from harness.collections.file_formats.compressed_files import bare_suffix, read_plain
from harness.collections.file_formats.seen_format import seen_format
from harness.errors import UserError
from harness.retrieval.run_lines import Scores, as_float32
from harness.retrieval.trec import group

pa = lazy("pyarrow")
pq = lazy("pyarrow.parquet")

_FORM = "the file holds: {query: {document: score}}"


def _read_json(path: Path) -> Scores:
    try:
        return _checked(json.loads(read_plain(path), object_pairs_hook=_without_duplicates), path)
    except json.JSONDecodeError as error:
        raise UserError(
            f"this is no JSON: {error.msg}{seen_format(path)}", file=path, line=error.lineno, remedy=_FORM
        ) from error
    except UnicodeDecodeError as error:
        raise UserError("the file is not UTF-8", file=path, remedy=_FORM) from error
    except ValueError as error:
        raise UserError(str(error), file=path, remedy=_FORM) from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"'{twice}' occurs twice")
    return found


def _read_lz4(path: Path) -> Scores:

    try:
        content = cbor2.loads(lz4.frame.decompress(lz4.frame.decompress(read_plain(path))))
    except (RuntimeError, EOFError, cbor2.CBORDecodeError) as error:
        raise UserError(
            f"this is no run as ranx writes it: {error}{seen_format(path)}",
            file=path,
            remedy="save it again, best as .trec",
        ) from error
    return _checked(content, path)


def _checked(content: Any, path: Path) -> Scores:
    if not isinstance(content, dict) or not all(isinstance(found, dict) for found in content.values()):
        raise UserError("this is no run", file=path, remedy=_FORM)
    if not any(content.values()):
        raise UserError("the run holds no results", file=path, remedy=_FORM)
    scores: Scores = {}
    for query, found in content.items():
        try:
            scores[query] = {document: as_float32(score) for document, score in found.items()}
        except ValueError as error:
            raise UserError(f"{error} (query '{query}')", file=path, remedy=_FORM) from None
    return scores


def _read_parquet(path: Path) -> Scores:

    try:
        table = pq.read_table(BytesIO(read_plain(path)), columns=["q_id", "doc_id", "score"])
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"this is no Parquet file with q_id, doc_id and score: {error}{seen_format(path)}", file=path
        ) from error
    table = table.cast(pa.schema([("q_id", pa.string()), ("doc_id", pa.string()), ("score", pa.float64())]))
    if not len(table):
        raise UserError("the run holds no results", file=path)
    scores = group(table["q_id"], table["doc_id"], table["score"])
    if scores is None:
        raise UserError(
            "a document occurs twice for one query, or a score is not finite",
            file=path,
            remedy="see rows of equal q_id and doc_id",
        )
    return scores


_READERS: dict[str, Callable[[Path], Scores]] = {
    ".json": _read_json,
    ".lz4": _read_lz4,
    ".parquet": _read_parquet,
    ".parq": _read_parquet,
}
"""By file name ending."""


def ranx_reader(path: Path) -> Callable[[Path], Scores] | None:
    """What reads a file whose name ends as ranx's own formats do, compressed or not; None for any other."""
    return _READERS.get(bare_suffix(path))
