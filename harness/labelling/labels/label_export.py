"""A workspace's labels as one portable file: every answered call and every finished set of rankings, to move or to
publish.

The file is gzipped JSON lines; equal contents give equal bytes::

    {"format": "distil-harness labels", "version": 1, "harness": "0.1.0"}
    {"call": {...}}                                     fields of `Call`; in the order of the keys
    {"labels": {"manifest": {...}, "summary": {...}}}   in the order of the keys, each followed by its rankings:
    {"ranking": {...}}                                  a line of rankings.jsonl.gz
    {"end": {"calls": n, "labels": n, "sha256": "..."}} the hash covers all lines before this one
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from harness._version import __version__
from harness.labelling.labels.label_dataset import FORMAT as PUBLISHED
from harness.labelling.labels.label_lines import LabelLines, json_line
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import FORMAT as OF_A_RUN
from harness.ledger.calls import Call
from harness.stage import digest

FORMAT, VERSION = "distil-harness labels", 1
_OTHERS = {OF_A_RUN: ", but the labels of a run", PUBLISHED: ", but a published set of labels"}
"""What other forms of files are."""
_KEY = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("model", "request", "response", "provider_id", "served", "fingerprint")
_TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_NUMBERS = ("usd", "seconds", "created")
_IF_KNOWN = ("served", "fingerprint", "estimated")
"""Fields of calls that are left out where they say nothing."""
_LISTS = ("verdicts", "reasons", "alone", "here")


class LabelSet(NamedTuple):
    """A finished set of labels: its artefact's manifest, its summary, its rankings (read: `Ranking`; to write: rows of
    rankings.jsonl)."""

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
            line = json_line(value)
            digest.update(line)
            stream.write(line)

        put({"format": FORMAT, "version": VERSION, "harness": __version__})
        for entry in entries:
            counts = counts.plus(entry)
            if isinstance(entry, Call):
                put({"call": {key: value for key, value in entry._asdict().items() if value or key not in _IF_KNOWN}})
                continue
            put({"labels": {"manifest": entry.manifest, "summary": entry.summary}})
            for row in entry.rankings:
                put({"ranking": row})
        put({"end": {**counts._asdict(), "sha256": digest.hexdigest()}})
    return counts


class LabelReader:
    """Reads one file a line at a time and trusts nothing: it may come from strangers. Every fault is a UserError with
    its line."""

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
        header = self._lines.next()
        if header.get("format") != FORMAT:
            other = _OTHERS.get(str(header.get("format")), "")
            remedy = "let a teacher replay it: {kind: recorded, file: FILE}" if other or "ordered" in header else ""
            raise self._lines.fault(
                f"this is no file of labels that harness labels export wrote{other}",
                remedy or "give a file that harness labels export wrote",
            )
        if header.get("version") != VERSION:
            raise self._lines.fault(
                f"version {header.get('version')} of the format is not known here", "upgrade the harness"
            )

    def _body(self) -> Iterator[Call | LabelSet]:
        last = ""
        self._advance()
        while self._kind == "call":
            with self._lines.checked():
                call = _call(self._value)
                last = _after(last, call.key)
            yield call
            self._advance()
        last = ""
        while self._kind == "labels":
            with self._lines.checked():
                manifest, summary = set_head(self._value)
                last = _after(last, manifest["key"])
            rankings = self._rankings(summary["queries"])
            yield LabelSet(manifest, summary, rankings)
            for _ in rankings:
                pass

    def _rankings(self, queries: int) -> Iterator[Ranking]:
        count = 0
        self._advance()
        while self._kind == "ranking":
            with self._lines.checked():
                ranking = Ranking.from_json(self._value)
            count += 1
            yield ranking
            self._advance()
        if count != queries:
            raise self._lines.fault(f"the labels before this line have {count} rankings where {queries} were written")

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


def _call(row: dict[str, Any]) -> Call:
    """A call from its fields."""
    call = Call(**row)
    if missing := sorted(set(Call._fields) - set(row) - set(_IF_KNOWN)):
        raise ValueError(f"fields are missing: {', '.join(missing)}")
    _check_key(call.key)
    _check(isinstance(call.estimated, bool), "estimated", "true or false")
    for name in _TEXTS:
        _check(isinstance(getattr(call, name), str), name, "text")
    for name in _TOKENS:
        _check(type(row[name]) is int and -(1 << 63) <= row[name] < 1 << 63, name, "a number of tokens")
    for name in _NUMBERS:
        _check(_finite(row[name]), name, "a finite number")
    _check(bool(call.response), "response", "an answer: it is empty")
    return call


def set_head(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and summary of a set of labels; the manifest's key is that of its own fields."""
    manifest, summary = row["manifest"], row["summary"]
    _check_key(manifest["key"])
    if (
        manifest["kind"] != "labels"
        or digest({name: manifest[name] for name in ("kind", "version", "fields")}) != manifest["key"]
    ):
        raise ValueError("the manifest is not that of labels with this key")
    _check(_finite(manifest["seconds"]), "seconds", "a finite number")
    _check(type(summary["queries"]) is int, "queries", "a number")
    for name in _LISTS:
        _check(isinstance(summary[name], dict), name, "an object")
    return manifest, summary


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError(f"a key is 64 hexadecimal digits, not {str(key)[:80]!r}")


def _check(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise ValueError(f"'{name}' is not {wanted}")


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
