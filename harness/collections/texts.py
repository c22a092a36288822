"""Ids with texts on disk: Arrow IPC batches that are memory-mapped, and a sorted index of id hashes.

A folder holds ``texts.arrow`` (columns id, title, text), ``starts.npy`` (first row of every batch, then the number of
rows), ``hashes.npy`` (sorted uint64 hashes of all ids) and ``order.npy`` (the row of each hash). Nothing is read before
it is asked for.
"""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from harness._lazy import lazy
from harness.collections.collection import Document

if TYPE_CHECKING:
    from pyarrow import RecordBatch


pa = lazy("pyarrow")


BLOCK = 16_384
"""How many documents are gathered at once when they are read out of order."""


def id_hashes(ids: Sequence[str]) -> np.ndarray:
    """uint64 hashes of `ids`, the same on every machine; two ids may share one."""
    digests = [hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest() for value in ids]
    return np.frombuffer(b"".join(digests), dtype="<u8")


def joined(title: str, text: str) -> str:
    """What of a document is searched and read: title and text with one space between."""
    return f"{title} {text}".strip()


class StoredTexts:
    """The `Corpus` (and so the `Texts`) in a folder that `texts_writer.write_texts` made. Pickles as its folder."""

    def __init__(
        self, folder: Path, size: int, identity: str, content: str = "", copies: int = 0, body_copies: int = 0
    ) -> None:
        self.folder = folder
        self._size = size
        self._identity = identity
        self.content = content
        """The identity of the same texts in any order; empty where an earlier version wrote them."""
        self.copies, self.body_copies = copies, body_copies
        """How many texts are there under another id too, with their titles and without them."""
        self._batches: dict[int, RecordBatch] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredTexts, (self.folder, self._size, self._identity, self.content, self.copies, self.body_copies)

    def __repr__(self) -> str:
        return f"StoredTexts({self.folder}, {self._size:,} texts)"

    @property
    def identity(self) -> str:
        """sha256 over ids, titles and texts in their order."""
        return self._identity

    @property
    def ids(self) -> Ids:
        """All ids in order, read from disk when asked for."""
        return Ids(self)

    def __len__(self) -> int:
        return self._size

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Title and text of `ids`, in that order. Raises KeyError on an unknown id."""
        return [joined(title, text) for title, text in self._gather(self.rows(ids), ("title", "text"))]

    def slice_texts(self, start: int, stop: int) -> list[str]:
        """Title and text of the positions start to stop (those beyond the end are left out)."""
        return [joined(title, text) for title, text in self._rows(start, stop, ("title", "text"))]

    def documents(self, rows: np.ndarray | None = None) -> Iterator[Document]:
        """Ids, titles and texts in order, or of the positions `rows` (int64, any order); streamed."""
        columns = ("id", "title", "text")
        if rows is None:
            return itertools.starmap(Document, self._rows(0, self._size, columns))
        blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
        return (Document(*row) for block in blocks for row in self._gather(block, columns))

    def ids_at(self, rows: np.ndarray) -> list[str]:
        """The ids at positions (int64, any order)."""
        return [value for (value,) in self._gather(rows, ("id",))]

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids`. Raises KeyError with the first unknown id."""
        rows = self.find(ids)
        if len(rows) and rows.min() < 0:
            raise KeyError(ids[int(np.argmin(rows))])
        return rows

    def find(self, ids: Sequence[str]) -> np.ndarray:
        """int64 positions of `ids`, -1 for an unknown one."""
        if not len(ids) or not self._size:
            return np.full(len(ids), -1, dtype=np.int64)
        wanted = id_hashes(ids)
        at = np.minimum(np.searchsorted(self._hashes, wanted), self._size - 1)
        rows = self._order[at].astype(np.int64)
        for k in (k for k, found in enumerate(self.ids_at(rows)) if found != ids[k]):
            rows[k] = self._probe(int(at[k]), wanted[k], ids[k])
        return rows

    def _probe(self, at: int, wanted: np.uint64, sought: str) -> int:
        """The row of `sought` among ids of equal hash, which stand together from `at` on; -1 if it is not there."""
        while at < self._size and self._hashes[at] == wanted:
            row = int(self._order[at])
            if self.id_at(row) == sought:
                return row
            at += 1
        return -1

    def id_at(self, row: int) -> str:
        """The id at one position."""
        number = bisect_right(self._bounds, row) - 1
        return str(self._batch(number).column(0)[row - self._bounds[number]].as_py())

    def _gather(self, rows: np.ndarray, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The values at `rows`, read batch by batch, so that every batch is touched once."""

        if not len(rows):
            return []
        out = np.empty(len(rows), dtype=object)
        starts = np.array(self._bounds)
        numbers = np.searchsorted(starts, rows, side="right") - 1
        order = np.argsort(numbers, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            number = int(numbers[group[0]])
            batch, places = self._batch(number), _positions(rows[group] - starts[number])
            values = zip(*(batch.column(name).take(places).to_pylist() for name in columns), strict=True)
            for place, value in zip(group.tolist(), values, strict=True):
                out[place] = value
        return list(out)

    def _rows(self, start: int, stop: int, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        start, stop, _ = slice(start, stop).indices(self._size)
        for number, (head, end) in enumerate(itertools.pairwise(self._bounds)):
            first, last = max(start, head), min(stop, end)
            if first < last:
                batch = self._batch(number).slice(first - head, last - first)
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)

    def _batch(self, number: int) -> RecordBatch:
        if number not in self._batches:
            self._batches[number] = self._file.get_batch(number)
        return self._batches[number]

    @cached_property
    def _file(self) -> Any:

        return pa.ipc.open_file(pa.memory_map(str(self.folder / "texts.arrow")))

    @cached_property
    def _bounds(self) -> list[int]:
        bounds: list[int] = np.load(self.folder / "starts.npy").tolist()
        return bounds

    @cached_property
    def _hashes(self) -> np.ndarray:
        return _load(self.folder / "hashes.npy")

    @cached_property
    def _order(self) -> np.ndarray:
        return _load(self.folder / "order.npy")


def _positions(rows: np.ndarray) -> Any:
    """`rows` (int64) as an Arrow array. `pa.array` imports pandas, a quarter of a second of every plan."""
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])


def _load(file: Path) -> np.ndarray:
    mapped: np.ndarray = np.load(file, mmap_mode="r")
    return mapped


class Ids(Sequence[str]):
    """The ids of stored texts: a sequence that is not in memory."""

    def __init__(self, texts: StoredTexts) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return (value for (value,) in self._texts._rows(0, len(self), ("id",)))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and bool(self._texts.find([value])[0] >= 0)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self._texts.ids_at(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._texts.id_at(int(index) % len(self))
