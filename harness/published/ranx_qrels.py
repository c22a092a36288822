"""Judgments in the files that ranx writes: JSON ``{query: {document: grade}}``, its LZ4, and Parquet with q_id, doc_id
and score."""

from __future__ import annotations

from pathlib import Path

from harness.collections.collection import Qrels
from harness.errors import UserError
from harness.retrieval.ranx_files import ranx_reader


def is_ranx_qrels(path: Path) -> bool:
    """Whether the name of `path` ends as ranx's own formats do."""
    return ranx_reader(path) is not None


def read_ranx_qrels(path: Path) -> Qrels:
    """query id -> document id -> grade. Raises UserError for a file that holds no such thing, and for a grade that is
    no whole number."""
    reader = ranx_reader(path)
    if reader is None:
        raise UserError(
            "the name does not end as those of ranx's files do", file=path, remedy="give .json, .lz4 or .parquet"
        )
    found = reader(path)
    for query, documents in found.items():
        for document, grade in documents.items():
            if grade != int(grade):
                said = f"the grade {grade:g} of document '{document}' for query '{query}' is no whole number"
                raise UserError(said, file=path, remedy="give judgments, not a run")
    return {
        query: {document: int(grade) for document, grade in documents.items()}
        for query, documents in found.items()
        if documents
    }
