"""Queries that are not independent: several that were written for one article or passage form a cluster.

What is independent are the clusters. Tests and intervals therefore see one value a cluster: its sum for sign flips, its
linearised sum for everything that rests on a variance, which gives the cluster-robust variance of a mean
(Liang and Zeger 1986; Cameron and Miller 2015, 2.A, with their factor G / (G - 1)).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.text import counted


@dataclass(frozen=True)
class Clusters:
    """`numbers` (n queries,) say in which of `count` clusters each query is: 0 to count - 1, none empty."""

    numbers: tuple[int, ...]
    count: int

    @classmethod
    def of(cls, names: Sequence[object]) -> Clusters:
        """Clusters from the name of each query's cluster."""
        places = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return cls(tuple(places[name] for name in names), len(places))

    def sums(self, values: Array) -> Array:
        """One value a cluster (G, m) of `values` (n, m), with the same mean: the sum of its queries, times G / n."""
        totals = np.zeros((self.count, values.shape[1]))
        np.add.at(totals, np.array(self.numbers, dtype=np.intp), values)
        return totals * (self.count / len(self.numbers))

    def linearised(self, values: Array) -> Array:
        """One value a cluster (G, m) of `values` (n, m), with the same mean; their variance over G is that of the mean
        by clusters."""
        means = values.mean(axis=0)
        return np.asarray(self.sums(values - means) + means)

    @property
    def words(self) -> str:
        """'1,451 queries in 515 clusters'."""
        return f"{counted(len(self.numbers), 'query')} in {counted(self.count, 'cluster')}"


def clusters_of(named: Mapping[str, str], queries: Sequence[str]) -> Clusters | None:
    """The clusters of `queries` by name; a query without one stands for itself. None where every query does."""
    names = [("named", named[query]) if query in named else ("own", query) for query in queries]
    found = Clusters.of(names)
    return found if found.count < len(queries) else None


def read_clusters(path: Path) -> dict[str, str]:
    """Query id -> cluster, from lines of an id, a tabulator and the name of its cluster, or from a ``queries.jsonl``
    whose lines have ``metadata.cluster`` (those without stand for themselves).

    Raises UserError for a file that cannot be read, a line of another form, and a query with two clusters.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the clusters cannot be read: {error}", file=path) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            query, name = _json_line(line) if line.startswith("{") else _tabbed_line(line)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"line {number} is no query with its cluster",
                file=path,
                remedy="write the query's id, a tabulator and its cluster, or JSON with _id and metadata.cluster",
            ) from error
        if name is not None and found.setdefault(query, name) != name:
            raise UserError(
                f"line {number}: the query '{query}' is in two clusters, '{found[query]}' and '{name}'",
                file=path,
                remedy="a query is in one cluster",
            )
    if not found:
        raise UserError("no query here has a cluster", file=path)
    return found


def _tabbed_line(line: str) -> tuple[str, str]:
    query, name = (part.strip() for part in line.split("\t"))
    if not (query and name):
        raise ValueError(line)
    return query, name


def _json_line(line: str) -> tuple[str, str | None]:
    record = json.loads(line)
    name = (record.get("metadata") or {}).get("cluster")
    if not (name is None or isinstance(name, str | int)):
        raise TypeError(name)
    return str(record["_id"]), None if name is None else str(name)
