"""The calibration of budget curves looks for the truth where it is."""

from __future__ import annotations

import pytest

from benchmarks import calibrate_curves
from benchmarks.calibrate_curves import CLAIMED, KEPT, LEAST_OF_FEW, Setting, coverage


def test_the_truth_is_in_intervals_of_few_runs_and_missed_by_the_range_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate_curves, "SETTINGS", [Setting(40, 2, 0.01)])
    heading, _, row = coverage(sweeps=40, seed=0)
    assert [cell.strip() for cell in heading.split("|")[4:-1]] == list(KEPT)
    rates = dict(zip(KEPT, (float(cell.split()[0]) for cell in row.split("|")[4:-1]), strict=True))
    assert all(rates[name] >= LEAST_OF_FEW[2] for name in CLAIMED)
    assert 0.25 < rates["runs of a row"] < 0.75
    assert row.strip().endswith("† |")


def test_a_claim_that_fails_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate_curves, "SETTINGS", [Setting(20, 2, 0.01)])
    monkeypatch.setattr(calibrate_curves, "LEAST_OF_FEW", {2: 1.0})
    monkeypatch.setattr(calibrate_curves, "held", lambda *_: [False] * len(KEPT))
    assert list(coverage(sweeps=2, seed=0))[-1].count("(!)") == len(CLAIMED)
