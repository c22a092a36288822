"""Runs and judgments in the files of other tools: TREC, and what ranx reads (JSON, LZ4, Parquet), written without
ranx."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import lz4.frame

from harness._lazy import lazy
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
    if writer := WRITERS.get(path.suffix):
        if header:
            raise UserError(
                "only a TREC run has a place for metadata", file=path, remedy="write to a .trec or .trec.gz file"
            )
        _put(path, writer({query: dict(found) for query, found in run.scores.items() if found}))
    elif header:
        _put(path, _packed(path, header.encode() + trec_text(run.name, run.scores, path).encode()))
    else:
        run.write(path)


def export_qrels(qrels: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """Write judgments to `path`: ``.json``, ``.lz4``, ``.parquet`` as ranx has them, ``.tsv`` as BEIR, anything else as
    TREC."""
    if writer := WRITERS.get(path.suffix):
        _put(path, writer(qrels))
        return
    beir = path.suffix == ".tsv" or path.name.endswith(".tsv.gz")
    form = "{0}\t{1}\t{2}\n" if beir else "{0} 0 {1} {2}\n"
    head = "query-id\tcorpus-id\tscore\n" if beir else ""
    lines = (form.format(query, document, grade) for query, found in qrels.items() for document, grade in found.items())
    _put(path, _packed(path, (head + "".join(lines)).encode()))


def _packed(path: Path, text: bytes) -> bytes:
    return gzip.compress(text, mtime=0) if path.suffix == ".gz" else text


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
