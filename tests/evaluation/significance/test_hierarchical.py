"""Many runs of one method: its bootstrap has the variance and the coverage that the design gives, in unbalanced designs
too."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from harness.evaluation.significance.bootstrap import bootstrap_means, percentile, run_weights, units
from harness.evaluation.significance.hierarchical import Design, hierarchical_means

FULL: Design = tuple((resample, seed) for resample in range(3) for seed in range(2))
HOLES: Design = ((0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2))
SEEDS: Design = tuple((None, seed) for seed in range(5))


def simulated(generator: np.random.Generator, size: int, runs: Design, **deviations: float) -> np.ndarray:
    """Values (queries, runs) of mean 0 with the given standard deviations by source."""
    drawn = {
        resample: (generator.normal(), generator.normal(size=size)) for resample in dict.fromkeys(r for r, _ in runs)
    }
    values = deviations["queries"] * generator.normal(size=(size, 1))
    values = values + deviations["residual"] * generator.normal(size=(size, len(runs)))
    for column, (resample, _) in enumerate(runs):
        values[:, column] += deviations["resamples"] * drawn[resample][0] + deviations["seeds"] * generator.normal()
        values[:, column] += deviations.get("crossed", 0.0) * drawn[resample][1]
    return values


def test_resamples_are_drawn_whole_and_seeds_where_there_is_one_resample() -> None:
    assert units(HOLES) == [0, 0, 1, 2, 2, 2]
    assert units(SEEDS) == [0, 1, 2, 3, 4]
    weights = run_weights(HOLES, 0, 500)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 3] == weights[:, 5]).all()
    # Two of three resamples with 2, 1 and 3 runs, or one of them twice: whatever is drawn weighs alike.
    assert {tuple(np.unique(row[row > 0].round(9)).tolist()) for row in weights} == {
        (round(1 / size, 9),) for size in (1, 2, 3, 4, 5)
    }
    assert run_weights(((0, 0),), 0, 5).tolist() == [[1.0]] * 5


@pytest.mark.parametrize("runs", [SEEDS, FULL, ((0, 0), (1, 0))])
def test_the_variance_over_runs_is_the_unbiased_one(runs: Design) -> None:
    means = np.random.default_rng(1).normal(size=len(runs))
    unit = np.array(units(runs))
    cluster = np.array([means[unit == one].mean() for one in range(unit.max() + 1)])
    drawn = run_weights(runs, 0, 40_000) @ means
    assert drawn.mean() == pytest.approx(means.mean(), abs=0.02)
    assert drawn.var() == pytest.approx(cluster.var(ddof=1) / len(cluster), rel=0.03)


def test_methods_with_the_same_runs_stay_paired_and_others_are_independent() -> None:
    other: Design = ((0, 0), (1, 0), (2, 0), (3, 0))
    same, again, apart = (run_weights(runs, 0, 20_000) for runs in (FULL, tuple(FULL), other))
    assert (same == again).all()
    assert abs(np.corrcoef(same[:, 0], apart[:, 0])[0, 1]) < 0.03
    queries = bootstrap_means(np.random.default_rng(2).normal(size=(20, 1)), 0, 20_000)[:, 0]
    assert abs(np.corrcoef(same[:, 0], queries)[0, 1]) < 0.03


def test_one_run_is_the_bootstrap_over_queries_and_a_method_never_differs_from_itself() -> None:
    values = np.random.default_rng(3).beta(1, 2, size=(30, 7))
    one, many, twin = hierarchical_means(
        [values[:, :1], values[:, 1:], values[:, 1:]], [((None, None),), FULL, FULL], 4, 300
    )
    assert (one.means == bootstrap_means(values[:, :1], 4, 300)[:, 0]).all() and one.runs is None
    assert (many.means == twin.means).all()
    expected = (bootstrap_means(values[:, 1:], 4, 300) * run_weights(FULL, 4, 300)).sum(axis=1)
    assert many.means == pytest.approx(expected, abs=1e-15)
    assert many.runs == pytest.approx(run_weights(FULL, 4, 300) @ values[:, 1:].mean(axis=0), abs=1e-15)


@pytest.mark.parametrize("runs", [FULL, HOLES])
def test_the_variance_is_that_of_a_design_drawn_anew(runs: Design) -> None:
    generator = np.random.default_rng(5)
    deviations = {"queries": 1.0, "resamples": 0.3, "seeds": 0.2, "residual": 0.5}
    drawn, means = [], []
    for _ in range(400):
        values = simulated(generator, 40, runs, **deviations)
        drawn.append(hierarchical_means([values], [runs], 0, 200)[0].means.var())
        means.append(values.mean())
    sizes = np.unique([resample for resample, _ in runs], return_counts=True)[1]
    true = 1 / 40 + 0.3**2 * (sizes**2).sum() / len(runs) ** 2 + 0.2**2 / len(runs) + 0.5**2 / (40 * len(runs))
    assert np.var(means) == pytest.approx(true, rel=0.25)
    # Products of two draws count the residual up to three times, so the bootstrap is a little wide (Owen 2007); with
    # three resamples of unequal sizes the ratio of two drawn sums makes it a little narrow.
    assert 0.9 * true < np.mean(drawn) < 1.15 * true


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    generator = np.random.default_rng(6)
    runs: Design = tuple((resample, 0) for resample in range(10))
    found = []
    for _ in range(300):
        values = simulated(generator, 50, runs, queries=0.25, resamples=0.05, seeds=0.0, residual=0.1)
        ((low, high),) = percentile(hierarchical_means([values], [runs], 0, 500)[0].means[:, None])
        found.append(low <= 0 <= high)
    assert 0.91 <= np.mean(found) <= 0.98


def test_the_same_seed_gives_the_same_samples_on_any_number_of_threads() -> None:
    code = (
        "import numpy as np; from harness.evaluation.significance.hierarchical import hierarchical_means\n"
        "values = np.random.default_rng(0).beta(1, 2, size=(300, 40)); runs = tuple((r, s) for r in range(10) for s "
        "in range(4))\n"
        "(one,) = hierarchical_means([values], [runs], 3, 400); print(one.means.tolist(), one.runs.tolist())"
    )
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    said = [subprocess.check_output([sys.executable, "-c", code], env=dict.fromkeys(names, n)) for n in ("1", "4")]
    assert said[0] == said[1]
