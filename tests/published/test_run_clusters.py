"""Clusters of queries beside a run: written, read, checked, and renewed where they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.metrics.per_query_file import write_scores
from harness.evaluation.query_clusters import sharing_documents
from harness.evaluation.significance.clusters import FILE, save_clusters
from harness.leaderboard.load_results import load_results
from harness.published.card import Card
from harness.published.card_collection import ClustersOnCard
from harness.published.result_folder import publish, read_card, read_folder, run_folder
from harness.published.verify import verify
from tests.leaderboard.runs import METRICS, QRELS, QUERIES, make_card, make_run, put

PASSAGES = sharing_documents(QRELS)
ARTICLES = {query: f"article {number // 6}" for number, query in enumerate(QUERIES)}


def with_clusters(named: dict[str, str], by: str = "article", tag: str = "zero") -> Card:
    card = make_card(tag)
    about = card.collection.model_copy(update={"clusters": ClustersOnCard.of(by, named), "seen_in_training": 0.0})
    return card.model_copy(update={"data": card.data.model_copy(update={"test_collection": about})})


def publish_with(results: Path, card: Card, clusters: dict[str, str]) -> bool:
    run, metrics = results / "run.trec.gz", results / "metrics.parquet"
    results.mkdir(exist_ok=True)
    make_run(0.5).write(run)
    write_scores(metrics, evaluate(make_run(0.5).scores, QRELS, METRICS))
    return publish(run_folder(results, card), card, run, metrics, clusters=clusters or None)


def test_what_is_published_is_read_again_and_the_cell_is_the_same(tmp_path: Path) -> None:
    card = with_clusters(ARTICLES)
    assert publish_with(tmp_path, card, ARTICLES)
    found = read_folder(run_folder(tmp_path, card))
    assert found.clusters == ARTICLES
    assert found.card.collection == card.collection
    assert (found.card.collection.clusters.count, found.card.collection.seen_in_training) == (10, 0.0)
    assert FILE in found.card.outcome.files
    assert found.card.identity() == make_card("zero").identity(), "clusters change no run"
    assert not publish_with(tmp_path, card, ARTICLES)


def test_a_card_of_before_is_read_and_renewed(tmp_path: Path) -> None:
    folder = put(tmp_path, make_card("zero"), make_run(0.5))
    assert (read_folder(folder).clusters, read_card(folder).collection.clusters) == ({}, None)
    assert "clusters" not in (folder / "card.yaml").read_text()
    assert publish_with(tmp_path, with_clusters(ARTICLES), ARTICLES), "the same cell, which tells more now"
    assert read_folder(folder).clusters == ARTICLES
    moved = {**ARTICLES, "q000": "article 9"}
    assert publish_with(tmp_path, with_clusters(moved), moved), "as many clusters, other ones"
    assert read_folder(folder).clusters == moved
    assert publish_with(tmp_path, make_card("zero"), {}), "what the sweep file does not ask for any more goes"
    assert not (folder / FILE).exists() and read_folder(folder).clusters == {}


def test_other_clusters_than_the_card_tells_of_make_a_folder_false(tmp_path: Path) -> None:
    card = with_clusters(ARTICLES)
    publish_with(tmp_path, card, ARTICLES)
    folder = run_folder(tmp_path, card)
    save_clusters(folder / FILE, {**ARTICLES, "q001": "article 9"})
    with pytest.raises(UserError, match="other clusters than the card tells of"):
        read_folder(folder)
    assert any("hash: clusters.parquet" in problem for problem in verify(folder, QRELS))
    (folder / FILE).unlink()
    assert [skipped.folder for skipped in load_results(tmp_path).skipped] == ["semanlink/zero"]
    with pytest.raises(UserError, match="missing"):
        read_folder(folder)


def test_clusters_of_shared_passages_follow_from_the_judgments(tmp_path: Path) -> None:
    honest, invented = with_clusters(PASSAGES, "passage"), with_clusters(ARTICLES, "passage", "invented")
    publish_with(tmp_path, honest, PASSAGES)
    publish_with(tmp_path, invented, ARTICLES)
    assert verify(run_folder(tmp_path, honest), QRELS) == []
    (problem,) = verify(run_folder(tmp_path, invented), QRELS)
    assert problem.startswith("clusters: clusters.parquet is not which queries share")
