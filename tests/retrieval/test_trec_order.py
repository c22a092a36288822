"""The order of results, ties included."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.retrieval.trec_order import best, id_ranks


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), unique=True, max_size=30))
def test_ranks_are_places_in_the_order_of_utf8_bytes(ids: list[str]) -> None:
    ranks = id_ranks(ids)
    assert [ids[row] for row in np.argsort(ranks)] == sorted(ids, key=str.encode)


@given(st.lists(st.integers(-2, 2), max_size=30), st.integers(1, 12), st.randoms())
def test_the_best_do_not_depend_on_the_order_of_candidates(scores: list[int], depth: int, random: object) -> None:
    rows = list(range(len(scores)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    given_rows, values = np.array(rows, dtype=np.int64), np.array([scores[row] for row in rows], dtype=np.float32)
    hits = best(given_rows, values, given_rows * 10, depth)
    expected = sorted(range(len(scores)), key=lambda row: (scores[row], row), reverse=True)[:depth]
    assert hits.rows.tolist() == expected
    assert hits.scores.tolist() == [scores[row] for row in expected]
