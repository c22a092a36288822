"""Search by sparse weights finds what a dense product finds, but for documents without a common term."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from harness.retrieval.sparse_search import read_sparse, sparse_search, write_sparse
from harness.retrieval.trec_order import best, id_ranks

WEIGHTS = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 1.5])


@settings(max_examples=40, deadline=None)
@given(
    documents=arrays(np.float32, (12, 6), elements=WEIGHTS),
    queries=arrays(np.float32, (3, 6), elements=WEIGHTS),
    depth=st.integers(1, 14),
)
def test_the_first_by_a_dense_product_ties_by_id(documents: np.ndarray, queries: np.ndarray, depth: int) -> None:
    ids = [f"d{(7 * number) % 12:02}" for number in range(12)]
    ranks = id_ranks(ids)
    found = list(sparse_search(csr_matrix(documents), csr_matrix(queries), ranks, depth))
    assert len(found) == 3
    for hits, scores in zip(found, queries @ documents.T, strict=True):
        rows = np.flatnonzero(scores > 0)
        wanted = best(rows, scores[rows], ranks[rows], depth)
        assert hits.rows.tolist() == wanted.rows.tolist()
        np.testing.assert_allclose(hits.scores, wanted.scores, rtol=1e-6)


def test_blocks_are_written_one_after_another(tmp_path: Path) -> None:
    rows = np.array([[0, 1, 0], [2, 0, 0], [0, 0, 0]], dtype=np.float32)
    write_sparse(tmp_path, [csr_matrix(rows[:2]), csr_matrix(rows[2:])])
    np.testing.assert_array_equal(read_sparse(tmp_path).toarray(), rows)
