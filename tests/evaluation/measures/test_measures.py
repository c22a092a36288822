"""Metrics that pytrec_eval lacks, against other libraries and plain sums; real runs against pytrec_eval and
ir_measures."""

from __future__ import annotations

from pathlib import Path

import ir_measures
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.collections.qrels import read_qrels
from harness.evaluation.metrics.lookup import evaluate
from harness.retrieval.run import Run
from tests.evaluation.metrics.test_metrics import CASES, NAMES, assert_equal, judgments, reference, runs


@settings(**CASES)
@given(runs, judgments, st.integers(1, 6))
def test_exponential_gain_is_pytrec_evals_ndcg_of_exponential_grades(run: dict, qrels: dict, k: int) -> None:
    gains = {
        query: {document: 2**grade - 1 if grade > 0 else grade for document, grade in found.items()}
        for query, found in qrels.items()
    }
    theirs = pytrec_eval.RelevanceEvaluator(gains, {"ndcg", f"ndcg_cut.{k}"}).evaluate(run)
    ours = evaluate(run, qrels, ["nDCG(dcg='exp-log2')", f"nDCG(dcg='exp-log2')@{k}"])
    for name, key in zip(ours, ("ndcg", f"ndcg_cut_{k}"), strict=True):
        assert ours[name] == pytest.approx({query: theirs.get(query, {}).get(key, 0.0) for query in qrels}, abs=1e-9)


@settings(**CASES)
@given(runs, judgments, st.integers(1, 6), st.integers(1, 3), st.floats(0.1, 0.9))
def test_rbp_and_f1_are_their_sums(run: dict, qrels: dict, k: int, rel: int, p: float) -> None:
    names = [f"RBP(p={p!r},rel={rel})", f"RBP(p={p!r},rel={rel})@{k}", f"F1(rel={rel})@{k}"]
    ours = evaluate(run, qrels, names)
    for query, grades in qrels.items():
        hits = [grades.get(document, -1) >= rel for document in Run("", run).top(query)]
        gained = [(1 - p) * p**place * hit for place, hit in enumerate(hits)]
        found, relevant = sum(hits[:k]), sum(grade >= rel for grade in grades.values())
        precision, recall = found / k, found / relevant if relevant else 0.0
        f1 = 2 * precision * recall / (precision + recall) if found else 0.0
        assert [values[query] for values in ours.values()] == pytest.approx(
            [sum(gained), sum(gained[:k]), f1], abs=1e-12
        )


@settings(**CASES)
@given(st.integers(1, 4), st.data())
def test_lists_of_many_lengths_with_many_ties_give_pytrec_evals_ranks(queries: int, data: st.DataObject) -> None:
    """Long and short lists side by side; few distinct scores, so that most ranks are decided by the ids."""
    lengths = data.draw(st.lists(st.integers(1, 60), min_size=queries, max_size=queries))
    score = st.sampled_from([0.0, -0.0, 1.0, 2.0, 2.0 + 1e-9, -1e300])
    run = {f"q{n}": {f"d{d}": data.draw(score) for d in range(length)} for n, length in enumerate(lengths)}
    qrels = {query: {f"d{d}": 1 for d in range(0, 60, 7)} for query in run}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"map", "recip_rank"}).evaluate(run)
    ours = evaluate(run, qrels, ["AP", "RR"])
    assert ours["AP"] == pytest.approx({query: theirs[query]["map"] for query in run}, abs=1e-12)
    assert ours["RR"] == pytest.approx({query: theirs[query]["recip_rank"] for query in run}, abs=1e-12)


def test_queries_of_several_blocks_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {f"q{n}": {f"d{d}": float((d * 7 + n) % 11) for d in range(n + 1)} for n in range(30)}
    qrels = {query: {"d0": 1, "d9": 2} for query in run}
    whole = evaluate(run, qrels, ["AP", "nDCG@5"])
    monkeypatch.setattr("harness.evaluation.measures._ranks._BLOCK", 50)
    assert evaluate(run, qrels, ["AP", "nDCG@5"]) == whole


def test_condensed_lists_are_marked_and_leave_out_what_was_not_judged() -> None:
    run, qrels = {"q": {"unknown": 3.0, "pooled": 2.0, "a": 1.0}}, {"q": {"a": 1, "pooled": -1}}
    assert evaluate(run, qrels, ["RR", "RR(judged_only=True)"]) == {
        "RR": {"q": pytest.approx(1 / 3)},
        "RR(judged_only=True)": {"q": 1.0},
    }


def test_huge_grades_give_numbers() -> None:
    run, qrels = {"q": {"a": 2.0, "b": 1.0}}, {"q": {"a": 999_999_999, "b": 3}}
    assert evaluate(run, qrels, ["nDCG", "nDCG(dcg='exp-log2')"]) == {
        "nDCG": {"q": 1.0},
        "nDCG(dcg='exp-log2')": {"q": 1.0},
    }


REAL = [*NAMES, "nDCG@20", "P@20", "R@1000", "Judged@10"]


@pytest.mark.shared
@pytest.mark.parametrize("year", ["dl19", "dl20"])
@pytest.mark.parametrize(
    "name",
    [
        "candidates/bm25.{}.trec",
        "candidates/splade_p_p_ensemble_distil.{}.trec",
        "rankings/gpt-3.5-turbo/bm25.{}.rep1.trec",
    ],
)
def test_real_runs_equal_ir_measures(shared_data: Path, year: str, name: str) -> None:
    folder = shared_data / "trec-dl"
    run, qrels = Run.read(folder / name.format(year)).scores, read_qrels(folder / "qrels" / f"{year}.tsv")
    assert_equal(evaluate(run, qrels, REAL), reference(run, qrels, REAL))


@pytest.mark.shared
@pytest.mark.parametrize("collection", ["scifact", "cranfield"])
def test_real_judgments_equal_ir_measures(shared_data: Path, collection: str) -> None:
    """A made run over the real judgments: all judged documents and as many others, with scores that tie."""
    qrels = read_qrels(shared_data / collection / "qrels" / "test.tsv")
    run = {
        query: {
            document: float((7 * place) % 5)
            for place, document in enumerate([*grades, *(f"{query}-{n}" for n in range(50))])
        }
        for query, grades in qrels.items()
    }
    assert_equal(evaluate(run, qrels, NAMES), reference(run, qrels, NAMES))
    assert {str(ir_measures.parse_measure(name)) for name in NAMES} == set(NAMES)
