"""What a reader is asked, how its words are read, and which of its settings make another call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.llm.chat_teacher import ChatTeacher
from harness.qa.answer_prompter import CLOSED, OPEN, read_answer, short_answer
from harness.qa.reader import named_reader, reader
from harness.teachers.make import teacher_from

TASK = Task("q", "Who won?", (Candidate("d1", "Ann {won} twice"), Candidate("d2", "Bob lost\nbadly today")))


def made(**settings: Any) -> ChatTeacher:
    return reader(teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini", **settings}), Path())


def asked(who: ChatTeacher, task: Task) -> Any:
    (request,) = next(who.asking.session(task))
    return request


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("1973", "1973"),
        ("\n\nAnswer: October 1973.\nIt began then.", "October 1973."),
        ('**Answer:** "The oil crisis"', "The oil crisis"),
        ("The short answer is: Ann", "Ann"),
        ("The answer to the question is:\n\nAnn", "Ann"),
        ("<think>maybe Bob?\nBob</think>Ann", "Ann"),
        ("Ann\n<think>or Bob", "Ann"),
        ("Answer key: B", "Answer key: B"),
        ("Answer:\nAnn", "Ann"),
        (" \n ...", ""),
        ("", ""),
    ],
)
def test_the_answer_is_the_first_line_that_says_something(said: str, answer: str) -> None:
    assert short_answer(said) == answer


def test_a_cut_answer_is_kept_and_a_cut_thought_is_none() -> None:
    assert read_answer("the oil cri", True).verdict == "ok"
    assert read_answer("<think>let me", True).reasons == ("truncated",)
    assert read_answer("", False).reasons == ("empty",)
    assert read_answer("\n", False).verdict == "ok"


def test_passages_stand_best_first_and_are_cut() -> None:
    [(role, text)] = asked(made(ask={"max_passage_words": 3}), TASK).messages
    assert role == "user"
    assert text == OPEN.text.format(
        passages="Passage 1: Ann {won} twice\n\nPassage 2: Bob lost badly", query="Who won?"
    )


def test_without_passages_the_book_is_closed() -> None:
    [(_, text)] = asked(made(), Task("q", "Who won?", ())).messages
    assert text == CLOSED.text.format(query="Who won?") and "assage" not in text


def test_prompts_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("summary: mine\nsystem: Be brief.\ntext: 'Q {query} P {passages}'")
    own = reader(teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini"}), tmp_path, "mine.yaml")
    assert asked(own, TASK).messages[0] == ("system", "Be brief.")
    assert own.identity != made().identity
    (tmp_path / "wrong.yaml").write_text("summary: wrong\ntext: 'Q {query}'")
    with pytest.raises(UserError, match="placeholders"):
        reader(teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini"}), tmp_path, "wrong.yaml")


def test_what_can_change_an_answer_is_in_the_key() -> None:
    plain = made()
    key = plain.key(asked(plain, TASK))
    for changed in (
        {"temperature": 0.5},
        {"max_tokens": 9},
        {"model": "openai/gpt-4.1"},
        {"ask": {"max_passage_words": 2}},
    ):
        other = made(**changed)
        assert other.key(asked(other, TASK)) != key and other.identity != plain.identity
    same = made(concurrency=1, timeout=5)
    assert same.key(asked(same, TASK)) == key and same.identity == plain.identity


def test_plans_count_one_call_a_question(tmp_path: Path) -> None:
    who = made(price={"input": 1, "output": 4})
    cost = who.estimate([TASK, TASK, Task("p", "Who?", ())], Ledger(tmp_path / "ledger"))
    assert cost.calls == 2 and cost.usd > 0
    assert who.guess(10, 5).calls == 10


def test_readers_by_name() -> None:
    assert named_reader("litellm:openai/gpt-4.1-mini").model == "openai/gpt-4.1-mini"
    assert named_reader("{kind: vllm, model: m, url: 'http://h:1'}").name == "vllm"
    for wrong in ("gpt", "litellm:", "{kind: [", "nobody:m"):
        with pytest.raises(UserError):
            named_reader(wrong)


def test_a_teacher_without_words_reads_nothing() -> None:
    with pytest.raises(UserError, match="does not answer in words"):
        reader(teacher_from({"kind": "oracle"}), Path())
