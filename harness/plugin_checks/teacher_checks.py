"""What a teacher promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.labelling.labels.label_stage import GOLD, POOL
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import GIVES, Candidate, Task, Teacher
from harness.ledger.ledger import Ledger
from harness.ledger.views import MeteredLedger
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugin_checks.check import Broken, Checks, NotChecked, check_description, raised
from harness.plugins import Settings

TEACHER_TYPES = ("real", "placebo", "simulated", "oracle")
FIRST = 2
"""How many tasks are labelled before the others, as a smaller budget would."""
_TEXTS = {
    "d1": "A retriever finds documents for a query.",
    "d2": "Bread is baked from flour, water and salt.",
    "d3": "Rankers order what a retriever found:\n{1} first, [2] then, 100 % sure.",
    "d4": "",
    "d5": 'Größe, naïveté, 検索, 🙂 and a "quoted" word',
    "d6": "The distillation of language models into small students. " * 40,
}
_QUERIES = {
    "q1": ("how does retrieval work", ("d1", "d2", "d3")),
    "q2": ("bread", ("d2", "d4", "d1", "d6")),
    "q3": ("検索 [1] {query}", ("d5", "d3")),
    "q4": ("only one candidate", ("d1",)),
    "q5": ("students", ("d6", "d5", "d4", "d3", "d2", "d1")),
    "q6": ("how does retrieval work", ("d3", "d1", "d2")),
}
_GOLD = {"q1": "d3", "q2": "d6", "q3": "d3", "q4": "d1", "q5": "d1", "q6": "d2"}


def tasks(gold: bool) -> list[Task]:
    """Six queries, some of them awkward: a single candidate, an empty text, a long one, brackets, other scripts, one
    text twice."""
    return [
        Task(query, text, tuple(Candidate(id, _TEXTS[id]) for id in shown), {_GOLD[query]: 1} if gold else None)
        for query, (text, shown) in _QUERIES.items()
    ]


@dataclass
class TeacherSetup:
    """A teacher with its settings, and ledgers below `home`."""

    kind: type[Teacher]
    settings: Settings
    home: Path

    @property
    def gold(self) -> bool:
        """Whether it is given grades."""
        return GOLD in self.kind.needs

    def teacher(self) -> Teacher:
        """A new instance, calibrated where it asks for that."""
        made = self.kind(self.settings)
        if POOL not in self.kind.needs:
            return made
        return made.calibrated(
            [replace(task, candidates=tuple(Candidate(one.id, "") for one in task.candidates)) for task in tasks(True)]
        )

    @cached_property
    def ledger(self) -> Ledger:
        """Everything paid for in this check."""
        return WorkspaceFolder(self.home).ledger

    def labelled(self, asked: Sequence[Task]) -> tuple[list[Ranking], MeteredLedger]:
        """What a new instance answers, and what it paid."""
        meter = MeteredLedger(self.ledger)
        return list(self.teacher().label(asked, meter, lambda done, total, unit="": None)), meter

    @cached_property
    def early(self) -> list[Ranking]:
        """The first tasks alone, with an empty ledger. Raises Broken ``answers`` when that fails."""
        try:
            return self.labelled(tasks(self.gold)[:FIRST])[0]
        except Exception as error:
            raise Broken(raised(error), "answers") from error

    @cached_property
    def main(self) -> list[Ranking]:
        """All tasks, after the first ones were paid for. Raises Broken ``answers`` when that fails."""
        assert self.early is not None
        try:
            return self.labelled(tasks(self.gold))[0]
        except Exception as error:
            raise Broken(raised(error), "answers") from error

    @cached_property
    def again(self) -> tuple[list[Ranking], MeteredLedger]:
        """All tasks in the other order, with everything in the ledger."""
        assert self.main is not None
        return self.labelled(tasks(self.gold)[::-1])


CONTRACTS: Checks[TeacherSetup] = Checks()
"""What is tried, in this order."""


@CONTRACTS.add(
    "describes-itself",
    "says what it is and what it needs",
    remedy="set the class attributes; FirstStage in harness/teachers/controls.py is an example",
)
def describes_itself(setup: TeacherSetup) -> None:
    """Attributes that lists, boards and sweep files rely on."""
    kind, faults = setup.kind, []
    if kind.box not in ("black", "white"):
        faults.append(f"'box' is '{kind.box}', not black or white")
    if "order" not in kind.gives or set(kind.gives) - set(GIVES):
        faults.append(f"'gives' ({', '.join(kind.gives)}) must hold order, and nothing but {', '.join(GIVES)}")
    elif (kind.box == "white") != bool({*kind.gives} - {"order", "text"}):
        faults.append(
            f"'box' is {kind.box}, but it gives {', '.join(kind.gives)}: a white box gives more than order and text, "
            "a black none"
        )
    if kind.teacher_type not in TEACHER_TYPES:
        faults.append(f"'teacher_type' is '{kind.teacher_type}', not one of {', '.join(TEACHER_TYPES)}")
    check_description(kind, faults)


@CONTRACTS.add(
    "identity",
    "has one identity for the same settings",
    remedy="digest what can change an answer: the model's content, the prompt, the sampling; no object ids, times or "
    "addresses",
)
def has_an_identity(setup: TeacherSetup) -> None:
    """Two instances with the same settings are the same teacher."""
    one, other = setup.teacher().identity, setup.teacher().identity
    if not isinstance(one, str) or not one:
        raise Broken(f"'identity' is {one!r}, not a text")
    if one != other:
        raise Broken(
            "two instances with the same settings have different identities, so nothing would ever be found in the "
            "store"
        )


@CONTRACTS.add(
    "answers",
    "gives a ranking of exactly the shown documents for every task, in order",
    remedy="yield one Ranking a task; put what was not placed into `unranked`, and no answer as verdict 'failed' with "
    "every id there",
)
def answers(setup: TeacherSetup) -> None:
    """One ranking a task, in the order of the tasks, with exactly the documents shown."""
    asked = tasks(setup.gold)
    if len(setup.main) != len(asked):
        raise Broken(f"it gives {len(setup.main)} rankings for {len(asked)} tasks")
    for task, ranking in zip(asked, setup.main, strict=True):
        try:
            ranking.check(task.query, [candidate.id for candidate in task.candidates])
        except ValueError as error:
            raise Broken(str(error)) from error
    if setup.labelled([])[0]:
        raise Broken("it gives rankings when it is asked nothing")


@CONTRACTS.add(
    "deterministic",
    "gives a query one ranking, whatever is asked beside it",
    remedy="draw from the query's and the documents' ids, never from a running generator, a clock or a set's order",
)
def is_deterministic(setup: TeacherSetup) -> None:
    """With everything in the ledger, a query has one ranking, whatever is asked beside or before it."""
    before = {ranking.query: ranking for ranking in setup.main}
    for ranking in setup.early:
        if _order(ranking) != _order(before[ranking.query]):
            raise Broken(f"query '{ranking.query}' has one ranking among {FIRST} tasks and another among {len(before)}")
    for ranking in setup.again[0]:
        if _order(ranking) != _order(before[ranking.query]):
            raise Broken(f"query '{ranking.query}' has another ranking when the tasks come in another order")


def _order(ranking: Ranking) -> tuple[Any, ...]:
    return ranking.ranked, frozenset(ranking.unranked), ranking.verdict, ranking.scores


@CONTRACTS.add(
    "pays-once",
    "pays for nothing that the ledger holds",
    remedy="look a call up with ledger.get_many before you send it; put the answer with ledger.put as soon as it comes",
)
def pays_once(setup: TeacherSetup) -> None:
    """What the ledger holds is not paid for again."""
    calls = setup.again[1].paid.calls
    if calls:
        raise Broken(f"asked again with everything in the ledger it pays for {calls} calls")
    left = setup.teacher().estimate(tasks(setup.gold), setup.ledger).calls
    if left:
        raise Broken(f"with everything in the ledger its estimate is {left} more calls")


@CONTRACTS.add(
    "needs",
    "uses human judgments only when it declares them",
    remedy="add 'gold labels' to `needs`, or leave task.gold alone",
)
def declares_its_needs(setup: TeacherSetup) -> None:
    """Grades that it did not ask for make no difference."""
    if setup.gold:
        raise NotChecked("it declares gold labels")
    given, _ = setup.labelled(tasks(True))
    if [_order(ranking) for ranking in given] != [_order(ranking) for ranking in setup.main]:
        raise Broken("its rankings depend on the human judgments, which are not among its needs")


@CONTRACTS.add(
    "scores",
    "as a white box, gives scores that fall along its order",
    remedy="fill Ranking.scores for ranked + unranked, or let `box` be 'black'",
)
def gives_scores(setup: TeacherSetup) -> None:
    """A white box gives finite scores that fall along its order."""
    if setup.kind.box != "white":
        raise NotChecked("it is a black box")
    for ranking in setup.main:
        if ranking.verdict == "failed":
            continue
        if ranking.scores is None:
            raise Broken(f"the ranking of query '{ranking.query}' has no scores")
        placed = ranking.scores[: len(ranking.ranked)]
        if not all(map(math.isfinite, placed)) or list(placed) != sorted(placed, reverse=True):
            raise Broken(f"the scores of query '{ranking.query}' do not fall along its order: {placed}")
