"""alpha-nDCG against ndeval (through pyndeval and ir_measures) and sums by hand; diversity qrels as they are typed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate, metric
from harness.evaluation.metrics.subtopics import Subtopics, diversity_scores, flattened, needs_subtopics, read_subtopics
from harness.retrieval.run import Run

DOCUMENTS = [f"d{number}" for number in range(9)]
grades = st.dictionaries(st.sampled_from("abcd"), st.integers(-1, 2), min_size=1, max_size=4)
judgments = st.dictionaries(
    st.sampled_from(["q1", "q2"]), st.dictionaries(st.sampled_from(DOCUMENTS), grades, min_size=1), min_size=1
)
# No two scores are equal: pyndeval breaks ties by rising ids, trec_eval and the harness by falling ones.
lists = st.lists(st.sampled_from([*DOCUMENTS, "unjudged"]), min_size=1, unique=True)


def scored(order: Iterable[str]) -> dict[str, float]:
    return {document: float(-rank) for rank, document in enumerate(order)}


@settings(max_examples=80, deadline=None)
@given(judgments, lists, st.sampled_from([0.0, 0.5, 0.75, 1.0]), st.integers(1, 12), st.integers(1, 2))
def test_values_are_ndevals(judged: Subtopics, order: list[str], alpha: float, k: int, rel: int) -> None:
    pytest.importorskip("pyndeval")
    qrels = [
        ir_measures.Qrel(query, document, grade, subtopic)
        for query, documents in judged.items()
        for document, found in documents.items()
        for subtopic, grade in found.items()
    ]
    name = f"alpha_nDCG(alpha={alpha},rel={rel})@{k}"
    run = [ir_measures.ScoredDoc("q1", document, score) for document, score in scored(order).items()]
    theirs = {
        found.query_id: found.value for found in ir_measures.iter_calc([ir_measures.parse_measure(name)], qrels, run)
    }
    [(ours_name, ours)] = diversity_scores(Run("r", {"q1": scored(order)}), judged, [name]).items()
    assert str(ir_measures.parse_measure(name)) == ours_name
    assert ours == pytest.approx(
        {query: theirs.get(query, 0.0) if query == "q1" else 0.0 for query in sorted(judged)}, abs=1e-9
    )


def test_values_by_hand() -> None:
    judged = {"q": {"x": {"a": 1, "b": 1}, "y": {"a": 1}, "z": {"c": 1}}}
    run = Run("r", {"q": scored(["y", "x", "none", "z"])})
    ideal = 2 + 1 / math.log2(3) + 0.5 / 2
    expected = (1 + 1.5 / math.log2(3) + 1 / math.log2(5)) / ideal
    assert diversity_scores(run, judged, ["alpha_nDCG@4"])["alpha_nDCG@4"]["q"] == pytest.approx(expected, abs=1e-12)
    assert diversity_scores(run, {"q": {"x": {"a": 0}}}, ["alpha_nDCG@4"])["alpha_nDCG@4"] == {"q": 0.0}


@settings(max_examples=50, deadline=None)
@given(judgments, lists)
def test_other_metrics_see_the_best_grade(judged: Subtopics, order: list[str]) -> None:
    run = Run("r", {"q1": scored(order)})
    assert (
        diversity_scores(run, judged, ["nDCG@5", "alpha_nDCG@5"])["nDCG@5"]
        == evaluate(run.scores, flattened(judged), ["nDCG@5"])["nDCG@5"]
    )


def test_names_and_what_grades_alone_cannot_tell() -> None:
    assert (
        str(metric("andcg(alpha=0.5)@20")) == "alpha_nDCG@20"
        and needs_subtopics("alpha_nDCG@5")
        and not needs_subtopics("nDCG@5")
    )
    with pytest.raises(UserError, match="judgments by subtopic"):
        evaluate({"q": {"d": 1.0}}, {"q": {"d": 1}}, ["alpha_nDCG@5"])
    with pytest.raises(UserError, match="needs a cutoff"):
        metric("alpha_nDCG")


def test_as_it_is_typed(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("q1 1 d1 1\nq1 2 d1 0\nq1 2 d2 1\n")
    (tmp_path / "run").write_text("q1 Q0 d1 1 2 mine\nq1 Q0 d2 2 1 mine\n")
    words = [
        "evaluate",
        str(tmp_path / "run"),
        "--qrels",
        str(tmp_path / "qrels"),
        "-m",
        "alpha_nDCG@5",
        "-m",
        "nDCG@5",
        "--json",
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["metrics"] == {"alpha_nDCG@5": 1.0, "nDCG@5": 1.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q1 1 d1 x\n", "no judgment"),
        ("q1 1 d1\n", "no judgment"),
        ("q1 1 d1 1\nq1 1 d1 0\n", "two grades"),
        ("\n", "holds no judgments"),
    ],
)
def test_wrong_lines_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "qrels").write_text(text)
    with pytest.raises(UserError, match=said):
        read_subtopics(tmp_path / "qrels")
