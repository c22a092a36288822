"""What was read of a results folder before: one Parquet file in the user's own cache, never inside the folder itself.

A row is a metric of a run, or a folder that is none. The file is a copy of what can be read again: when it is damaged,
or of another version, it counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.evaluation.exact_sums import Array
from harness.files import atomic_file
from harness.leaderboard.query_values import QueryIndex, Values
from harness.leaderboard.result_entry import Entry
from harness.published.card import Card

if TYPE_CHECKING:
    import pyarrow as pa


pa = lazy("pyarrow")
pc = lazy("pyarrow.compute")
pq = lazy("pyarrow.parquet")

VERSION = 4
"""Rises whenever the file's form, or what is read of a folder, changes."""
_TEXTS = ("folder", "mark", "reason", "changed", "card", "metric", "clusters", "queries")

_FALSE = "false"
"""What stands for the names of changed files where the folder is not what its card says."""


def index_path(cache: Path, results: Path) -> Path:
    """Where the index of `results` lies inside `cache`."""
    name = hashlib.sha256(os.fsencode(results.resolve())).hexdigest()[:32]
    return cache / f"{name}-{VERSION}.parquet"


def _schema() -> pa.Schema:

    return pa.schema([*((name, pa.string()) for name in _TEXTS), ("values", pa.list_(pa.float64()))])


def save(cache: Path, results: Path, entries: Mapping[str, Entry], *, keep_others: bool = False) -> None:
    """Keep `entries` (by folder, relative to `results`), and forget all others unless they are to be kept; a cache that
    cannot be written is no error."""
    path = index_path(cache, results)
    table = _table(entries)
    if keep_others and (old := _read(path)) is not None:
        others = pc.invert(pc.is_in(old["folder"], pa.array(list(entries), pa.string())))
        table = pa.concat_tables([old.filter(others), table])
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_file(path, fsync=False) as temporary:
            pq.write_table(table, temporary, compression="lz4", use_dictionary=["queries", "clusters", "metric"])


def _table(entries: Mapping[str, Entry]) -> pa.Table:
    rows: list[tuple[object, ...]] = []
    for folder, entry in entries.items():
        if entry.card is None:
            said = _FALSE if entry.false else ""
            rows.append((folder, entry.mark, entry.reason, said, None, None, None, None, None))
            continue
        card, changed = entry.card.model_dump_json(), " ".join(entry.changed)
        clusters = json.dumps(dict(entry.clusters)) if entry.clusters else ""
        for name, values in entry.scores.items():
            ids = json.dumps(values.queries.ids)
            rows.append((folder, entry.mark, "", changed, card, name, clusters, ids, values.numbers))
            card = clusters = ""
    columns = (
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), _schema(), strict=True)]
        if rows
        else []
    )
    return pa.table(columns, schema=_schema()) if rows else _schema().empty_table()


def load(cache: Path, results: Path, only: Collection[str] | None = None) -> dict[str, Entry]:
    """What `save` kept, of all folders or of those that `only` names; nothing where there is no index that can be
    used."""
    table = _read(index_path(cache, results))
    if table is None:
        return {}
    try:
        return _entries(table, only)
    except (pa.ArrowException, ValueError):
        return {}


def _read(path: Path) -> pa.Table | None:
    try:
        # read_table imports pyarrow.dataset, and with it pandas.
        with pq.ParquetFile(path) as file:
            table = file.read(use_threads=False)
    except (OSError, pa.ArrowException, ValueError):
        return None
    return table if table.schema.equals(_schema()) else None


def _entries(table: pa.Table, only: Collection[str] | None) -> dict[str, Entry]:
    folders, marks, reasons, changed, cards, metrics = (table[name].to_pylist() for name in _TEXTS[:-2])
    clusters = _clusters(table)
    queries, numbers = _queries(table), _numbers(table)
    found: dict[str, Entry] = {}
    for row, folder in enumerate(folders):
        if only is not None and folder not in only:
            continue
        if cards[row] is None:
            found[folder] = Entry(marks[row], reasons[row], changed[row] == _FALSE)
            continue
        if folder not in found:
            files = tuple(changed[row].split())
            card = Card.model_validate_json(cards[row])
            found[folder] = Entry(marks[row], changed=files, card=card, clusters=clusters[row])
        found[folder].scores[metrics[row]] = Values(queries[row], numbers[row])
    return found


def _clusters(table: pa.Table) -> list[dict[str, str]]:
    """The clusters of every row, one object for each distinct mapping."""
    encoded = table["clusters"].combine_chunks().dictionary_encode()
    distinct: list[dict[str, str]] = [json.loads(text) if text else {} for text in encoded.dictionary.to_pylist()]
    return [distinct[code] if code is not None else {} for code in encoded.indices.to_pylist()]


def _queries(table: pa.Table) -> list[QueryIndex]:
    """The queries of every row, one object for each distinct list."""
    encoded = table["queries"].combine_chunks().dictionary_encode()
    distinct = [QueryIndex(tuple(json.loads(text))) for text in encoded.dictionary.to_pylist()]
    return [distinct[code] if code is not None else QueryIndex(()) for code in encoded.indices.to_pylist()]


def _numbers(table: pa.Table) -> list[Array]:
    """The values of every row, views of one array."""
    column = table["values"].combine_chunks()
    inside = column.values
    # to_numpy imports pandas.
    whole = np.frombuffer(inside.buffers()[1] or b"", np.float64, len(inside), 8 * inside.offset)
    starts = column.offsets.to_pylist()
    return [whole[start:stop] for start, stop in pairwise(starts)]
