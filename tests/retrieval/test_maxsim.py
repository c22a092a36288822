"""Late-interaction search finds what a naive sum of maxima finds, in whatever blocks, ties by document id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.util.similarity import maxsim

from harness.retrieval import maxsim as module
from harness.retrieval.maxsim import TokenIndex, maxsim_search
from harness.retrieval.trec_order import id_ranks


def naive(query: np.ndarray, documents: list[np.ndarray]) -> np.ndarray:
    return np.array(
        [
            np.einsum("qd,td->qt", query.astype(np.float64), one.astype(np.float64)).max(1).sum() if len(one) else -1e9
            for one in documents
        ]
    )


def unit(generator: np.random.Generator, tokens: int, size: int = 8) -> np.ndarray:
    rows = generator.normal(size=(tokens, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def index_of(folder: Path, documents: list[np.ndarray]) -> TokenIndex:
    TokenIndex.write(folder, iter(documents))
    return TokenIndex.read(folder)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    queries=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    depth=st.integers(1, 40),
    block=st.integers(1, 40),
    seed=st.integers(0, 9),
)
def test_the_first_by_a_naive_sum_of_maxima(
    lengths: list[int], queries: list[int], depth: int, block: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    generator = np.random.default_rng(seed)
    documents = [unit(generator, size) for size in lengths]
    asked = [unit(generator, size).astype(np.float32) for size in queries]
    ids = [f"d{number:02}" for number in range(len(documents))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_TOKENS", block)
        index = index_of(tmp_path_factory.mktemp("index"), documents)
        found = list(maxsim_search(index, asked, id_ranks(ids), depth))
    assert len(found) == len(asked)
    for hits, query in zip(found, asked, strict=True):
        wanted = naive(query, documents)
        assert len(hits.rows) == min(depth, len(documents))
        np.testing.assert_allclose(hits.scores, np.sort(wanted)[::-1][: len(hits.rows)], rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(hits.scores, wanted[hits.rows], rtol=1e-6, atol=1e-4)


def test_equal_documents_tie_wherever_they_stand_and_the_greater_id_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TOKENS", 7)
    generator = np.random.default_rng(3)
    same, others = unit(generator, 3), [unit(generator, 3) for _ in range(20)]
    documents = [same, *others[:9], same, *others[9:], same]
    ids = ["b", *(f"x{number:02}" for number in range(9)), "c", *(f"x{number:02}" for number in range(9, 20)), "a"]
    query = same.astype(np.float32)
    for depth, wanted in ((3, ["c", "b", "a"]), (2, ["c", "b"])):
        (hits,) = maxsim_search(index_of(tmp_path, documents), [query], id_ranks(ids), depth)
        assert [ids[row] for row in hits.rows] == wanted
        assert len(set(hits.scores.tolist())) == 1


def test_scores_are_those_of_sentence_transformers_and_means_where_wanted(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    documents = [unit(generator, size) for size in (4, 1, 7, 3)]
    queries = [unit(generator, size).astype(np.float32) for size in (5, 2)]
    index, ranks = index_of(tmp_path, documents), np.arange(4)
    for mean in (False, True):
        theirs = maxsim(
            [torch.from_numpy(one) for one in queries],
            [torch.from_numpy(one.astype(np.float32)) for one in documents],
            length_normalize=mean,
        ).numpy()
        for hits, row in zip(maxsim_search(index, queries, ranks, 4, mean), theirs, strict=True):
            np.testing.assert_allclose(hits.scores, row[hits.rows], atol=1e-5)


def test_a_document_without_tokens_comes_last_as_in_sentence_transformers(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    documents = [unit(generator, 2), np.zeros((0, 8), np.float16), -unit(generator, 2)]
    query = unit(generator, 2).astype(np.float32)
    (hits,) = maxsim_search(index_of(tmp_path, documents), [query], np.arange(3), 3)
    theirs = maxsim([torch.from_numpy(query)], [torch.from_numpy(one.astype(np.float32)) for one in documents])
    assert hits.rows[-1] == 1 and hits.scores[-1] == pytest.approx(float(theirs[0, 1]))
