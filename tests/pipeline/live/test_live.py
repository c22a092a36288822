"""Following a sweep from outside: what its journal says while it runs, when it ended, and when it was killed."""

from __future__ import annotations

import fcntl
import json
import time
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.pipeline.live.follower import Follower, SweepReport
from harness.pipeline.live.journal import is_held
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.live.sweep_state import SweepState
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.pipeline.slow_sweep import cells, run, started
from tests.pipeline.toys import Number, Sum


def follow(workspace: Path) -> Follower:
    return Follower(Workspace(workspace).journals[0])


def wait_for(follower: Follower, state: str) -> SweepReport:
    for _ in range(400):
        found = follower.read()
        if found.state == state and (state != "running" or any(row.unit == "steps" for row in found.running)):
            return found
        time.sleep(0.05)
    raise AssertionError(f"never {state}, but {found}")


def test_a_sweep_that_ended_with_a_failure(tmp_path: Path) -> None:
    run(tmp_path, cells(1))
    found = follow(tmp_path).read()
    assert (found.state, found.sweep) == ("failed", "toys.yaml")
    assert [(row.cell, row.state) for row in found.cells] == [
        ("quick cell", "done"),
        ("broken cell", "failed"),
        ("slow cell", "done"),
    ]
    assert found.cells[1].reason.startswith("broken: RuntimeError: the teacher is out (")
    [failure] = found.failures
    assert (failure.stage, failure.stages, failure.cells) == ("broken", 1, 1)
    assert "the teacher is out" in Path(failure.trace).read_text()
    counts = {row.kind: row[1:8] for row in found.kinds}
    assert counts == {
        "number": (2, 0, 2, 0, 0, 0, 0),
        "sum": (2, 0, 1, 0, 0, 1, 0),
        "broken": (1, 0, 0, 0, 1, 0, 0),
        "slow": (1, 0, 1, 0, 0, 0, 0),
    }
    assert found.stages == (4, 6)
    assert any("FAILED broken: RuntimeError" in said for _, said in found.log)


def test_a_second_sweep_says_what_was_there_before(tmp_path: Path) -> None:
    run(tmp_path, cells(1)[:1])
    run(tmp_path, [("quick cell", Sum((Number(1), Number(2)))), ("larger cell", Sum((Number(1), Number(3))))])
    found = follow(tmp_path).read()
    assert len(Workspace(tmp_path).journals) == 2
    assert found.state == "done"
    assert {row.kind: (row.total, row.cached, row.done) for row in found.kinds} == {
        "number": (3, 2, 1),
        "sum": (2, 1, 1),
    }
    assert found.cells_done == 2


def test_a_look_in_the_middle(tmp_path: Path) -> None:
    seen: list[SweepReport] = []

    class Looking(NullObserver):
        def finished(self, stage: Stage, seconds: float) -> None:
            seen.append(follow(tmp_path).read())

    run(tmp_path, cells(1)[:1], Looking(), {"number": 3.0, "sum": 5.0})
    # Each look comes before the journal knows of the stage that just ended.
    assert [report.state for report in seen] == ["running"] * 3
    assert [report.stages for report in seen] == [(0, 3), (1, 3), (2, 3)]
    assert [row.stage for row in seen[0].running] == ["number 1"]
    assert 3 + 5 <= seen[0].left <= 3 + 3 + 5
    assert 0 <= seen[2].left <= 5


def test_what_an_interrupted_sweep_leaves(tmp_path: Path) -> None:
    class Interrupted(NullObserver):
        def finished(self, stage: Stage, seconds: float) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, cells(1), Interrupted())
    assert follow(tmp_path).read().state == "stopped"


@pytest.mark.parametrize("options", [(), ("fork",)])
def test_a_killed_sweep_is_dead(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Also where a process that it forked lives on and holds the lock."""
    with started(tmp_path, *options) as kill:
        while not Workspace(tmp_path).journals:
            time.sleep(0.05)
        follower = follow(tmp_path)
        [row] = wait_for(follower, "running").running
        assert (row.stage, row.total, row.unit) == ("slow", 12_000, "steps")
        before = follower.file.read_bytes()
        kill()
        found = wait_for(follower, "died")
        assert is_held(follower.file) == bool(options)
    assert follower.file.read_bytes().startswith(before)
    assert f"Process {found.pid}" in found.summary
    assert [row.stage for row in found.running] == ["slow"]


def event(name: str, at: float, **said: object) -> dict[str, object]:
    return {"event": name, "at": at, **said}


def test_rate_and_time_to_go_are_plain_arithmetic(tmp_path: Path) -> None:
    now = time.time()
    stages = [["a", "label", "one"], ["b", "label", "two"], ["c", "train", "three"]]
    head = event(
        "planned",
        now - 30,
        sweep="x.yaml",
        process=None,
        past={"train": 40.0},
        stages=stages,
        cached={"pool": 2},
        cells=[["cell", "c"]],
    )
    lines = [
        head,
        event("started", now - 30, stage="a"),
        event("progress", now - 20, stage="a", done=10, total=100, unit="queries", llm=[10, 500, 50, 0.25]),
        event("progress", now - 10, stage="a", done=30, total=100, unit="queries", llm=[30, 1500, 150, 0.75]),
        event("news", now, whatever="a later version says"),
    ]
    file = tmp_path / "sweeps" / "x.jsonl"
    file.parent.mkdir()
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write("".join(json.dumps(line) + "\n" for line in lines) + '{"event": "pro')
        stream.flush()
        follower = Follower(file)
        found = follower.read(now)
        assert found.state == "running" and found.llm == (30, 1500, 150, 0.75)
        [row] = found.running
        # 20 queries in 10 s: 2 a second; 70 were left 10 s ago, which takes 35 s.
        assert row.rate == pytest.approx(2.0)
        assert row.left == pytest.approx(25)
        # Nobody knows yet how long a label stage takes: another one waits.
        assert found.left is None
        stream.write('gress", "at": 0, "stage": "a", "done": 0, "total": 5, "unit": "epochs"}\n')
        stream.write(json.dumps(event("finished", now, stage="a", seconds=60.0)) + "\n")
        stream.write(json.dumps(event("started", now, stage="b")) + "\n")
        stream.flush()
        found = follower.read(now)
        assert found.left == pytest.approx(60 + 40)
        assert found.running[0].rate is None


def test_another_phase_of_a_stage_has_its_own_rate() -> None:
    story = SweepState()
    story.apply(event("planned", 0, stages=[["a", "train", ""]], cached={}))
    for at, done, unit in ((1, 0, "lists"), (2, 50, "lists"), (3, 5, "steps"), (4, 7, "steps"), (5, 2, "steps")):
        story.apply(event("progress", at, stage="a", done=done, total=100, unit=unit))
        work = story.running["a"]
        assert (work.first.at, work.last.at) == {1: (1, 1), 2: (1, 2), 3: (3, 3), 4: (3, 4), 5: (5, 5)}[at]


def test_a_file_that_is_no_journal_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("[]\n")
    with pytest.raises(UserError, match="journal cannot be read"):
        Follower(tmp_path / "x.jsonl").read()
    with pytest.raises(UserError, match="journal cannot be read"):
        Follower(tmp_path / "gone.jsonl").read()


def test_old_journals_go(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    for number in range(60):
        (tmp_path / "sweeps" / f"20200101-{number:02}.jsonl").write_text("")
    run(tmp_path, cells(1)[:1])
    left = Workspace(tmp_path).journals
    assert len(left) == 50
    assert left[1].name == "20200101-59.jsonl"
