"""Labels as one portable file: every answered call and every finished set of rankings, to move to another machine or to publish.

The file is gzipped JSON lines; equal contents give equal bytes::

    {"format": "distil-harness labels", "version": 1, "harness": "0.1.0"}
    {"call": {...}}                                     every field of `Call`; in the order of the keys
    {"labels": {"manifest": {...}, "summary": {...}}}   in the order of the keys, each followed by its rankings:
    {"ranking": {...}}                                  a line of rankings.jsonl.gz
    {"end": {"calls": n, "labels": n, "sha256": "..."}} the hash covers all lines before this one
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from harness import __version__
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.transfer_lines import LabelLines
from harness.labelling.labels.transfer_rows import call_of, head_of, ranking_of
from harness.ledger.calls import Call

FORMAT, VERSION = "distil-harness labels", 1


class LabelSet(NamedTuple):
    """A finished set of labels: its artefact's manifest, its summary, its rankings (read: `Ranking`; to write: rows of rankings.jsonl)."""

    manifest: dict[str, Any]
    summary: dict[str, Any]
    rankings: Iterable[Any]


class Counts(NamedTuple):
    """What a file holds."""

    calls: int = 0
    labels: int = 0

    def plus(self, entry: Call | LabelSet) -> Counts:
        """One entry more."""
        return Counts(self.calls + isinstance(entry, Call), self.labels + isinstance(entry, LabelSet))


def write_labels(path: Path, entries: Iterable[Call | LabelSet]) -> Counts:
    """Write the file line by line. Calls come first; both kinds in the order of their keys."""
    counts, digest = Counts(), hashlib.sha256()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as stream:

        def put(value: dict[str, Any]) -> None:
            line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
            digest.update(line)
            stream.write(line)

        put({"format": FORMAT, "version": VERSION, "harness": __version__})
        for entry in entries:
            counts = counts.plus(entry)
            if isinstance(entry, Call):
                put({"call": entry._asdict()})
                continue
            put({"labels": {"manifest": entry.manifest, "summary": entry.summary}})
            for row in entry.rankings:
                put({"ranking": row})
        put({"end": {**counts._asdict(), "sha256": digest.hexdigest()}})
    return counts


class LabelReader:
    """Reads one file a line at a time and trusts nothing: it may come from strangers. Every fault is a UserError with its line."""

    def __init__(self, path: Path) -> None:
        self._lines = LabelLines(path)
        self._kind = ""
        self._value: Any = None

    @property
    def position(self) -> int:
        """How far into the compressed file the reading is."""
        return self._lines.position

    def entries(self) -> Iterator[Call | LabelSet]:
        """Calls, then sets of labels; the rankings of a set must be read before the next entry is taken.

        Only after the last entry is it known that the file is whole: read it once for that before believing any.
        """
        with closing(self._lines):
            self._header()
            counts = Counts()
            for entry in self._body():
                counts = counts.plus(entry)
                yield entry
            self._end(counts)

    def _header(self) -> None:
        told = self._lines.next()
        if told.get("format") != FORMAT:
            raise self._lines.fault("this is no file of labels", "give a file that harness labels export wrote")
        if told.get("version") != VERSION:
            raise self._lines.fault(f"version {told.get('version')} of the format is not known here", "upgrade the harness")

    def _body(self) -> Iterator[Call | LabelSet]:
        last = ""
        self._advance()
        while self._kind == "call":
            with self._lines.checked():
                call = call_of(self._value)
                last = _after(last, call.key)
            yield call
            self._advance()
        last = ""
        while self._kind == "labels":
            with self._lines.checked():
                manifest, summary = head_of(self._value)
                last = _after(last, manifest["key"])
            rankings = self._rankings(summary["queries"])
            yield LabelSet(manifest, summary, rankings)
            for _ in rankings:
                pass

    def _rankings(self, queries: int) -> Iterator[Ranking]:
        found = 0
        self._advance()
        while self._kind == "ranking":
            with self._lines.checked():
                ranking = ranking_of(self._value)
            found += 1
            yield ranking
            self._advance()
        if found != queries:
            raise self._lines.fault(f"the labels before this line have {found} rankings where {queries} were written")

    def _end(self, counts: Counts) -> None:
        if self._kind != "end":
            raise self._lines.fault(f"a line that does not belong here: {self._kind[:40]!r}")
        if self._value != {**counts._asdict(), "sha256": self._lines.before}:
            raise self._lines.fault("counts or checksum differ from what was written: the file was altered")
        self._lines.expect_end()

    def _advance(self) -> None:
        value = self._lines.next()
        if len(value) != 1:
            raise self._lines.fault("no line of a file of labels")
        [(self._kind, self._value)] = value.items()


def _after(last: str, key: str) -> str:
    if key <= last:
        raise ValueError("the keys are not in order, or one stands twice")
    return key
