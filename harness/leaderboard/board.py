"""From a results folder to the board: tables of comparable rows, one row a configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.collections.collection import CollectionSource
from harness.errors import UserError, did_you_mean
from harness.evaluation.significance.method_difference import unknown_overlap
from harness.evaluation.significance.paired_tests import TOO_FEW_QUERIES
from harness.files import cache_home
from harness.leaderboard.board_frame import frame_of
from harness.leaderboard.board_model import Table
from harness.leaderboard.column_layouts import FORMER_KEYS, arranged, record
from harness.leaderboard.curves.budget_chart import budget_chart
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.series import chart, select
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.primary_metric import wanted_metric
from harness.leaderboard.row_statistics import SEED, identical
from harness.leaderboard.row_texts import doubt
from harness.leaderboard.rows import board_order, build_rows
from harness.leaderboard.run_group import RunGroup, by_content, chosen_runs, group_of
from harness.plugins import plugins
from harness.published.result_folder import Published, Skipped
from harness.text import counted, plain

if TYPE_CHECKING:
    import altair
    import pandas

_WIDTH = 720
"""Pixels of a plot."""


@dataclass(frozen=True)
class Board:
    """All tables of a results folder, and what could not be shown. `load_board` makes it."""

    tables: tuple[Table, ...]
    skipped: tuple[Skipped, ...] = ()
    general: tuple[str, ...] = ()
    """Notes on the folder as a whole."""
    folder: str = field(default="", compare=False)

    def __repr__(self) -> str:
        tables = counted(len(self.tables), "table"), counted(sum(len(table.rows) for table in self.tables), "row")
        return f"Board({self.folder!r}, {', '.join(tables)})"

    @property
    def notes(self) -> tuple[str, ...]:
        """On the folder, then on each table."""
        return (*self.general, *(note for table in self.tables for note in table.notes))

    def as_json(self) -> dict[str, Any]:
        """The shape of ``harness board --json``."""
        return {
            "rows": [
                record(row, columns)
                for table in self.tables
                for columns in [arranged("json", table)]
                for row in table.rows
            ],
            "tables": [table.as_json() for table in self.tables],
            "skipped": [{"folder": item.folder, "reason": item.reason, "mark": item.mark} for item in self.skipped],
            "notes": list(self.notes),
        }

    def to_frame(self) -> pandas.DataFrame:
        """One row a row of the board, in its order.

        Columns are the keys of ``harness board --json``, dotted where they are nested (``cost.usd``,
        ``against.p_adjusted``); metrics go by their names, with ``.low`` and ``.high`` for their 95 % intervals. What a
        row does not have is missing.
        """
        rows = self.as_json()["rows"]
        return frame_of([{key: value for key, value in row.items() if key not in FORMER_KEYS} for row in rows])

    def plot(self, collection: str | None = None, *, axis: str = "labels") -> altair.LayerChart:
        """The leading metric over the number of labels with 95 % bands, the best eight series of one table.

        `collection` chooses the table, the first one that has a curve by default; `axis` is labels, usd or tokens.
        Raises UserError where nothing has a budget, and where Altair is missing, which the extra ``dashboard`` brings.
        """
        if axis not in AXES:
            raise UserError(f"unknown axis '{axis}'", remedy=did_you_mean(axis, AXES))
        names = [table.collection for table in self.tables]
        if collection is not None and collection not in names:
            raise UserError(f"no table is of '{collection}'", remedy=did_you_mean(collection, names))
        tables = [table for table in self.tables if collection in (None, table.collection)]
        found = next((one for one in (chart(table, axis) for table in tables) if one is not None), None)
        if found is None:
            raise UserError("no run has a budget, so there is no curve to draw", file=self.folder or None)
        # Legend and axes count as part of the size, so that a saved picture holds them.
        fit = {"type": "fit", "contains": "padding"}
        return budget_chart(select(found)).properties(width=_WIDTH, autosize=fit)


def load_board(
    results: str | Path,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | Sequence[str] | None = None,
    clusters: Mapping[str, str] | None = None,
    runs: Collection[str] | None = None,
    seed: int = SEED,
    collections: str | Path | None = None,
) -> Board:
    """The board of a results folder.

    `collection`, `split` and `runs` (run ids) restrict it. `metric` leads: rows are sorted and tested by it; by default
    the measure that most sweeps report first. `baseline` is a method's name or label, or several of them: rows are then
    tested against each and against all; by default the one that most cards name, or zero-shot. `clusters` (query ->
    cluster) name queries that are not independent. `collections` is a folder of prepared collections
    (``workspace/collections``), asked where folders do not agree on the queries of one. Raises UserError when nothing
    fits a name that was given.

    >>> import harness
    >>> board = harness.load_board("results", collection="semanlink", metric="nDCG@10", baseline="zero-shot")
    >>> for row in board.tables[0].rows[:2]:
    ...     print(row.name, row.budget, round(row.metrics["nDCG@10"].mean, 3))
    bm25 None 0.486
    MiniLM zero-shot None 0.42
    >>> board.to_frame()[["collection", "nDCG@10"]].round(3).values[0].tolist()
    ['semanlink', 0.486]
    """
    result_set = load_results(Path(results), runs, cache_home() / "boards", Path(collections) if collections else None)
    return board_of(
        result_set,
        collection=collection,
        split=split,
        metric=metric,
        baseline=baseline,
        clusters=clusters,
        seed=seed,
    )


def board_of(
    result_set: ResultSet,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | Sequence[str] | None = None,
    clusters: Mapping[str, str] | None = None,
    seed: int = SEED,
) -> Board:
    """`load_board` of runs that were read already; the same choices, the same errors."""
    chosen = chosen_runs(result_set.runs, collection, split)
    wanted = wanted_metric(chosen, metric)
    groups = by_content(chosen)
    contents = Counter((content.collection, content.split) for content in groups)
    general = [
        f"'{plain(name)}' ({plain(of)}) has {count} different contents: a table each"
        for (name, of), count in contents.items()
        if count > 1
    ]
    tables = []
    for content, members in sorted(groups.items()):
        warnings = [f"content {content}"] if contents[content.collection, content.split] > 1 else []
        group = group_of(members, wanted, baseline, seed, clusters)
        tables.append(_table(group, members[0], wanted, warnings, seed))
    # First the tables that answer what a visitor asks.
    tables.sort(key=_lacks_real_teacher)
    return Board(tuple(tables), result_set.skipped, tuple(general), result_set.folder)


def _lacks_real_teacher(table: Table) -> bool:
    """Whether no row is of the method at the centre with a teacher that is real."""
    return not any(row.category == "ours" and doubt(row) == "" for row in table.rows)


def _table(group: RunGroup, run: Published, metric: str | None, warnings: Sequence[str], seed: int) -> Table:
    about, leading, wanted = run.card.collection, plain(group.metric), plain(" and ".join(group.baselines))
    name, split, rows = plain(about.name), plain(about.split), build_rows(group, seed, warnings)
    doubts, anchors = _notes(group, metric), _anchors(name, split, leading)
    notes, published = (tuple(f"{name} ({split}): {note}" for note in told) for told in (doubts, anchors))
    return Table(
        collection=name,
        split=split,
        content_hash=about.content_hash,
        drop_identical=about.drop_identical,
        queries=len(group.queries),
        metric=leading,
        metrics=tuple(plain(name) for name in group.measured),
        baseline=wanted if group.pairs else None,
        family=_family(group, wanted, leading) if group.pairs else "",
        rows=tuple(rows[number] for number in board_order(group)),
        notes=(*notes, *published),
        anchors=published,
        clusters=group.clusters,
    )


def _notes(group: RunGroup, metric: str | None) -> list[str]:
    faults = dict.fromkeys(fault for facts in group.facts for fault in facts.collection_faults)
    dropped = ["documents that have the id of their query are left out, as BEIR does"]
    notes = [*group.notes, *dropped * any(facts.drop_identical for facts in group.facts)]
    notes += [f"faults in the collection: {fault}" for fault in faults]
    leading = plain(group.metric)
    if metric not in (None, group.metric):
        notes.append(f"not evaluated by {metric}, led by {leading}")
    if declared := {facts.metric_declared for facts in group.facts} - {None, leading}:
        notes.append(f"led by {leading}, though sweeps declared {', '.join(sorted(map(str, declared)))}")
    for name, pairs in zip(map(plain, group.baselines), group.pairs_of_each, strict=True):
        if not pairs and name not in {facts.method for facts in group.facts}:
            notes.append(f"no row of the baseline '{name}' to compare with")
        if any(group.facts[number].random and group.facts[number].runs == 1 for number in pairs.values()):
            notes.append(f"the baseline '{name}' rests on one seed, and so does every comparison with it")
    compared = {number for pairs in group.pairs_of_each for pair in pairs.items() for number in pair}
    measured = group.measured[group.metric].runs
    if note := unknown_overlap([measured[number] for number in sorted(compared)]):
        notes.append(note)
    if 1 < (independent := group.clusters.count if group.clusters else len(group.queries)) < TOO_FEW_QUERIES:
        unit = "cluster" if group.clusters else "query"
        notes.append(f"{counted(independent, unit)}: too few for means to be near normal; p and intervals are rough")
    return notes


def _anchors(name: str, split: str, metric: str) -> list[str]:
    """What others published on a collection that an installed source knows."""
    source = plugins(CollectionSource).get(name)
    found = source.anchors.get((split, metric)) if source is not None else None
    return [f"published {metric}: {found}"] if found else []


def _family(group: RunGroup, baseline: str, metric: str) -> str:
    pairs = [(row, other) for one in group.pairs_of_each for row, other in one.items()]
    different = len(set(identical(group.measured[group.metric], pairs)))
    same = len(pairs) - different
    once = f" ({counted(same, 'comparison')} of identical runs counted once)" if same else ""
    over = f"queries and runs ({group.clusters.words})" if group.clusters else "queries and runs"
    return (
        f"{counted(len(group.pairs), 'row')} against {baseline} on {metric}: paired t over {over}, two-sided, Holm "
        f"over all {different}{once}"
    )
