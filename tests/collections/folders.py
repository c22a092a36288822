"""BEIR folders for tests, by default a right one of three documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.collections.prepared import PreparedCollection

Load = Callable[..., PreparedCollection]
MakeFolder = Callable[..., Path]

DOCUMENTS = [
    {
        "_id": "d1",
        "title": "Boundary layers",
        "text": "Flow over a flat plate. The layer grows with the distance from the edge.",
    },
    {"_id": "d2", "title": "", "text": "Heat is conducted in a slab of two different materials."},
    {"_id": "d3", "title": "Shock waves in gases", "text": ""},
]
QUERIES = [
    {"_id": "q1", "text": "flow over plates"},
    {"_id": "q2", "text": "heat conduction"},
    {"_id": "q3", "text": "shock waves"},
]
QRELS = {"train": [("q1", "d1", 1)], "dev": [("q3", "d3", 2)], "test": [("q2", "d2", 1), ("q2", "d1", 0)]}


def write_folder(
    folder: Path,
    documents: Iterable[Any] = DOCUMENTS,
    queries: Iterable[Any] = QUERIES,
    qrels: Mapping[str, Iterable[tuple[str, str, int]]] = QRELS,
) -> Path:
    """A BEIR folder of these records."""
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(record) + "\n" for record in records), encoding="utf-8"
        )
    for split, rows in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in rows)]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
