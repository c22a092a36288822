"""The labelling stage: a teacher orders the candidates of drawn training queries."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.collections.collection import Texts
from harness.collections.sample import QuerySubset
from harness.device import Resources
from harness.labelling.labels.agreement import order_presented
from harness.labelling.labels.label_files import write_rankings
from harness.labelling.labels.ranking import VERDICTS, Ranking
from harness.labelling.labels.tasks import pool_tasks, tasks_of
from harness.labelling.labels.teacher import Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import Origin
from harness.ledger.views import MeteredLedger
from harness.numerics.numerics_class import Numerics
from harness.progress import Progress, note_measured
from harness.stage import Context, Stage, keyed

GOLD, POOL = "gold labels", "pool"
_STANDALONE = ("calls", "input_tokens", "output_tokens", "usd")
RANKINGS, SUMMARY = "rankings.jsonl.gz", "summary.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels(Stage):
    """Rankings of the first `depth` candidates of every drawn query. Artefact: ``rankings.jsonl.gz`` in the order of
    the draw, and ``summary.json``: how many rankings of which verdict and reason, why those failed that did, how far
    orders follow the one in which the candidates were presented, calls, tokens and USD that these labels would cost
    with an empty ledger (``alone``); where servers say who answered or do not count tokens, how many answers are from
    whom; and the teacher's own facts. What it took when they were made is measured (`labelling_measures`).
    """

    kind: ClassVar[str] = "labels"
    computes: ClassVar[bool | None] = False
    writes: ClassVar[bool] = False
    """Whether the teacher writes queries here; elsewhere it orders documents."""

    teacher: Teacher
    subset: QuerySubset = keyed("draw")
    candidates: Stage
    """A run with candidates for every query of the pool."""
    corpus: Texts
    depth: int

    @property
    def label(self) -> str:
        return f"{self.teacher.name}, {self.subset.size} queries, resample {self.subset.resample}"

    @property
    def asked(self) -> int:
        """How many tasks the teacher is given."""
        return self.subset.size

    @property
    def task_inputs(self) -> tuple[Stage, ...]:
        """The stages that `tasks` reads; where they are made, it is known what is asked."""
        return (self.subset.pool, self.candidates)

    @property
    def priority(self) -> int:
        """The largest budget first: smaller ones of the same resample then find every call in the ledger."""
        return self.asked

    @property
    def resources(self) -> Resources:
        return self.teacher.resources

    @property
    def computed_in(self) -> Numerics | None:
        return self.teacher.computed_in

    def tasks(self, pool: Path, candidates: Path) -> list[Task]:
        """What the teacher is asked, given the artefact folders of the two inputs; grades only where the teacher needs
        them."""
        return tasks_of(self.subset, candidates, pool, self.corpus, self.depth, GOLD in self.teacher.needs)

    def run(self, out: Path, context: Context) -> None:
        start, meter = time.monotonic(), MeteredLedger(context.ledger)
        teacher, tasks = self.asking(context.path), self._tasks(context.path)
        rankings = list(_labelled(teacher, tasks, meter, context.progress))
        write_rankings(out / RANKINGS, rankings)
        note_measured(out, labelling_measures(meter, start))
        sources = answer_sources(meter.sources.values())
        summary = summarise(rankings) | _bias(rankings, tasks) | teacher.facts() | standalone(meter) | sources
        (out / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")

    def asking(self, path: Callable[[Stage], Path]) -> Teacher:
        """The teacher that is asked; `path` gives the artefact folder of a stage."""
        if POOL not in self.teacher.needs:
            return self.teacher
        return self.teacher.calibrated(pool_tasks(path(self.candidates), path(self.subset.pool), self.depth))

    def rankings(
        self, teacher: Teacher, path: Callable[[Stage], Path], ledger: CallLedger, progress: Progress
    ) -> Iterator[Ranking]:
        """A checked ranking for every task; `ledger` is paid into and read from."""
        return _labelled(teacher, self._tasks(path), ledger, progress)

    def _tasks(self, path: Callable[[Stage], Path]) -> list[Task]:
        return self.tasks(path(self.subset.pool), path(self.candidates))


def _bias(rankings: Iterable[Ranking], tasks: Iterable[Task]) -> dict[str, Any]:
    """How far the teacher only repeats the order that it was shown, where it says which one that was."""
    told = [one for one in rankings if one.answers or (one.presented and len(one.ranked) > 1)]
    first = {task.query: [candidate.id for candidate in task.candidates] for task in tasks} if told else {}
    return {"order_presented": order_presented(told, first)} if told else {}


def standalone(meter: MeteredLedger) -> dict[str, Any]:
    """What calls would cost with an empty ledger, as far as it does not depend on when and where they were made."""
    return {"alone": {name: getattr(meter.used, name) for name in _STANDALONE}}


def labelling_measures(meter: MeteredLedger, start: float) -> dict[str, Any]:
    """What asking took that began at the monotonic time `start`: ``seconds`` of wall time; calls, all kinds of tokens,
    USD and the calls' own seconds (one after another, also of those in flight at once) under ``alone`` of all calls,
    under ``here`` of those that were paid for."""
    return {"alone": asdict(meter.used), "here": asdict(meter.paid), "seconds": time.monotonic() - start}


def without_measures(whole: dict[str, Any]) -> dict[str, Any]:
    """A summary as it is stored, of one that holds what `labelling_measures` said, too, as files of labels do."""
    alone = {name: value for name, value in whole["alone"].items() if name in _STANDALONE}
    return {name: value for name, value in whole.items() if name not in ("here", "seconds")} | {"alone": alone}


def summarise(rankings: Sequence[Ranking]) -> dict[str, Any]:
    """How many rankings there are, by verdict (every verdict, also with 0) and by reason (those that occur; a ranking
    may have several), and the reasons of those that failed."""
    verdicts = Counter(ranking.verdict for ranking in rankings)
    failed = [ranking for ranking in rankings if ranking.verdict == "failed"]
    return {
        "queries": len(rankings),
        "verdicts": {verdict: verdicts[verdict] for verdict in VERDICTS},
        "reasons": _reasons(rankings),
        "failed": _reasons(failed),
    }


def _reasons(rankings: Iterable[Ranking]) -> dict[str, int]:
    counts = Counter(reason for ranking in rankings if ranking.reason for reason in ranking.reason.split(", "))
    return dict(sorted(counts.items()))


def answer_sources(origins: Iterable[Origin]) -> dict[str, Any]:
    """How many answers are from which model (``served``) and build (``fingerprints``) as their servers call them, and
    of how many the tokens are an ``estimated`` count; nothing where nothing is known."""
    known = list(origins)
    served = Counter(origin.served for origin in known if origin.served)
    fingerprints = Counter(origin.fingerprint for origin in known if origin.fingerprint)
    found = {
        "served": dict(sorted(served.items())),
        "fingerprints": dict(sorted(fingerprints.items())),
        "estimated": sum(origin.estimated for origin in known),
    }
    return {name: value for name, value in found.items() if value}


def _labelled(teacher: Teacher, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
    """A checked ranking for every task; a query without candidates costs nothing and fails."""
    answers = iter(teacher.label([task for task in tasks if task.candidates], ledger, progress))
    for task in tasks:
        if not task.candidates:
            yield Ranking(task.query, (), verdict="failed", reason="no candidates")
            continue
        ranking = next(answers, None)
        if ranking is None:
            raise ValueError(f"the teacher '{teacher.name}' gave no ranking for query '{task.query}'")
        ranking.check(task.query, [candidate.id for candidate in task.candidates])
        yield ranking
