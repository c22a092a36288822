"""Reading runs line by line: TREC's six columns, and the rankings of MS MARCO (query, document, rank, and maybe a
score)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.collections.file_formats.seen_format import seen_format
from harness.collections.file_formats.trec_ids import restored
from harness.errors import UserError

COLUMNS = ("query", "constant", "document", "rank", "score", "name")
FORM = "a line holds: query Q0 document rank score name"
BOM = b"\xef\xbb\xbf"

Scores = dict[str, dict[str, float]]


class RunLine(NamedTuple):
    """A result; `name` is that of the run, empty where the format has none."""

    query: str
    document: str
    score: float
    name: str


def read_run_lines(data: bytes, before: int, path: Path) -> tuple[str, Scores]:
    """Name and scores of a run of which `before` lines were left out. Raises UserError with file and line."""
    scores: Scores = {}
    name = ""
    read: Callable[[bytes], RunLine] | None = None
    for number, line in enumerate(data.splitlines(), before + 1):
        line = _without_bom(line)
        if not line.strip():
            continue
        read = read or (_msmarco_line if _is_msmarco(line) else _trec_line)
        try:
            query, document, score, name_here = read(line)
        except ValueError as error:
            raise UserError(f"{error}{seen_format(path, 'a TREC run')}", file=path, line=number, remedy=FORM) from None
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
    return name or path.name.split(".")[0], scores


def is_result(line: bytes) -> bool:
    """Whether a line that begins like a comment is a result of a TREC run."""
    fields = _fields(line, len(COLUMNS))
    if fields is None or fields[1].upper() in (b"Q0", b"0", b"Q0%"):
        return fields is not None
    try:
        int(fields[3])
        float(fields[4])
    except ValueError:
        return False
    return fields[0] != b"#"


def _without_bom(line: bytes) -> bytes:
    while line.startswith(BOM):
        line = line.removeprefix(BOM)
    return line


def _fields(line: bytes, count: int) -> list[bytes] | None:
    """The fields between white space, as every tool of TREC has them; where these are too many, those between tabs,
    whose ids may hold blanks. None where neither are `count`."""
    words = line.split()
    if len(words) == count:
        return words
    tabbed = line.strip(b"\r\n").split(b"\t")
    return tabbed if len(tabbed) == count and all(field.strip() for field in tabbed) else None


def _trec_line(line: bytes) -> RunLine:
    """Raises ValueError with what is wrong."""
    fields = _fields(line, len(COLUMNS))
    if fields is None:
        raise ValueError(f"{len(line.split())} columns instead of {len(COLUMNS)}")
    query, constant, document, _, score, name = _decoded(fields)
    return RunLine(*restored(query, constant, document), as_float32(score), name.strip())


def _is_msmarco(line: bytes) -> bool:
    """Whether the first line is of a ranking as MS MARCO has it. Qrels of TREC, whose second column is always 0, are
    none."""
    for count in (3, 4):
        fields = _fields(line, count)
        if fields is not None and fields[2].strip().isdigit() and fields[1].strip() not in (b"0", b"Q0"):
            return int(fields[2]) > 0
    return False


def _msmarco_line(line: bytes) -> RunLine:
    """Query, document, rank, and maybe a score, which else is 1/rank. Raises ValueError with what is wrong."""
    fields = _fields(line, 3) or _fields(line, 4)
    if fields is None:
        raise ValueError(f"{len(line.split())} columns instead of 3 or 4, as the lines before it")
    query, document, rank, *scored = _decoded(fields)
    if not rank.strip().isdigit() or int(rank) < 1:
        raise ValueError(f"the rank '{rank}' is no whole number from 1")
    return RunLine(query, document, as_float32(scored[0] if scored else 1 / int(rank)), "")


def _decoded(fields: list[bytes]) -> list[str]:
    try:
        return [field.decode() for field in fields]
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8") from None


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
