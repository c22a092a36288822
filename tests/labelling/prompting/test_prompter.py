from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.labelling.labels.agreement import order_presented
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.labelling.prompting.prompter import Prompter, Request
from harness.labelling.prompting.prompting_settings import OnMalformed, PromptingSettings

Judge = Callable[[Request], str]


def task(count: int = 5, query: str = "q1") -> Task:
    return Task(
        query, "what?", tuple(Candidate(f"d{number}", f"text{number}. " + "more " * 9) for number in range(count))
    )


def asking(malformed: dict[str, Any] | None = None, **ask: Any) -> Prompter:
    return Prompter(PromptingSettings.model_validate(ask), OnMalformed(**(malformed or {})))


def shown_in(request: Request) -> list[int]:
    """Numbers of the candidates in the order in which a request shows them."""
    return [int(number) for number in re.findall(r"text(\d+)\.", request.messages[-1][1])]


def run(asking: Prompter, task: Task, judge: Judge) -> tuple[Ranking, list[list[Request]]]:
    """The ranking that a judge's answers make, and the rounds of requests."""
    session, rounds = asking.session(task), []
    try:
        requests = next(session)
        while True:
            rounds.append(requests)
            requests = session.send([request.read(judge(request), False) for request in requests])
    except StopIteration as end:
        ranking: Ranking = end.value
        ranking.check(task.query, [candidate.id for candidate in task.candidates])
        return ranking, rounds


def sound(truth: list[int]) -> Judge:
    def judge(request: Request) -> str:
        shown = shown_in(request)
        places = sorted(range(len(shown)), key=lambda place: truth.index(shown[place]))
        if request.answer.permutation:
            return " > ".join(f"[{place + 1}]" for place in places)
        return request.answer.choices[places[0]]

    return judge


def as_shown(request: Request) -> str:
    return " > ".join(f"[{place + 1}]" for place in range(len(shown_in(request))))


@given(
    st.permutations(range(7)),
    st.sampled_from(["listwise", "sliding", "blocks", "pairwise", "setwise"]),
    st.sampled_from(
        [{"presentation": "reversed"}, {"shuffle": True}, {"shuffles": 3}, {"shuffles": 2, "aggregate": "kemeny"}, {}]
    ),
)
@settings(max_examples=60, deadline=None)
def test_a_sound_judges_order_is_found_in_any_presentation(
    truth: list[int], strategy: str, how: dict[str, Any]
) -> None:
    whole = asking(strategy=strategy, **how)
    ranking, rounds = run(whole, task(7), sound(truth))
    assert ranking.ranked == tuple(f"d{number}" for number in truth) and ranking.verdict == "ok"
    assert sum(map(len, rounds)) <= whole.calls(7)


def test_candidates_are_shown_as_asked() -> None:
    assert run(asking(), task(), as_shown)[0].presented == ("d0", "d1", "d2", "d3", "d4")
    backwards, rounds = run(asking(presentation="reversed"), task(), as_shown)
    assert backwards.presented == backwards.ranked == ("d4", "d3", "d2", "d1", "d0")
    assert shown_in(rounds[0][0]) == [4, 3, 2, 1, 0]
    shuffled = run(asking(presentation="shuffled"), task(9), as_shown)[0].presented
    assert shuffled == run(asking(shuffle=True), task(9), as_shown)[0].presented, "the same at any time"
    others = {
        shuffled,
        tuple(f"d{number}" for number in range(9)),
        run(asking(shuffle=True, seed=1), task(9), as_shown)[0].presented,
        run(asking(shuffle=True), task(9, "q2"), as_shown)[0].presented,
    }
    assert len(others) == 4


def test_a_shuffle_does_not_depend_on_the_first_stages_order() -> None:
    whole = task(9)
    turned = Task(whole.query, whole.text, whole.candidates[::-1])
    assert (
        run(asking(shuffle=True), whole, as_shown)[0].presented
        == run(asking(shuffle=True), turned, as_shown)[0].presented
    )


def test_self_consistency_asks_side_by_side_and_merges() -> None:
    # Two shuffles are judged soundly, one answer says nothing.
    answers = iter([sound([3, 1, 0, 2, 4]), lambda request: "no idea", sound([3, 1, 0, 2, 4])])
    ranking, rounds = run(asking(shuffles=3), task(), lambda request: next(answers)(request))
    assert [len(requests) for requests in rounds] == [3] and len(
        {tuple(shown_in(request)) for request in rounds[0]}
    ) == 3
    assert ranking.ranked == ("d3", "d1", "d0", "d2", "d4")
    assert (ranking.verdict, ranking.reason, ranking.presented) == ("partial", "wrong format", ())
    assert '"no idea"' in ranking.raw


def test_ties_are_broken_by_document_id_not_by_presentation() -> None:
    for presentation in ("first-stage", "reversed", "shuffled"):
        ranking, _ = run(asking(strategy="pointwise", presentation=presentation), task(), lambda request: "Yes")
        assert ranking.ranked == ("d4", "d3", "d2", "d1", "d0")


def test_a_single_candidate_is_ranked_without_a_request() -> None:
    for strategy in ("sliding", "blocks", "pairwise", "setwise"):
        for shuffles in (1, 3):
            ranking, rounds = run(asking(strategy=strategy, shuffles=shuffles), task(1), lambda request: "")
            assert (ranking.ranked, ranking.verdict, rounds) == (("d0",), "ok", [])


def test_a_malformed_answer_is_asked_again_and_the_best_one_counts() -> None:
    answers = iter(["[2]", "nothing", "[2] > [1] > [3]"])
    ranking, rounds = run(asking({"reask": 5}), task(3), lambda request: next(answers))
    assert [requests[0].repeat for requests in rounds] == [0, 1, 2] and len(
        {requests[0].messages for requests in rounds}
    ) == 1
    assert (ranking.ranked, ranking.verdict) == (("d1", "d0", "d2"), "ok")
    answers = iter(["[2]", "nothing"])
    ranking, rounds = run(asking({"reask": 1}), task(3), lambda request: next(answers))
    assert (ranking.ranked, ranking.unranked, ranking.verdict, len(rounds)) == (("d1",), ("d0", "d2"), "partial", 2)


def test_only_what_was_malformed_is_asked_again() -> None:
    def judge(request: Request) -> str:
        return "?" if shown_in(request) == [1] and not request.repeat else "Yes"

    ranking, rounds = run(asking({"reask": 2}, strategy="pointwise"), task(3), judge)
    assert [[shown_in(request) for request in requests] for requests in rounds] == [[[0], [1], [2]], [[1]]]
    assert ranking.verdict == "ok"


@pytest.mark.parametrize(
    ("then", "ordered", "tail", "verdict"),
    [
        ("partial", ("d1",), ("d3", "d2", "d0"), "partial"),
        ("repair", ("d1", "d3", "d2", "d0"), (), "repaired"),
        ("drop", (), ("d0", "d1", "d2", "d3"), "failed"),
    ],
)
def test_unplaced_candidates_become_what_was_asked_for(
    then: str, ordered: tuple[str, ...], tail: tuple[str, ...], verdict: str
) -> None:
    ranking, _ = run(asking({"then": then}, presentation="reversed"), task(4), lambda request: "[3]")
    assert (ranking.ranked, set(ranking.unranked), ranking.verdict, ranking.raw) == (ordered, set(tail), verdict, "[3]")
    assert "missing" in ranking.reason
    failed, _ = run(asking({"then": then}), task(4), lambda request: "I am sorry")
    assert (failed.ranked, failed.verdict, failed.reason) == ((), "failed", "refused"), (
        "never the order of presentation"
    )


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ("slidng", "did you mean 'sliding'"),
        ({"strategy": "sliding", "windw": 3}, "unknown key 'windw' for the strategy 'sliding' (did you mean 'window'"),
        ({"strategy": "listwise", "window": 3}, "unknown key 'window' for the strategy 'listwise'"),
        ({"presentatoin": "shuffled"}, "did you mean 'presentation'"),
        ({"strategy": "sliding", "window": 3, "step": 4}, "a step of 4"),
        ({"strategy": "pairwise", "k": 0}, "k\n  must be at least"),
        ({"shuffles": 0}, "shuffles"),
        ({"aggregate": "median"}, "aggregate"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_nearest(ask: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        PromptingSettings.model_validate(ask)


def test_settings_of_the_strategy_stand_beside_the_others() -> None:
    ask = PromptingSettings.model_validate({"strategy": "sliding", "window": 3, "shuffle": True, "step": 1})
    assert (ask.options, ask.presentation) == ({"window": 3, "step": 1}, "shuffled")
    assert PromptingSettings.model_validate(ask.model_dump()) == ask
    assert PromptingSettings.model_validate("setwise").options == {"set_size": 4, "k": 10, "method": "heapsort"}
    schema = PromptingSettings.model_json_schema()["properties"]
    assert {"window", "block", "k", "scale", "shuffle"} <= set(schema) and "pairwise" in schema["strategy"]["enum"]


def test_every_strategys_own_prompt_fits_it() -> None:
    assert "0 to 3" in asking(strategy="pointwise", scale="graded").prompt.text
    for strategy in ("listwise", "sliding", "blocks", "pairwise", "setwise", "pointwise"):
        seen: list[str] = []
        run(
            asking(strategy=strategy, max_passage_words=2),
            task(3),
            lambda request, seen=seen: seen.append(request.messages[-1][1]) or "",
        )  # type: ignore[misc]
        assert seen and all("what?" in text and "more" in text and "more more" not in text for text in seen)


def test_identity_is_what_is_asked(tmp_path: Path) -> None:
    same = [asking(), asking(strategy="listwise"), asking(prompt="listwise")]
    (tmp_path / "mine.yaml").write_text("summary: mine\ntext: '{query} {passages}'\n")
    mine = Prompter(PromptingSettings(prompt="mine.yaml"), OnMalformed(), tmp_path)
    others = [
        mine,
        asking(seed=1),
        asking({"reask": 1}),
        asking(strategy="sliding"),
        asking(strategy="sliding", step=9),
    ]
    assert len({one.identity for one in same}) == 1 and len({one.identity for one in [*same, *others]}) == 1 + len(
        others
    )


@pytest.mark.parametrize(("copies", "low", "high"), [(True, 1.0, 1.0), (False, -0.15, 0.15)])
def test_each_of_several_answers_is_held_against_the_order_that_it_was_shown(
    copies: bool, low: float, high: float
) -> None:
    """The order that they make together would look like no copy at all."""
    truth = sound([2, 0, 4, 1, 3])
    judge: Judge = (lambda request: "[1] > [2] > [3] > [4] > [5]") if copies else truth
    rankings = [run(asking(shuffles=4), task(query=f"q{number}"), judge)[0] for number in range(60)]
    assert all(len(ranking.answers) == 4 and ranking.presented == () for ranking in rankings)
    first = {ranking.query: tuple(f"d{number}" for number in range(5)) for ranking in rankings}
    found = order_presented(rankings, first)
    assert (found["queries"], found["reordered"]) == (60, 60) and low <= found["tau"] <= high
    # Kendall's variance of tau over 5 documents is 2 * 15 / (9 * 20); here a mean of 240 answers.
    assert found["deviation"] == pytest.approx((30 / 180 / 240) ** 0.5)
    written = json.loads(json.dumps(rankings[0].to_json()))
    assert "answers" not in written and Ranking.from_json(written) == rankings[0]


def test_equal_scores_of_an_answer_follow_no_order_shown() -> None:
    ranking, _ = run(asking(strategy="pointwise", shuffles=3), task(), lambda request: request.answer.choices[0])
    assert {answer.ranked for answer in ranking.answers} == {("d4", "d3", "d2", "d1", "d0")}
    assert len({answer.presented for answer in ranking.answers}) == 3
