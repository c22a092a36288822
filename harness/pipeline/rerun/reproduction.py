"""A published run, made again by the sweep that its card names, and held against what was published."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.metrics.lookup import mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores
from harness.pipeline.live.observer import Observer
from harness.pipeline.plan import Plan
from harness.pipeline.rerun.published_cell import SweepCommand, cell_of
from harness.pipeline.workspace import Workspace
from harness.published.card import Card
from harness.published.card_check import TOLERANCE
from harness.published.result_folder import RUN, read_card
from harness.retrieval.run import Run
from harness.text import plain

Verdict = Literal["same run", "same values", "differs", "failed"]


@dataclass(frozen=True)
class MetricChange:
    """A metric as published and as it came out now, and for how many queries it is another."""

    metric: str
    published: float
    now: float
    queries: int


@dataclass(frozen=True)
class Reproduction:
    """What came of making a published run again."""

    folder: str
    verdict: Verdict
    """Same run: the same documents with the same scores for every query; same values: scores differ, no metric of any
    query does."""
    sweep: str = ""
    same_keys: bool | None = None
    """Whether inputs, settings and versions of all stages are those of the card; None where no cell was found."""
    cached: bool = False
    """Whether nothing had to be computed: then the workspace still held what it was asked for."""
    usd: float = 0.0
    changes: tuple[MetricChange, ...] = ()
    unmatched: tuple[str, ...] = ()
    """Metrics that only one of the two has."""
    platform: tuple[str, ...] = ()
    """What is another here than where it was made."""
    reason: str = ""
    """Why it failed."""

    @property
    def is_same(self) -> bool:
        """Whether no number of it is another."""
        return self.verdict in ("same run", "same values")

    def is_within(self, bound: float) -> bool:
        """Whether no mean of a metric is another by more than `bound`: other processors round otherwise."""
        close = all(abs(one.published - one.now) <= bound for one in self.changes)
        return self.is_same or (self.verdict == "differs" and not self.unmatched and close)

    def as_json(self) -> dict[str, Any]:
        """As ``harness reproduce --json`` prints it."""
        return asdict(self)


class Reproducer:
    """Makes published runs again in `workspace`, and writes them under `results`; each sweep is planned once.

    `command` stands for the sweep that cards name. Labels are asked for again where the workspace lacks them, for
    `max_cost` USD at most.
    """

    def __init__(
        self,
        workspace: Workspace,
        results: Path,
        *,
        command: SweepCommand | None = None,
        max_cost: float = 0.0,
        observer: Observer | None = None,
    ) -> None:
        self._workspace, self._results = workspace, results
        self._command, self._max_cost, self._observer = command, max_cost, observer
        self._plans: dict[SweepCommand, Plan] = {}

    def reproduce_each(self, folders: Iterable[Path]) -> list[Reproduction]:
        """Each judged on its own: what `reproduce` refuses has failed."""
        made = []
        for folder in folders:
            try:
                made.append(self.reproduce(folder))
            except UserError as error:
                reason = f"{error.message} ({error.remedy})" if error.remedy else error.message
                made.append(Reproduction(str(folder), "failed", reason=plain(reason)))
        return made

    def reproduce(self, folder: Path) -> Reproduction:
        """Raises UserError for a folder that is no published run, where no cell of its sweep is that run, and where
        the collection has another content now."""
        card = read_card(folder)
        command = self._command or SweepCommand.of(card)
        plan = self._planned(command)
        cell = replace(cell_of(card, plan), trace=None)
        _check_content(card, cell.inputs.collection)
        one = replace(plan, cells=(cell,), unplanned=())
        swept = one.run(self._results, max_cost=self._max_cost, observer=self._observer)
        made = Reproduction(
            folder=str(folder),
            verdict="failed",
            sweep=str(command),
            same_keys=card.stages.get("evaluate") == cell.evaluate.key,
            cached=swept.summary["stages"]["run"] == 0,
            usd=float(swept.summary["llm"]["usd"]),
        )
        if swept.failures:
            return replace(made, reason="; ".join(swept.failures))
        before, now = read_scores(folder / METRICS), read_scores(swept.published[0] / METRICS)
        changes, unmatched = tuple(_changes(before, now)), tuple(sorted(before.keys() ^ now.keys()))
        verdict: Verdict = "differs" if changes or unmatched else _scores_compared(folder, swept.published[0])
        platform = tuple(_platform_changes(card.platform, read_card(swept.published[0]).platform))
        return replace(made, verdict=verdict, changes=changes, unmatched=unmatched, platform=platform)

    def _planned(self, command: SweepCommand) -> Plan:
        if command not in self._plans:
            self._plans[command] = self._workspace.plan(command.file, command.overrides)
        return self._plans[command]


def chosen_at_random(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """`count` of the folders, drawn without replacement; the same ones for the same seed, however they are ordered."""
    return sorted(random.Random(seed).sample(sorted(folders), min(count, len(folders))))


def _check_content(card: Card, collection: Collection) -> None:
    about = card.collection
    here = collection.split_hash(about.split)
    if {here, collection.content_hash}.isdisjoint({about.content_hash, about.former_content_hash}):
        raise UserError(
            f"collection '{about.name}' has another content here ({here[:12]}) than the run was made on "
            f"({about.content_hash[:12]})",
            remedy="give the sweep the same revision of the data",
        )


def _scores_compared(published: Path, again: Path) -> Verdict:
    return "same run" if Run.read(published / RUN).scores == Run.read(again / RUN).scores else "same values"


def _changes(
    before: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> Iterator[MetricChange]:
    for name in sorted(before.keys() & now.keys()):
        first, second = before[name], now[name]
        queries = first.keys() | second.keys()
        differing = sum(abs(first.get(query, 0.0) - second.get(query, 0.0)) > TOLERANCE for query in queries)
        if differing:
            yield MetricChange(name, mean(first), mean(second), differing)


def _platform_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = (one.get("hardware", {}).get("cpu", {}).get("model", "") for one in (before, now))
    if old != new:
        yield f"processor {old or 'unknown'}, here {new or 'unknown'}"
    versions = [_versions(one) for one in (before, now)]
    for name in sorted(versions[0].keys() & versions[1].keys()):
        if versions[0][name] != versions[1][name]:
            yield f"{name} {versions[0][name]}, here {versions[1][name]}"


def _versions(platform: Mapping[str, Any]) -> dict[str, str]:
    listed = platform.get("software", {}).get("libraries", {}).get("python", [])
    return dict(line.split("==", 1) for line in listed if "==" in line)
