"""Queries that are not independent: several that were written for one article or passage form a cluster.

What is independent are the clusters. Tests and intervals therefore see one value a cluster: its sum for sign flips, its
jackknife pseudo-value for everything that rests on a variance. That gives the cluster-robust variance CR3 of a mean
(Bell and McCaffrey 2002; MacKinnon, Nielsen and Webb 2023), which for clusters of one size is that of Liang and Zeger
(1986) with the factor G / (G - 1). Of unequal clusters a few large ones decide: t has as many degrees of freedom as
equal clusters would that vary as much, n^2 / (sum of squared sizes) - 1 (Kish 1965; Carter, Schnepel and Steigerwald
2017). With G - 1 and Liang and Zeger's variance, a true null is rejected in 8 to 12 % of cases with 48 or 40 clusters
of which few hold most queries, and in 25 % with ten (simulated).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.metrics.per_query_file import read_columns
from harness.text import counted

if TYPE_CHECKING:
    import pyarrow as pa

pa = lazy("pyarrow")
pq = lazy("pyarrow.parquet")

FILE = "clusters.parquet"
"""Query and cluster, beside the run of a split whose queries are not independent."""


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

    @cached_property
    def sizes(self) -> Array:
        """Queries of each cluster (G,)."""
        return np.bincount(np.array(self.numbers, dtype=np.intp), minlength=self.count).astype(np.float64)

    @property
    def effective(self) -> float:
        """How many clusters of one size vary as much; `count` where all have one size."""
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    def sums(self, values: Array) -> Array:
        """One value a cluster (G, m) of `values` (n, m), with the same mean: the sum of its queries, times G / n."""
        totals = np.zeros((self.count, values.shape[1]))
        np.add.at(totals, np.array(self.numbers, dtype=np.intp), values)
        return totals * (self.count / len(self.numbers))

    def linearised(self, values: Array) -> Array:
        """One value a cluster (G, m) of `values` (n, m), with the same mean; their variance over G is that of the mean
        by clusters, as leaving out one after the other tells."""
        means = values.mean(axis=0)
        if self.count < 2:
            return np.asarray(means[None, :])
        n = len(self.numbers)
        without = self.sums(values - means) * ((self.count - 1) * n / self.count / (n - self.sizes))[:, None]
        return np.asarray(without - without.mean(axis=0) + means)

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


def _schema() -> pa.Schema:
    return pa.schema([("query", pa.string()), ("cluster", pa.string())])


def save_clusters(path: Path, named: Mapping[str, str]) -> None:
    """Write query -> cluster, by query."""
    columns = {"query": sorted(named), "cluster": [named[query] for query in sorted(named)]}
    pq.write_table(pa.table(columns, schema=_schema()), path, compression="zstd")


def load_clusters(path: Path) -> dict[str, str]:
    """What `save_clusters` wrote. The file may come from strangers: raises ValueError with the reason where it cannot
    be read, or a query is in it twice."""
    queries, names = read_columns(path, _schema())
    found = dict(zip(queries, names, strict=True))
    if len(found) < len(queries):
        raise ValueError(f"{path.name} has a query twice")
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
