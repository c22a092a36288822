"""The choice between the trials of a cell: each trial's retriever is searched and scored on a split of its own, the
best one goes on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Collection
from harness.config.cells import Cell
from harness.config.tuning import Tuning
from harness.errors import UserError
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.method import MethodInputs, RetrieverMethod, document_model
from harness.models import ModelFiles, model_path
from harness.pipeline.artefact_records import MANIFEST
from harness.plugins import Settings
from harness.retrieval.student_type import StudentType, student_type_of
from harness.stage import Context, Stage, digest

FILE = "trials.json"


@dataclass(frozen=True)
class TrialCandidate:
    """A retriever to choose: what its trial sets, by dotted name, and what it scored."""

    settings: Mapping[str, Any]
    retriever: ModelFiles | Stage
    scores: Evaluate


@dataclass(frozen=True, eq=False)
class SelectTrial(Stage):
    """The retriever with the largest mean of `metric`, of equals the first.

    The artefact is its folder, with ``trials.json`` beside the model: the metric, the number of the chosen trial from
    0, and settings and score of every trial.
    """

    trials: tuple[TrialCandidate, ...]
    metric: str
    kind: ClassVar[str] = "choose"

    @property
    def label(self) -> str:
        first = self.trials[0].retriever
        return f"best of {len(self.trials)}: {first.label if isinstance(first, Stage) else first.name}"

    @property
    def documents(self) -> ModelFiles | Stage:
        """What embeds the documents: the chosen retriever itself, or the model that no trial trains."""
        return _frozen(self.trials[0].retriever) or self

    @property
    def student_type(self) -> StudentType | None:
        """That of the trials' retrievers."""
        return student_type_of(self.trials[0].retriever)

    def run(self, out: Path, context: Context) -> None:
        scores = [self._score(trial, context) for trial in self.trials]
        number = scores.index(max(scores))
        retriever = self.trials[number].retriever
        _share(model_path(retriever, context), out, link=isinstance(retriever, Stage))
        trials = [
            {"settings": dict(trial.settings), "score": score} for trial, score in zip(self.trials, scores, strict=True)
        ]
        told = {"metric": self.metric, "chosen": number, "trials": trials}
        (out / FILE).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _score(self, trial: TrialCandidate, context: Context) -> float:
        means = json.loads((context.path(trial.scores) / "means.json").read_text(encoding="utf-8"))
        return float(means["metrics"][self.metric])


def _share(source: Path, out: Path, link: bool) -> None:
    """The files of `source` in `out`, but not the record of how they were made. Links are for what never changes:
    artefacts."""
    shutil.copytree(
        source,
        out,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(MANIFEST),
        copy_function=_link if link else shutil.copyfile,
    )


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def select_trial(cell: Cell, inputs: MethodInputs, tuning: Tuning) -> SelectTrial:
    """The stage that chooses between the retrievers of the cell's trials."""
    apart = replace(inputs, split=tuning.split)
    judgments = inputs.collection.judgments(tuning.split)

    def candidate(settings: Settings, changed: Mapping[str, Any]) -> TrialCandidate:
        method = _method(cell, settings)
        retriever = method.retriever(inputs)
        scores = Evaluate(source=method.search(apart, retriever), judgments=judgments, metrics=(tuning.metric,))
        return TrialCandidate(changed, retriever, scores)

    return SelectTrial(
        trials=tuple(candidate(trial.settings, trial.changed) for trial in cell.trials), metric=tuning.metric
    )


def search(cell: Cell, inputs: MethodInputs, chosen: SelectTrial) -> Stage:
    """The run of the chosen retriever. Raises UserError when it depends on the trial how its retriever is searched."""
    documents = {digest(_frozen(trial.retriever)) for trial in chosen.trials}
    found = {
        stage.key: stage for stage in (_method(cell, trial.settings).search(inputs, chosen) for trial in cell.trials)
    }
    if max(len(documents), len(found)) > 1:
        raise UserError(
            f"the trials of '{cell.label}' search their retrievers in different ways, so that one search cannot stand "
            "for them",
            key="tune.trials",
            remedy="make such a setting an axis: a list for it in the entry of the method",
        )
    return next(iter(found.values()))


def _frozen(model: ModelFiles | Stage) -> ModelFiles | Stage | None:
    """What embeds the documents for `model`, where that is another."""
    documents = document_model(model)
    return None if documents is model else documents


def _method(cell: Cell, settings: Settings) -> RetrieverMethod:
    method = cell.method(settings)
    assert isinstance(method, RetrieverMethod), "only methods that end in a retriever have trials"
    return method


def check_split(collection: Collection, tuning: Tuning, evaluated: str) -> None:
    """Raises UserError when `collection` has no split to choose on, or one that shares queries with the evaluated
    split."""
    if tuning.split not in collection.splits:
        others = [split for split in collection.splits if split != evaluated]
        remedy = (
            f"others of its splits: {', '.join(others)}"
            if others
            else "take the collection out of the sweep, or sweep it without tune"
        )
        message = f"collection '{collection.name}' has no split '{tuning.split}' to choose on"
        raise UserError(message, remedy=remedy)
    shared = _ids(collection, tuning.split) & _ids(collection, evaluated)
    if shared:
        message = (
            f"{len(shared):,} queries of the split '{tuning.split}' of '{collection.name}' are also in "
            f"'{evaluated}', which is evaluated"
        )
        raise UserError(message, remedy="choose on a split that shares no query with it")


def _ids(collection: Collection, split: str) -> set[str]:
    return set(collection.queries(split).ids)
