"""What teachers said, from published labels: the numbers of scipy and statsmodels, each label once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare, kendalltau
from statsmodels.stats.proportion import proportion_confint

from harness.labelling.labels.agreement import rbo
from harness.leaderboard.inspect.label_quality import FIRST_STAGE, MEASURES, agreements, first_picks, teacher_labels
from harness.leaderboard.load_results import load_results
from harness.published.card_costs import Verdicts
from harness.published.result_folder import LABELS
from tests.leaderboard.labels import CANDIDATES, TRAINING, labels_of, orders_of, put_labelled
from tests.leaderboard.runs import make_card, make_run, put, teacher

TAU, RBO, FIRST = MEASURES


def test_agreement_is_that_of_scipy_on_common_queries(tmp_path: Path) -> None:
    one, other = orders_of(1), dict(list(orders_of(2).items())[10:])
    put_labelled(tmp_path, "one", one)
    put_labelled(tmp_path, "other", other)
    found, notes = teacher_labels(load_results(tmp_path).runs)
    assert [teacher.name for teacher in found] == ["one", "other"] and notes == []
    pairs = {(pair.a, pair.b): pair for pair in agreements(found)}
    names = ("one", "other", FIRST_STAGE)
    assert set(pairs) == {(a, b) for place, a in enumerate(names) for b in names[place:]}
    both = pairs["one", "other"]
    taus = [
        kendalltau([one[query].index(d) for d in CANDIDATES], [other[query].index(d) for d in CANDIDATES]).statistic
        for query in other
    ]
    assert both.queries == 30
    assert both.values[TAU] == pytest.approx(np.mean(taus), abs=1e-12)
    assert both.values[RBO] == pytest.approx(np.mean([rbo(one[query], other[query]) for query in other]), abs=1e-12)
    assert both.values[FIRST] == pytest.approx(np.mean([one[query][0] == other[query][0] for query in other]))
    assert pairs["one", "one"].values == pytest.approx({TAU: 1.0, RBO: 1.0, FIRST: 1.0})
    assert pairs["one", FIRST_STAGE].values[FIRST] == np.mean([order[0] == "d0" for order in one.values()])


def test_first_picks_are_held_against_chance(tmp_path: Path) -> None:
    orders, shown = orders_of(1), orders_of(3)
    put_labelled(tmp_path, "one", orders, shown=shown)
    (found,), _ = teacher_labels(load_results(tmp_path).runs)
    picks = first_picks(found)
    counts = [sum(shown[query].index(order[0]) == place for query, order in orders.items()) for place in range(5)]
    assert [place.picked for place in picks.places] == counts
    assert picks.p == pytest.approx(chisquare(counts).pvalue, abs=1e-12)
    assert (picks.queries, picks.reordered) == (40, sum(order != CANDIDATES for order in shown.values()))
    for place in picks.places:
        assert (place.share, place.expected) == (place.picked / 40, pytest.approx(0.2))
        assert tuple(place.interval) == pytest.approx(proportion_confint(place.picked, 40, method="wilson"), abs=1e-12)


def test_a_teacher_that_picks_what_stands_first_is_found_out(tmp_path: Path) -> None:
    shown = orders_of(3)
    put_labelled(tmp_path, "lazy", shown, shown=shown)
    (found,), _ = teacher_labels(load_results(tmp_path).runs)
    picks = first_picks(found)
    assert picks.places[0].share == 1 and picks.p is not None and picks.p < 1e-20


def test_budgets_are_nested_and_the_largest_counts(tmp_path: Path) -> None:
    orders = orders_of(1)
    for resample, budget in ((0, 10), (0, 40), (1, 20)):
        part = dict(list(orders.items())[-budget:])
        card = make_card(
            f"r{resample}-{budget}",
            "direct",
            budget=budget,
            resample=resample,
            teacher=teacher("t"),
            labels=Verdicts(ok=budget),
        )
        put(tmp_path, card, make_run(0.5), beside={LABELS: labels_of(part)})
    (found,), _ = teacher_labels(load_results(tmp_path).runs)
    assert sorted(found.orders) == TRAINING
    assert found.orders == orders


def test_teachers_without_labels_and_bad_files_are_named(tmp_path: Path) -> None:
    folder = put_labelled(tmp_path, "one", orders_of(1))
    (folder / LABELS).unlink()
    folder = put_labelled(tmp_path, "two", orders_of(1))
    (folder / LABELS).write_bytes(b"nonsense")
    found, notes = teacher_labels(load_results(tmp_path).runs)
    assert found == [] and agreements(found) == []
    assert "no complete gzip" in notes[0] and "one, two" in notes[1]
