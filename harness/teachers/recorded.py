"""Recorded rankings as a teacher: published runs of real LLMs, or labels exported elsewhere, replay without a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from harness.errors import UserError
from harness.labelling.labels.label_dataset import text_mark
from harness.labelling.labels.label_files import choose_set, dataset_of, label_source, stream_rankings
from harness.labelling.labels.ranking import Ranking, Verdict
from harness.labelling.labels.teacher import Task, Teacher
from harness.models import file_hash
from harness.plugins import Settings
from harness.retrieval.run import Run
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress


class RecordedSettings(Settings):
    """Where the rankings are."""

    file: tuple[str, ...] = Field(
        min_length=1,
        description="TREC runs (any run file the harness reads) or files of labels (.jsonl, .jsonl.gz: what harness "
        "labels publish, labels export and labels import --as write, "
        "a run's labels.jsonl.gz, rankings.jsonl.gz); a name or a list, relative to the sweep file",
        # The teacher's identity is the files' content, wherever they lie.
        json_schema_extra={"transport": True},
    )

    set: str = Field(
        "",
        description="which set of labels is replayed, where a file holds several: the beginning of its key, in a "
        "run's labels.jsonl.gz "
        "its number",
        # Part of the identity where it is given: cards and keys of before stay as they are.
        json_schema_extra={"transport": True},
    )

    @field_validator("file", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Recorded(Teacher):
    """Orders the candidates as the files do. A candidate that they do not place is left in the unordered tail, never
    guessed."""

    name = "recorded"
    summary = "replays a published run or exported labels"
    is_free = True
    Settings = RecordedSettings

    def __init__(self, settings: RecordedSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self.of_set = settings.set
        self.files = tuple(base / Path(name).expanduser() for name in settings.file)
        for file in self.files:
            if not file.is_file():
                raise UserError("there is no such file of recorded rankings", file=file, key="file")
            if _holds_labels(file):
                choose_set(file, self.of_set)
        if self.of_set and not any(map(_holds_labels, self.files)):
            raise UserError("runs have no sets of labels", file=self.files[0], key="set", remedy="leave `set` out")

    @property
    def identity(self) -> str:
        hashes = sorted(file_hash(file) for file in self.files)
        return digest([self.name, hashes, self.of_set] if self.of_set else [self.name, hashes])

    def provenance(self) -> dict[str, Any]:
        sources = [label_source(file) for file in self.files if _holds_labels(file)]
        told = [source.model_dump(mode="json") for source in sources if source is not None]
        return {"imported_from": told} if told else {}

    @cached_property
    def rankings(self) -> dict[tuple[str, str], Ranking]:
        """By query and the mark of its text, which is empty where a file says none. Raises UserError when two files
        rank one query, or a file cannot be read."""
        rankings: dict[tuple[str, str], Ranking] = {}
        for file in self.files:
            for mark, ranking in _read(file, self.of_set):
                if (ranking.query, mark) in rankings:
                    raise UserError(
                        f"query '{ranking.query}' is ranked twice",
                        file=file,
                        remedy="give files with different queries",
                    )
                rankings[ranking.query, mark] = ranking
        return rankings

    @cached_property
    def _marked(self) -> frozenset[str]:
        """Queries whose text is known by its mark."""
        return frozenset(query for query, mark in self.rankings if mark)

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        for task in tasks:
            published = self.rankings.get((task.query, text_mark(task.text)))
            if published is not None:
                yield _given_again(task, published)
            elif (recorded := self.rankings.get((task.query, ""))) is None and task.query in self._marked:
                yield _failed(task, "recorded for another text of the query")
            else:
                yield _replay(task, recorded)


def _holds_labels(file: Path) -> bool:
    return file.name.removesuffix(".gz").endswith(".jsonl")


def _read(file: Path, of_set: str) -> Iterable[tuple[str, Ranking]]:
    """Rankings with the marks of their queries' texts."""
    if not _holds_labels(file):
        run = Run.read(file)
        return (("", Ranking(query, tuple(run.top(query)))) for query in run.scores)
    if (published := dataset_of(file)) is not None:
        return ((row.mark, row.ranking()) for row in published.rows)
    return (("", ranking) for ranking in stream_rankings(file, of_set))


def _given_again(task: Task, published: Ranking) -> Ranking:
    """A label of a published set: just as it was given where the candidates are the same, scores too."""
    recorded = {*published.ranked, *published.unranked}
    if recorded == {candidate.id for candidate in task.candidates}:
        return published
    found = _replay(task, published)
    ids = found.ranked + found.unranked
    if published.scores is None or not recorded.issuperset(ids):
        return found
    scores = published.scores_by_id
    return replace(found, scores=tuple(scores[id] for id in ids))


def _failed(task: Task, reason: str, raw: str = "") -> Ranking:
    return Ranking(task.query, (), tuple(candidate.id for candidate in task.candidates), "failed", reason, raw)


def _replay(task: Task, recorded: Ranking | None) -> Ranking:
    """The recorded order of what was shown, with the recorded verdict unless something shown was not recorded."""
    shown = [candidate.id for candidate in task.candidates]
    if recorded is None:
        return _failed(task, "not recorded")
    if not recorded.ranked:
        return _failed(task, recorded.reason or "recorded without an order", recorded.raw)
    wanted, placed = set(shown), set(recorded.ranked)
    presented = tuple(id for id in recorded.presented if id in wanted)
    ordered = tuple(id for id in recorded.ranked if id in wanted)
    tail = tuple(id for id in shown if id not in placed)
    verdict, reason = _judge(recorded, ordered, tail)
    # Of an order in which others stood too it is known only where it holds all that is ranked here.
    presented = presented if len(presented) == len(shown) else ()
    return Ranking(task.query, ordered, tail, verdict, reason, recorded.raw, presented=presented)


def _judge(recorded: Ranking, ordered: tuple[str, ...], tail: tuple[str, ...]) -> tuple[Verdict, str]:
    if not ordered:
        return "failed", "no candidate recorded"
    if set(tail) - set(recorded.unranked):
        return "partial", "candidates not recorded"
    return recorded.verdict, recorded.reason
