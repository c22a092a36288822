"""The runs that hypotheses speak of, by collection: which there are, which were planned, what they measured.

Runs that carry the freeze count; others are exploratory, and are looked at only where nothing else is there. What was
planned and is missing is told: a run without any result leaves its hypotheses open, a resample that one run lacks
leaves all runs of its collection.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.claims.claims_file import Claims
from harness.claims.freezing import Frozen
from harness.claims.run_selection import Cells, matches_card, planned_cells
from harness.config.claims.claims_section import RunChoice
from harness.errors import UserError
from harness.evaluation.significance.clusters import Clusters, clusters_of
from harness.evaluation.significance.method_difference import MethodRuns
from harness.leaderboard.configuration import configurations, variants
from harness.leaderboard.row_statistics import method_runs, queries_of
from harness.leaderboard.run_group import carried_clusters
from harness.published.result_folder import Published
from harness.text import counted, plain

FROZEN, CONFIRMATION, EXPLORATORY = "frozen", "confirmation", "exploratory"


@dataclass(frozen=True, eq=False)
class CollectionEvidence:
    """What is there of one collection."""

    name: str
    state: str
    """FROZEN: counts; CONFIRMATION: frozen runs on data that the freeze does not know; EXPLORATORY: runs that carry no
    freeze, or another."""
    content_hash: str
    queries: int
    measured: Mapping[str, MethodRuns]
    """By the names of the claims."""
    planned: frozenset[str]
    """Names of runs that some sweep makes on it, or that are there."""
    notes: tuple[str, ...]
    clusters: Clusters | None = None
    """Of its queries; None where they are independent."""


def gather(claims: Claims, frozen: Frozen | None, runs: Sequence[Published]) -> list[CollectionEvidence]:
    """Evidence of every collection that the sweeps of `claims` plan or `runs` are on, in that order.

    Raises UserError where a name means several configurations of one collection.
    """
    planned = planned_cells(claims)
    names = dict.fromkeys([*planned, *(run.card.collection.name for run in runs if _wanted(run, claims))])
    return [one for name in names for one in _collection(name, planned.get(name, {}), claims, frozen, runs)]


def _wanted(run: Published, claims: Claims) -> bool:
    return any(matches_card(run.card, choice) for choice in claims.section.runs.values())


def _collection(
    name: str, planned: Mapping[str, Cells], claims: Claims, frozen: Frozen | None, runs: Sequence[Published]
) -> Iterator[CollectionEvidence]:
    """What counts, also where a collection that was frozen has no such runs; and what is there in its place."""
    present = [run for run in runs if run.card.collection.name == name and _wanted(run, claims)]
    marked = [run for run in present if frozen is not None and frozen.hash in run.card.frozen]
    known = frozen.collections.get(name) if frozen is not None else None
    counting = [run for run in marked if known in (None, run.card.collection.content_hash)]
    left = [run for run in present if run not in counting]
    if counting or known is not None:
        notes = [f"{counted(len(left), 'exploratory run')} left out ({_why(frozen)})"] if left else []
        state = CONFIRMATION if known is None else FROZEN
        yield _measured(name, state, counting, planned, claims, notes)
    if not counting:
        notes = [f"{counted(len(left), 'run')} are exploratory ({_why(frozen)})"] if left else []
        yield _measured(name, EXPLORATORY, left, {} if frozen else planned, claims, notes)


def _why(frozen: Frozen | None) -> str:
    return "nothing is frozen" if frozen is None else "made before the freeze, or from another state"


def _one_content(runs: Sequence[Published]) -> tuple[list[Published], list[str]]:
    """The runs on the content and split that most are on."""
    counts = Counter((run.card.collection.split, run.card.collection.content_hash) for run in runs)
    if not counts:
        return [], []
    most, _ = counts.most_common(1)[0]
    kept = [run for run in runs if (run.card.collection.split, run.card.collection.content_hash) == most]
    return kept, [f"{len(runs) - len(kept)} runs on other content or another split left out"] * (len(kept) < len(runs))


def _measured(
    name: str,
    state: str,
    candidates: Sequence[Published],
    planned: Mapping[str, Cells],
    claims: Claims,
    notes: list[str],
) -> CollectionEvidence:
    runs, left_out = _one_content(candidates)
    carried = carried_clusters(runs)
    notes = [*notes, *left_out, *carried.notes]
    metric, queries = claims.section.metric, queries_of(runs)
    measured = {}
    for choice_name, choice in claims.section.runs.items():
        one = _measurement(choice_name, choice, runs, metric, queries, name)
        if one is not None:
            measured[choice_name] = one
    missing = {
        run: cells - set(measured[run].design) if run in measured else cells for run, cells in planned.items() if cells
    }
    notes += _missing_texts({run: cells for run, cells in missing.items() if cells}, measured)
    notes += _numerics_texts(claims, runs)
    dropped = {resample for run, cells in missing.items() if run in measured for resample, _ in cells} - {None}
    if dropped:
        notes.append(f"{_listed(dropped)} left out of all runs of the collection, because not every run has it")
    content = runs[0].card.collection.content_hash if runs else ""
    reduced = {run: one.without({part for part in dropped if part is not None}) for run, one in measured.items()}
    return CollectionEvidence(
        plain(name),
        state,
        content,
        len(queries),
        {run: one for run, one in reduced.items() if one.design},
        frozenset({*planned, *measured}),
        tuple(notes),
        clusters_of(carried.names, queries),
    )


def _measurement(
    name: str, choice: RunChoice, runs: Sequence[Published], metric: str, queries: list[str], collection: str
) -> MethodRuns | None:
    fitting = [run for run in runs if matches_card(run.card, choice) and metric in run.scores]
    found, _ = configurations(fitting)
    if len(found) > 1:
        # Of these, what tells them apart: settings of methods, or an axis that the choice left open.
        apart = [
            text or f"{one.method} {one.teacher or ''} {one.card.budget or ''}".strip()
            for one, text in zip(found, variants(found), strict=True)
        ]
        raise UserError(
            plain(f"'{name}' means {len(found)} configurations on '{collection}': {'; '.join(apart)}"),
            what="the claims",
            remedy="say more of it in `runs` (teacher, budget, losses, settings)",
        )
    if not found:
        return None
    return method_runs(found[0], metric, queries)


def _missing_texts(missing: Mapping[str, Cells], measured: Collection[str]) -> Iterator[str]:
    """One line for the runs that nothing is published of, one for each that lacks some cells."""
    absent = [run for run in missing if run not in measured]
    if absent:
        names, planned = ", ".join(f"'{run}'" for run in absent), sum(len(missing[run]) for run in absent)
        yield f"no run of {names}: {counted(planned, 'cell')} planned, none published"
    for run, cells in missing.items():
        if run in measured:
            points = ", ".join(f"resample {resample} seed {seed}" for resample, seed in sorted(cells, key=str))
            yield f"'{run}' lacks {counted(len(cells), 'planned cell')}: {points}"


def _numerics_texts(claims: Claims, runs: Sequence[Published]) -> Iterator[str]:
    """A line where runs were computed in several classes of numerics: a difference then holds that of rounding, too."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for name, choice in claims.section.runs.items():
        fitting = [run.card.numerics for run in runs if matches_card(run.card, choice)]
        for numerics in sorted({each for one in fitting if one is not None for each in one.classes}):
            by_class[numerics].append(f"'{name}'")
    if len(by_class) > 1:
        classes = "; ".join(f"{plain(one)}: {', '.join(names)}" for one, names in sorted(by_class.items()))
        yield f"computed in several classes of numerics, and differences hold that, too ({classes})"


def _listed(resamples: set[int | None]) -> str:
    numbers = sorted(one for one in resamples if one is not None)
    return f"resample{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def by_state(evidence: Sequence[CollectionEvidence]) -> dict[str, list[CollectionEvidence]]:
    """Collections by what they count as."""
    groups: dict[str, list[CollectionEvidence]] = defaultdict(list)
    for one in evidence:
        groups[one.state].append(one)
    return groups
