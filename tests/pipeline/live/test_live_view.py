"""What people see of a running sweep: lines where standard error is a file, a table on a terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness.ledger.calls import Call, call_key
from harness.ledger.ledger import Ledger
from harness.pipeline.live.live_view import LineView, TableView, view
from harness.pipeline.live.observer import Observer, ObserverGroup
from tests.pipeline.toys import Broken, Number, Sum

ONE, TWO = Number(1), Number(2)
BROKEN = Broken(TWO)
REST = [Sum((BROKEN, ONE))]
PAST = {"sum": 60.0, "broken": 5.0}


def happen(observer: Observer, ledger: Ledger) -> None:
    """A sweep of four stages: one is made, one by another process, one fails and takes the last along."""
    observer.planned([ONE, TWO, BROKEN, *REST], 3, ledger)
    observer.started(ONE)
    observer.progress(ONE, 1, 2_000, "queries")
    observer.finished(ONE, 30.0)
    observer.started(TWO)
    observer.cached(TWO)
    observer.started(BROKEN)
    observer.failed(BROKEN, "no [luck]", REST)


def test_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = view(PAST)
    assert isinstance(lines, LineView)
    happen(ObserverGroup(lines, Observer()), Ledger(tmp_path / "ledger.sqlite"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "4 stages to run, 3 done before",
        "[1/4] number 1: 30 s, about 1 min 35 s to go",
        f"FAILED broken {BROKEN.label}: no [luck] (1 stage rests on it)",
    ]


def test_a_line_now_and_then_for_a_long_stage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("harness.pipeline.live.live_view.time.monotonic", lambda: now)
    lines = LineView({})
    lines.started(ONE)
    for now in (120.0, 131.0, 150.0, 161.0, 162.0):
        lines.progress(ONE, int(now), 2_000, "queries")
    assert capsys.readouterr().err.splitlines() == ["  ... 131 of 2,000 queries", "  ... 162 of 2,000 queries"]


def test_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    table = view(PAST)
    assert isinstance(table, TableView)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    try:
        happen(table, ledger)
        ledger.put(
            Call(call_key("model", "asked"), "model", "asked", "said", input_tokens=900, output_tokens=200, usd=0.25)
        )
        seen = Console(width=120, no_color=True)
        with seen.capture() as capture:
            seen.print(table._draw())
    finally:
        table.close()
    rows = [re.sub(r"\s+", " ", line).strip() for line in capture.get().splitlines()]
    assert rows[:4] == ["stage done of failed time", "number 2 2 30 s", "broken 0 1 1 0.0 s", "sum 0 1 1 0.0 s"]
    assert rows[-1].endswith("about 0.0 s to go · 3 stages done before · LLM: 1 call, 1,100 tokens, 0.25 USD")
    assert "failed broken : no [luck] (1 stage rests on it)" in re.sub(
        r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err
    )


def test_two_stages_at_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("harness.pipeline.live.live_view.time.monotonic", lambda: now)
    lines = LineView({"number": 40.0, "sum": 60.0})
    lines.tally.plan(["number", "number", "sum"])
    lines.started(ONE)
    lines.started(TWO)
    now = 131.0
    lines.progress(TWO, 5, 10, "steps")
    lines.finished(ONE, 40.0)
    lines.finished(TWO, 40.0)
    # 100 seconds of work were left when two ran, then 60 and one at a time.
    assert capsys.readouterr().err.splitlines() == [
        "  ... number 2: 5 of 10 steps",
        "[1/3] number 1: 40 s, about 50 s to go",
        "[2/3] number 2: 40 s, about 1 min 00 s to go",
    ]


def test_the_table_names_all_that_run(tmp_path: Path) -> None:
    table = TableView({})
    ledger = Ledger(tmp_path / "ledger.sqlite")
    try:
        table.planned([ONE, TWO, *REST], 0, ledger)
        table.started(ONE)
        table.started(TWO)
        table.progress(TWO, 5, 10, "steps")
        seen = Console(width=120, no_color=True)
        with seen.capture() as capture:
            seen.print(table._draw())
    finally:
        table.close()
    rows = [line.strip() for line in capture.get().splitlines()]
    assert rows[-3].rstrip() == "number 1" and rows[-2] == "number 2  5 of 10 steps"
    assert rows[1].startswith("▸ number")
