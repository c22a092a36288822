"""The store keeps what was made, and notices when it is no longer that."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from harness.pipeline.graph import Queue, closure, missing
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.store import DamagedArtefact, Store
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.pipeline.toys import RAN, Broken, Number, Sum


@pytest.fixture
def executor(tmp_path: Path) -> LocalExecutor:
    RAN.clear()
    workspace = Workspace(tmp_path)
    return LocalExecutor(workspace, workspace.store, workspace.ledger, NullObserver())


def value(store: Store, stage: Stage) -> int:
    return int((store.read(stage) / "value.txt").read_text())


def test_a_shared_stage_runs_once_and_a_second_time_nothing_runs(executor: LocalExecutor) -> None:
    one, two = Number(value=1), Number(value=2)
    sums = [Sum(parts=(one, two)), Sum(parts=(one, one))]
    executor.execute(sums)
    assert [value(executor.store, stage) for stage in sums] == [3, 2]
    assert RAN.count("number") == 2
    again = LocalExecutor(executor.workspace, executor.workspace.store, executor.ledger, NullObserver())
    assert again.execute([Sum(parts=(Number(value=1), Number(value=2)))]).ran == []


def test_transport_settings_are_no_part_of_the_key_and_everything_else_is() -> None:
    assert Number(value=1, workers=8).key == Number(value=1).key
    assert Number(value=2).key != Number(value=1).key
    assert Sum(parts=(Number(value=1),)).key != Sum(parts=(Number(value=2),)).key


def test_a_damaged_input_is_noticed_set_aside_and_made_again(executor: LocalExecutor) -> None:
    part = Number(value=5)
    executor.execute([part])
    (executor.store.place(part) / "value.txt").write_text("6")
    fresh = executor.workspace.store
    with pytest.raises(DamagedArtefact, match="differs"):
        fresh.read(part)
    executor.store = executor.workspace.store
    total = Sum(parts=(part,))
    executor.execute([total])
    assert value(executor.store, total) == 5
    assert list((executor.workspace.path / "damaged").iterdir())


def test_a_failure_takes_only_what_rests_on_it_and_is_remembered_until_mended(executor: LocalExecutor) -> None:
    broken = Broken(after=Number(value=1))
    hit, free = Sum(parts=(broken,)), Sum(parts=(Number(value=2),))
    outcome = executor.execute([hit, free])
    assert str(outcome.cause(hit)).startswith("RuntimeError: the teacher is out (")
    assert outcome.cause(free) is None and value(executor.store, free) == 2
    assert executor.workspace.failures.reason(broken.key) == outcome.cause(hit)
    RAN.clear()
    executor.execute([hit, free])
    assert RAN == []


def test_an_unfinished_draft_is_neither_read_nor_kept(executor: LocalExecutor) -> None:
    stage = Number(value=7)
    stale = executor.store.place(stage).parent / f".{stage.key}-dead"
    stale.mkdir(parents=True)
    (stale / "value.txt").write_text("half")
    assert not executor.store.has(stage)
    executor.execute([stage])
    assert value(executor.store, stage) == 7 and not stale.exists()


def test_ready_stages_come_largest_priority_first() -> None:
    small, large = Sum(parts=(), rank=100), Sum(parts=(), rank=1000)
    assert Queue(closure([small, large])).ready() == [large, small]


def test_present_artefacts_need_nothing_below_them(executor: LocalExecutor) -> None:
    total = Sum(parts=(Number(value=1),))
    executor.execute([total])
    executor.store.discard(Number(value=1))
    assert missing([total], executor.workspace.store) == {}


def _hold(workspace: Path, stage: Stage, seconds: float) -> None:
    with Workspace(workspace).store.lock(stage):
        time.sleep(seconds)


@pytest.mark.slow
def test_another_process_is_seen_and_waited_for(tmp_path: Path) -> None:
    stage, store = Number(value=1), Workspace(tmp_path).store
    holder = multiprocessing.get_context("fork").Process(target=_hold, args=(tmp_path, stage, 1.0))
    holder.start()
    deadline = time.monotonic() + 5
    while not store.is_locked(stage) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.is_locked(stage)
    with store.lock(stage):
        holder.join(timeout=1)
        assert holder.exitcode == 0
    assert not store.is_locked(stage)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of the network that grants every lock to everybody."""
    monkeypatch.setattr("harness.pipeline.store.is_on_network", lambda path: True)
    monkeypatch.setattr("harness.files.fcntl.flock", lambda stream, how: None)


def _write(draft: Path, text: str) -> None:
    (draft / "value.txt").write_text(text)


@pytest.mark.usefixtures("without_locks")
def test_two_machines_that_make_one_artefact_where_locks_do_not_hold_leave_one_that_is_whole(
    executor: LocalExecutor,
) -> None:
    part, (one, other) = Number(value=5), (executor.workspace.store, executor.workspace.store)
    with one.lock(part), one.draft(part) as first, other.lock(part), other.draft(part) as second:
        _write(first, "5")
        _write(second, "5")
        kept = one.commit(part, first, {"key": part.key, "inputs": [], "started": "now"})
        assert other.commit(part, second, {"key": part.key, "inputs": [], "started": "later"}) == kept
    assert value(executor.workspace.store, part) == 5
    assert [folder.name for folder in executor.store.place(part).parent.iterdir()] == [part.key]


@pytest.mark.usefixtures("without_locks")
def test_what_lies_damaged_at_its_place_is_not_taken_for_the_artefact(executor: LocalExecutor) -> None:
    part, store = Number(value=5), executor.store
    with store.draft(part) as draft:
        _write(draft, "5")
        _write_damaged(store.place(part))
        with pytest.raises(OSError, match=r"not empty|exists"):
            store.commit(part, draft, {"key": part.key, "inputs": []})


def _write_damaged(place: Path) -> None:
    place.mkdir()
    (place / "artefact.json").write_text('{"files": {"value.txt": {"sha256": "0", "bytes": 1}}}')


@pytest.mark.usefixtures("without_locks")
def test_a_draft_that_nobody_wrote_to_for_a_day_is_removed_by_the_next_maker(executor: LocalExecutor) -> None:
    part, store = Number(value=5), executor.store
    with store.draft(part) as at_work:
        dead = at_work.with_name(f".{part.key}-dead")
        dead.mkdir()
        os.utime(dead, (time.time() - 100_000,) * 2)
        with store.draft(part):
            assert at_work.is_dir() and not dead.is_dir()
