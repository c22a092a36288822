"""Reading TREC run files: fast where they are regular, exact about what is wrong."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError

if TYPE_CHECKING:
    from pyarrow import Table


pc = lazy("pyarrow.compute")
pyarrow = lazy("pyarrow")

COLUMNS = ("query", "constant", "document", "rank", "score", "name")
_FORM = "a line holds: query Q0 document rank score name"

Scores = dict[str, dict[str, float]]


def read_trec(path: Path) -> tuple[str, Scores]:
    """Name and scores of a TREC run, plain or gzip (told by content). Comment lines (#) may stand before the first
    result.

    Raises UserError with file and line.
    """
    data = _content(path)
    start, comments = _skip_comments(data)
    body = data[start:]
    if not body.strip():
        raise UserError("the run holds no results", file=path, remedy=_FORM)
    table = _parse(body)
    scores = None if table is None else group(table["query"], table["document"], table["score"])
    if table is not None and scores is not None:
        return table["name"][0].as_py(), scores
    return _read_lines(body, comments, path)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"the gzip file is damaged: {error}", file=path, remedy="copy or make the file again"
        ) from error


def _skip_comments(data: bytes) -> tuple[int, int]:
    """Where the first line starts that is no comment, and how many lines stand before it."""
    start = lines = 0
    while data.startswith(b"#", start):
        start, lines = (data.find(b"\n", start) + 1) or len(data), lines + 1
    return start, lines


def _parse(data: bytes) -> Table | None:
    """The columns of a run whose lines all have the same single separator, or None where a closer look is needed."""

    separator, other = ("\t", b" ") if b"\t" in data else (" ", b"\t")
    if any(blank in data for blank in (other, b"\x0b", b"\x0c")):
        return None
    types = {name: pyarrow.float32() if name == "score" else pyarrow.string() for name in COLUMNS}
    try:
        table = pyarrow.csv.read_csv(
            pyarrow.BufferReader(data),
            pyarrow.csv.ReadOptions(column_names=COLUMNS, block_size=1 << 22),
            pyarrow.csv.ParseOptions(delimiter=separator, quote_char=False),
            pyarrow.csv.ConvertOptions(column_types=types, null_values=[]),
        )
    except pyarrow.ArrowInvalid:
        return None
    # An empty field means two separators in a row, which a reader of white space counts as one.
    filled = all(pc.min(pc.binary_length(table[name])).as_py() for name in COLUMNS if name != "score")
    return table if filled else None


def group(queries: Any, documents: Any, scores: Any) -> Scores | None:
    """Scores by query from three pyarrow columns of equal length; None when a document occurs twice or a score is not
    finite."""

    encoded = pc.dictionary_encode(queries).combine_chunks()
    codes, names = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    with np.errstate(over="ignore"):
        values = scores.to_numpy().astype(np.float32, copy=False)
    if not np.isfinite(values).all():
        return None
    ids, numbers = documents.to_pylist(), values.tolist()
    found: Scores = {name: {} for name in names}
    bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    for start, stop in pairwise(bounds):
        found[names[codes[start]]].update(zip(ids[start:stop], numbers[start:stop], strict=True))
    return found if sum(map(len, found.values())) == len(codes) else None


def _read_lines(data: bytes, before: int, path: Path) -> tuple[str, Scores]:
    scores: Scores = {}
    name = ""
    for number, line in enumerate(data.splitlines(), before + 1):
        fields = line.split()
        if not fields:
            continue
        try:
            query, document, score, name_here = _fields(fields)
        except ValueError as error:
            raise UserError(str(error), file=path, line=number, remedy=_FORM) from None
        found = scores.setdefault(query, {})
        if document in found:
            raise UserError(
                f"document '{document}' occurs twice for query '{query}'",
                file=path,
                line=number,
                remedy="keep one of them",
            )
        found[document] = score
        name = name or name_here
    return name, scores


def _fields(fields: list[bytes]) -> tuple[str, str, float, str]:
    """Query, document, score and name of a line. Raises ValueError with what is wrong."""
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} columns instead of {len(COLUMNS)}")
    try:
        query, _, document, _, score, name = (field.decode() for field in fields)
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8") from None
    return query, document, as_float32(score), name


def as_float32(score: str | float) -> float:
    """The nearest float32. Raises ValueError for what is no number, NaN, infinite or too large."""
    try:
        value: float = struct.unpack("f", struct.pack("f", float(score)))[0]
    except (ValueError, TypeError):
        raise ValueError(f"the score '{score}' is no number") from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"the score '{score}' is not a finite number in single precision")
    return value
