"""What a type of student promises."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import deterministic
from harness.files import sha256
from harness.losses.spec import LossSpec
from harness.models import ModelFiles
from harness.plugin_checks.check import Broken, Checks, check_description, raised
from harness.plugin_checks.student_fixture import QUERIES, TWINS, FixtureCorpus, fixture_lists, fixture_model
from harness.plugins import Settings
from harness.progress import silent
from harness.retrieval.student_type import StudentType
from harness.retrieval.trec_order import Hits, id_ranks
from harness.stage import Stage
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import load_typed
from harness.training.trainer import Trainer
from harness.training_lists.list_dataset import ListDataset
from harness.training_lists.training_list import TrainingList

if TYPE_CHECKING:
    import torch

    from harness.students.student import Student
else:
    torch = lazy("torch")

LENGTH, DEPTH = 32, 5
CLOSE = 0.02
"""How far two scores of one pair may be apart, as a share of the largest: an index may hold half-precision numbers."""


@dataclass
class StudentSetup:
    """A type of student with its settings, and folders below `home`."""

    kind: type[StudentType]
    settings: Settings
    home: Path
    corpus: FixtureCorpus = field(default_factory=FixtureCorpus)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @cached_property
    def student(self) -> StudentType:
        """An instance."""
        return self.kind(self.settings)

    def loaded(self, folder: Path) -> Student:
        """The student in `folder`, loaded as a training does. Raises Broken ``loads`` when that fails."""
        try:
            with deterministic(0):
                return load_typed(self.student, folder)
        except Exception as error:
            raise Broken(raised(error), "loads") from error

    @cached_property
    def start(self) -> Path:
        """The folder that an untrained student of the type is searched with."""
        model = fixture_model(self.kind, self.home)
        own = self.student.start(model)
        if isinstance(own, ModelFiles):
            return own.path
        if isinstance(own, Stage):
            out = self.folder("start")
            own.run(out, _Context())  # type: ignore[arg-type]
            return out
        return self.saved(self.loaded(model.path), "start")

    def folder(self, name: str) -> Path:
        """A new empty folder."""
        place = self.home / f"{name}-{next(self._numbers)}"
        place.mkdir()
        return place

    def saved(self, student: Student, name: str = "saved") -> Path:
        """A folder that `student` was saved to. Raises Broken ``saves`` when that fails."""
        place = self.folder(name)
        try:
            student.save(place)
        except Exception as error:
            raise Broken(raised(error), "saves") from error
        return place

    def scores(self, student: Student, lists: tuple[TrainingList, ...]) -> list[np.ndarray]:
        """What it scores the documents of lists. Raises Broken ``scores`` where that is no number a document."""
        found = student.bind(ListDataset.of(lists, self.corpus), LENGTH).score_all(silent)
        if [np.shape(row) for row in found] != [(len(one.documents),) for one in lists]:
            raise Broken(f"score_all gives {[np.shape(row) for row in found]} for lists of 5 documents", "scores")
        return [np.asarray(row, dtype=np.float64) for row in found]

    def trained(self, loss: str) -> tuple[Student, list[float]]:
        """A student trained on the lists, and the mean loss of each epoch."""
        student = self.loaded(self.start)
        dataset = ListDataset.of(fixture_lists(loss == "kl"), self.corpus)
        with deterministic(0):
            chosen = LossSpec.of(loss).loss(student.temperature)
            settings = TrainSettings(epochs=10, batch=2)
            history = Trainer(student, dataset, chosen, settings, max_length=LENGTH).fit()
        return student, np.array(history.loss).reshape(settings.epochs, -1).mean(1).tolist()

    def searched(self, folder: Path, depth: int) -> list[Hits]:
        """What the student in `folder` finds for the queries in the corpus. Raises Broken ``searches`` when that
        fails."""
        index, ranks = self.folder("index"), id_ranks(self.corpus.ids)
        try:
            self.student.index(folder, self.corpus, LENGTH, index, silent)
            return list(self.student.search(folder, index, QUERIES, ranks, LENGTH, depth, silent))
        except Exception as error:
            raise Broken(raised(error), "searches") from error


class _Context:
    """What a stage without inputs may use."""

    progress = staticmethod(silent)


def _bits(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): sha256(file) for file in folder.rglob("*.safetensors")}


CONTRACTS: Checks[StudentSetup] = Checks()
"""What is tried, in this order."""


@CONTRACTS.add(
    "describes-itself", "says what it is and what its model must be", remedy="set name, summary, source and needs"
)
def describes_itself(setup: StudentSetup) -> None:
    """Attributes that lists and sweep files rely on."""
    check_description(setup.kind, [] if setup.kind.needs else ["'needs' says nothing of the model"], texts=["source"])


@CONTRACTS.add("loads", "loads as a student that can be trained", remedy="load returns a Student, ready for `bind`")
def loads(setup: StudentSetup) -> None:
    """What training asks of it beside scores."""
    student = setup.loaded(setup.start)
    for name in ("temperature", "learning_rate"):
        value = getattr(student, name, None)
        if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
            raise Broken(f"its {name} is {value!r}, where a positive number is wanted")
    if not any(weight.requires_grad for weight in student.model.parameters()):
        raise Broken("none of its weights learns")


@CONTRACTS.add(
    "scores",
    "scores the documents of lists with finite numbers, in batches as in all",
    remedy="__call__ and score_all of the scorer come from the same embeddings; pad nothing into a score",
)
def scores_lists(setup: StudentSetup) -> None:
    """One finite score a document, the same however many lists are scored together."""
    student, lists = setup.loaded(setup.start), fixture_lists(False)
    found = setup.scores(student, lists)
    if not all(np.isfinite(row).all() for row in found):
        raise Broken("a score is no finite number")
    dataset = ListDataset.of(lists, setup.corpus)
    scorer = student.bind(dataset, LENGTH)
    with torch.no_grad():
        batch = dataset.batch(np.arange(len(lists)), student.device)
        together = scorer(batch).float().cpu().numpy()
    if len(scorer.list_tokens) != len(lists):
        raise Broken(f"list_tokens holds {len(scorer.list_tokens)} numbers for {len(lists)} lists")
    _close(np.stack(found), together[:, : len(found[0])], "score_all and a batch of all lists differ")


@CONTRACTS.add(
    "trains",
    "learns an order, and the scores of a ranker",
    remedy="scores are differentiable in the weights that learn; check the sign, and that learning_rate suits it",
)
def trains(setup: StudentSetup) -> None:
    """Ten epochs on four lists change weights and bring the loss down."""
    for loss in ("listmle", "kl"):
        student, means = setup.trained(loss)
        before = list(setup.loaded(setup.start).model.parameters())
        if all(torch.equal(one, other) for one, other in zip(before, student.model.parameters(), strict=True)):
            raise Broken(f"after ten epochs of {loss} no weight has changed")
        if not means[-1] < means[0]:
            raise Broken(f"after ten epochs of {loss} the loss is {means[-1]:.4g}, as the first one's {means[0]:.4g}")


@CONTRACTS.add(
    "saves",
    "saves itself whole: loaded again, its scores are the same",
    remedy="save writes all that was trained, load reads it back and draws nothing",
)
def saves(setup: StudentSetup) -> None:
    """A trained student, saved and loaded with another state of the random generator."""
    student, _ = setup.trained("listmle")
    before = setup.scores(student, fixture_lists(False))
    folder = setup.saved(student)
    with deterministic(1):
        after = setup.scores(load_typed(setup.student, folder), fixture_lists(False))
    _close(np.stack(before), np.stack(after), "saved and loaded again it has other scores", 1e-4)


@CONTRACTS.add(
    "searches",
    "finds the documents that it scores highest, best first",
    remedy="search the whole index exactly with the scores of training; harness/retrieval has searches of every kind",
)
def searches(setup: StudentSetup) -> None:
    """Its search against its own scores of the whole corpus."""
    ids = tuple(setup.corpus.ids)
    found = setup.searched(setup.start, DEPTH)
    if len(found) != len(QUERIES):
        raise Broken(f"search gives {len(found)} results for {len(QUERIES)} queries")
    lists = tuple(TrainingList(f"q{number}", query, ids, 0) for number, query in enumerate(QUERIES))
    dataset = ListDataset.of(lists, setup.corpus)
    scored = setup.loaded(setup.start).bind(dataset, LENGTH).score_all(silent)
    for hits, own in zip(found, scored, strict=True):
        _check_hits(hits, np.asarray(own, dtype=np.float64), len(ids))


def _check_hits(hits: Hits, own: np.ndarray, total: int) -> None:
    rows, scores = hits.rows.tolist(), np.asarray(hits.scores, dtype=np.float64)
    if len(rows) > DEPTH or len(set(rows)) < len(rows) or not set(rows) <= set(range(total)):
        raise Broken(f"for depth {DEPTH} it finds the rows {rows} of {total} documents")
    if not np.isfinite(scores).all() or (np.diff(scores) > 0).any():
        raise Broken(f"its scores {scores.tolist()} are not finite and falling")
    _close(own[rows], scores, "it finds a document with another score than training sees")
    others = np.delete(own, rows)
    slack = CLOSE * max(1.0, float(np.abs(own).max()))
    # Documents that share nothing with a query may be left out.
    missed = others > (scores.min() if len(rows) == DEPTH else 0.0) + slack
    if missed.any():
        raise Broken(f"a document that scores {others.max():.4g} is not found, and {scores.tolist()} are")


@CONTRACTS.add(
    "ties",
    "gives equal documents equal scores, the greater id first",
    remedy="score each document of the shortlist by itself; `best` of harness/retrieval/trec_order.py orders ties",
)
def breaks_ties(setup: StudentSetup) -> None:
    """Two documents of one text, at both ends of the corpus."""
    lesser, greater = setup.corpus.rows(TWINS).tolist()
    for hits in setup.searched(setup.start, len(setup.corpus)):
        rows = hits.rows.tolist()
        places = [rows.index(row) for row in (greater, lesser) if row in rows]
        if len(places) == 1 or (places and hits.scores[places[0]] != hits.scores[places[1]]):
            raise Broken(f"documents {' and '.join(TWINS)} have one text and different scores")
        if places and places[1] != places[0] + 1:
            raise Broken(f"of two documents with one score {TWINS[0]} comes first, not {TWINS[1]}")


@CONTRACTS.add(
    "deterministic",
    "trains and searches to the same bits twice",
    remedy="draw from torch's generator alone, and iterate over no set",
)
def is_deterministic(setup: StudentSetup) -> None:
    """A training and a search, each done again."""
    first, second = (setup.saved(setup.trained("listmle")[0]) for _ in range(2))
    if _bits(first) != _bits(second):
        raise Broken("trained twice with one seed it has different weights")
    for one, other in zip(setup.searched(first, DEPTH), setup.searched(second, DEPTH), strict=True):
        if one.rows.tolist() != other.rows.tolist() or one.scores.tolist() != other.scores.tolist():
            raise Broken("searched twice it finds different documents or scores")


def _close(wanted: np.ndarray, found: np.ndarray, what: str, share: float = CLOSE) -> None:
    apart = float(np.abs(wanted - found).max(initial=0.0))
    if not apart <= share * max(1.0, float(np.abs(wanted).max(initial=0.0))):
        raise Broken(f"{what}, by up to {apart:.3g}")
