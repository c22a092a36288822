"""What ``harness answer`` answers: how well a reader does with the passages of some runs, and whether the difference is
real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NotRequired, TypedDict

import numpy as np

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.metrics.answer_metrics import DEFAULT, answer_scores, deepest, needs_answers, needs_reader
from harness.evaluation.metrics.lookup import Scores, mean, metric
from harness.evaluation.query_clusters import query_clusters
from harness.evaluation.significance.clusters import clusters_of
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.score_matrix import ScoreMatrix, compare_matrix
from harness.evaluation.significance.test_spec import TestSpec
from harness.ledger.call_ledger import CallLedger
from harness.ledger.views import MeteredLedger
from harness.llm.chat_teacher import ChatTeacher
from harness.progress import Progress
from harness.qa.answer_cases import answers_in, cases
from harness.qa.gold_answers import GoldAnswers, known, questions
from harness.qa.reference_runs import gold_run
from harness.retrieval.run import Run

CLOSED, GOLD = "closed-book", "gold-passage"


class AnsweredRun(TypedDict):
    """A run's means; `missing` counts queries for which it has nothing, `unknown` documents that the collection does
    not have."""

    name: str
    metrics: dict[str, float]
    missing: int
    unknown: int
    per_query: NotRequired[Scores]
    answers: NotRequired[dict[str, str]]


class AnswerReport(TypedDict):
    """The answer of ``harness answer``. `without_answers` counts queries that have no gold answer: they count 0 and are
    not asked."""

    collection: str
    split: str
    reader: str | None
    passages: int
    queries: int
    without_answers: int
    runs: list[AnsweredRun]
    comparison: ComparisonResult | None
    llm: dict[str, float]


@dataclass(frozen=True)
class Examination:
    """Questions of one split, put to one reader. `reader` None looks for hits only."""

    collection: Collection
    split: str
    reader: ChatTeacher | None
    passages: int
    metrics: tuple[str, ...]

    def __post_init__(self) -> None:
        wrong = [name for name in self.metrics if not needs_answers(name)]
        if wrong:
            raise UserError(
                f"'{wrong[0]}' is no metric of answers", key="--metric", remedy=f"for example {', '.join(DEFAULT)}"
            )
        if self.reader is None and any(map(needs_reader, self.metrics)):
            raise UserError(
                "EM and TokenF1 need a reader", key="--reader", remedy="name one, or ask for AnswerHit@k only"
            )

    def scores(self, run: Run, ledger: CallLedger, progress: Progress) -> tuple[Scores, dict[str, str]]:
        """Per-query values and short answers, by query."""
        collection, queries = self.collection, self.collection.queries(self.split)
        gold = GoldAnswers.of(collection, self.split)
        said: dict[str, str] = {}
        if self.reader is not None:
            tasks = questions(queries, gold, run, collection.corpus, self.passages)
            said = answers_in(self.reader.label(tasks, ledger, progress))
        answered = cases(sorted(queries.ids), gold, run, collection.corpus, deepest(self.metrics), said)
        return answer_scores(answered, self.metrics), said


def usual(metrics: Sequence[str], reader: ChatTeacher | None) -> tuple[str, ...]:
    """`metrics` in their own spelling, or the usual ones. Raises UserError on an unknown one."""
    chosen = [str(metric(name)) for name in metrics] or [
        name for name in DEFAULT if reader is not None or not needs_reader(name)
    ]
    return tuple(dict.fromkeys(chosen))


def answer(
    runs: Sequence[Run],
    about: Examination,
    ledger: CallLedger,
    progress: Progress,
    *,
    baseline: str | Sequence[str] | None = None,
    references: bool = True,
    per_query: bool = False,
    question: TestSpec | None = None,
) -> AnswerReport:
    """Means for each run and each reference; with several of them paired tests on the first metric, all against
    `baseline` (or each of several), over the clusters of questions that the collection tells of.

    `baseline` names a run or a reference; left out, it is the closed book where a reader is asked, otherwise all pairs
    are compared. Raises UserError on an unknown baseline, and when the collection has no short answers.
    """
    meter = MeteredLedger(ledger)
    all_runs = [*runs, *(_references(about) if references and about.reader is not None else [])]
    if twice := [name for name, count in Counter(run.name for run in all_runs).items() if count > 1]:
        raise UserError(
            f"two runs are called '{twice[0]}'", remedy="give them different names: the last column of a TREC run"
        )
    found = [about.scores(run, meter, progress) for run in all_runs]
    queries, gold = about.collection.queries(about.split), GoldAnswers.of(about.collection, about.split)
    rows = [_row(run, scores, said, about, per_query) for run, (scores, said) in zip(all_runs, found, strict=True)]
    return AnswerReport(
        collection=about.collection.name,
        split=about.split,
        reader=None if about.reader is None else about.reader.model,
        passages=about.passages,
        queries=len(queries),
        without_answers=len(queries) - len(gold.answers),
        runs=rows,
        comparison=_compared(rows, [scores for scores, _ in found], about, baseline, question or TestSpec()),
        llm=asdict(meter.paid),
    )


def _references(about: Examination) -> list[Run]:
    return [Run(CLOSED, {}), gold_run(GOLD, about.collection.judgments(about.split))]


def _row(run: Run, scores: Scores, answers: Mapping[str, str], about: Examination, per_query: bool) -> AnsweredRun:
    queries, documents = (
        about.collection.queries(about.split).ids,
        list({id for found in run.scores.values() for id in found}),
    )
    row = AnsweredRun(
        name=run.name,
        metrics={name: mean(values) for name, values in scores.items()},
        # Only the closed book is empty, and that is what it is for.
        missing=sum(not run.scores.get(query) for query in queries) if run.scores else 0,
        unknown=len(documents) - len(known(about.collection.corpus, documents)),
    )
    if per_query:
        row["per_query"], row["answers"] = scores, dict(answers)
    return row


def _compared(
    rows: Sequence[AnsweredRun],
    scores: Sequence[Scores],
    about: Examination,
    baseline: str | Sequence[str] | None,
    question: TestSpec,
) -> ComparisonResult | None:
    names, name = [row["name"] for row in rows], about.metrics[0]
    wanted = [baseline] if isinstance(baseline, str) else list(dict.fromkeys(baseline or ()))
    for one in wanted:
        if one not in names:
            raise UserError(f"'{one}' is none of the runs", key="--baseline", remedy=f"there are: {', '.join(names)}")
    if len(rows) < 2:
        return None
    wanted = wanted or [CLOSED] * (CLOSED in names)
    values = np.array([list(found[name].values()) for found in scores]).T
    named = query_clusters(about.collection, about.split)
    matrix = ScoreMatrix(
        [name],
        names,
        values,
        [row["missing"] for row in rows],
        [names.index(one) for one in wanted],
        clusters=clusters_of(named.names, list(scores[0][name])) if named is not None else None,
    )
    return compare_matrix(matrix, question)
