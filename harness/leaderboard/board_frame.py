"""Rows of a board as a data frame: nested values become columns of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy

if TYPE_CHECKING:
    import pandas
else:
    pandas = lazy("pandas")


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """A frame of rows as ``harness board --json`` writes them; columns stand in the order in which rows name them
    first."""
    nested = frozenset(key for row in rows for key, value in row.items() if isinstance(value, Mapping))
    return pandas.DataFrame([dict(_flat(row, nested)) for row in rows])


def _flat(row: Mapping[str, Any], nested: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Names and values; nothing for what is nested in other rows and missing in this one."""
    for key, value in row.items():
        if key == "metrics":
            yield from _metrics(value)
        elif isinstance(value, Mapping) or key not in nested:
            yield from _columns(key, value)


def _metrics(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Estimates: the mean by the metric's name, all else below it."""
    for name, estimate in metrics.items():
        yield name, estimate["mean"]
        yield from _interval(name, estimate["interval"])
        yield from _interval(f"{name}.runs", estimate["runs_interval"])
        yield f"{name}.deviation", estimate["deviation"]


def _columns(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, part in value.items():
            yield from _interval(key, part) if inner == "interval" else _columns(f"{key}.{inner}", part)
    else:
        yield key, value


def _interval(name: str, ends: Sequence[float] | None) -> Iterator[tuple[str, Any]]:
    low, high = ends or (None, None)
    yield f"{name}.low", low
    yield f"{name}.high", high
