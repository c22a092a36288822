"""Every way of asking against simulated judges: sound, silent, biased, forgetful and random ones."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import minimize

from harness.cli import main
from harness.labelling.strategies.blocks import design
from harness.labelling.strategies.strategy import ParsedResponse, PartialRanking, Presentation, Strategy
from harness.plugins import plugins

Judge = Callable[[Strategy, Presentation], str]

WAYS: list[tuple[str, dict[str, Any]]] = [
    ("listwise", {}),
    ("sliding", {"window": 4, "step": 2}),
    ("sliding", {"window": 3, "step": 3}),
    ("blocks", {"block": 4, "appearances": 3}),
    ("pairwise", {}),
    ("pairwise", {"both_orders": False}),
    ("pairwise", {"method": "heapsort", "k": 3}),
    ("pairwise", {"method": "top-k", "k": 3}),
    ("pairwise", {"method": "heapsort", "k": 99, "both_orders": False}),
    ("pairwise", {"method": "top-k", "k": 99, "both_orders": False}),
    ("setwise", {"k": 3}),
    ("setwise", {"set_size": 2, "k": 99}),
    ("setwise", {"set_size": 7, "k": 99}),
    ("pointwise", {}),
    ("pointwise", {"scale": "graded"}),
]
EXACT_CALLS = [
    way
    for way in WAYS
    if way[0] in ("sliding", "blocks", "pointwise") or (way[0] == "pairwise" and "method" not in way[1])
]

UNITS = {
    "listwise": "list",
    "sliding": "list",
    "blocks": "list",
    "setwise": "few",
    "pairwise": "pair",
    "pointwise": "passage",
}
"""What one question of a way is about."""


def make(name: str, options: dict[str, Any]) -> Strategy:
    kind = plugins(Strategy)[name]
    return kind(kind.Settings(**options))


def ask(strategy: Strategy, count: int, judge: Judge) -> tuple[PartialRanking, int]:
    """The order that a judge's answers make, and how many questions that took. Every order must place each candidate
    once."""
    steps, asked = strategy.steps(count), 0
    try:
        questions = next(steps)
        while True:
            assert questions
            for shown in questions:
                assert len(set(shown)) == len(shown) and set(shown) <= set(range(count))
            asked += len(questions)
            questions = steps.send([strategy.read(judge(strategy, shown), len(shown), False) for shown in questions])
    except StopIteration as end:
        order: PartialRanking = end.value
        assert sorted(order.ranked + order.unranked) == list(range(count))
        assert order.scores is None or len(order.scores) == len(order.ranked)
        return order, asked


def sound(truth: list[int]) -> Judge:
    """Answers by a hidden order, best first, in the form asked for."""

    def judge(strategy: Strategy, shown: Presentation) -> str:
        places = sorted(range(len(shown)), key=lambda place: truth.index(shown[place]))
        if UNITS[strategy.name] == "list":
            return " > ".join(strategy.identifier(place) for place in places)
        if UNITS[strategy.name] == "passage":
            grades = strategy.answer(1).choices if strategy.answer(1).choices[0] == "0" else ("No", "Yes")
            return grades[(len(truth) - 1 - truth.index(shown[0])) * len(grades) // len(truth)]
        return strategy.identifier(places[0])

    return judge


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(truth=st.integers(1, 17).flatmap(lambda count: st.permutations(range(count))))
@settings(max_examples=40, deadline=None)
def test_a_sound_judges_order_is_found(way: tuple[str, dict[str, Any]], truth: list[int]) -> None:
    strategy, (name, options) = make(*way), way
    order, asked = ask(strategy, len(truth), sound(truth))
    assert asked <= strategy.calls(len(truth))
    assert way not in EXACT_CALLS or asked == strategy.calls(len(truth))
    assert (order.verdict, order.reasons) == ("ok", ())
    if name == "pointwise":
        assert order.scores == tuple(sorted(order.scores or (), reverse=True))
        grade = dict(zip(order.ranked, order.scores or (), strict=True))
        assert [grade[number] for number in truth] == sorted(grade.values(), reverse=True) and not order.unranked
    elif "k" in options:
        assert order.ranked == tuple(truth[: options["k"]])
    elif name == "sliding" and len(truth) > options["window"]:
        sorted_places = options["window"] - options["step"]
        assert order.ranked[:sorted_places] == tuple(truth[:sorted_places]) and not order.unranked
    elif name != "blocks" or len(truth) <= options["block"]:
        assert order.ranked == tuple(truth)


def test_blocks_come_near_a_sound_judges_order() -> None:
    found = []
    for seed in range(10):
        truth = random.Random(seed).sample(range(40), 40)
        order, _ = ask(make("blocks", {"block": 10, "appearances": 3}), 40, sound(truth))
        place = {number: place for place, number in enumerate(order.ranked)}
        found.append(statistics.mean(place[better] < place[worse] for better, worse in combinations(truth, 2)))
    assert min(found) > 0.9, "simulations outside of this code gave 0.95 to 0.98 on average"


def test_blocks_scores_are_bradley_terry_strengths() -> None:
    truth = [3, 0, 5, 2, 4, 1, 7, 6]
    order, _ = ask(make("blocks", {"block": 3, "appearances": 3}), 8, sound(truth))
    won = [(a, b) for block in design(8, 3, 3) for a, b in combinations(sorted(block, key=truth.index), 2)]

    def surprise(strength: np.ndarray[Any, Any]) -> float:
        bouts = sum(np.logaddexp(0, strength[loser] - strength[winner]) for winner, loser in won)
        return float(bouts + np.logaddexp(0, strength).sum() + np.logaddexp(0, -strength).sum())

    expected = minimize(surprise, np.zeros(8), tol=1e-10).x
    assert order.scores == pytest.approx([expected[number] for number in order.ranked], abs=1e-4)


@given(st.integers(1, 60), st.integers(3, 25), st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_the_design_of_blocks_is_fair_and_hangs_together(count: int, block: int, appearances: int) -> None:
    blocks = design(count, block, appearances)
    if count <= block:
        assert blocks == (tuple(range(count)),)
        return
    assert {len(one) for one in blocks} <= set(range(2, block + 1)) and all(
        list(one) == sorted(set(one)) for one in blocks
    )
    assert all(sum(number in one for one in blocks) == appearances for number in range(count))
    reached, grows = set(blocks[0]), True
    while grows:
        touching = set().union(*(one for one in blocks if reached & set(one)))
        grows, reached = touching > reached, reached | touching
    assert len(reached) == count


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(count=st.integers(1, 14), seed=st.integers(0, 10**6), silence=st.sampled_from([0.0, 0.3, 0.9]))
@settings(max_examples=40, deadline=None)
def test_no_judge_causes_more_calls_than_announced(
    way: tuple[str, dict[str, Any]], count: int, seed: int, silence: float
) -> None:
    draw = random.Random(seed)

    def judge(strategy: Strategy, shown: Presentation) -> str:
        if draw.random() < silence:
            return "I cannot say."
        if UNITS[strategy.name] == "list":
            return " > ".join(
                strategy.identifier(place) for place in draw.sample(range(len(shown)), draw.randint(1, len(shown)))
            )
        return draw.choice(strategy.answer(len(shown)).choices)

    order, asked = ask(make(*way), count, judge)
    assert asked <= make(*way).calls(count)
    assert order.verdict == "failed" if not order.ranked else order.verdict != "failed"


@pytest.mark.parametrize(
    "garbage", ["", "I am sorry, but I cannot help.", "[99] > [77]", "<think>hm, [1] > [2]", "Passage A or Passage B"]
)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_garbage_places_nothing(way: tuple[str, dict[str, Any]], garbage: str) -> None:
    order, asked = ask(make(*way), 9, lambda strategy, shown: garbage)
    assert (order.ranked, order.verdict, asked > 0) == ((), "failed", True) and order.reasons


@pytest.mark.parametrize("way", [way for way in WAYS if way[0] not in ("pointwise", "listwise")], ids=str)
def test_a_single_candidate_needs_no_comparison(way: tuple[str, dict[str, Any]]) -> None:
    assert ask(make(*way), 1, lambda strategy, shown: "") == (PartialRanking((0,), (), "ok"), 0)
    assert make(*way).calls(1) == 0


@pytest.mark.parametrize("way", WAYS[:4], ids=str)
def test_what_a_window_never_places_stays_in_the_tail(way: tuple[str, dict[str, Any]]) -> None:
    def forgetful(strategy: Strategy, shown: Presentation) -> str:
        return " > ".join(strategy.identifier(place) for place in reversed(range(len(shown))) if shown[place] != 3)

    order, _ = ask(make(*way), 8, forgetful)
    assert (order.unranked, order.verdict, order.reasons) == ((3,), "partial", ("missing",))


def test_the_last_window_that_showed_a_candidate_decides_whether_it_is_placed() -> None:
    windows: list[Presentation] = []

    def judge(strategy: Strategy, shown: Presentation) -> str:
        windows.append(shown)
        return "[1] > [2]" if len(windows) == 1 else "[3]"

    order, _ = ask(make("sliding", {"window": 3, "step": 1}), 4, judge)
    assert windows == [(1, 2, 3), (0, 1, 2)]
    assert (order.ranked, order.unranked) == ((2,), (0, 1, 3))


def test_sliding_windows_reach_the_front_and_hold_two_or_more() -> None:
    for count, window, step in ((25, 20, 10), (21, 20, 20), (40, 20, 10), (5, 2, 1), (3, 2, 2)):
        seen: list[Presentation] = []
        ask(
            make("sliding", {"window": window, "step": step}),
            count,
            lambda strategy, shown, seen=seen: (
                seen.append(shown) or " > ".join(map(strategy.identifier, range(len(shown))))
            ),  # type: ignore[misc]
        )
        assert seen[-1][0] == 0 and min(map(len, seen)) >= 2 and set().union(*seen) == set(range(count))


@pytest.mark.parametrize("options", [{"window": 5, "step": 6}, {"step": 0}, {"window": 1, "step": 1}])
def test_windows_that_miss_candidates_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        make("sliding", options)


@pytest.mark.parametrize("method", ["heapsort", "top-k"])
def test_a_judge_that_always_prefers_the_first_shown_decides_nothing(method: str) -> None:
    order, _ = ask(make("pairwise", {"method": method}), 6, lambda strategy, shown: "Passage A")
    assert order.ranked == ()
    everything, _ = ask(make("pairwise", {}), 6, lambda strategy, shown: "Passage A")
    assert everything.scores == (5.0,) * 6 and not everything.unranked


def test_answers_without_a_choice_count_half_for_each_side() -> None:
    def judge(strategy: Strategy, shown: Presentation) -> str:
        return {(0, 1): "Passage A", (1, 0): "neither"}.get(
            shown, "neither" if 3 in shown else strategy.identifier(shown.index(min(shown)))
        )

    order, _ = ask(make("pairwise", {}), 4, judge)
    assert dict(zip(order.ranked, order.scores or (), strict=True)) == {0: 1.5 + 2 + 1, 1: 0.5 + 2 + 1, 2: 1.0}
    assert (order.unranked, order.verdict, order.reasons) == ((3,), "partial", ("wrong format",))


@pytest.mark.parametrize(
    "way", [("pairwise", {"method": "heapsort"}), ("pairwise", {"method": "top-k"}), ("setwise", {"set_size": 3})]
)
def test_undecided_comparisons_do_not_keep_the_order_of_presentation(way: tuple[str, dict[str, Any]]) -> None:
    def judge(strategy: Strategy, shown: Presentation) -> str:
        return strategy.identifier(shown.index(7)) if 7 in shown else "hard to say"

    order, _ = ask(make(*way), 8, judge)
    assert (order.ranked, order.unranked, order.verdict, order.reasons) == (
        (7,),
        tuple(range(7)),
        "partial",
        ("wrong format",),
    )


@pytest.mark.parametrize(
    ("text", "position", "verdict"),
    [
        ("Passage B", 1, "ok"),
        (" Passage B\n", 1, "ok"),
        ("<think>A? no</think>Passage B", 1, "ok"),
        ("passage b.", 1, "repaired"),
        ("**Passage B**", 1, "repaired"),
        ("B", 1, "repaired"),
        ("The answer is: Passage B", 1, "repaired"),
        ("Passage A is about cats.\nPassage B", 1, "repaired"),
        ("Passage B is more relevant than Passage A.", 1, "repaired"),
        ("I would go for Passage B, it has the date.", 1, "repaired"),
        ("Passage A is less relevant than Passage B.", None, "failed"),
        ("Passage A is not relevant.", None, "failed"),
        ("Passage A or Passage B", None, "failed"),
        ("Passage D", None, "failed"),
        ("a passage", None, "failed"),
        ("Both.", None, "failed"),
    ],
)
def test_a_choice_is_read_where_it_is_clear(text: str, position: int | None, verdict: str) -> None:
    for name, shown in (("pairwise", 2), ("setwise", 3)):
        reply = make(name, {}).read(text, shown, False)
        assert (reply.order, reply.verdict) == (() if position is None else (position,), verdict)


def test_of_a_cut_choice_only_a_whole_one_counts() -> None:
    strategy = make("pairwise", {})
    assert strategy.read("Passage A", 2, True)[:3] == ((0,), "repaired", ("truncated",))
    assert strategy.read("Passage A is mo", 2, True)[:3] == ((), "failed", ("truncated",))
    assert strategy.read("<think>Passage A", 2, False)[:3] == ((), "failed", ("truncated",))
    assert strategy.read("Passage C", 2, False).reasons == ("out of range",)


@pytest.mark.parametrize(
    ("scale", "text", "grade", "verdict"),
    [
        ("yes-no", "Yes", 1, "ok"),
        ("yes-no", "No", 0, "ok"),
        ("yes-no", "no.", 0, "repaired"),
        ("yes-no", "Yes, it names the year.", 1, "repaired"),
        ("yes-no", "It names the year.\nAnswer: **Yes**", 1, "repaired"),
        ("yes-no", "Yes or no", None, "failed"),
        ("yes-no", "No, it does not.\nYes", None, "failed"),
        ("yes-no", "Nothing of use", None, "failed"),
        ("graded", "2", 2, "ok"),
        ("graded", "Score: 3", 3, "repaired"),
        ("graded", "2/3", 2, "repaired"),
        ("graded", "2 - highly relevant", 2, "repaired"),
        ("graded", "It is on the topic.\nGrade: 1", 1, "repaired"),
        ("graded", "7", None, "failed"),
        ("graded", "Score: -1", None, "failed"),
        ("graded", "2.5", None, "failed"),
        ("graded", "1 - 2", None, "failed"),
        ("graded", "1. It names 3 years", None, "failed"),
        ("graded", "in 2 of the 3 cases", None, "failed"),
    ],
)
def test_a_grade_is_read_where_it_is_clear(scale: str, text: str, grade: int | None, verdict: str) -> None:
    reply = make("pointwise", {"scale": scale}).read(text, 1, False)
    assert (reply.grade, reply.order, reply.verdict) == (grade, () if grade is None else (0,), verdict)


PIECES = [
    "Passage ",
    "A",
    "B",
    "Z",
    "[1]",
    "[2]",
    " > ",
    "yes",
    "No",
    "0",
    "3",
    "99",
    ".",
    ",",
    "\n",
    "<think>",
    "</think>",
    "answer is",
    " ",
    "²",
    "-",
]


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(
    text=st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    shown=st.integers(1, 26),
    cut=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_reading_never_raises_and_never_invents(
    way: tuple[str, dict[str, Any]], text: str, shown: int, cut: bool
) -> None:
    strategy = make(*way)
    shown = {"pair": 2, "passage": 1}.get(UNITS[strategy.name], shown)
    reply: ParsedResponse = strategy.read(text, shown, cut)
    assert len(set(reply.order)) == len(reply.order) and all(0 <= place < shown for place in reply.order)
    assert (reply.verdict == "failed") == (not reply.order) and reply.text == text
    assert (reply.verdict == "ok") == (not reply.reasons)
    assert UNITS[strategy.name] != "passage" or (reply.grade is None) == (not reply.order)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_reading_takes_time_in_proportion_to_the_answer(way: tuple[str, dict[str, Any]]) -> None:
    start = time.thread_time()
    for piece in (" ", "answer ", "Passage ", "Passage A is ", "1 ", "[", "(", "\n"):
        make(*way).read(piece * 10_000 + "Yes", 2 if way[0] == "pairwise" else 1, False)
    assert time.thread_time() - start < 5, "about 0.2 s on an idle core"


def test_the_command_line_lists_and_shows_strategies_and_prompts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> Any:
        monkeypatch.setattr("sys.argv", ["harness", *arguments, "--json"])
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert not ended.value.code
        return json.loads(capsys.readouterr().out)

    assert {row["name"] for row in said("list", "strategies")} >= {way for way, _ in WAYS}
    assert {"name", "summary", "source", "needs"} <= set(said("list", "prompts")[0])
    assert [setting["name"] for setting in said("show", "strategy", "sliding")["settings"]] == ["window", "step"]
    assert {"system", "text", "placeholders", "identity"} <= set(said("show", "prompt", "listwise"))
