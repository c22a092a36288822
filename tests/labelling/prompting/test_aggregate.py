from __future__ import annotations

import time
from itertools import combinations, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.labelling.prompting import aggregate
from harness.labelling.prompting.aggregate import merged
from harness.labelling.strategies.strategy import PartialRanking


@st.composite
def several(draw: st.DrawFn) -> list[PartialRanking]:
    """A few orders of the same candidates, some with tails, some with ties."""
    count = draw(st.integers(1, 6))
    orders = []
    for _ in range(draw(st.integers(1, 5))):
        order, cut = tuple(draw(st.permutations(range(count)))), draw(st.integers(0, count))
        ties = sorted(draw(st.lists(st.integers(0, 2), min_size=cut, max_size=cut)), reverse=True)
        scores = tuple(map(float, ties)) if draw(st.booleans()) else None
        orders.append(
            PartialRanking(
                order[:cut], order[cut:], "ok" if cut == count else "partial" if cut else "failed", scores=scores
            )
        )
    return orders


def prefers(order: PartialRanking, one: int, other: int) -> bool:
    if one not in order.ranked:
        return False
    if other not in order.ranked:
        return True
    place, behind = order.ranked.index(one), order.ranked.index(other)
    return order.scores[place] > order.scores[behind] if order.scores is not None else place < behind


def contradicted(ranking: tuple[int, ...], orders: list[PartialRanking]) -> int:
    return sum(prefers(order, behind, ahead) for ahead, behind in combinations(ranking, 2) for order in orders)


@given(several())
@settings(max_examples=150, deadline=None)
def test_kemenys_order_contradicts_as_few_preferences_as_any(orders: list[PartialRanking]) -> None:
    found = merged(orders, "kemeny")
    least = min(contradicted(other, orders) for other in permutations(found.ranked))
    assert contradicted(found.ranked, orders) == least
    swapped = list(found.ranked)
    for place, (score, after) in enumerate(zip(found.scores or (), (found.scores or ())[1:], strict=False)):
        if score == after:
            swapped[place : place + 2] = swapped[place + 1], swapped[place]
    assert contradicted(tuple(swapped), orders) == least, "equal scores may be ordered either way"


@given(several(), st.sampled_from(["borda", "kemeny"]))
@settings(deadline=None)
def test_candidates_that_no_order_places_are_the_tail(orders: list[PartialRanking], how: str) -> None:
    found = merged(orders, how)
    placed = {number for order in orders for number in order.ranked}
    everybody = set(orders[0].ranked + orders[0].unranked)
    assert set(found.ranked) == placed and set(found.unranked) == everybody - placed
    assert (found.verdict == "failed") == (not placed)
    assert list(found.scores or ()) == sorted(found.scores or (), reverse=True)


@given(several())
@settings(deadline=None)
def test_borda_is_the_order_of_mean_ranks(orders: list[PartialRanking]) -> None:
    found = merged(orders, "borda")
    everybody = orders[0].ranked + orders[0].unranked

    def rank(order: PartialRanking, number: int) -> float:
        equal = [
            x for x in everybody if x != number and not prefers(order, x, number) and not prefers(order, number, x)
        ]
        return 1 + sum(prefers(order, x, number) for x in everybody) + len(equal) / 2

    ranks = {number: sum(rank(order, number) for order in orders) for number in found.ranked}
    assert [ranks[number] for number in found.ranked] == sorted(ranks.values())
    scores = dict(zip(found.ranked, found.scores or (), strict=True))
    assert all((ranks[a] == ranks[b]) == (scores[a] == scores[b]) for a, b in combinations(found.ranked, 2))


def test_borda_by_hand() -> None:
    # Ranks: 0 has 1, 2, 2.5; 1 has 2, 1, 1; 2 has 3, 3, 2.5: the third order shares ranks 2 and 3 between 0 and 2.
    orders = [
        PartialRanking((0, 1, 2), (), "ok"),
        PartialRanking((1, 0, 2), (), "ok"),
        PartialRanking((1,), (2, 0), "partial", ("missing",)),
    ]
    found = merged(orders, "borda")
    assert (found.ranked, found.unranked, found.verdict, found.reasons) == ((1, 0, 2), (), "partial", ("missing",))


@pytest.mark.parametrize("how", ["borda", "kemeny"])
def test_orders_that_disagree_evenly_are_a_tie(how: str) -> None:
    found = merged(
        [PartialRanking((0, 1, 2), (), "ok"), PartialRanking((1, 0, 2), (), "repaired", ("wrong format",))], how
    )
    assert found.scores is not None and found.scores[0] == found.scores[1] > found.scores[2]
    assert (found.ranked[2], found.verdict, found.reasons) == (2, "repaired", ("wrong format",))


def test_a_failed_order_says_nothing_but_makes_the_whole_partial() -> None:
    for how in ("borda", "kemeny"):
        found = merged([PartialRanking((2, 0, 1), (), "ok"), PartialRanking((), (0, 1, 2), "failed", ("empty",))], how)
        assert (found.ranked, found.verdict, found.reasons) == ((2, 0, 1), "partial", ("empty",))
        assert merged([PartialRanking((), (0, 1), "failed", ("refused",))] * 2, how)[:3] == ((), (0, 1), "failed")


def test_kemeny_and_borda_differ_where_they_should() -> None:
    # A majority prefers 0 to both others; 1 has the better mean rank.
    orders = [PartialRanking(order, (), "ok") for order in ((0, 1, 2), (0, 1, 2), (0, 1, 2), (1, 2, 0), (1, 2, 0))]
    assert merged(orders, "kemeny").ranked == (0, 1, 2) and merged(orders, "borda").ranked == (1, 0, 2)


def test_a_circle_beyond_the_limit_is_ordered_by_borda(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0 to 4 beat one another in a circle, 5 and 6 are behind them all.
    turned = [
        PartialRanking((*((start + place) % 5 for place in range(5)), 5, 6), (), "ok") for start in (0, 1, 2, 3, 4, 4)
    ]
    exact = merged(turned, "kemeny").ranked
    monkeypatch.setattr(aggregate, "EXACT", 4)
    rough = merged(turned, "kemeny").ranked
    assert exact[5:] == rough[5:] == (5, 6) and rough == merged(turned, "borda").ranked
    assert contradicted(exact, turned) <= contradicted(rough, turned)


def test_twenty_candidates_take_no_time_worth_speaking_of() -> None:
    orders = [PartialRanking(tuple(Random(seed).sample(range(20), 20)), (), "ok") for seed in range(5)]
    merged(orders, "kemeny")
    start = time.thread_time()
    merged(orders, "kemeny")
    assert time.thread_time() - start < 2, "about 0.04 s on an idle core"


def test_an_unknown_way_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        merged([PartialRanking((0,), (), "ok")], "median")
