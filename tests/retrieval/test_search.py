"""Exact search against sorting all scores; small whole numbers make scores exact and ties many."""

from __future__ import annotations

import math
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.retrieval import search
from harness.retrieval.search import exact_search


def _expected(scores: np.ndarray, ranks: np.ndarray, depth: int) -> list[list[int]]:
    return [sorted(range(len(row)), key=lambda at: (row[at], ranks[at]), reverse=True)[:depth] for row in scores]


@given(
    documents=st.integers(1, 300),
    queries=st.integers(1, 9),
    depth=st.sampled_from([1, 2, 5, 40, 500]),
    spread=st.sampled_from([0, 1, 3, 1000]),
    block=st.sampled_from([32, 64, 8192]),
    precision=st.sampled_from(["fp32", "bf16"]),
    seed=st.integers(0, 99),
)
def test_search_equals_sorting(
    documents: int, queries: int, depth: int, spread: int, block: int, precision: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    corpus = random.integers(-spread, spread + 1, (documents, 3)).astype(np.float32)
    vectors = random.integers(-3, 4, (queries, 3)).astype(np.float32)
    ranks = random.permutation(documents)
    with patch.multiple(search, _DOCUMENTS=block, _QUERIES=4, best_dtype=lambda: precision):
        hits = list(exact_search(corpus, vectors, ranks, depth))
    scores = vectors @ corpus.T
    assert [hit.rows.tolist() for hit in hits] == _expected(scores, ranks, depth)
    assert all((hit.scores == row[hit.rows]).all() for hit, row in zip(hits, scores, strict=True))


@given(
    near=st.sampled_from([1e-6, 1e-4, 1e-2, 1.0]),
    precision=st.sampled_from(["fp32", "bf16"]),
    stored=st.sampled_from([np.float32, np.float16]),
    similarity=st.sampled_from(["dot", "cosine"]),
    seed=st.integers(0, 99),
)
def test_rounding_loses_no_document(
    near: float, precision: str, stored: type[np.floating], similarity: str, seed: int
) -> None:
    """Documents closer to one another than bfloat16 can tell, in an order that makes every block better than the
    last."""
    random = np.random.default_rng(seed)
    centre = random.standard_normal(48)
    corpus = (centre + near * random.standard_normal((400, 48))).astype(stored)
    vectors = (centre + random.standard_normal((3, 48))).astype(np.float32)
    corpus = corpus[np.argsort(corpus.astype(np.float64) @ vectors[0])]
    with patch.multiple(search, _DOCUMENTS=64, best_dtype=lambda: precision):
        hits = list(exact_search(corpus, vectors, np.arange(400), 10, similarity))
    exact = vectors.astype(np.float64) @ corpus.astype(np.float64).T
    if similarity == "cosine":
        exact /= np.linalg.norm(vectors, axis=1)[:, None] * np.linalg.norm(corpus.astype(np.float64), axis=1)
    for hit, row in zip(hits, exact, strict=True):
        # Only what float32 itself cannot tell apart may change places.
        assert row[hit.rows] == pytest.approx(np.sort(row)[::-1][:10], rel=1e-5, abs=1e-5)
        assert hit.scores == pytest.approx(row[hit.rows], rel=1e-5, abs=1e-5)


def test_equal_documents_have_equal_scores_wherever_they_stand() -> None:
    random = np.random.default_rng(0)
    document, vectors = (
        random.standard_normal((1, 100), dtype=np.float32),
        random.standard_normal((2, 100), dtype=np.float32),
    )
    for precision in ("fp32", "bf16"):
        with patch.multiple(search, _DOCUMENTS=64, best_dtype=lambda chosen=precision: chosen):
            for hit in exact_search(np.repeat(document, 150, 0), vectors, np.arange(150), 9):
                assert hit.rows.tolist() == list(range(149, 140, -1))
                assert len(set(hit.scores.tolist())) == 1


@pytest.mark.parametrize("order", ["falling", "rising"])
def test_the_order_of_documents_does_not_matter(order: str) -> None:
    """Rising scores make every block better than all before it, the worst case for the floors."""
    corpus = np.arange(5000, dtype=np.float32)[:: 1 if order == "rising" else -1, None]
    with patch.multiple(search, _DOCUMENTS=64):
        (hits,) = exact_search(corpus, np.ones((1, 1), np.float32), np.arange(5000), 10)
    assert hits.scores.tolist() == list(range(4999, 4989, -1))


def test_cosine_ignores_lengths_and_takes_zeros() -> None:
    corpus = np.array([[3, 0], [0, 0], [1, 1], [-5, 0]], dtype=np.float32)
    (hits,) = exact_search(corpus, np.array([[7, 0]], np.float32), np.arange(4), 4, "cosine")
    assert hits.rows.tolist() == [0, 2, 1, 3]
    assert hits.scores == pytest.approx([1, math.sqrt(0.5), 0, -1])
    (dot,) = exact_search(corpus, np.array([[7, 0]], np.float32), np.arange(4), 4, "dot")
    assert dot.scores.tolist() == [21, 7, 0, -35]


def test_it_agrees_with_faiss() -> None:
    faiss = pytest.importorskip("faiss")
    random = np.random.default_rng(0)
    corpus, vectors = (random.standard_normal((size, 48), dtype=np.float32) for size in (20_000, 600))
    index = faiss.IndexFlatIP(48)
    index.add(corpus)
    scores, rows = index.search(vectors, 50)
    hits = list(exact_search(corpus, vectors, np.arange(len(corpus)), 50))
    assert np.allclose([hit.scores for hit in hits], scores, atol=1e-4)
    assert np.mean([len(np.intersect1d(hit.rows, row)) for hit, row in zip(hits, rows, strict=True)]) > 49.9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mode", ["r", "c"])
def test_a_memory_mapped_corpus_is_searched_and_left_alone(tmp_path: Path, mode: str) -> None:
    corpus = np.eye(4, dtype=np.float32) * 2
    np.save(tmp_path / "rows.npy", corpus)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode=mode)
    (hits,) = exact_search(mapped, np.array([[0, 0, 1, 0]], np.float32), np.arange(4), 1, "cosine")
    assert (hits.rows.tolist(), hits.scores.tolist()) == ([2], [1.0])
    assert (np.load(tmp_path / "rows.npy") == corpus).all()


def test_nothing_to_search() -> None:
    none = np.empty((0, 3), np.float32)
    assert list(exact_search(none, none, np.empty(0, np.int64), 5)) == []
    (hits,) = exact_search(none, np.ones((1, 3), np.float32), np.empty(0, np.int64), 5)
    assert len(hits.rows) == 0


def test_progress_counts_queries() -> None:
    told: list[tuple[int, int, str]] = []
    rows = np.eye(5, dtype=np.float32)
    with patch.multiple(search, _QUERIES=2):
        list(exact_search(rows, rows, np.arange(5), 1, progress=lambda *what: told.append(what)))
    assert told == [(2, 5, "queries"), (4, 5, "queries"), (5, 5, "queries")]
