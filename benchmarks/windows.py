"""Made-up labelling tasks, and a ledger in which their answers are paid for."""

from __future__ import annotations

import random

from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.llm.chat_teacher import ChatTeacher
from harness.teachers.make import teacher_from

WORDS = "of a passage as long as most passages are in collections of the web " * 8


def tasks_of(count: int, depth: int) -> list[Task]:
    """Queries whose candidates come from 20,000 passages, so that most passages are shown for several of them."""
    draw = random.Random(0)
    passages = [Candidate(f"d{number}", f"number {number} {WORDS}") for number in range(20_000)]
    return [Task(f"q{number}", f"query {number}", tuple(draw.sample(passages, depth))) for number in range(count)]


def chat_teacher(**settings: object) -> ChatTeacher:
    """An API teacher."""
    teacher = teacher_from({"kind": "litellm", "model": "openai/gpt-4.1-mini", **settings})
    assert isinstance(teacher, ChatTeacher)
    return teacher


def pay(teacher: ChatTeacher, tasks: list[Task], ledger: Ledger) -> int:
    """Put the right answer to every window into the ledger; returns how many there are."""
    from harness.ledger.calls import Call
    from tests.llm.openai_server import permutation

    windows = 0
    for task in tasks:
        session = teacher.asking.session(task)
        requests = next(session)
        while True:
            answers = [permutation(request.messages[-1][1]) for request in requests]
            ledger.put_many(
                [
                    Call(teacher.key(r), teacher.model, r.messages[-1][1], a, 3000, 0, 100)
                    for r, a in zip(requests, answers, strict=True)
                ]
            )
            windows += len(requests)
            try:
                requests = session.send([r.read(a, False) for r, a in zip(requests, answers, strict=True)])
            except StopIteration:
                break
    return windows
