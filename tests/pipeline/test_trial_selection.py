"""Choosing between trials: what the stage makes, which stages a tuned cell needs, what is refused before anything
runs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness.collections.collection import Judgments
from harness.errors import UserError
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.store import Store
from harness.pipeline.trial_selection import FILE, SelectTrial, TrialCandidate
from harness.pipeline.workspace import Workspace
from harness.retrieval.run import Run
from harness.retrieval.search_stages import DenseSearch, Embed
from harness.stage import Context, Stage
from harness.training.train_stages import TrainRetriever
from tests.collections.folders import write_folder

QRELS = {"q1": {"d1": 1}, "q2": {"d2": 1}}


@dataclass(frozen=True, eq=False)
class Model(Stage):
    """A folder with a file and a folder in it, like a model's."""

    name: str
    kind: ClassVar[str] = "toy-model"

    def run(self, out: Path, context: Context) -> None:
        (out / "pooling").mkdir()
        (out / "weights.txt").write_text(self.name)
        (out / "pooling" / "config.json").write_text("{}")


@dataclass(frozen=True, eq=False)
class Found(Stage):
    """A run that finds the documents of some queries first."""

    model: Model
    right: tuple[str, ...]
    kind: ClassVar[str] = "toy-run"

    def run(self, out: Path, context: Context) -> None:
        scores = {query: {f"d{query[1]}": 1.0 if query in self.right else 0.1, "d9": 0.5} for query in QRELS}
        Run(self.model.name, scores).write(out / "run.trec.gz")


def candidate(name: str, *right: str) -> TrialCandidate:
    model = Model(name=name)
    scores = Evaluate(
        source=Found(model=model, right=right), judgments=Judgments("dev", "0" * 8, QRELS), metrics=("RR@10",)
    )
    return TrialCandidate({"epochs": len(name)}, model, scores)


def made(tmp_path: Path, *trials: TrialCandidate) -> tuple[Store, SelectTrial]:
    choice, workspace = SelectTrial(trials=trials, metric="RR@10"), Workspace(tmp_path)
    store = workspace.store
    outcome = LocalExecutor(workspace, store, workspace.ledger, NullObserver()).execute([choice])
    assert not outcome.failed
    return store, choice


def test_the_best_is_chosen_and_all_trials_are_told(tmp_path: Path) -> None:
    store, choice = made(tmp_path, candidate("a"), candidate("bb", "q1", "q2"), candidate("ccc", "q2"))
    folder = store.read(choice)
    assert (folder / "weights.txt").read_text() == "bb" and (folder / "pooling" / "config.json").is_file()
    assert json.loads((folder / FILE).read_text()) == {
        "metric": "RR@10",
        "chosen": 1,
        "trials": [
            {"settings": {"epochs": epochs}, "score": score} for epochs, score in ((1, 0.5), (2, 1.0), (3, 0.75))
        ],
    }


def test_of_equals_the_first_is_chosen(tmp_path: Path) -> None:
    store, choice = made(tmp_path, candidate("a"), candidate("b", "q1"), candidate("c", "q2"), candidate("d", "q1"))
    assert (store.read(choice) / "weights.txt").read_text() == "b"


def test_the_chosen_folder_shares_the_files_but_not_the_record_of_its_retriever(tmp_path: Path) -> None:
    store, choice = made(tmp_path, candidate("a", "q1"), candidate("b"))
    retriever = choice.trials[0].retriever
    assert isinstance(retriever, Stage)
    ours, theirs = store.read(choice) / "weights.txt", store.read(retriever) / "weights.txt"
    assert ours.samefile(theirs)
    assert store.manifest(retriever)["kind"] == "toy-model" and store.manifest(choice)["kind"] == "choose"
    assert Workspace(tmp_path).store.read(retriever) == store.place(retriever)


def test_files_are_copied_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    store, choice = made(tmp_path, candidate("a", "q1"), candidate("b"))
    assert (store.read(choice) / "weights.txt").read_text() == "a"


HEAD = """
collections: [{folder: small}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {depth: 3}
teachers: {shuffled: {kind: shuffled}}
methods: [bm25, zero-shot, {method: direct, epochs: 1}]
budgets: [1]
"""
TUNE = "tune: {trials: {learning_rate: [0.001, 0.003, 0.01]}}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_folder(tmp_path / "small")
    return tmp_path


def planned(home: Path, text: str, *overrides: str) -> list[PlannedCell]:
    (home / "sweep.yaml").write_text(text)
    return Workspace(home / "workspace").plan(home / "sweep.yaml", overrides).cells


def of(kind: type[Stage], *cells: PlannedCell) -> dict[str, Stage]:
    return {key: stage for key, stage in closure(cell.evaluate for cell in cells).items() if isinstance(stage, kind)}


@pytest.mark.models
def test_only_the_chosen_retriever_reaches_the_evaluated_split(home: Path) -> None:
    *untrained, tuned = planned(home, HEAD + TUNE)
    assert [cell.choice for cell in untrained] == [None, None] and tuned.choice is not None
    test = tuned.inputs.collection.queries("test").identity
    tests = [
        stage
        for stage in of(DenseSearch, tuned).values()
        if isinstance(stage, DenseSearch) and _identity(stage) == test
    ]
    assert [stage.model for stage in tests] == [tuned.choice]
    before = closure([tuned.choice])
    assert {stage.judgments.split for stage in before.values() if isinstance(stage, Evaluate)} == {"dev"}
    assert test not in {_identity(stage) for stage in before.values() if isinstance(stage, DenseSearch)}
    assert (len(of(TrainRetriever, tuned)), len(of(Embed, tuned)), len(of(DenseSearch, tuned))) == (3, 4, 4)


def _identity(stage: DenseSearch) -> str:
    return stage.queries.key if isinstance(stage.queries, Stage) else stage.queries.identity


@pytest.mark.models
def test_trials_share_their_retrievers_with_sweeps_that_set_the_same(home: Path) -> None:
    tuned = planned(home, HEAD + TUNE)
    alone = planned(home, HEAD.replace("epochs: 1", "epochs: 1, learning_rate: [0.001, 0.003, 0.01, 0.03]"))
    assert set(of(TrainRetriever, *tuned)) < set(of(TrainRetriever, *alone))
    untrained = planned(home, HEAD)[:2]
    assert [cell.evaluate.key for cell in tuned[:2]] == [cell.evaluate.key for cell in untrained]
    assert tuned[-1].evaluate.key not in {cell.evaluate.key for cell in alone}


@pytest.mark.models
def test_where_only_queries_are_learnt_documents_are_embedded_once(home: Path) -> None:
    *_, tuned = planned(home, HEAD.replace("epochs: 1", "epochs: 1, frozen_documents: true") + TUNE)
    assert [stage.model for stage in of(Embed, tuned).values() if isinstance(stage, Embed)] == [tuned.inputs.retriever]
    assert isinstance(tuned.run, DenseSearch) and tuned.run.model is tuned.choice


@pytest.mark.models
def test_trials_that_are_searched_differently_are_refused(home: Path) -> None:
    with pytest.raises(UserError, match="'direct' search their retrievers in different ways"):
        planned(home, HEAD + "tune: {trials: {frozen_documents: [false, true]}}\n")


@pytest.mark.models
def test_a_collection_without_the_split(home: Path) -> None:
    with pytest.raises(UserError, match="has no split 'val' to choose on") as caught:
        planned(home, HEAD + TUNE, "tune.split=val")
    assert (caught.value.key, caught.value.remedy) == ("tune.split", "others of its splits: train, dev")
    write_folder(home / "bare", qrels={"test": [("q1", "d1", 1)]})
    with pytest.raises(UserError, match="without tune"):
        planned(home, HEAD.replace("small", "bare") + TUNE, "methods=[zero-shot]")


@pytest.mark.models
def test_splits_that_share_queries(home: Path) -> None:
    both = [("q2", "d2", 1)]
    write_folder(home / "leaky", qrels={"train": [("q1", "d1", 1)], "val": both, "test": [*both, ("q3", "d3", 1)]})
    with pytest.raises(UserError, match=r"1 queries of the split 'val' of .* are also in 'test'"):
        planned(home, HEAD.replace("small", "leaky") + TUNE, "tune.split=val")
