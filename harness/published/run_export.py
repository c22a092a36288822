"""Runs and judgments in the files of other tools: TREC, and what ranx reads (JSON, LZ4, Parquet), written without
ranx."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import lz4.frame

from harness._lazy import lazy
from harness.collections.file_formats.compressed_files import bare_suffix, packed
from harness.collections.file_formats.trec_ids import trec_pair
from harness.errors import UserError
from harness.files import atomic_file
from harness.retrieval.trec_writer import trec_text

if TYPE_CHECKING:
    from harness.retrieval.run import Run


pa = lazy("pyarrow")
pq = lazy("pyarrow.parquet")

Values = Mapping[str, Mapping[str, Any]]
"""query id -> document id -> score or grade"""


def export_run(run: Run, path: Path, header: str = "") -> None:
    """Write `run` to `path` in the format of its ending: ``.json``, ``.lz4``, ``.parquet`` as ranx reads them, anything
    else TREC.

    `header` is put before a TREC run. ranx's own formats keep no name, and no query without results. Raises UserError
    for a header that the format has no place for.
    """
    if writer := WRITERS.get(bare_suffix(path)):
        if header:
            raise UserError(
                "only a TREC run has a place for metadata", file=path, remedy="write to a .trec or .trec.gz file"
            )
        _put(path, packed(path, writer({query: dict(found) for query, found in run.scores.items() if found})))
    elif header:
        _put(path, packed(path, header.encode() + trec_text(run.name, run.scores, path).encode()))
    else:
        run.write(path)


def export_qrels(qrels: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """Write judgments to `path`: ``.json``, ``.lz4``, ``.parquet`` as ranx has them, ``.tsv`` as BEIR, anything else as
    TREC."""
    if writer := WRITERS.get(bare_suffix(path)):
        _put(path, packed(path, writer(qrels)))
        return
    beir = bare_suffix(path) == ".tsv"
    head = "query-id\tcorpus-id\tscore\n" if beir else ""
    lines = (
        f"{_csv(query)}\t{_csv(document)}\t{grade}\n" if beir else f"{trec_pair(query, document, '0')} {grade}\n"
        for query, found in qrels.items()
        for document, grade in found.items()
    )
    _put(path, packed(path, (head + "".join(lines)).encode()))


def _csv(value: str) -> str:
    """`value` as csv writers put it between tabs: in quotation marks where it begins with one or holds a tab or a line
    end."""
    needed = value.startswith(('"', "\ufeff")) or any(one in value for one in "\t\r\n")
    return '"{}"'.format(value.replace('"', '""')) if needed else value


def _put(path: Path, content: bytes) -> None:
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def _json(values: Values) -> bytes:
    return json.dumps(values, ensure_ascii=False, allow_nan=False).encode()


def _lz4(values: Values) -> bytes:
    """CBOR, packed twice, as ranx 0.3.21 writes and reads it."""

    once: bytes = lz4.frame.compress(
        cbor2.dumps({query: dict(found) for query, found in values.items()}), compression_level=16
    )
    twice: bytes = lz4.frame.compress(once)
    return twice


def _parquet(values: Values) -> bytes:

    lines = [(query, document, value) for query, found in values.items() for document, value in found.items()]
    queries, documents, numbers = zip(*lines, strict=True) if lines else ((), (), ())
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(
            {"q_id": pa.array(queries, pa.string()), "doc_id": pa.array(documents, pa.string()), "score": numbers}
        ),
        sink,
    )
    written: bytes = sink.getvalue().to_pybytes()
    return written


WRITERS: dict[str, Callable[[Values], bytes]] = {".json": _json, ".lz4": _lz4, ".parquet": _parquet, ".parq": _parquet}
"""By file name ending."""
FORMATS = {"trec": ".trec", "ranx": ".json"}
"""Formats by name, with the ending that a file gets where none is given."""
