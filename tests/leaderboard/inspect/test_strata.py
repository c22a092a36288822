"""Metrics by kind of query: bins that tear no equal sizes apart, means of the queries in them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.leaderboard.inspect.strata import SIZES, bins, strata
from harness.leaderboard.row_query_values import PerQuery


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200), st.integers(1, 6), st.integers(1, 20))
def test_bins_hold_every_size_once_and_are_never_too_small(sizes: list[int], most: int, least: int) -> None:
    found = bins(sizes, most, least)
    assert 1 <= len(found) <= most
    assert (found[0][0], found[-1][1]) == (min(sizes), max(sizes))
    assert all(left[1] < right[0] for left, right in pairwise(found))
    counts = [sum(first <= size <= last for size in sizes) for first, last in found]
    assert sum(counts) == len(sizes)
    assert len(found) == 1 or min(counts) >= least
    # A bin is closed as soon as it holds its share, so it exceeds that by less than the last size put into it.
    assert len(found) < 2 or counts[0] < max(least, len(sizes) / most) + max(Counter(sizes).values()) + least


def test_bins_by_hand() -> None:
    assert bins([]) == []
    assert bins([3] * 10) == [(3, 3)]
    assert bins(list(range(10)), 5, 1) == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    assert bins([1] * 50 + [2, 3, 4], 5, 1) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert bins([1] * 50 + [2] * 12 + [3, 4], 5, 10) == [(1, 1), (2, 4)]


def test_a_stratum_is_the_mean_of_its_queries() -> None:
    values = np.random.default_rng(0).random((80, 2))
    queries = tuple(f"q{number}" for number in range(80))
    sizes = {query: number % 4 for number, query in enumerate(queries[:-1])}
    found = strata(PerQuery("nDCG@10", queries, ("a", "b"), values, (0, 0)), sizes)
    assert [(one.bin, one.queries, one.name) for one in found[:3]] == [("0", 20, "a"), ("0", 20, "b"), ("1", 20, "a")]
    assert sum(one.queries for one in found) == 2 * 79
    for one in found:
        inside = [place for place, query in enumerate(queries) if sizes.get(query) == int(one.bin)]
        assert one.mean == pytest.approx(values[inside, "ab".index(one.name)].mean(), abs=1e-12)
        assert one.interval is not None and one.interval.low < one.mean < one.interval.high


def test_one_query_has_no_interval() -> None:
    found = strata(PerQuery("AP", ("q",), ("a", "b"), np.array([[0.1, 0.2]]), (0, 0)), {"q": 1})
    assert [(one.mean, one.interval) for one in found] == [(0.1, None), (0.2, None)]


def test_sizes_come_from_the_collection(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{d}", "title": "", "text": "text of {d}"}}\n' for d in "xyz")
    )
    (folder / "queries.jsonl").write_text('{"_id": "p", "text": "what is  x"}\n{"_id": "q", "text": "y"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\np\tz\t2\np\tx\t1\np\ty\t0\nq\tx\t1\n")
    collection = prepare(parse_source({"folder": str(folder)}), tmp_path / "prepared")
    words, relevant = (sizes(collection, "test") for sizes in SIZES.values())
    assert words == {"p": 3, "q": 1}
    assert relevant == {"p": 2, "q": 1}
