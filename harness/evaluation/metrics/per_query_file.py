"""Per-query values on disk: a Parquet file with the columns query, metric, value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._lazy import lazy
from harness.evaluation.metrics.lookup import Scores

if TYPE_CHECKING:
    import pyarrow as pa


pa = lazy("pyarrow")
pq = lazy("pyarrow.parquet")

FILE = "metrics.parquet"
_MOST_ROWS = 20_000_000
_MOST_BYTES = 1 << 30


def _schema() -> pa.Schema:

    return pa.schema([("query", pa.string()), ("metric", pa.string()), ("value", pa.float64())])


def write_scores(path: Path, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Write `scores` metric by metric, queries in their order."""

    columns = {
        "query": [query for values in scores.values() for query in values],
        "metric": [name for name, values in scores.items() for _ in values],
        "value": [value for values in scores.values() for value in values.values()],
    }
    pq.write_table(pa.table(columns, schema=_schema()), path, compression="zstd")


def read_scores(path: Path) -> Scores:
    """What `write_scores` wrote.

    The file may come from strangers: raises ValueError with the reason when it is too large, has other columns, a value
    that is not finite, or two values for one query and metric.
    """

    queries, metrics, values = read_columns(path, _schema())
    if not np.isfinite(np.array(values, dtype=np.float64)).all():
        raise ValueError(f"{path.name} holds a value that is no finite number")
    return _scores(queries, metrics, values)


def read_columns(path: Path, schema: pa.Schema) -> list[list[Any]]:
    """The columns of a Parquet file that may come from strangers: raises ValueError with the reason when it is none, is
    too large, has other columns, or lacks a value."""
    try:
        with pq.ParquetFile(path) as file:
            about = file.metadata
            size = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
            if about.num_rows > _MOST_ROWS or size > _MOST_BYTES:
                raise ValueError(f"{path.name} is too large: {about.num_rows} rows, {size} bytes")
            if not file.schema_arrow.equals(schema):
                has, wanted = ", ".join(file.schema_arrow.names), ", ".join(schema.names)
                raise ValueError(f"{path.name} has columns {has} and not {wanted}")
            columns = file.read(use_threads=False).columns
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path.name} is no Parquet file that can be read: {error}") from error
    if any(column.null_count for column in columns):
        raise ValueError(f"{path.name} lacks a value")
    return [column.to_pylist() for column in columns]


def _scores(queries: list[str], metrics: list[str], values: list[float]) -> Scores:
    scores: Scores = {}
    for query, metric, value in zip(queries, metrics, values, strict=True):
        scores.setdefault(metric, {})[query] = value
    if sum(map(len, scores.values())) != len(values):
        raise ValueError("two values for one query and metric")
    return scores
