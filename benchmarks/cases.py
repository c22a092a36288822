"""The cases of search, encoding and evaluation: each does one piece of work twice, our way and a peer's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.labelling import asking, likelihood, replaying
from benchmarks.measure import Ratio, seconds


def search(quick: bool) -> Ratio:
    """Exact search of unit vectors against faiss IndexFlatIP."""
    import faiss

    from harness.retrieval.order import id_ranks
    from harness.retrieval.search import exact_search

    documents, queries = (50_000, 256) if quick else (200_000, 512)
    generator = np.random.default_rng(0)
    corpus = generator.standard_normal((documents, 384), dtype=np.float32)
    wanted = generator.standard_normal((queries, 384), dtype=np.float32)
    ranks = id_ranks([f"d{number}" for number in range(documents)])
    index = faiss.IndexFlatIP(384)
    index.add(corpus)
    ours = seconds(lambda: list(exact_search(corpus, wanted, ranks, 100)))
    peer = seconds(lambda: index.search(wanted, 100))
    return Ratio("exact search", f"{documents:,} x 384, {queries} queries, top 100", "faiss IndexFlatIP", ours, peer)


def encoding(quick: bool) -> Ratio:
    """Encoding of the bundled collection with MiniLM against SentenceTransformer.encode as it comes."""
    from sentence_transformers import SentenceTransformer

    from harness.collections.parse import parse_source
    from harness.collections.prepared import prepare
    from harness.models import resolve_model
    from harness.retrieval.encode import encode, load_encoder

    with tempfile.TemporaryDirectory() as folder:
        corpus = prepare(parse_source("semanlink"), Path(folder)).corpus
        texts = corpus.slice_texts(0, 300 if quick else len(corpus))
    path = resolve_model("bundled:minilm-l6").path
    encoder, model = load_encoder(path, 256), SentenceTransformer(str(path), device="cpu")
    ours = seconds(lambda: encode(encoder, texts), 1)
    peer = seconds(lambda: model.encode(texts, batch_size=32, show_progress_bar=False), 1)
    return Ratio("encoding", f"{len(texts):,} documents, all-MiniLM-L6-v2", "SentenceTransformer.encode", ours, peer)


def scoring(quick: bool) -> Ratio:
    """Scoring of a run by four metrics against pytrec_eval alone."""
    import pytrec_eval

    from harness.evaluation.metrics import evaluate

    queries, depth = (700, 100) if quick else (6_980, 100)
    generator = np.random.default_rng(0)
    run = {f"q{q}": {f"d{d}": float(s) for d, s in enumerate(generator.random(depth, dtype=np.float32))} for q in range(queries)}
    qrels = {query: {f"d{d}": 1 for d in generator.choice(depth, 3, replace=False)} for query in run}
    measures = {"ndcg_cut.10", "recall.100", "map", "P.10"}
    ours = seconds(lambda: evaluate(run, qrels, ["nDCG@10", "R@100", "AP", "P@10"]))
    peer = seconds(lambda: pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run))
    return Ratio("scoring", f"{queries:,} queries x {depth}, 4 metrics", "pytrec_eval", ours, peer)


def sign_flips(quick: bool) -> Ratio:
    """10,000 sign flips over 300 queries against scipy's permutation test."""
    from scipy import stats

    from harness.evaluation.significance import outcomes

    flips = 1_000 if quick else 10_000
    differences = np.random.default_rng(0).normal(0.01, 0.2, (300, 1))
    ours = seconds(lambda: outcomes(differences, "randomisation", 0))

    def peer() -> object:
        options = {"permutation_type": "samples", "n_resamples": flips, "vectorized": True, "rng": 0}
        return stats.permutation_test((differences[:, 0],), np.mean, **options)

    return Ratio("randomisation test", "10,000 flips x 300 queries", f"scipy.stats.permutation_test, {flips:,} flips", ours, seconds(peer))


def cases(quick: bool) -> Iterator[Ratio]:
    """All ratios, one after another."""
    for case in (search, encoding, scoring, sign_flips, asking, replaying, likelihood):
        yield case(quick)
