"""Judgments of a prepared split, as an Arrow file."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from harness._lazy import lazy
from harness.collections.collection import Qrels

pa = lazy("pyarrow")

_FILE = "judgments.arrow"


def judgments_file(folder: Path) -> Path:
    """Where the judgments of a prepared split lie."""
    return folder / _FILE


def save_qrels(folder: Path, qrels: Qrels) -> str:
    """Write the judgments; returns their identity, a sha256 over the sorted (query, document, grade), whatever order
    they came in."""

    rows = sorted((query, document, grade) for query, grades in qrels.items() for document, grade in grades.items())
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.string(), pa.int64())
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], ["query", "document", "grade"]
    )
    with pa.OSFile(str(folder / _FILE), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.sha256(
        "".join(f"{query}\t{document}\t{grade}\n" for query, document, grade in rows).encode()
    ).hexdigest()


def load_qrels(folder: Path) -> Qrels:
    """The judgments that `save_qrels` wrote."""

    # Arrow opens files below Python, which would not tell whoever watches.
    sys.audit("open", str(folder / _FILE), "r", 0)
    with pa.memory_map(str(folder / _FILE)) as source:
        table = pa.ipc.open_file(source).read_all()
        qrels: Qrels = {}
        for query, document, grade in zip(*(column.to_pylist() for column in table.columns), strict=True):
            qrels.setdefault(query, {})[document] = grade
    return qrels
