"""Seconds alone: the same whichever budget was labelled first, told of artefacts from before they were kept, unknown
where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import SUMMARY, Labels
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.ledger.calls import Call, call_key
from harness.ledger.ledger import Ledger
from harness.ledger.views import CacheMiss, ReplayLedger
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.workspace import Workspace
from harness.progress import MEASURED, Progress, note_measured, take_measured
from harness.retrieval.run import Run
from harness.stage import Stage, canonical
from tests.given import Corpus, Given

SECONDS = {f"q{number}": float(2**number) for number in range(6)}
"""What the call of each query takes."""


class Slow(Teacher):
    """Says how long its calls took; so many are in flight at once that a second of calls takes a quarter of a
    second."""

    name = "slow"
    summary = "for tests"
    identity = "slow"

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        for task in tasks:
            key = call_key("slow", task.query)
            if ledger.get(key) is None:
                ledger.put(Call(key, "slow", "asked", "said", seconds=SECONDS[task.query]))
            yield Ranking(task.query, tuple(candidate.id for candidate in task.candidates))


@dataclass
class World:
    """A workspace with a pool of six queries and candidates."""

    home: Path

    def __post_init__(self) -> None:
        self.store, self.ledger = Workspace(self.home).store, Ledger(self.home / "ledger.sqlite")
        self.cache, self.progress = self.home / "cache", lambda done, total, unit="": None
        for name in ("pool", "run"):
            with self.store.draft(Given(name)) as draft:
                if name == "run":
                    Run("first", {query: {"d0": 2.0, "d1": 1.0} for query in SECONDS}).write(draft / "run.trec.gz")
                else:
                    rows = ({"id": query, "text": query, "source": "train", "gold": {}} for query in SECONDS)
                    (draft / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
                self.store.commit(Given(name), draft, {"seconds": 0.0})

    def path(self, stage: Stage) -> Path:
        return self.store.read(stage)

    def labels(self, size: int) -> Labels:
        teacher, corpus = Slow(Slow.Settings()), Corpus({"d0": "one", "d1": "two"})
        return Labels(
            teacher=teacher, subset=QuerySubset(Given("pool"), 0, size), candidates=Given("run"), corpus=corpus, depth=2
        )  # type: ignore[arg-type]

    def made(self, size: int, old: bool = False) -> Labels:
        """Labels in the store, whose wall time is half a second and a quarter of that of the calls that they made."""
        stage = self.labels(size)
        with self.store.draft(stage) as draft:
            stage.run(draft, self)
            summary: dict[str, Any] = json.loads((draft / SUMMARY).read_text())
            measured = take_measured(draft)[MEASURED]
            measured["seconds"] = wall = measured["here"]["seconds"] / 4
            if old:
                del measured["alone"]["seconds"], measured["here"]["seconds"]
                (draft / SUMMARY).write_text(json.dumps(summary | measured))
            else:
                note_measured(draft, measured)
            manifest = {"key": stage.key, "fields": canonical(stage.fields()), "seconds": 0.5 + wall}
            self.store.commit(stage, draft, manifest)
        return stage

    def calls(self, stage: Labels) -> float:
        """Seconds of all calls of the labels."""
        return sum(SECONDS[task.query] for task in stage.tasks(self.path(Given("pool")), self.path(Given("run"))))

    def times(self, *stages: Labels) -> LabellingTime:
        return LabellingTime(stages, Workspace(self.home).store, self.ledger, self.home / "cache" / "seconds.json")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("sizes", [(6, 2), (2, 6)])
def test_a_budget_takes_the_same_alone_whichever_was_labelled_first(
    world: World, sizes: tuple[int, int], old: bool
) -> None:
    stages = {size: world.made(size, old) for size in sizes}
    times = world.times(*stages.values())
    for stage in stages.values():
        # Old summaries tell how many calls were made, not how long these took: all of them, or none, is exact.
        exact = not old or sizes == (6, 2)
        found = times.standalone(stage)
        assert found is not None and (not exact or found == pytest.approx(0.5 + world.calls(stage) / 4, abs=1e-3))
    assert world.store.manifest(stages[sizes[1]])["seconds"] < 0.5 + world.calls(stages[sizes[1]]) / 4


def test_calls_of_which_no_pace_is_known_count_one_after_another(world: World) -> None:
    list(world.labels(6).rankings(Slow(Slow.Settings()), world.path, world.ledger, world.progress))
    stage = world.made(3)
    assert world.times(stage).standalone(stage) == pytest.approx(0.5 + world.calls(stage))


def test_what_an_old_artefact_took_is_not_known_without_its_calls(world: World) -> None:
    stage = world.made(4, old=True)
    world.ledger = Ledger(world.home / "another.sqlite")
    assert world.times(stage).standalone(stage) is None
    assert len(world.ledger) == 0, "nothing may be asked"


def test_the_ledger_is_read_once_for_an_old_artefact(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = world.made(4, old=True)
    first = world.times(stage).standalone(stage)
    monkeypatch.setattr(Slow, "label", lambda *_: pytest.fail("it is known"))
    assert world.times(stage).standalone(stage) == first


def test_work_that_is_done_again_pays_nothing(world: World) -> None:
    paid, missed = (
        Call(call_key("slow", "q0"), "slow", "asked", "said", seconds=2.0),
        Call(call_key("slow", "q1"), "slow", "a", ""),
    )
    world.ledger.put(paid)
    replay = ReplayLedger(world.ledger)
    assert replay.held([paid.key]) == {paid.key} and replay.get(paid.key) is not None
    assert (replay.used.calls, replay.used.seconds) == (1, 2.0)
    with pytest.raises(CacheMiss):
        replay.get_many([paid.key, missed.key])
    with pytest.raises(CacheMiss):
        replay.held([missed.key])
    with pytest.raises(CacheMiss):
        replay.put_many([paid])
    with pytest.raises(CacheMiss):
        replay.put_miss(missed, "empty")
    assert len(world.ledger) == 1
