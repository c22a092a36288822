"""The benchmark suite: what is in it, how sides are measured and judged. What they measure is no test."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from benchmarks import cases as package
from benchmarks.case import Case, Goal, Measured, Peer, Timed, below, cases, faster, within
from benchmarks.measure import Row, Runner, SideFailed
from benchmarks.table import as_json, line, rendered
from benchmarks.trend import fallen


class Toy(Case):
    """One peer with a goal, one without that is measured once, one limit."""

    name = "toy"
    rounds = (2, 3)

    def work(self) -> str:
        return "little"

    def ours(self) -> Timed:
        raise NotImplementedError

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("slow", self.ours, faster(2.0)), Peer("rare", self.ours, rounds=1))

    def limits(self) -> tuple[Goal, ...]:
        return (below(100),)


@dataclass(frozen=True)
class Scripted(Runner):
    """Takes what was measured from a list."""

    script: dict[str, list[Measured]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def _run(self, case: Case, side: str, environment: dict[str, str]) -> Measured:
        self.asked.append(side)
        if side == "prepare":
            return Measured(0.0, 0.0)
        if not self.script[side]:
            raise SideFailed(f"{side}: it broke")
        return self.script[side].pop(0)


def scripted(home: Path, **script: list[Measured]) -> Scripted:
    return Scripted(
        home, True, lambda text: None, {name.removeprefix("peer"): list(values) for name, values in script.items()}
    )


def shown(rows: list[Row]) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(rendered(rows))
    return console.export_text()


def test_every_file_holds_a_case_and_every_case_says_its_work(tmp_path: Path) -> None:
    files = {file.stem for file in Path(package.__path__[0]).glob("*.py")} - {"__init__"}
    assert {kind.__module__.rpartition(".")[2] for kind in cases().values()} == files
    for name, kind in cases().items():
        quick, full = (kind(quick, tmp_path) for quick in (True, False))
        assert quick.work() and full.work() and name == kind.name
        assert quick.peers() or quick.limits(), "a case compares with somebody or with a limit"


def test_sides_take_turns_and_the_fastest_and_the_largest_count(tmp_path: Path) -> None:
    runner = scripted(
        tmp_path,
        ours=[Measured(2.0, 50), Measured(1.0, 60)],
        peer0=[Measured(3.0, 10), Measured(4.0, 5)],
        peer1=[Measured(0.5, 1)],
    )
    slow, rare, limit = runner.rows(Toy)
    assert [line(row) for row in (slow, rare, limit)] == [
        "toy: 3.00 times as fast as slow (2 x: met)",
        "toy: 0.50 times as fast as rare",
        "toy: 1.00 s (100 MB: met)",
    ]
    assert runner.asked == ["prepare", "ours", "0", "1", "ours", "0"]
    assert slow.ours == Measured(1.0, 60) and slow.theirs == Measured(3.0, 10)
    assert slow.ratio == 3.0 and slow.met is True
    assert rare.ratio == 0.5 and rare.met is None
    assert limit.theirs is None and limit.ratio is None and limit.met is True


def test_a_side_that_fails_costs_its_case_only_and_says_why(tmp_path: Path) -> None:
    (row,) = scripted(tmp_path, ours=[Measured(1.0, 1)], peer0=[]).rows(Toy)
    assert row.failure == "0: it broke" and row.ratio is None
    assert "failed: 0: it broke" in shown([row])
    assert as_json(row)["failure"] == "0: it broke"


def test_goals() -> None:
    ours, peer = Measured(1.0, 99.0, quality=0.99), Measured(2.0, 50.0, quality=1.0)
    assert faster(2.0).met(ours, peer) and not faster(2.1).met(ours, peer)
    assert faster(2.0, quality=0.99).met(ours, peer) and not faster(2.0, quality=0.995).met(ours, peer)
    assert within(1.0).met(ours, None) and not within(0.9).met(ours, None)
    assert below(100).met(ours, None) and not below(99).met(ours, None)


def test_a_row_shows_both_sides_the_ratio_and_the_goal(tmp_path: Path) -> None:
    runner = scripted(
        tmp_path, ours=[Measured(1.0, 60, 0.5)] * 2, peer0=[Measured(3.0, 10, 0.5)] * 2, peer1=[Measured(1.0, 1)]
    )
    told = shown(list(runner.rows(Toy)))
    assert "1.00 / 3.00" in told and "60 / 10" in told and "2 x: met" in told and "100 MB: met" in told


def test_one_side_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    kind = cases()["randomisation test"]
    measured = Runner(tmp_path, True, lambda text: None)._run(kind(True, tmp_path), "ours", {})
    assert measured.seconds > 0 and measured.peak_mb > 10
    assert measured.quality is not None and 0 < measured.quality <= 1


def test_a_ratio_that_fell_by_more_than_a_fifth_is_named(tmp_path: Path) -> None:
    def row(name: str, theirs: float, work: str = "little") -> Row:
        return Row(name, work, "slow", Measured(1.0, 1), Measured(theirs, 1))

    earlier = tmp_path / "earlier.json"
    before = [row("fell", 2.0), row("noise", 2.0), row("other work", 2.0), Row("alone", "", "", Measured(1.0, 1), None)]
    earlier.write_text(json.dumps({"rows": [as_json(one) for one in before]}))
    now = [row("fell", 1.5), row("noise", 1.7), row("other work", 1.0, "more"), row("new", 0.1)]
    assert fallen(now, earlier) == ["fell, against slow: 1.50 times as fast, 2.00 before"]
