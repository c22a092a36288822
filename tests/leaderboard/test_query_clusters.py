"""Queries in clusters, as runs were published with them, in everything that is made of a results folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of, fixed_run
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import board_of, load_board
from harness.leaderboard.collections_meta import meta_of
from harness.leaderboard.comparison import compare_rows
from harness.leaderboard.curves.frontier import frontier
from harness.leaderboard.load_results import load_results
from harness.leaderboard.report.page import make_report, render
from harness.leaderboard.row_query_values import per_query
from harness.leaderboard.row_texts import titles
from harness.published.card import Card
from harness.published.card_collection import ClustersOnCard
from harness.published.result_folder import publish, read_folder
from tests.leaderboard.runs import QRELS, QUERIES, make_card, make_run, our_card, put

ARTICLES = {query: f"article {int(number**0.5)}" for number, query in enumerate(QUERIES[:50])}
"""Eight of growing size; ten queries stand for themselves."""


def clustered(card: Card, named: dict[str, str] = ARTICLES) -> Card:
    about = card.collection.model_copy(update={"clusters": ClustersOnCard.of("article", named)})
    return card.model_copy(update={"data": card.data.model_copy(update={"test_collection": about})})


def put_clustered(results: Path, card: Card, quality: float, seed: int, named: dict[str, str] = ARTICLES) -> None:
    folder = put(results, card, make_run(quality, seed))
    run, metrics = results / "run.trec.gz", results / "metrics.parquet"
    publish(folder, clustered(card, named), run, metrics, clusters=named)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline without clusters, of before, and a method whose cards tell of them and of what resamples share."""
    folder = tmp_path_factory.mktemp("clusters") / "results"
    put(folder, make_card("zero", budget=None), make_run(0.2, 1))
    for resample in range(3):
        card = our_card("ours", 300, resample, shared_queries=0.4)
        put_clustered(folder, card, 0.6, 40 + resample)
    return folder


def expected(results: Path) -> MeanDifference:
    """The difference by hand, from the files."""
    runs = [read_folder(folder) for folder in sorted((results / "semanlink").iterdir())]
    values = np.array([[run.scores["nDCG@10"][query] for query in QUERIES] for run in runs]).T
    names = [ARTICLES.get(query, query) for query in QUERIES]
    design = tuple((run.card.resample, run.card.seed) for run in runs[:-1])
    ours = MethodRuns(values[:, :-1], design, 0.4)
    return difference_of(ours, fixed_run(values[:, -1]), Clusters.of(names))


def test_the_same_pair_has_the_same_p_everywhere(results: Path) -> None:
    result_set = load_results(results)
    (table,) = board_of(result_set, baseline="zero-shot").tables
    assert table.tested_on == "60 queries in 18 clusters"
    assert "paired t over queries and runs (60 queries in 18 clusters)" in table.family
    assert table.as_json()["clusters"] == 18
    named = titles(table)
    ours, zero = named
    row, known = named[ours].against, expected(results)
    assert row.p == pytest.approx(known.p(), rel=1e-9)
    assert row.interval == pytest.approx(known.interval(), rel=1e-9)
    values = per_query(result_set, table, list(named.items()))
    page = compare_rows(values, TestSpec(), baseline=zero)
    assert page["clusters"] == 18
    assert page["comparisons"][0]["p"] == pytest.approx(row.p, rel=1e-9)
    priced = frontier(result_set, table, list(named.items()), "labels")
    assert "t over queries and runs" in priced.family or priced.family == "nothing tested"
    (of_meta,) = meta_of(result_set, ["intermediate"]).methods
    assert of_meta.parts[0].against.p == pytest.approx(row.p, rel=1e-9)
    document = render(make_report(results, baseline=["zero-shot"]), "markdown")
    assert "60 queries in 18 clusters" in document


def test_compare_of_folders_takes_their_clusters(results: Path, tmp_path: Path) -> None:
    qrels = tmp_path / "qrels.tsv"
    lines = [f"{query} 0 {document} {grade}" for query, grades in QRELS.items() for document, grade in grades.items()]
    qrels.write_text("\n".join(lines) + "\n")
    folders = [str(folder) for folder in sorted((results / "semanlink").iterdir())]
    words = ["compare", *folders, "--group", "--baseline", folders[-1], "--qrels", str(qrels), "--json"]
    answer = json.loads(CliRunner().invoke(app, words).stdout)
    known = expected(results)
    assert answer["clusters"] == 18
    assert answer["comparisons"][0]["p"] == pytest.approx(known.p(), rel=1e-9)
    assert answer["comparisons"][0]["interval"] == pytest.approx(known.interval(), rel=1e-9)
    alone = json.loads(CliRunner().invoke(app, ["evaluate", folders[0], "--qrels", str(qrels), "--json"]).stdout)
    assert alone["clusters"] == 18
    other = tmp_path / "clusters.tsv"
    other.write_text("".join(f"{query}\tone\n" for query in QUERIES[:30]))
    words = ["evaluate", folders[0], "--qrels", str(qrels), "--clusters", str(other), "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)["clusters"] == 31


def test_what_was_read_before_has_its_clusters(results: Path, tmp_path: Path) -> None:
    fresh = load_results(results, cache=tmp_path)
    again = load_results(results, cache=tmp_path)
    assert [run.clusters for run in again.runs] == [run.clusters for run in fresh.runs]
    assert board_of(again).tables[0].tested_on == "60 queries in 18 clusters"


def test_of_several_ways_to_tell_clusters_the_fewest_count_and_the_others_are_named(results: Path) -> None:
    pairs = {query: f"pair {number // 2}" for number, query in enumerate(QUERIES)}
    put_clustered(results, our_card("other", 100, 0), 0.4, 5, pairs)
    (table,) = load_board(results).tables
    assert table.tested_on == "60 queries in 18 clusters"
    assert any("in other clusters too (30): tested over the 8 by article" in note for note in table.notes)
    (table,) = load_board(results, clusters=dict.fromkeys(QUERIES, "one")).tables
    assert table.tested_on == "60 queries in 1 cluster"
    row = next(row for row in table.rows if row.against)
    assert (row.against.p, row.against.interval, row.against.verdict) == (1.0, None, "")
    assert row.metrics["nDCG@10"].interval is None
