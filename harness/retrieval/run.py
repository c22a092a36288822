"""Runs: what a system found for every query, read from and written to the files that IR tools share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.retrieval.ranx_files import ranx_reader
from harness.retrieval.trec import read_trec
from harness.retrieval.trec_writer import ordered, write_trec

FILE = "run.trec.gz"
"""The run inside a published result folder or an artefact."""

Scores = Mapping[str, Mapping[str, float]]
"""query id -> document id -> score"""


@dataclass(frozen=True)
class Run:
    """A named run. Scores count as float32, as in trec_eval, so scores that differ only beyond it are ties.

    A query without results may be absent or empty; both count 0 in every metric.
    """

    name: str
    scores: Scores = field(repr=False)

    @classmethod
    def read(cls, path: str | Path) -> Run:
        """A TREC run, a ranking as MS MARCO has it (query, document, rank, maybe a score), a file that ranx writes
        (.json, .lz4, .parquet), all of them plain, gzip, bzip2 or xz; or a folder that holds ``run.trec.gz``.

        The name is the last column of a TREC run; formats without one give the file's name. Raises UserError, with file
        and line where there are lines, for a missing file, a wrong number of columns, a score that is no finite
        float32, a document that occurs twice for one query, and a run without results.
        """

        path = Path(path)
        if path.is_dir():
            path = path / FILE
        if not path.is_file():
            raise UserError(
                "there is no run", file=path, remedy="give a TREC run, a file that ranx reads, or a result folder"
            )
        if reader := ranx_reader(path):
            return cls(path.name.split(".")[0], reader(path))
        return cls(*read_trec(path))

    def write(self, path: str | Path) -> None:
        """Write a TREC run, compressed as `path` ends (``.gz``, ``.bz2``, ``.xz``); complete or not at all,
        byte-identical for equal content.

        Queries come in the order of their ids, documents in trec_eval's order. Ids that hold white space are escaped
        (`trec_ids`) and come back as they were. Raises UserError for empty ids, for a name that is empty or holds white
        space, and for scores that are not finite.
        """

        write_trec(Path(path), self.name, self.scores)

    def without_identical(self, depth: int | None = None) -> Run:
        """The run without documents whose id is that of their query, as BEIR evaluates: where queries are documents
        themselves, each finds itself first. Of the others the first `depth` stay (all, where None)."""
        dropped = {
            query: {document: score for document, score in found.items() if document != query}
            for query, found in self.scores.items()
        }
        run = Run(self.name, dropped)
        return run if depth is None else run.first(depth)

    def first(self, depth: int) -> Run:
        """The first `depth` documents of every query."""
        tops = {query: self.top(query, depth) for query in self.scores}
        return Run(self.name, {query: {one: self.scores[query][one] for one in top} for query, top in tops.items()})

    def top(self, query: str, depth: int | None = None) -> list[str]:
        """The first `depth` documents of `query` (all, where None) in trec_eval's order; none for a query that the run
        misses."""

        documents, _ = ordered(self.scores.get(query, {}))
        return documents[:depth]
