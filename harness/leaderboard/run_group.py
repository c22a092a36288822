"""Runs on one content of a collection, measured: what both a table of the board and a meta-analysis are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.errors import UserError
from harness.evaluation.significance.clusters import Clusters, clusters_of
from harness.leaderboard.board_model import RowFacts
from harness.leaderboard.configuration import Configuration, configurations, variants
from harness.leaderboard.primary_metric import BASELINE, baseline_pairs, control_pairs, primary_metric, usual_baseline
from harness.leaderboard.row_facts import facts_of
from harness.leaderboard.row_statistics import SEED, Measured, measure, queries_of
from harness.published.result_folder import Published
from harness.text import plain


class CarriedClusters(NamedTuple):
    """query -> cluster, and what is to be said of it."""

    names: Mapping[str, str]
    notes: tuple[str, ...] = ()


def carried_clusters(runs: Sequence[Published]) -> CarriedClusters:
    """The clusters that runs on one content were published with. Which queries belong together is no matter of a run,
    so those of some hold for all; of several ways to tell them apart the one with the fewest clusters."""
    found = {
        (run.card.collection.clusters.count, run.card.collection.clusters.content): run
        for run in runs
        if run.card.collection.clusters is not None
    }
    if not found:
        return CarriedClusters({})
    (count, _), run = min(found.items())
    others = sorted({about[0] for about in found} - {count}) or [count] * (len(found) > 1)
    said = run.card.collection.clusters
    note = (
        f"runs were published with queries in other clusters too ({', '.join(map(str, others))}): tested over the "
        f"{count:,} by {plain(said.by if said else '')}"
    )
    return CarriedClusters(run.clusters, (note,) if others else ())


class Content(NamedTuple):
    """What runs must share to be compared."""

    collection: str
    split: str
    content_hash: str
    drop_identical: bool
    """Whether documents with the id of their query were left out."""

    def __str__(self) -> str:
        return f"{self.content_hash[:8]}{' without identical ids' if self.drop_identical else ''}"


@dataclass(frozen=True)
class RunGroup:
    """Configurations by number, with what their cards say and what was measured of each."""

    found: list[Configuration]
    queries: list[str]
    metric: str
    """The leading one, as files write it."""
    baselines: tuple[str, ...]
    """What rows are compared with, the first one first."""
    measured: dict[str, Measured] = field(repr=False)
    """By metric, the leading one first."""
    facts: list[RowFacts]
    pairs_of_each: tuple[dict[int, int], ...]
    """For each baseline its row that each other row is compared with; empty where the baseline has none."""
    controls: dict[int, int]
    """The same of controls with zero-shot."""
    notes: list[str]
    clusters: Clusters | None = None

    @property
    def baseline(self) -> str:
        """The first baseline."""
        return self.baselines[0]

    @property
    def pairs(self) -> dict[int, int]:
        """The rows that are compared with the first baseline."""
        return self.pairs_of_each[0]


def chosen_runs(runs: Sequence[Published], collection: str | None, split: str | None) -> list[Published]:
    """`runs` on that collection and split, None for any. Raises UserError where there are runs but none of these."""
    chosen = [
        run
        for run in runs
        if collection in (None, run.card.collection.name) and split in (None, run.card.collection.split)
    ]
    if runs and not chosen:
        known = sorted({plain(f"{run.card.collection.name} ({run.card.collection.split})") for run in runs})
        raise UserError(
            f"no published run of collection '{collection or 'any'}', split '{split or 'any'}'",
            remedy=f"there are: {', '.join(known)}",
        )
    return chosen


def by_content(runs: Sequence[Published]) -> dict[Content, list[Published]]:
    """Runs that may share a table."""
    groups: dict[Content, list[Published]] = defaultdict(list)
    for run in runs:
        about = run.card.collection
        groups[Content(about.name, about.split, about.content_hash, about.drop_identical)].append(run)
    return groups


def group_of(
    runs: Sequence[Published],
    metric: str | None,
    baseline: str | Sequence[str] | None,
    seed: int = SEED,
    clusters: Mapping[str, str] | None = None,
) -> RunGroup:
    """`runs`, all of one content, led by `metric` where any has it, and compared with `baseline` (one or several), by
    default the one that most name; `clusters` (query -> cluster) name queries that are not independent, in place of
    those that runs were published with."""
    found, notes = configurations(runs)
    queries, leading = queries_of(runs), primary_metric(runs, metric)
    metrics = list(dict.fromkeys([leading, *(name for run in runs for name in run.scores)]))
    carried = CarriedClusters(clusters) if clusters else carried_clusters(runs)
    notes += carried.notes
    together = clusters_of(carried.names, queries)
    measured = {name: measure(found, name, queries, seed, together) for name in metrics}
    facts = [facts_of(one, variant, len(queries)) for one, variant in zip(found, variants(found), strict=True)]
    named = (baseline,) if isinstance(baseline, str) else tuple(baseline or ())
    wanted = tuple(dict.fromkeys(named)) or (usual_baseline(runs),)
    *pairs, zero_shot = (baseline_pairs(found, facts, measured[leading], name) for name in (*wanted, BASELINE))
    own = {other for one in pairs for other in one.values()}
    each = tuple({row: other for row, other in one.items() if row not in own} for one in pairs)
    controls = control_pairs(facts, zero_shot)
    return RunGroup(found, queries, leading, wanted, measured, facts, each, controls, notes, together)
