"""The calibration: its null hypotheses are true, and it says so of tests that err too often."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.calibrate import (
    coverage,
    equivalence_errors,
    false_positives,
    families,
    family_errors,
    pairs,
    tables_of,
)
from benchmarks.calibrate_methods import COLUMNS, MethodSetting, ScorePool, verdicts
from harness.evaluation.significance.intervals import INTERVALS
from tests.leaderboard.runs import put_board

TABLES = [np.random.default_rng(1).beta(0.5, 0.7, (80, 12)) for _ in range(2)]


def test_scores_come_from_published_runs(tmp_path: Path) -> None:
    put_board(tmp_path)
    tables = tables_of(tmp_path)
    assert tables
    assert all(len(table) == 60 and len(np.unique(table, axis=1).T) == table.shape[1] >= 6 for table in tables)
    assert tables_of(tmp_path / "nothing") == []


def test_pairs_are_drawn_around_their_true_mean() -> None:
    differences, truth = pairs(TABLES, 2_000, 20, seed=0)
    assert differences.shape == (2_000, 20)
    assert np.abs(differences.mean(axis=0) - truth).max() < 0.05 < np.abs(truth).max()


def test_families_hold_the_values_of_a_query_in_any_order() -> None:
    (values,) = families(TABLES[:1], 30, 12, 1, seed=0)
    known = {tuple(row) for row in np.sort(TABLES[0], axis=1)}
    assert all(tuple(row) in known for row in np.sort(values, axis=1))
    assert not any(tuple(row) in {tuple(row) for row in TABLES[0]} for row in values)


def test_rows_name_everything_and_mark_what_is_off() -> None:
    tests = list(false_positives(TABLES, 20, seed=0))
    assert [row.split(" |")[0][2:] for row in tests[2:]] == [
        "t",
        "randomisation",
        "wilcoxon",
        "bootstrap",
        "bootstrap-t",
    ]
    assert next(equivalence_errors(TABLES, 40, seed=0)).startswith("| equivalence")
    assert [row.split(" |")[0][2:] for row in list(coverage(TABLES, 20, seed=0))[2:]] == list(INTERVALS)
    rows = list(family_errors(TABLES, 20, seed=0, queries=20, runs=5))
    # Ten comparisons at 0.05 each: uncorrected, some family claims something, and that is known.
    assert next(row for row in rows if row.startswith("| none")).endswith("† |")


@pytest.mark.parametrize("setting", [MethodSetting(93, 3, 0.01), MethodSetting(300, 3, 0.01, 90)])
def test_verdicts_about_methods_keep_their_goal_and_those_of_runs_may_not(setting: MethodSetting) -> None:
    generator, pool = np.random.default_rng(1), ScorePool.of(Path(__file__).parents[3] / "results")
    found = dict(zip(COLUMNS, np.mean([verdicts(setting, pool, generator) for _ in range(300)], axis=0), strict=True))
    # 300 families: three standard errors above 0.06 are 0.1.
    claims = ("different", "as good", "one-sided margins", "beats all", "any of all")
    assert all(found[name] <= 0.10 for name in claims)
    assert found["interval"] >= 0.90
