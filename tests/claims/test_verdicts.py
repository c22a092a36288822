"""Verdicts over simulated runs of known truth, the order of testing, Holm, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from harness.claims.claim_tables import claims_markdown
from harness.claims.collection_result import EXCLUDED, MISSING, NOT_REACHED, OPEN, REVERSED, SHOWN
from harness.errors import UserError
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.method_difference import MethodRuns, difference_of, fixed_run
from harness.published.card import Card
from harness.published.card_collection import ClustersOnCard
from harness.published.card_numerics import NumericsSection
from tests.claims.simulated import HYPOTHESES, Setting

GOOD = {"oracle": 0.1, "ours": 0.06}


def outcomes(setting: Setting, name: str) -> list[str]:
    return [one.outcome for one in setting.verdict(name).results]


def setting(folder: Path, advantages: dict[str, float], **more: Any) -> Setting:
    made = Setting(folder, **more)
    made.freeze()
    made.put_all(advantages)
    return made


def test_a_true_advantage_on_all_collections_holds(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)

    assert made.verdict("S").verdict == "holds"
    verdict = made.verdict("C1")
    assert verdict.verdict == "holds" and outcomes(made, "C1") == [SHOWN] * 3
    assert {line.rival for line in verdict.pooled} == {"start", "shuffled"}
    assert all(line.interval.low > 0 and len(line.collections) == 3 for line in verdict.pooled)


def test_equal_methods_fail_where_the_margin_is_excluded(tmp_path: Path) -> None:
    wide = {"S": HYPOTHESES["S"], "C1": HYPOTHESES["C1"] | {"margin": 0.08}}
    made = setting(tmp_path, {"oracle": 0.1}, hypotheses=wide)

    assert set(outcomes(made, "C1")) <= {EXCLUDED, REVERSED}
    assert made.verdict("C1").verdict == "fails"


def test_equal_methods_stay_undecided_where_the_margin_is_not_excluded_and_it_is_told_what_would_decide(
    tmp_path: Path,
) -> None:
    narrow = {"S": HYPOTHESES["S"], "C1": HYPOTHESES["C1"] | {"margin": 0.004}}
    made = setting(tmp_path, {"oracle": 0.1, "ours": 0.005}, hypotheses=narrow)

    verdict = made.verdict("C1")
    assert verdict.verdict == "undecided" and verdict.needs
    assert any("queries" in line or "resamples" in line for line in verdict.needs)


def test_the_opposite_on_two_collections_fails(tmp_path: Path) -> None:
    made = setting(tmp_path, {"oracle": 0.1, "ours": -0.06})

    assert outcomes(made, "C1") == [REVERSED] * 3
    assert made.verdict("C1").verdict == "fails" and "the opposite" in made.verdict("C1").reason


def test_one_reversed_collection_keeps_a_claim_from_holding(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.freeze()
    for collection, advantage in zip(made.collections, (0.08, 0.08, -0.08), strict=True):
        for name, value in (("oracle", 0.15), ("ours", advantage), ("shuffled", 0.0), ("start", 0.0)):
            made.put(collection, name, value)

    assert outcomes(made, "C1") == [SHOWN, SHOWN, REVERSED]
    assert made.verdict("C1").verdict == "undecided"


def test_the_order_stops_at_the_first_that_is_not_shown(tmp_path: Path) -> None:
    more = HYPOTHESES | {
        "C2": {"kind": "non-inferior", "run": "ours", "than": "start", "after": "C1", "margin": 0.1},
        "C3": {"kind": "non-inferior", "run": "ours", "than": "start", "instead_of": "C1", "margin": 0.1},
    }
    made = setting(tmp_path, {"oracle": 0.0}, hypotheses=more)

    assert made.verdict("S").verdict != "holds"
    for name in ("C1", "C2", "C3"):
        assert set(outcomes(made, name)) == {NOT_REACHED}, name
        assert all(one.p_adjusted == 1 for one in made.verdict(name).results)
        assert made.verdict(name).verdict == "undecided"


def test_what_stands_in_for_a_claim_is_tested_where_that_was_not_shown(tmp_path: Path) -> None:
    instead = {"kind": "non-inferior", "run": "ours", "than": "shuffled", "instead_of": "C1", "margin": 0.1}
    made = setting(tmp_path, {"oracle": 0.1}, hypotheses=HYPOTHESES | {"C1'": instead})

    assert SHOWN not in outcomes(made, "C1")
    assert outcomes(made, "C1'") == [SHOWN] * 3 and made.verdict("C1'").verdict == "holds"


def test_p_over_all_rivals_is_the_largest_and_over_any_that_of_holm(tmp_path: Path) -> None:
    every = {"run": "ours", "than": {"all": ["start", "shuffled"]}}
    one = {"run": "ours", "than": {"any": ["start", "shuffled"]}}
    made = setting(tmp_path, {"ours": 0.01}, hypotheses={"every": every, "one": one})

    for first, second in zip(made.verdict("every").results, made.verdict("one").results, strict=True):
        p = [comparison.p for comparison in first.comparisons]
        assert first.p == max(p)
        assert second.p == pytest.approx(multipletests(p, method="holm")[1].min(), abs=1e-12)


def test_holm_over_collections_is_that_of_statsmodels(tmp_path: Path) -> None:
    made = setting(tmp_path, {"oracle": 0.3, "ours": 0.012}, collections=4)

    results = made.verdict("C1").results
    assert all(one.outcome != NOT_REACHED for one in results)
    assert [one.p_adjusted for one in results] == pytest.approx(
        multipletests([one.p for one in results], method="holm")[1], abs=1e-12
    )
    checks = made.verdict("S").results
    assert [one.p_adjusted for one in checks] == [one.p for one in checks], "a check is in no family"


def test_the_pooled_line_weighs_collections_equally(tmp_path: Path) -> None:
    made = setting(tmp_path, {"oracle": 0.3, "ours": 0.05})

    verdict = made.verdict("C1")
    line = next(one for one in verdict.pooled if one.rival == "start")
    parts = [next(c.difference for c in one.comparisons if c.rival == "start") for one in verdict.results]
    assert line.mean == pytest.approx(np.mean([part.difference for part in parts]))
    error = np.sqrt(sum(part.error**2 for part in parts)) / len(parts)
    freedom = sum(part.error**2 for part in parts) ** 2 / sum(part.error**4 / part.freedom for part in parts)
    assert line.interval.high - line.mean == pytest.approx(stats.t.ppf(0.975, freedom) * error)


def test_a_run_that_is_missing_leaves_its_claims_open_and_is_told(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    made.runs = [
        run for run in made.runs if not run.card.tag.startswith("shuffled") or run.card.collection.name != "scifact"
    ]

    verdict = made.verdict("C1")
    assert [one.outcome for one in verdict.results] == [SHOWN, MISSING, SHOWN]
    assert verdict.verdict == "undecided" and "no runs of shuffled" in verdict.reason
    assert any("scifact: no run of 'shuffled': 3 cells planned, none published" in note for note in made.report.notes)


def test_runs_of_several_classes_of_numerics_are_told(tmp_path: Path) -> None:
    setting = Setting(tmp_path, collections=1)
    for name, numerics in (("ours", "cpu-bf16"), ("shuffled", "cpu-fp32")):
        section = NumericsSection(classes=(numerics,), devices=("a processor",), threads=(1,), versions={})
        setting.put("semanlink", name, 0.0, numerics=section)
    note = "semanlink: computed in several classes of numerics, and differences hold that, too "
    assert f"{note}(cpu-bf16: 'ours'; cpu-fp32: 'shuffled')" in setting.report.notes
    setting.runs = setting.runs[:3]
    assert not any("numerics" in line for line in setting.report.notes)


def test_a_resample_that_one_run_lacks_leaves_all_runs_of_its_collection_and_is_told(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    lost = next(
        run for run in made.runs if run.card.tag.startswith("ours-1") and run.card.collection.name == "semanlink"
    )
    made.runs.remove(lost)

    first, second, _ = made.verdict("C1").results
    assert [one.difference.runs for one in first.comparisons] == [2, 2]
    assert [one.difference.runs for one in second.comparisons] == [3, 3]
    assert any("resample 1 left out of all runs" in note for note in made.report.notes)


def test_a_single_resample_shows_nothing(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.sweep["resamples"] = 1
    made.write()
    made.freeze()
    made.put_all(GOOD, resamples=1)

    assert SHOWN not in outcomes(made, "C1")
    assert any("one run only" in note for one in made.verdict("S").results for c in one.comparisons for note in c.notes)


def test_a_name_that_means_two_configurations_is_an_error_that_tells_them_apart(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    made.put("semanlink", "ours", 0.0, settings={"epochs": 7})

    with pytest.raises(UserError, match=r"'ours' means 2 configurations on 'semanlink'.*epochs=7"):
        _ = made.report


def test_a_claim_that_requires_another_is_undecided_until_that_holds(tmp_path: Path) -> None:
    more = {
        "bold": {"run": "ours", "than": "oracle"},
        "C": {"kind": "non-inferior", "run": "ours", "than": "start", "margin": 0.1, "requires": "bold"},
    }
    made = setting(tmp_path, GOOD, hypotheses=more)

    assert made.verdict("C").verdict == "undecided" and made.verdict("C").reason == "bold must hold first"


def test_equivalence_holds_for_equal_methods(tmp_path: Path) -> None:
    same = {"E": {"kind": "equivalent", "run": "ours", "than": "start", "margin": 0.05}}

    assert setting(tmp_path, {}, hypotheses=same).verdict("E").verdict == "holds"


def test_resamples_that_share_queries_widen_the_interval(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    apart = made.verdict("C1").results[0].comparisons[0].difference
    made.runs.clear()
    made.put_all(GOOD, shared_queries=0.8)
    alike = made.verdict("C1").results[0].comparisons[0].difference
    made.runs.clear()
    made.put_all(GOOD, shared_queries=None)
    unknown = made.verdict("C1").results[0].comparisons[0]

    assert alike.of_runs > apart.of_runs and alike.of_queries == apart.of_queries
    assert unknown.difference.shared is None and "cannot be known" in unknown.notes[0]


def test_one_run_neither_shows_nor_reverses_nor_excludes(tmp_path: Path) -> None:
    """Runs alone would say that ours is far worse: luck with one draw is not known."""
    made = Setting(tmp_path)
    made.sweep["resamples"] = 1
    made.write()
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": -0.2}, resamples=1)

    assert {one.outcome for name in ("S", "C1") for one in made.verdict(name).results} <= {OPEN, NOT_REACHED}
    assert made.verdict("C1").pooled == ()
    assert "one run tells nothing of the method" in made.verdict("S").results[0].needs


def test_resamples_that_share_all_queries_are_one_draw(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.freeze()
    made.put_all(GOOD, shared_queries=1.0)

    (first, *_) = made.verdict("S").results
    assert first.outcome == OPEN and "larger pool of training queries" in first.needs
    assert "resamples share all their queries: luck with the draw is not known" in first.comparisons[0].notes


def test_claims_are_over_clusters_where_cards_tell_of_them(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    apart = made.verdict("C1").results[0]
    named = {f"q{number:03}": f"article {number // 8}" for number in range(200)}
    made.runs = [replace(run, card=in_clusters(run.card, named), clusters=named) for run in made.runs]
    (result, *_) = made.verdict("C1").results
    first = result.comparisons[0]
    assert (first.queries, first.clusters, first.difference.count) == (200, 25, 25)
    runs = [run for run in made.runs if run.card.collection.name == result.collection]
    values = {
        name: np.array([list(run.scores["nDCG@10"].values()) for run in runs if run.card.tag.startswith(name)]).T
        for name in ("ours", "start")
    }
    design = tuple((resample, 0) for resample in range(3))
    known = difference_of(
        MethodRuns(values["ours"], design, 0.05), fixed_run(values["start"][:, 0]), Clusters.of(list(named.values()))
    )
    assert first.interval == pytest.approx(known.interval())
    assert first.interval != pytest.approx(apart.comparisons[0].interval)
    report = made.report
    assert report.as_json()["collections"][0]["clusters"] == 25
    assert report.as_json()["claims"][1]["collections"][0]["comparisons"][0]["clusters"] == 25
    assert "200 in 25 x 3" in claims_markdown(report)


def test_one_cluster_shows_nothing_and_could_not_have(tmp_path: Path) -> None:
    made = setting(tmp_path, GOOD)
    named = {f"q{number:03}": "one" for number in range(200)}
    made.runs = [replace(run, card=in_clusters(run.card, named), clusters=named) for run in made.runs]
    for result in made.verdict("S").results:
        assert (result.outcome, result.p, result.least) == (OPEN, 1.0, math.inf)
        assert "how much queries differ is not known here" in result.needs
    assert claims_markdown(made.report)


def in_clusters(card: Card, named: dict[str, str]) -> Card:
    about = card.collection.model_copy(update={"clusters": ClustersOnCard.of("article", named)})
    return card.model_copy(update={"data": card.data.model_copy(update={"test_collection": about})})
