"""Rankers as rows beside the methods that they are part of: each re-ranks the candidates of the evaluated queries, as
far as the traces of the runs say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from harness.errors import UserError
from harness.leaderboard.configuration import Configuration
from harness.leaderboard.inspect.row_trace import REMEDY
from harness.leaderboard.load_results import ResultSet
from harness.published.card import LONGEST_TAG, Card, CardOutcome
from harness.published.result_folder import Published
from harness.published.run_trace import Reranked, read_trace

SUFFIX = ": its ranker re-ranks"
"""What follows the name of a method where a row is of its ranker."""
_OF_RANKER = ("ranker", "ranker_loss")
"""Settings of a method that say how its ranker is trained."""


def with_reranked(result_set: ResultSet) -> ResultSet:
    """The runs and those of their rankers. Raises UserError where no run has a trace with one."""
    groups: dict[tuple[str, str, bool], list[Published]] = defaultdict(list)
    for ranker in _rankers(result_set.runs):
        about = ranker.card.collection
        same = Configuration((_own_settings(ranker),)).identity, about.content_hash, about.drop_identical
        groups[same].append(ranker)
    if not groups:
        raise UserError("no run says what its ranker re-ranks", file=result_set.folder or None, remedy=REMEDY)
    rankers = [ranker for group in groups.values() for ranker in _distinct(group)]
    return replace(result_set, runs=(*result_set.runs, *rankers))


def check_metrics(result_set: ResultSet, metrics: Iterable[str]) -> None:
    """Raises UserError where no ranker was evaluated by any of `metrics`, those that lead the tables."""
    known = {name for run in result_set.runs if run.card.method.label.endswith(SUFFIX) for name in run.scores}
    wanted = dict.fromkeys(metrics)
    if not known.intersection(wanted):
        raise UserError(
            f"no ranker was evaluated by {', '.join(wanted)}", remedy=f"--metric {' or '.join(sorted(known))}"
        )


def _rankers(runs: Iterable[Published]) -> Iterator[Published]:
    for run in runs:
        trace = read_trace(Path(run.folder))
        if trace is not None and trace.ranker is not None and trace.ranker.reranked is not None:
            yield _row(run, trace.ranker.reranked)


def _row(run: Published, found: Reranked) -> Published:
    card, goal = run.card, run.card.research_goal
    evaluation = goal.evaluation.model_copy(update={"reported_measures": (found.metric,)})
    label = f"{card.method.label or card.method.name}{SUFFIX}"
    changed: Card = card.model_copy(
        update={
            "tag": f"{card.tag[: LONGEST_TAG - 7]}.ranker",
            "method": card.method.model_copy(update={"label": label}),
            "retriever_loss": None,
            "student": None,
            "research_goal": goal.model_copy(update={"evaluation": evaluation}),
            "outcome": CardOutcome(queries=len(found.queries), missing=0, metrics={found.metric: found.mean}, files={}),
        }
    )
    return Published(run.folder, changed, {found.metric: found.queries})


def _own_settings(ranker: Published) -> Published:
    """The row with the settings of the ranker alone, where its method has such: methods with one ranker share it."""
    settings = ranker.card.method.settings
    own = {name: settings[name] for name in _OF_RANKER if name in settings} or settings
    method = ranker.card.method.model_copy(update={"settings": own})
    return replace(ranker, card=ranker.card.model_copy(update={"method": method}))


def _distinct(group: list[Published]) -> list[Published]:
    """One row for each resample and seed where all of `group` are of one ranker there, otherwise each with all its
    settings."""
    drawn: dict[tuple[int | None, int | None], list[Published]] = defaultdict(list)
    for ranker in group:
        drawn[ranker.card.resample, ranker.card.seed].append(ranker)
    if any(other.scores != runs[0].scores for runs in drawn.values() for other in runs):
        return group
    return [_own_settings(runs[0]) for runs in drawn.values()]
