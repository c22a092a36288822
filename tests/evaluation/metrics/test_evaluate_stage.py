"""The `Evaluate` stage: what it writes, and what its key depends on."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from beir.retrieval.evaluation import EvaluateRetrieval
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.collections.collection import Judgments
from harness.collections.own_documents import dropping
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.evaluation.metrics.lookup import evaluate, mean
from harness.evaluation.metrics.per_query_file import read_scores
from harness.retrieval.run import Run
from harness.stage import Context, Stage

QRELS = {"q1": {"a": 1, "b": 0}, "q2": {"b": 2}, "q3": {"c": 1}}
RUN = Run("toy", {"q1": {"a": 1.0, "b": 2.0}, "q2": {"b": 0.5}, "other": {"a": 1.0}})


@dataclass(frozen=True, eq=False)
class ToyRun(Stage):
    """A run that is there already."""

    text: str
    kind: ClassVar[str] = "toy-run"

    def run(self, out: Path, context: Context) -> None:
        RUN.write(out / "run.trec.gz")


class ToyContext:
    """Gives a folder to every stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, stage: Stage) -> Path:
        return self.folder


def make(identity: str = "abc", metrics: tuple[str, ...] = ("nDCG@10", "RR@10"), text: str = "x") -> Evaluate:
    return Evaluate(source=ToyRun(text=text), judgments=Judgments("test", identity, QRELS), metrics=metrics)


def test_it_writes_values_and_means(tmp_path: Path) -> None:
    context = ToyContext(tmp_path)
    ToyRun(text="x").run(tmp_path, context)
    make().run(tmp_path, context)
    scores = read_scores(tmp_path / "metrics.parquet")
    assert scores == evaluate(RUN.scores, QRELS, ["nDCG@10", "RR@10"])
    means = json.loads((tmp_path / "means.json").read_text())
    assert means == {"queries": 3, "missing": 1, "metrics": {name: mean(values) for name, values in scores.items()}}
    assert means["metrics"]["RR@10"] == 0.5


def test_its_key_is_that_of_run_judgments_and_metrics() -> None:
    assert make().key == make().key
    assert [stage.kind for stage in make().inputs()] == ["toy-run"]
    assert len({make().key, make(identity="abd").key, make(metrics=("AP",)).key, make(text="y").key}) == 4


def test_the_same_artefact_to_the_last_byte(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
        RUN.write(folder / "run.trec.gz")
        make().run(folder, ToyContext(folder))
    for name in ("metrics.parquet", "means.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
LISTS = st.dictionaries(IDS, st.dictionaries(IDS, st.integers(0, 90), min_size=2), min_size=3, max_size=3)


@settings(deadline=None)
@given(found=LISTS, grades=st.dictionaries(IDS, st.integers(0, 3), min_size=1))
def test_queries_that_are_documents_are_scored_as_beir_scores_them(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, dict[str, int]], grades: dict[str, int]
) -> None:
    folder = tmp_path_factory.mktemp("beir")
    scores = {query: {one: float(value) for one, value in run.items()} for query, run in found.items()}
    qrels = {query: dict(grades) for query in found}
    Run("toy", scores).write(folder / "run.trec.gz")
    judgments = dropping(Judgments("test", "abc", qrels))
    metrics = tuple(f"{name}@{k}" for name in ("nDCG", "R", "P", "AP") for k in (1, 3, 10))
    Evaluate(source=ToyRun(text="x"), judgments=judgments, metrics=metrics).run(folder, ToyContext(folder))
    ours = json.loads((folder / "means.json").read_text())["metrics"]
    theirs = EvaluateRetrieval.evaluate(qrels, copy.deepcopy(scores), [1, 3, 10], ignore_identical_ids=True)
    names = {"NDCG": "nDCG", "MAP": "AP", "Recall": "R", "P": "P"}
    for values in theirs:
        for name, value in values.items():
            kind, _, k = name.partition("@")
            assert ours[f"{names[kind]}@{k}"] == pytest.approx(value, abs=1e-5), name
