"""Re-rankers, fusion and supervised methods: their runs against what plain Python makes of the same inputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.labelling.labels.label_files import read_rankings
from harness.leaderboard.board import load_board
from harness.leaderboard.load_results import load_results
from harness.method import Method
from harness.pipeline.workspace import Workspace
from harness.plugins import plugins
from harness.published.result_folder import read_card
from harness.retrieval.run import Run
from harness.students.rerank_stages import put_first, scores_below
from harness.training_lists.topic_aware import add_cluster_documents, cluster_vectors
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import Swept

pytestmark = pytest.mark.models


ELSEWHERE = {
    "intermediate": "ours; every sweep of tests/pipeline runs it",
    "no-llm": "swept beside it there",
    "direct": "swept with every loss there",
    "fid-kd": "needs a T5: test_attention.py builds one",
    "synthetic-queries": "needs a teacher that writes: test_synthetic.py serves one",
    "gpl": "the same",
    "syntriever-stages": "the same",
}
"""Methods that this sweep leaves to other tests, and why."""


def test_every_method_is_published_and_on_the_board(all_methods: Swept) -> None:
    assert all_methods.outcome.summary["cells"]["failed"] == 0, all_methods.outcome.failures
    results = all_methods.home / "results"
    rows = load_board(results).as_json()["rows"]
    own = {name for name, method in plugins(Method).items() if method.__module__.startswith("baselines.")}
    assert set(ELSEWHERE) < own
    published = load_results(results).runs
    assert {run.card.method.name for run in published} == own - set(ELSEWHERE)
    assert {row["method"] for row in rows} == {run.card.method.label or run.card.method.name for run in published}
    assert all(0 <= row["metrics"]["nDCG@10"]["mean"] <= 1 for row in rows)


def test_fusion_fuses_bm25_and_zero_shot(all_methods: Swept) -> None:
    run = run_of(all_methods, "fusion")
    parts = [run_of(all_methods, label) for label in ("bm25", "zero-shot")]
    assert set(run.scores) == set(parts[1].scores)
    for query, found in run.scores.items():
        expected: dict[str, float] = {}
        for part in parts:
            for rank, document in enumerate(part.top(query), 1):
                expected[document] = expected.get(document, 0.0) + 1 / (60 + rank)
        assert found == pytest.approx(expected)


def run_of(swept: Swept, label: str) -> Run:
    return Run.read(swept.store.read(swept.cell(label).run))


def test_the_rest_follows_as_it_stood() -> None:
    assert put_first(["c", "a"], ["a", "b", "c", "d"]) == ["c", "a", "b", "d"]
    assert scores_below(["b", "d"], -3.5) == {"b": -4.5, "d": -5.5}


def test_a_ranker_reranks_what_it_is_shown(all_methods: Swept) -> None:
    from sentence_transformers import SentenceTransformer

    from harness.models import resolve_model

    first, run = run_of(all_methods, "bm25"), run_of(all_methods, "ranker-rerank")
    model = SentenceTransformer(str(resolve_model("bundled:bert-tiny").path), device="cpu")
    collection = all_methods.cells[0].inputs.collection
    texts = dict(
        zip(
            collection.queries("test").ids,
            collection.queries("test").texts(list(collection.queries("test").ids)),
            strict=True,
        )
    )
    for query in first.scores:
        shown, rest = first.top(query)[:3], first.top(query)[3:]
        scores = model.similarity(model.encode([texts[query]]), model.encode(collection.corpus.texts(shown)))[
            0
        ].tolist()
        assert (
            run.top(query) == [document for _, document in sorted(zip(scores, shown, strict=True), reverse=True)] + rest
        )


def test_rankgpt_trains_a_ranker_and_no_retriever(all_methods: Swept) -> None:
    first, run = run_of(all_methods, "bm25"), run_of(all_methods, "rankgpt")
    assert {query: set(run.scores[query]) for query in run.scores} == {
        query: set(first.scores[query]) for query in first.scores
    }
    assert all_methods.made("rankgpt", "ranker").is_dir()
    card = read_card(next(folder for folder in all_methods.outcome.published if folder.name.startswith("rankgpt")))
    assert card.student is None and card.ranker_loss == "ranknet" and card.costs.calls > 0


def test_the_teacher_reranks_the_evaluated_queries_and_its_price_is_on_the_card(all_methods: Swept) -> None:
    run, first = run_of(all_methods, "teacher-rerank"), run_of(all_methods, "bm25")
    rankings = {
        ranking.query: ranking
        for ranking in read_rankings(all_methods.made("teacher-rerank", "labels") / "rankings.jsonl.gz")
    }
    assert set(rankings) == set(all_methods.cells[0].inputs.collection.queries("test").ids)
    for query in first.scores:
        assert run.top(query)[:2] == list(rankings[query].ranked)
        assert run.top(query)[2:] == first.top(query)[2:]
    card = read_card(
        next(folder for folder in all_methods.outcome.published if folder.name.startswith("teacher-rerank"))
    )
    assert card.costs.calls > 0 and card.method.category == "reference" and card.labels is not None
    assert card.labels.total == len(rankings)


def test_an_oracle_puts_every_gold_document_it_is_shown_first(all_methods: Swept, lm: Path, tmp_path: Path) -> None:
    from harness.pipeline.live.observer import NullObserver

    file = all_methods.home / "sweep.yaml"
    overrides = ["teachers={best: {kind: oracle}}", "methods=[{method: teacher-rerank, shown: 100}]"]
    outcome = (
        Workspace(all_methods.home / "workspace")
        .plan(file, overrides)
        .run(tmp_path / "results", observer=NullObserver())
    )
    first, qrels = run_of(all_methods, "bm25"), all_methods.cells[0].inputs.collection.judgments("test").qrels
    found = [bool(set(first.top(query)) & set(gold)) for query, gold in qrels.items()]
    card = read_card(outcome.published[0])
    assert card.outcome is not None and card.outcome.metrics["nDCG@10"] == pytest.approx(np.mean(found))
    assert card.teacher is not None and card.teacher.teacher_type == "oracle"


def test_mined_negatives_are_what_the_untrained_student_finds(all_methods: Swept) -> None:
    from sentence_transformers import SentenceTransformer

    from harness.collections.pool import read_pool

    model = SentenceTransformer(str(all_methods.made("supervised-mined", "static-student")), device="cpu")
    corpus = all_methods.cells[0].inputs.collection.corpus
    documents = model.encode(corpus.texts(list(corpus.ids)))
    gold = {query.id: query.gold for query in read_pool(all_methods.store.read(all_methods.cells[0].inputs.pool))}
    for one in read_lists(all_methods.made("supervised-mined", "gold-lists")):
        scores = model.similarity(model.encode([one.text]), documents)[0].numpy()
        order = [corpus.ids[row] for row in np.argsort(-scores, kind="stable")][:4]
        assert set(one.positives) <= set(gold[one.query])
        assert (
            list(one.documents[one.ordered :]) == [id for id in order if id not in gold[one.query]][: 4 - one.ordered]
        )


def test_margin_mse_lists_keep_gold_first_and_carry_the_ranker_s_scores(all_methods: Swept) -> None:
    from harness.models import resolve_model
    from harness.students.ranker import load_ranker
    from harness.training_lists.list_dataset import ListDataset

    lists = read_lists(all_methods.made("margin-mse", "scored-lists"))
    assert lists and all(one.documents[0] in one.positives and one.ordered == 1 for one in lists)
    corpus = all_methods.cells[0].inputs.collection.corpus
    reader = load_ranker(resolve_model("bundled:bert-tiny").path, "bi-encoder").bind(ListDataset.of(lists, corpus), 64)
    for one, scores in zip(lists, reader.score_all(lambda done, total, unit="": None), strict=True):
        assert one.scores == pytest.approx(scores.tolist(), abs=1e-4)


def test_tas_b_adds_two_documents_of_queries_alike(all_methods: Swept) -> None:
    plain = {one.query: one for one in read_lists(all_methods.made("margin-mse", "gold-lists"))}
    lists = read_lists(all_methods.made("tas-b", "clustered-lists"))
    assert any(len(one.documents) > len(plain[one.query].documents) for one in lists)
    pairs = {document for one in plain.values() for document in one.documents[:2]}
    for one in lists:
        own = plain[one.query].documents
        assert one.documents[: len(own)] == own and one.positives == plain[one.query].positives
        assert set(one.documents[len(own) :]) <= pairs and len(set(one.documents)) == len(one.documents) <= len(own) + 4


def test_mates_bring_a_gold_document_and_a_negative_but_never_own_gold() -> None:
    # The gold of a query may be larger than what stands in its list.
    one = TrainingList("q1", "one", ("a", "x"), 1, positives=("a", "d"))
    two = TrainingList("q2", "two", ("b", "y", "z"), 1, positives=("b", "c", "e"))
    three = TrainingList("q3", "three", ("d", "x"), 1, positives=("d",))
    found = add_cluster_documents([one, two, three], [0, 0, 1], 5, seed=0)
    assert [each.documents for each in found] == [("a", "x", "b", "y"), ("b", "y", "z", "a", "x"), ("d", "x")]
    assert add_cluster_documents([one, three], [0, 0], 1, seed=0)[0].documents == ("a", "x")


def test_tas_b_draws_mates_anew_for_every_pass(all_methods: Swept) -> None:
    from harness.pipeline.graph import closure

    lists = read_lists(all_methods.made("tas-b redrawn", "passes"))
    passes = [
        stage for stage in closure([all_methods.cell("tas-b redrawn").run]).values() if stage.kind == "clustered-lists"
    ]
    drawn = [read_lists(all_methods.store.read(stage)) for stage in passes]
    assert len(drawn) == 2 and sorted(lists, key=repr) == sorted([one for part in drawn for one in part], key=repr)
    assert [one.query for one in drawn[0]] == [one.query for one in drawn[1]]
    assert any(one.documents != other.documents for one, other in zip(*drawn, strict=True))
    assert all_methods.stage("tas-b redrawn", "retriever").train.epochs == 1  # type: ignore[attr-defined]


def test_clusters_hold_what_is_near() -> None:
    near = np.random.default_rng(0).normal(size=(3, 5, 8)) * 0.01 + np.eye(3, 8)[:, None]
    places = cluster_vectors(near.reshape(15, 8).astype(np.float32), 5, seed=1)
    assert [len(set(places[start : start + 5])) for start in (0, 5, 10)] == [1, 1, 1] and len(set(places)) == 3


def test_cards_say_what_each_method_may_see(all_methods: Swept) -> None:
    seen = {cell.cell.method.name: cell.cell.method.sees for cell in all_methods.cells}
    assert {name for name, sees in seen.items() if "gold labels" in sees} == {
        "supervised",
        "supervised-mined",
        "margin-mse",
        "tas-b",
        "rocketqa-v2",
    }
    assert {name for name, sees in seen.items() if "answers" in sees} == {
        "replug-lsr",
        "pdist",
        "emdr2",
        "loop",
        "adist",
        "fid-kd-reader",
    }
    labels = json.loads((all_methods.made("rankgpt", "labels") / "summary.json").read_text())
    assert labels["queries"] == 8
