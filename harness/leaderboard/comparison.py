"""Methods against each other: rows of the board from the published per-query values, and result folders that
``harness compare`` is given, as ``--group`` puts them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.collections.collection import Qrels
from harness.errors import UserError, did_you_mean
from harness.evaluation.significance.compare_runs import MethodGroup, compare_methods
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.score_matrix import compare_matrix
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.configuration import configurations, variants
from harness.leaderboard.row_query_values import PerQuery
from harness.published.result_folder import Published, read_card
from harness.text import counted, plain

if TYPE_CHECKING:
    from harness.retrieval.run import Run

FEWEST, MOST = 2, 6
"""How many rows a comparison is readable with."""


def compare_rows(values: PerQuery, question: TestSpec, baseline: str | None = None) -> ComparisonResult:
    """Each row against the one named `baseline`, or all pairs without one; the family is all comparisons made.

    The shape and every number is that of ``harness compare --group`` on their result folders: by t over queries and
    runs. Raises UserError with fewer than two rows or more than six.
    """
    if not FEWEST <= len(values.names) <= MOST:
        raise UserError(f"{counted(len(values.names), 'row')} to compare", remedy=f"choose {FEWEST} to {MOST}")
    places = () if baseline is None else (values.names.index(baseline),)
    return compare_matrix(values.matrix(places), question)


class MethodGroups(NamedTuple):
    """Methods by name, the names of those that were asked for as baselines, and notes on runs that were left out."""

    methods: dict[str, MethodGroup]
    baselines: tuple[str, ...]
    notes: tuple[str, ...]


def method_groups(sources: Sequence[str], baselines: Sequence[str], load: Callable[[str], Run]) -> MethodGroups:
    """The runs that `sources` name, grouped by their cards; what is no result folder stands for itself.

    Methods stand in the order of `sources`. A baseline is a folder or file (then all runs of its method that were given
    count), or the name of a method. Raises UserError for one that is none of the methods.
    """
    places = dict.fromkeys([*sources, *(one for one in baselines if Path(one).exists())])
    cards = {source: Published(Path(source), read_card(Path(source)), {}) for source in places if Path(source).is_dir()}
    found, notes = configurations([*cards.values()])
    methods: dict[str, MethodGroup] = {}
    called: dict[str, str] = {}
    for one, variant in zip(found, variants(found), strict=True):
        card = one.card
        losses = " → ".join(loss for loss in (card.ranker_loss, card.retriever_loss) if loss)
        amount = f"{card.budget:,} labels" if card.budget else ""
        name = plain(" · ".join(part for part in (one.method, one.teacher, losses, amount, variant) if part))
        methods[name] = MethodGroup(tuple(load(str(run.folder)) for run in one.runs), one.design, one.shared)
        called |= {source: name for source, known in cards.items() if known in one.runs}
    for source in places:
        if source not in cards:
            run = load(source)
            called[source] = plain(run.name)
            methods[called[source]] = MethodGroup((run,), ((None, None),))
    ordered = {name: methods[name] for name in dict.fromkeys(called[source] for source in places if source in called)}
    return MethodGroups(ordered, tuple(_named(one, ordered, called) for one in baselines), tuple(notes))


def compare_groups(
    groups: MethodGroups,
    qrels: Qrels,
    metrics: Sequence[str],
    question: TestSpec,
    clusters: Mapping[str, str] | None = None,
) -> ComparisonResult:
    """`compare_methods` of `groups`, with what was left out of them said among the notes."""
    answer = compare_methods(
        groups.methods, qrels, baselines=groups.baselines, metrics=metrics, question=question, clusters=clusters
    )
    return {**answer, "notes": [*groups.notes, *answer["notes"]]}


def _named(baseline: str, methods: dict[str, MethodGroup], called: dict[str, str]) -> str:
    if baseline in called:
        return called[baseline]
    matches = [name for name in methods if name == baseline] or [name for name in methods if name.startswith(baseline)]
    if len(matches) != 1:
        raise UserError(
            f"'{baseline}' names {len(matches)} of the methods",
            key="--baseline",
            remedy=did_you_mean(baseline, methods),
        )
    return matches[0]
