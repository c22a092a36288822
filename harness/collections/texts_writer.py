"""Streams ids with texts into a folder that `StoredTexts` reads; memory holds one batch and 8 bytes a text."""

from __future__ import annotations

import hashlib
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.collections.collection import Document
from harness.collections.duplicates import DuplicateTexts
from harness.collections.file_formats.trec_ids import escape, needs_escape
from harness.collections.import_report import WHITE_SPACE, Findings
from harness.collections.texts import StoredTexts, id_hashes, joined

pa = lazy("pyarrow")

BATCH_ROWS = 8_192
BATCH_CHARACTERS = 4_000_000
"""A batch ends at whichever comes first; Arrow allows 2 GiB of text in one."""


class Stored(NamedTuple):
    """What is known of texts once they are written."""

    size: int
    identity: str
    content: str
    copies: int = 0
    body_copies: int = 0


def _silent(written: int) -> None:
    """Nobody listens."""


def write_texts(
    folder: Path, texts: Iterable[Document], what: str, findings: Findings, tell: Callable[[int], None] = _silent
) -> Stored:
    """Write `texts` in their order; `what` names them in `findings` ("document", "query"); `tell` hears how many are
    written. What repeats an earlier one to the letter is left out.

    The identity is the sha256 over the length-framed ids, titles and texts in their order: it does not depend on where
    they were read from, and any changed, added, removed or moved text changes it. The content is a hash of the same
    that a moved text leaves as it is: the sum of their hashes (AdHash, Bellare and Micciancio 1997).
    """

    stored, duplicates = _write(folder, _checked(texts, what, findings), tell)
    if len(repeats := _repeats(StoredTexts(folder, *stored), what, findings)):
        stored, duplicates = _write_without(folder, stored, repeats)
    duplicates.report(StoredTexts(folder, *stored), what, findings)
    copies, body_copies = duplicates.counts
    return stored._replace(copies=copies, body_copies=body_copies)


def _write(
    folder: Path, rows: Iterable[Document], tell: Callable[[int], None] = _silent
) -> tuple[Stored, DuplicateTexts]:
    folder.mkdir(parents=True)
    schema = pa.schema([(name, pa.string()) for name in Document._fields])
    content, hashes, starts, duplicates = hashlib.sha256(), array("Q"), [0], DuplicateTexts()
    total = 0
    with pa.OSFile(str(folder / "texts.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in _batches(rows):
            framed = [_framed(row).encode() for row in batch]
            content.update(b"".join(framed))
            total += sum(int.from_bytes(hashlib.blake2b(row).digest()) for row in framed)
            hashes.frombytes(id_hashes([row.id for row in batch]).tobytes())
            duplicates.add(batch)
            starts.append(starts[-1] + len(batch))
            writer.write_batch(
                pa.record_batch([pa.array(column, pa.string()) for column in zip(*batch, strict=True)], schema=schema)
            )
            tell(starts[-1])
    _write_index(folder, np.frombuffer(hashes, dtype="<u8") if hashes else np.empty(0, "<u8"), np.array(starts))
    return Stored(starts[-1], content.hexdigest(), _sum_hash(starts[-1], total)), duplicates


def _write_without(folder: Path, stored: Stored, repeats: np.ndarray) -> tuple[Stored, DuplicateTexts]:
    """The texts anew, without the rows `repeats` (int64): what there would be had they never come."""
    with TemporaryDirectory(dir=folder.parent) as scratch:
        former = Path(scratch) / folder.name
        shutil.move(folder, former)
        left_out = set(repeats.tolist())
        rows = enumerate(StoredTexts(former, *stored).documents())
        return _write(folder, (row for number, row in rows if number not in left_out))


def _sum_hash(size: int, total: int) -> str:
    return hashlib.sha256(f"{size}\n{total % (1 << 512)}".encode()).hexdigest()


def _framed(row: Document) -> str:
    return f"{len(row.id)}:{len(row.title)}:{len(row.text)}\n{row.id}{row.title}{row.text}"


def _checked(texts: Iterable[Document], what: str, findings: Findings) -> Iterator[Document]:
    plural = _plural(what)
    for row in texts:
        if not row.id:
            findings.error(f"{what} ids are empty", repr(row.text[:40]), f"give every {what} an id")
        elif needs_escape(row.id):
            findings.warn(f"{what} {WHITE_SPACE} (kept; runs have it as in {escape('a b')})", repr(row.id))
        if not joined(row.title, row.text):
            findings.warn(f"{plural} without any text (kept)", row.id)
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            findings.error(f"{plural} hold half a surrogate pair", repr(row.id), "mend the text: it is no Unicode")
            row = Document(*(part.encode("utf-8", "replace").decode() for part in row))
        yield row


def _plural(what: str) -> str:
    return {"query": "queries"}.get(what, f"{what}s")


def _batches(rows: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.title) + len(row.text)
        if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _write_index(folder: Path, hashes: np.ndarray, starts: np.ndarray) -> None:
    order = np.argsort(hashes, kind="stable")
    np.save(folder / "starts.npy", starts)
    np.save(folder / "hashes.npy", hashes[order])
    np.save(folder / "order.npy", order)


def _repeats(texts: StoredTexts, what: str, findings: Findings) -> np.ndarray:
    """Rows (int64) that repeat an earlier one to the letter. An id that comes with two texts is an error.

    Equal ids have equal hashes and so stand together in the index; ids that only share a hash are told apart.
    """
    equal = np.flatnonzero(np.diff(texts._hashes) == 0) if len(texts) > 1 else np.empty(0, np.int64)
    rows = np.unique(np.concatenate([texts._order[equal], texts._order[equal + 1]])) if len(equal) else equal
    found = list(zip(rows.tolist(), texts.documents(rows), strict=True))
    counts = Counter(row.id for _, row in found)
    first: dict[str, Document] = {}
    repeats, faulty = [], set()
    for number, row in found:
        if row.id in first and first[row.id] == row:
            repeats.append(number)
            findings.warn(f"{_plural(what)} that repeat an earlier one to the letter (read once)", row.id)
        elif first.setdefault(row.id, row) != row and row.id not in faulty:
            faulty.add(row.id)
            findings.error(
                f"{what} ids occur more than once, with different texts",
                f"'{row.id}' ({counts[row.id]} times)",
                f"give every {what} an id of its own",
            )
    return np.array(repeats, dtype=np.int64)
