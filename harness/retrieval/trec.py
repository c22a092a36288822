"""Reading TREC run files: fast where they are regular, exact about what is wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.collections.file_formats.compressed_files import read_plain
from harness.errors import UserError
from harness.retrieval.run_lines import BOM, COLUMNS, FORM, Scores, is_result, read_run_lines

if TYPE_CHECKING:
    import numpy as np
    from pyarrow import Table
else:
    np = lazy("numpy")

pc = lazy("pyarrow.compute")
pyarrow = lazy("pyarrow")


def read_trec(path: Path) -> tuple[str, Scores]:
    """Name and scores of a TREC run, or of a ranking as MS MARCO has it; plain, gzip, bzip2 or xz (told by content).
    Comment lines (#) may stand before the first result.

    Raises UserError with file and line.
    """
    data = read_plain(path)
    start, comments = _skip_comments(data)
    body = data[start:]
    if not body.strip():
        raise UserError("the run holds no results", file=path, remedy=FORM)
    table = _parse(body)
    scores = None if table is None else group(table["query"], table["document"], table["score"])
    if table is not None and scores is not None:
        return table["name"][0].as_py(), scores
    return read_run_lines(body, comments, path)


def _skip_comments(data: bytes) -> tuple[int, int]:
    """Where the first line starts that is no comment, and how many lines stand before it; a byte order mark counts as
    nothing. A line that begins with # is a result where it has a result's columns: ids may begin so."""
    start = lines = 0
    while True:
        while data.startswith(BOM, start):
            start += len(BOM)
        if not data.startswith(b"#", start):
            return start, lines
        end = (data.find(b"\n", start) + 1) or len(data)
        if is_result(data[start:end]):
            return start, lines
        start, lines = end, lines + 1


def _parse(data: bytes) -> Table | None:
    """The columns of a run whose lines all have the same single separator, or None where a closer look is needed."""

    separator, other = ("\t", b" ") if b"\t" in data else (" ", b"\t")
    if any(odd in data for odd in (other, b"\x0b", b"\x0c", b"\n" + BOM, b"\r" + BOM)):
        return None
    # As trec_eval and pytrec_eval do: the number in double precision first, then in single.
    types = {name: pyarrow.float64() if name == "score" else pyarrow.string() for name in COLUMNS}
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
    escaped = pc.any(pc.is_in(table["constant"], pyarrow.array(["Q0%", "0%"]))).as_py()
    return table if filled and not escaped else None


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
