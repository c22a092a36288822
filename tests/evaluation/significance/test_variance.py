"""Variance by source: that of REML where the design is balanced, unbiased where it is not."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from harness.evaluation.significance.hierarchical import Design
from harness.evaluation.significance.variance import (
    INTERACTION,
    QUERIES,
    RESAMPLES,
    RESIDUAL,
    SEEDS,
    Variance,
    variance,
)
from tests.evaluation.significance.test_hierarchical import FULL, HOLES, simulated
from tests.evaluation.significance.test_hierarchical import SEEDS as FIVE_SEEDS

ONE_SEED: Design = tuple((resample, 0) for resample in range(6))


def split(values: np.ndarray, runs: Design) -> dict[str, float]:
    found = variance(values, runs)
    assert found is not None
    return {source.name: source.variance for source in found.sources}


def reml(values: np.ndarray, groups: dict[str, np.ndarray]) -> dict[str, float]:
    """Components by restricted maximum likelihood, crossed effects as one large group."""
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    frame = pd.DataFrame({"y": values.ravel(), "all": 1, **{name: group.ravel() for name, group in groups.items()}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM.from_formula(
            "y ~ 1", groups="all", re_formula="0", vc_formula={n: f"0 + C({n})" for n in groups}, data=frame
        )
        found = model.fit(reml=True, method=["lbfgs"])
    return {**dict(zip(model.exog_vc.names, found.vcomp.tolist(), strict=True)), "residual": float(found.scale)}


def test_one_seed_a_resample_is_reml() -> None:
    values = 0.5 + simulated(
        np.random.default_rng(3), 15, ONE_SEED, queries=0.3, resamples=0.1, seeds=0.1, residual=0.15
    )
    rows, columns = np.indices(values.shape)
    theirs, ours = reml(values, {"q": rows, "r": columns}), split(values, ONE_SEED)
    assert list(ours) == [QUERIES, RESAMPLES, RESIDUAL]
    assert list(ours.values()) == pytest.approx([theirs["q"], theirs["r"], theirs["residual"]], rel=1e-3)


def test_seeds_in_resamples_are_reml() -> None:
    runs: Design = tuple((resample, seed) for resample in range(4) for seed in range(3))
    values = simulated(
        np.random.default_rng(8), 10, runs, queries=0.4, resamples=0.3, seeds=0.15, crossed=0.2, residual=0.15
    )
    rows, columns = np.indices(values.shape)
    theirs = reml(values, {"q": rows, "r": columns // 3, "s": columns, "qr": rows * 4 + columns // 3})
    ours = split(values, runs)
    assert list(ours) == [QUERIES, RESAMPLES, SEEDS, INTERACTION, RESIDUAL]
    assert list(ours.values()) == pytest.approx([theirs[name] for name in ("q", "r", "s", "qr", "residual")], rel=5e-3)


def doubled(runs: Design) -> Design:
    return runs + tuple((resample + 10, seed) for resample, seed in runs if resample is not None)


@pytest.mark.parametrize(
    "runs", [doubled(FULL), doubled(HOLES), ((0, 0), (0, 1), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1), (4, 2))]
)
def test_components_and_standard_error_are_right_on_average(runs: Design) -> None:
    """Simulated with known components, cells missing; the mean's own spread is what the standard error says."""
    true = {"queries": 0.5, "resamples": 0.6, "seeds": 0.3, "crossed": 0.4, "residual": 0.35}
    generator = np.random.default_rng(1)
    drawn = [simulated(generator, 12, runs, **true) for _ in range(600)]
    found = [split(values, runs) for values in drawn]
    means = {name: np.mean([one[name] for one in found]) for name in found[0]}
    expected = [true[name] ** 2 for name in ("queries", "resamples", "seeds", "crossed", "residual")]
    assert list(means.values()) == pytest.approx(expected, rel=0.12)
    squared = [variance(values, runs).standard_error ** 2 for values in drawn]
    assert np.mean(squared) == pytest.approx(np.var([values.mean() for values in drawn]), rel=0.15)


def test_of_one_resample_seeds_are_told_and_equal_runs_add_nothing() -> None:
    column = np.random.default_rng(2).random((20, 1))
    found = variance(np.repeat(column, 5, axis=1), FIVE_SEEDS)
    assert [source.name for source in found.sources] == [QUERIES, SEEDS, RESIDUAL]
    assert found.between_runs == pytest.approx(0, abs=1e-30)
    assert found.standard_error == pytest.approx(column.std(ddof=1) / np.sqrt(20))
    assert found.summary.startswith("queries 100%, seeds 0%")


def test_shares_make_up_the_variance_of_the_mean() -> None:
    values = simulated(np.random.default_rng(4), 30, HOLES, queries=1.0, resamples=0.5, seeds=0.5, residual=1.0)
    found = variance(values, HOLES)
    assert sum(found.shares.values()) == pytest.approx(1)
    told = json.loads(json.dumps(found.as_json()))
    assert sum(source["of_mean"] for source in told["sources"]) == pytest.approx(told["standard_error"] ** 2)
    assert {source["name"]: source["share"] for source in told["sources"]} == found.shares


def test_nothing_is_said_where_nothing_can_be_told_apart() -> None:
    assert variance(np.ones((1, 4)), FIVE_SEEDS[:4]) is None
    assert variance(np.ones((9, 1)), ((0, 0),)) is None
    flat = variance(np.full((9, 2), 0.5), FIVE_SEEDS[:2])
    assert isinstance(flat, Variance) and flat.standard_error == 0 and set(flat.shares.values()) == {0.0}
