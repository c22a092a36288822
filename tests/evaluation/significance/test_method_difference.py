"""Differences of methods over queries and runs: closed forms, mixed models, and nothing certain from nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, nct, t, ttest_rel
from statsmodels.api import OLS

from harness.errors import UserError
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.clusters import Clusters, clusters_of, read_clusters
from harness.evaluation.significance.method_difference import MethodRuns, difference_of, fixed_run
from harness.evaluation.significance.randomisation import randomisation
from harness.evaluation.significance.resample_overlap import overlap_factor
from harness.evaluation.significance.score_matrix import ScoreMatrix, compare_matrix
from harness.evaluation.significance.t_intervals import caution
from harness.evaluation.significance.test_spec import TestSpec
from harness.evaluation.significance.variance import variance

GENERATOR = np.random.default_rng(0)


def design(resamples: int, seeds: int = 1) -> tuple[tuple[int, int], ...]:
    return tuple((resample, seed) for resample in range(resamples) for seed in range(seeds))


def test_two_runs_as_they_are_have_students_paired_t() -> None:
    a, b = GENERATOR.random(40), GENERATOR.random(40)
    found, expected = difference_of(fixed_run(b), fixed_run(a)), ttest_rel(b, a)
    assert found.p() == pytest.approx(expected.pvalue, rel=1e-12)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval()), rel=1e-12)
    one_sided = ttest_rel(b, a, alternative="greater")
    assert found.p(Alternative.greater) == pytest.approx(one_sided.pvalue, rel=1e-9)
    assert found.p_above(0.1) == pytest.approx(ttest_rel(b - 0.1, a, alternative="greater").pvalue, rel=1e-9)


def test_resamples_are_paired_and_their_part_is_never_below_the_interaction() -> None:
    """The closed form: mean squares of queries, of resamples and of both, with Satterthwaite's degrees."""
    luck = np.array([0.1, -0.1, 0.05, 0.0])
    a = GENERATOR.random((50, 4)) + luck
    b = GENERATOR.random((50, 4)) + luck + 0.05
    d = b - a
    found = difference_of(MethodRuns(b, design(4)), MethodRuns(a, design(4)))
    rest = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
    runs = max(d.mean(axis=0).var(ddof=1) / 4, (rest**2).sum() / (49 * 3) / 200)
    queries = d.mean(axis=1).var(ddof=1) / 50
    weight = caution(3) * runs
    freedom = (queries + weight) ** 2 / (queries**2 / 49 + weight**2 / 3)
    assert (found.of_queries, found.of_runs) == pytest.approx((queries, runs), rel=1e-9)
    expected = t.interval(0.95, freedom, d.mean(), np.sqrt(queries + runs))
    assert found.interval() == pytest.approx(expected, rel=1e-9)
    apart = difference_of(MethodRuns(b, design(4)), MethodRuns(a, tuple((r + 10, 0) for r in range(4))))
    assert apart.of_runs > 3 * found.of_runs


def test_the_variance_is_that_of_the_components_where_runs_differ_much() -> None:
    """V over queries and runs estimates what random effects say of the mean (held to REML elsewhere), but for the
    interaction, which is in both parts."""
    values = GENERATOR.normal(0, 0.2, (80, 1)) + GENERATOR.normal(0, 0.3, 5) + GENERATOR.normal(0, 0.1, (80, 5))
    found = difference_of(MethodRuns(values, design(5)), fixed_run(np.zeros(80)))
    components = {one.name: one.of_mean for one in variance(values, design(5)).sources}
    expected = sum(components.values()) + components["residual"]
    assert found.variance == pytest.approx(expected, rel=1e-9)


def test_seeds_are_averaged_within_their_resample() -> None:
    values = GENERATOR.random((30, 6))
    found = difference_of(MethodRuns(values, design(3, 2)), fixed_run(np.zeros(30)))
    averaged = values.reshape(30, 3, 2).mean(axis=2)
    expected = difference_of(MethodRuns(averaged, design(3)), fixed_run(np.zeros(30)))
    assert (found.variance, found.freedom) == pytest.approx((expected.variance, expected.freedom), rel=1e-12)


def test_one_run_of_a_random_method_says_nothing_of_the_method() -> None:
    values = GENERATOR.random((30, 2))
    assert difference_of(MethodRuns(values[:, :1], ((0, 0),)), fixed_run(values[:, 1])).is_single
    assert not difference_of(MethodRuns(values, design(2)), fixed_run(values[:, 1])).is_single


@given(st.integers(2, 40), st.floats(0.01, 1))
def test_constant_differences_are_as_certain_as_their_signs(count: int, shift: float) -> None:
    found = difference_of(fixed_run(np.full(count, shift)), fixed_run(np.zeros(count)))
    exact = randomisation(np.full((min(count, 20), 1), shift), 0)[0] if count <= 20 else 2 * 0.5**count
    assert found.p() == pytest.approx(exact)
    assert found.interval() is None


@given(st.lists(st.sampled_from([-0.4, -0.1, 0.0, 0.0, 0.1, 0.4]), min_size=2, max_size=30))
def test_p_and_interval_agree(values: list[float]) -> None:
    found = difference_of(fixed_run(np.array(values)), fixed_run(np.zeros(len(values))))
    interval = found.interval()
    if interval is not None:
        assert (found.p() < 0.05) == (not interval.low <= 0 <= interval.high)
    assert 0 < found.p() <= 1


@pytest.mark.parametrize(("n", "differing"), [(20, 0), (20, 3), (200, 0), (200, 5)])
def test_few_differences_are_no_proof_of_equality(n: int, differing: int) -> None:
    values = np.zeros(n)
    values[:differing] = 1e-3
    found = difference_of(fixed_run(values), fixed_run(np.zeros(n)))
    assert found.p_within(0.02) == pytest.approx(binom.cdf(differing, n, 0.02), rel=1e-9)
    assert found.p_above(-0.02) == pytest.approx(binom.cdf(differing, n, 0.02), rel=1e-9)


def test_clusters_of_one_size_have_the_cluster_robust_variance_of_statsmodels() -> None:
    names = GENERATOR.permutation(np.repeat(np.arange(15), 6))
    d = GENERATOR.normal(0.1, 0.3, 90) + GENERATOR.normal(0, 0.3, 15)[names]
    clusters = Clusters.of(names.tolist())
    found = difference_of(fixed_run(d), fixed_run(np.zeros(90)), clusters)
    known = OLS(d, np.ones(90)).fit(cov_type="cluster", cov_kwds={"groups": names, "df_correction": True}, use_t=True)
    # statsmodels has the factor G / (G - 1) (n - 1) / (n - k), which for a mean is the same.
    assert found.error == pytest.approx(known.bse[0], rel=1e-9)
    assert found.p() == pytest.approx(known.pvalues[0], rel=1e-9)
    assert found.interval() == pytest.approx(tuple(known.conf_int()[0]), rel=1e-9)
    assert found.error > difference_of(fixed_run(d), fixed_run(np.zeros(90))).error


def test_clusters_of_unequal_size_have_the_variance_of_leaving_out_one_after_the_other() -> None:
    names = np.sort(GENERATOR.integers(0, 12, 90) ** 2 // 12)
    d = GENERATOR.normal(0.1, 0.3, 90) + GENERATOR.normal(0, 0.3, 12)[names]
    clusters = Clusters.of(names.tolist())
    kinds = np.unique(names)
    left = np.array([d[names != one].mean() for one in kinds])
    count, sizes = len(kinds), np.array([(names == one).sum() for one in kinds])
    error = np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())
    freedom = 90**2 / (sizes**2).sum() - 1
    found = difference_of(fixed_run(d), fixed_run(np.zeros(90)), clusters)
    assert found.error == pytest.approx(error, rel=1e-9)
    assert found.interval() == pytest.approx(t.interval(0.95, freedom, d.mean(), error), rel=1e-9)
    assert clusters.linearised(d[:, None]).mean() == pytest.approx(d.mean())
    assert clusters.sums(d[:, None]).mean() == pytest.approx(d.mean())


def test_a_few_large_clusters_do_not_make_equal_methods_different() -> None:
    """Forty clusters, four of which hold half of the queries: with the variance of Liang and Zeger and G - 1 degrees
    12 % of true nulls are rejected."""
    generator, false, textbook = np.random.default_rng(8), 0, 0
    for _ in range(1500):
        large = generator.random(500) < 0.5
        names = np.where(large, generator.integers(0, 4, 500), generator.integers(0, 40, 500))
        clusters = Clusters.of(names.tolist())
        d = generator.normal(0, 0.6**0.5, 500) + generator.normal(0, 0.4**0.5, 40)[names]
        false += difference_of(fixed_run(d), fixed_run(np.zeros(500)), clusters).p() < 0.05
        sums = np.bincount(clusters.numbers, d - d.mean())
        z = abs(d.mean()) / (np.sqrt((sums**2).sum() * clusters.count / (clusters.count - 1)) / 500)
        textbook += 2 * t.sf(z, clusters.count - 1) < 0.05
    assert false / 1500 < 0.07 < 0.085 < textbook / 1500


def test_one_cluster_says_nothing() -> None:
    d = GENERATOR.random(30)
    found = difference_of(fixed_run(d), fixed_run(np.zeros(30)), Clusters.of(["a"] * 30))
    assert (found.p(), found.p_above(0.1), found.p_within(2.0), found.interval()) == (1.0, 1.0, 1.0, None)
    matrix = ScoreMatrix(["m"], ["a", "b"], np.column_stack([d, np.zeros(30)]), [0, 0], clusters=Clusters.of("a" * 30))
    for test in ("t", "randomisation", "bootstrap", "bootstrap-t", "wilcoxon", "maxt", "tukey"):
        (row,) = compare_matrix(matrix, TestSpec(test=test, margin=0.1))["comparisons"]
        assert (row["p"], row["interval"], row["verdicts"]) == (1.0, None, []), test


def test_queries_without_a_cluster_stand_for_themselves() -> None:
    found = clusters_of({"a": "x", "b": "x"}, ["a", "b", "c", "x"])
    assert found is not None
    assert (found.numbers, found.words) == ((0, 0, 1, 2), "4 queries in 3 clusters")
    assert clusters_of({"a": "x"}, ["a", "b"]) is None


def test_a_family_of_many_runs_can_show_what_is_there() -> None:
    """33 runs, each worse than the one before on all 30 queries: sign flips grow with the family of 528 pairs."""
    places = np.arange(33)[None, :] + GENERATOR.random((30, 33)) / 10
    values = 1 / np.log2(2 + places)
    matrix = ScoreMatrix(["m"], [f"r{n}" for n in range(33)], values, [0] * 33)
    answer = compare_matrix(matrix, TestSpec(test="randomisation"))
    assert {row["verdict"] for row in answer["comparisons"]} == {"worse"}
    assert answer["notes"] == ["21,120 sign flips: the least adjusted p of 528 comparisons is 0.025"]
    few = compare_matrix(ScoreMatrix(["m"], matrix.names, values[:12], [0] * 33), TestSpec())
    assert "12 queries and 528 comparisons can show nothing" in few["notes"][1]


def test_rows_that_are_the_same_bytes_count_once() -> None:
    values = GENERATOR.random((40, 3))
    twice = np.column_stack([values, values[:, 2]])
    names = ["a", "b", "c", "d"]
    one = compare_matrix(ScoreMatrix(["m"], names[:3], values, [0] * 3, (0,)), TestSpec())
    two = compare_matrix(ScoreMatrix(["m"], names, twice, [0] * 4, (0,)), TestSpec())
    adjusted = [row["p_adjusted"] for row in two["comparisons"]]
    assert adjusted[:2] == [row["p_adjusted"] for row in one["comparisons"]]
    assert adjusted[2] == adjusted[1]
    assert two["family"] == "3 comparisons with a on m, 1 of them of identical runs and counted once"


def test_several_baselines_are_beaten_all_or_one_by_one() -> None:
    shared = GENERATOR.random((60, 1)) / 2
    values = shared + GENERATOR.normal(0, 0.02, (60, 4)) + np.array([0.0, 0.2, 0.3, 0.1])
    matrix = ScoreMatrix(["m"], ["low", "high", "best", "between"], values, [0] * 4, (0, 1))
    answer = compare_matrix(matrix, TestSpec())
    assert [(row["a"], row["b"]) for row in answer["comparisons"]] == [
        ("low", "best"),
        ("low", "between"),
        ("high", "best"),
        ("high", "between"),
    ]
    best, between = answer["against_all"]
    assert (best["verdict"], between["verdict"]) == ("better", "inconclusive")
    raw = {row["b"]: [one["p"] for one in answer["comparisons"] if one["b"] == row["b"]] for row in (best, between)}
    assert best["p_all"] == pytest.approx(min(1, 2 * max(raw["best"])))
    # Better than one and worse than the other is neither better nor worse than all, but differs from one.
    assert between["p_all"] == 1.0
    assert between["p_any"] < 0.001


def test_a_run_may_be_better_and_within_the_margin_with_the_interval_of_that_test() -> None:
    values = GENERATOR.normal(0.5, 0.1, (400, 1)) + np.column_stack([np.zeros(400), GENERATOR.normal(0.01, 0.04, 400)])
    asked = TestSpec(margin=0.03, noninferior=0.02, superior=0.001, alpha=0.05)
    (row,) = compare_matrix(ScoreMatrix(["m"], ["a", "b"], values, [0, 0], (0,)), asked)["comparisons"]
    assert row["verdict"] == "better"
    assert row["verdicts"] == ["better", "superior", "equivalent", "noninferior"]
    d = values[:, 1] - values[:, 0]
    ends = t.interval(0.90, 399, d.mean(), d.std(ddof=1) / 20)
    assert row["equivalence"]["interval"] == pytest.approx(ends, rel=1e-9)
    assert (row["equivalence"]["p"] < 0.05) == (ends[0] > -0.03 and ends[1] < 0.03)
    strict = TestSpec(alpha=0.01)
    answer = compare_matrix(ScoreMatrix(["m"], ["a", "b"], values, [0, 0], (0,)), strict)
    assert answer["level"] == 0.99
    wide = t.interval(0.99, 399, d.mean(), d.std(ddof=1) / 20)
    assert answer["comparisons"][0]["interval"] == pytest.approx(wide, rel=1e-9)


def test_detectable_is_said_alone_with_runs_and_for_the_family() -> None:
    values = [
        MethodRuns(GENERATOR.normal(0, 0.2, (80, 1)) + GENERATOR.normal(0, 0.05, (80, 3)), design(3)) for _ in "abc"
    ]
    means = np.column_stack([one.values.mean(axis=1) for one in values])
    answer = compare_matrix(ScoreMatrix(["m"], ["a", "b", "c"], means, [0] * 3, (0,), values), TestSpec())
    for row in answer["comparisons"]:
        assert row["scope"] == "methods"
        assert row["detectable"] < row["detectable_runs"] < row["detectable_family"]
    spread = difference_of(values[1], values[0])
    shift = answer["comparisons"][0]["detectable_runs"] / spread.error
    critical = t.ppf(0.975, spread.freedom)
    assert nct.sf(critical, spread.freedom, shift) == pytest.approx(0.8, abs=1e-3)


def test_clusters_are_read_from_lines_and_from_queries(tmp_path: Path) -> None:
    lines, queries = tmp_path / "clusters.tsv", tmp_path / "queries.jsonl"
    lines.write_text("q1\tarticle\nq2\tarticle\n\nq3\tother\n")
    queries.write_text(
        '{"_id": "q1", "text": "a", "metadata": {"cluster": "article"}}\n'
        '{"_id": "q2", "text": "b", "metadata": {"cluster": "article"}}\n{"_id": "q4", "text": "c"}\n'
    )
    assert read_clusters(lines) == {"q1": "article", "q2": "article", "q3": "other"}
    assert read_clusters(queries) == {"q1": "article", "q2": "article"}
    for text, said in (("q1 article\n", "line 1 is no query"), ("q\ta\nq\tb\n", "line 2: the query 'q' is in two")):
        lines.write_text(text)
        with pytest.raises(UserError, match=said):
            read_clusters(lines)
    with pytest.raises(UserError, match="cannot be read"):
        read_clusters(tmp_path / "none")


@pytest.mark.parametrize(("pool", "size"), [(371, 300), (1786, 1000)])
@pytest.mark.parametrize("runs", [2, 3, 5])
def test_the_factor_is_what_shared_queries_hide(pool: int, size: int, runs: int) -> None:
    generator = np.random.default_rng(1)
    whole, visible = [], []
    for _ in range(3000):
        taught = generator.normal(size=pool)
        means = [generator.choice(taught, size, replace=False).mean() for _ in range(runs)]
        whole.append(np.mean(means))
        visible.append(np.var(means, ddof=1) / runs)
    assert np.var(whole) / np.mean(visible) == pytest.approx(overlap_factor(size / pool, runs), rel=0.12)


def with_luck(shared: float | None, resamples: int = 3, seeds: int = 1) -> MethodRuns:
    values = np.random.default_rng(3).normal(0, 0.1, (60, 1)) + np.random.default_rng(4).normal(0, 0.05, resamples)
    return MethodRuns(np.repeat(values, seeds, axis=1), design(resamples, seeds), shared)


def test_what_resamples_share_multiplies_what_is_seen_between_them_and_nothing_else() -> None:
    still = fixed_run(np.zeros(60))
    plain, half = (difference_of(with_luck(shared), still) for shared in (0.0, 0.5))
    seen = with_luck(0.0).values.mean(axis=0).var(ddof=1) / 3
    assert (plain.of_runs, half.of_runs) == pytest.approx((seen, (0.5 + 0.5 / 3) / (0.5 / 3) * seen))
    assert half.of_queries == plain.of_queries
    assert half.p() > plain.p()
    paired = difference_of(with_luck(0.5), with_luck(0.2)._replace(values=np.zeros((60, 3))))
    assert paired.of_runs == pytest.approx(half.of_runs), "the larger part of both"
    seeds = difference_of(with_luck(0.5, seeds=2), still)
    assert seeds.of_runs == pytest.approx(half.of_runs)


def test_resamples_that_share_all_are_one_draw_and_those_of_unknown_overlap_are_told() -> None:
    still = fixed_run(np.zeros(60))
    assert difference_of(with_luck(1.0), still).is_single
    of_seeds = MethodRuns(with_luck(1.0).values, tuple((0, seed) for seed in range(3)), 1.0)
    assert not difference_of(of_seeds, still).is_single, "seeds of one resample say what seeds do"
    unknown = with_luck(None)
    assert difference_of(unknown, still).shared is None
    assert difference_of(unknown, still).of_runs == difference_of(with_luck(0.0), still).of_runs
    values = [one.values.mean(axis=1) for one in (unknown, still)]
    matrix = ScoreMatrix(["m"], ["a", "b"], np.column_stack(values), [0, 0], (), [unknown, still])
    assert "one method share is not known" in compare_matrix(matrix, TestSpec())["notes"][0]


def test_runs_of_unlike_weight_have_the_factor_of_as_many_equal_ones() -> None:
    """Three resamples, the first with two seeds, which is half of the mean."""
    generator = np.random.default_rng(5)
    f, weights = 0.6, np.array([0.5, 0.25, 0.25])
    whole, seen = [], []
    for _ in range(20_000):
        means = generator.normal(0, f**0.5) + generator.normal(0, (1 - f) ** 0.5, 3)
        whole.append(weights @ means)
        seen.append(weights @ (means - weights @ means) ** 2 / (1 - weights @ weights) * (weights @ weights))
    runs = MethodRuns(np.zeros((4, 4)), ((0, 0), (0, 1), (1, 0), (2, 0)), f)
    assert np.var(whole) / np.mean(seen) == pytest.approx(runs.factor, rel=0.05)
