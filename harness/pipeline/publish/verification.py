"""Published folders judged one by one: each by the collection that its card names, found by its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection
from harness.collections.prepared_shelf import PreparedShelf
from harness.errors import UserError
from harness.evaluation.metrics.answer_metrics import answer_scores, deepest
from harness.evaluation.metrics.lookup import Scores
from harness.pipeline.inputs import load_collection, load_qrels, typed_collection
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.published.card_collection import TestCollection
from harness.published.label_sets.label_set_check import false_label_sets
from harness.published.result_folder import holds_label_sets, read_card, runs_below
from harness.published.verification_record import record_verified
from harness.published.verify import unchecked_metrics, verify
from harness.qa.answer_cases import cases
from harness.qa.gold_answers import GoldAnswers
from harness.retrieval.run import Run
from harness.text import plain


@dataclass
class _Judge:
    """What folders are judged by: qrels, a collection, or what each card names; read once for all of them."""

    qrels: str | None
    collection: str | None
    workspace: WorkspaceFolder

    def __post_init__(self) -> None:
        if self.qrels is not None and self.collection is not None:
            raise UserError("--qrels and --collection both say what to judge by", remedy="give one of them")
        self._shelf = PreparedShelf(self.workspace.collections)
        self._given = None if self.collection is None else typed_collection(self.collection, self.workspace)
        self._qrels = None if self.qrels is None else load_qrels(self.qrels, self.workspace)
        self._by_content: dict[tuple[str, str, str], Collection] = {}

    def problems(self, folder: Path) -> list[str]:
        """All of `folder`. Raises UserError where nothing is known to judge it by."""
        if holds_label_sets(folder):
            return false_label_sets(folder, self._collection_of)
        if self._qrels is not None:
            return verify(folder, self._qrels)
        about = read_card(folder).collection
        collection = self._collection_of(about)
        problems = verify(folder, collection.judgments(about.split).qrels, _Answers(collection, about.split))
        hashes = {collection.split_hash(about.split), collection.content_hash}
        if hashes.isdisjoint({about.content_hash, about.former_content_hash}):
            problems.append(f"collection: {plain(about.name)} has another content hash here than on the card")
        return problems

    def _collection_of(self, about: TestCollection) -> Collection:
        if self._given is not None:
            return self._given
        key = about.content_hash, about.split, about.name
        if key not in self._by_content:
            at_hand = self._shelf.find(about.name, about.split, (about.content_hash, about.former_content_hash))
            self._by_content[key] = at_hand or self._named(about)
        return self._by_content[key]

    def _named(self, about: TestCollection) -> Collection:
        try:
            return load_collection(about.name, self.workspace)
        except UserError as error:
            raise UserError(
                f"its collection '{plain(about.name)}' is not at hand: none prepared in {self.workspace.path} has "
                f"the content {about.content_hash[:12]} ({plain(error.message)})",
                remedy="name it: --collection SPEC, as in a sweep file, or the path of a folder",
            ) from error


@dataclass(frozen=True)
class _Answers:
    """Metrics of short answers, from a collection that has them."""

    collection: Collection
    split: str

    def __call__(self, run: Run, answers: Mapping[str, str], names: Sequence[str]) -> Scores:
        gold = GoldAnswers.of(self.collection, self.split)
        queries = sorted(self.collection.queries(self.split).ids)
        answered = cases(queries, gold, run, self.collection.corpus, deepest(names), answers)
        return answer_scores(answered, names)


def verify_folders(
    folders: Sequence[Path],
    qrels: str | None,
    workspace: WorkspaceFolder | str | Path,
    collection: str | None = None,
    record: str | None = None,
) -> dict[str, Any]:
    """``{"results": [{"folder", "problems", "unchecked"}], "recorded"}``, a row for every folder, or for every run of
    one that holds runs, whatever is wrong with others.

    Judgments are those of `qrels`, of `collection`, or of the collection with the content that a card names: one that
    was prepared in `workspace` or comes with a package, otherwise one by its name. `unchecked` are metrics whose
    reader's answers are not in the folder. `record` is who verifies: sound folders are noted in the
    ``verified.json`` of their results folder. Raises UserError where `qrels` or `collection` cannot be read.
    """
    judge = _Judge(qrels, collection, WorkspaceFolder.of(workspace))
    folders = [run for folder in folders for run in runs_below(folder) or [folder]]
    rows = [
        {"folder": str(folder), "problems": _problems(folder, judge), "unchecked": unchecked_metrics(folder)}
        for folder in folders
    ]
    judged = [folder for folder, row in zip(folders, rows, strict=True) if not row["problems"]]
    sound = [folder for folder in judged if not holds_label_sets(folder)]
    written = record_verified(sound, record) if record is not None else []
    return {"results": rows, "recorded": [str(path) for path in written]}


def _problems(folder: Path, judge: _Judge) -> list[str]:
    try:
        return judge.problems(folder)
    except UserError as error:
        remedy = f"; {error.remedy}" if error.remedy else ""
        return [plain(f"not verified: {error.summary}{remedy}", 500)]
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return [plain(f"not verified: {type(error).__name__}: {error}", 500)]
