"""Texts, queries and judgments that cases share, as plain JSON, so that no side reads them through code of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.progress import silent

MINILM = "bundled:minilm-l6"


class Texts(NamedTuple):
    """A collection, or a part of one: documents and the judged queries whose relevant documents are all there."""

    collection: str
    documents: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def write_texts(folder: Path, most: int | None) -> None:
    """Scifact where it is (HARNESS_SHARED_DATA, or shared/data beside the checkout), else the bundled collection.

    With `most`, so many documents: those that are relevant to test queries first, in the order of the queries.
    """
    from harness.collections.parse import parse_source
    from harness.collections.prepared import prepare

    place = Path(os.environ.get("HARNESS_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")) / "scifact"
    collection = prepare(
        parse_source({"folder": str(place)} if place.is_dir() else "semanlink"), folder / "collections"
    )
    queries, qrels = collection.queries("test"), collection.judgments("test").qrels
    relevant = dict.fromkeys(document for query in queries.ids for document, grade in qrels[query].items() if grade > 0)
    ids = list(dict.fromkeys([*relevant, *collection.corpus.ids]))[:most]
    kept = set(ids)
    asked = {
        query: text
        for query, text in zip(queries.ids, queries.slice_texts(0, len(queries)), strict=True)
        if kept.issuperset(document for document, grade in qrels[query].items() if grade > 0)
    }
    texts = dict(zip(ids, collection.corpus.texts(ids), strict=True))
    name = place.name if place.is_dir() else "semanlink"
    found = Texts(name, texts, asked, {query: qrels[query] for query in asked})
    (folder / "texts.json").write_text(json.dumps(found._asdict()), encoding="utf-8")


def read_texts(folder: Path) -> Texts:
    """What `write_texts` wrote."""
    return Texts(**json.loads((folder / "texts.json").read_text(encoding="utf-8")))


def ndcg(texts: Texts, documents: np.ndarray, queries: np.ndarray) -> float:
    """nDCG@10 of the search of `documents` (N, D) by `queries` (Q, D), by trec_eval's own code."""
    import pytrec_eval

    scores = queries.astype(np.float32) @ documents.astype(np.float32).T
    best = np.argsort(-scores, axis=1)[:, :10]
    ids = list(texts.documents)
    run = {
        query: {ids[row]: float(scores[place, row]) for row in best[place]} for place, query in enumerate(texts.queries)
    }
    values = pytrec_eval.RelevanceEvaluator(texts.qrels, {"ndcg_cut.10"}).evaluate(run)
    return float(sum(value["ndcg_cut_10"] for value in values.values()) / len(texts.queries))


def model_folder(name: str) -> str:
    """The folder of a bundled model."""
    from harness.models import resolve_model

    return str(resolve_model(name).path)


def write_lists(folder: Path, count: int, held: int, depth: int) -> None:
    """``lists.json``: titles of the bundled collection with their first `depth` documents by BM25, best first, and
    their scores.

    Every `(count + held)`-th title is taken; the last `held` lists are for judging what was learned.
    """
    from harness.collections.parse import parse_source
    from harness.collections.prepared import prepare
    from harness.retrieval.engines.bm25s import Bm25s

    corpus = prepare(parse_source("semanlink"), folder / "collections").corpus
    engine, index = Bm25s(Bm25s.Settings()), folder / "index"
    index.mkdir()
    engine.index(corpus, index, silent)
    titles = [document.title for document in corpus.documents() if document.title.strip()]
    texts = corpus.slice_texts(0, len(corpus))
    found: list[dict[str, Any]] = [
        {"query": title, "documents": [texts[row] for row in hits.rows], "scores": _standard(hits.scores)}
        for title, hits in zip(titles, engine.search(index, titles, depth, silent), strict=True)
        if len(hits.rows) == depth
    ]
    chosen = found[:: max(1, len(found) // (count + held))][: count + held]
    (folder / "lists.json").write_text(json.dumps({"taught": chosen[:count], "held": chosen[count:]}), encoding="utf-8")


def read_lists(folder: Path, part: str) -> list[dict[str, Any]]:
    """The lists ``taught`` or ``held``: query, documents (best first), scores of mean 0 and deviation 1."""
    found: list[dict[str, Any]] = json.loads((folder / "lists.json").read_text(encoding="utf-8"))[part]
    return found


def _standard(scores: np.ndarray) -> list[float]:
    return [float(score) for score in (scores - scores.mean()) / (scores.std() + 1e-9)]


def agreement(scores: Iterable[Any]) -> float:
    """Mean nDCG of `scores`, one sequence a list in the teacher's order; the first document of K gains K - 1, the next
    K - 2, and so on."""
    values = []
    for given in scores:
        gains = np.arange(len(given) - 1, -1, -1)
        discounts = 1 / np.log2(np.arange(2, len(given) + 2))
        order = np.argsort(-np.asarray(given), kind="stable")
        values.append((gains[order] * discounts).sum() / (gains * discounts).sum())
    return float(np.mean(values))
