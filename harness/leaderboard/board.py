"""From a results folder to the board: tables of comparable rows, one row a configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from harness.evaluation.significance.randomisation import FLIPS
from harness.evaluation.significance.variance import variance
from harness.leaderboard.board_model import Board, Row, Table
from harness.leaderboard.flags import About, flags_of
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.primary_metric import BASELINE, wanted_metric
from harness.leaderboard.row_statistics import SEED, compare
from harness.leaderboard.row_titles import title
from harness.leaderboard.run_group import RunGroup, by_content, chosen_runs, group_of
from harness.published.result_folder import Published
from harness.text import plain


def board(
    results: Path,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    runs: Collection[str] | None = None,
    seed: int = SEED,
) -> Board:
    """The board of a results folder.

    `collection`, `split` and `runs` (run ids) restrict it. `metric` leads: rows are sorted and tested by it; by default the measure that
    most sweeps report first. `baseline` is a method's name or label; by default the one that most cards name, or zero-shot. Raises
    UserError when nothing fits a name that was given.
    """
    gathered = load_results(results, runs)
    return board_of(gathered, collection=collection, split=split, metric=metric, baseline=baseline, seed=seed)


def board_of(
    gathered: ResultSet,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    seed: int = SEED,
) -> Board:
    """`board` of runs that were read already; the same choices, the same errors."""
    chosen = chosen_runs(gathered.runs, collection, split)
    wanted = wanted_metric(chosen, metric)
    groups = by_content(chosen)
    contents = Counter((name, of) for name, of, _ in groups)
    general = [
        f"'{plain(name)}' ({plain(of)}) has {count} different contents: a table each" for (name, of), count in contents.items() if count > 1
    ]
    tables = []
    for (name, of, content), members in sorted(groups.items()):
        warning = (f"content {content[:8]}",) if contents[name, of] > 1 else ()
        tables.append(_table(members, wanted, baseline, seed, warning))
    return Board(tuple(tables), gathered.skipped, tuple(general), gathered.folder)


def _table(runs: Sequence[Published], metric: str | None, baseline: str | None, seed: int, warning: tuple[str, ...]) -> Table:
    group = group_of(runs, metric, baseline, seed)
    about, pairs, leading, wanted = runs[0].card.collection, group.pairs, plain(group.metric), plain(group.baseline)
    table = Table(
        collection=plain(about.name),
        split=plain(about.split),
        content_hash=about.content_hash,
        queries=len(group.queries),
        metric=leading,
        metrics=tuple(plain(name) for name in group.measured),
        baseline=wanted if pairs else None,
        family=_family(len(pairs), wanted, leading, seed) if pairs else "",
        rows=_ranked(judged_rows(group, seed), leading, warning),
    )
    notes = (f"{table.collection} ({table.split}): {note}" for note in _notes(group, metric, table.rows))
    return replace(table, notes=tuple(notes))


def _notes(group: RunGroup, metric: str | None, rows: Sequence[Row]) -> list[str]:
    notes = [*group.notes]
    leading, wanted = plain(group.metric), plain(group.baseline)
    if metric not in (None, group.metric):
        notes.append(f"not evaluated by {metric}, led by {leading}")
    if declared := {row.metric_declared for row in rows} - {None, leading}:
        notes.append(f"led by {leading}, though sweeps declared {', '.join(sorted(map(str, declared)))}")
    if not group.pairs:
        notes.append(f"no row of the baseline '{wanted}' to compare with")
    if any(group.rows[number].random and group.rows[number].runs == 1 for number in group.pairs.values()):
        notes.append(f"the baseline '{wanted}' rests on one seed, and so does every comparison with it")
    return notes


def judged_rows(group: RunGroup, seed: int = SEED) -> list[Row]:
    """The rows of `group` in its order, with variance, comparison and flags, yet without places."""
    measured, names = group.measured[group.metric], _names(group)
    compared = compare(measured, group.pairs, names, seed)
    alike = group.baseline == BASELINE
    controls = {number: compared[number] for number in group.controls} if alike else compare(measured, group.controls, names, seed)
    about = About(plain(group.metric), plain(group.baseline), max((row.trials for row in group.rows), default=0))
    rows = []
    for number, row in enumerate(group.rows):
        split = variance(measured.values[number], group.found[number].design) if number in measured.values else None
        full = replace(row, variance=split, against=compared.get(number), against_zero_shot=controls.get(number))
        rows.append(replace(full, flags=flags_of(full, about)))
    return rows


def _names(group: RunGroup) -> list[str]:
    """What the rows are called as baselines: their methods, or all that tells them apart where rows are tested against different ones."""
    several = len(set(group.pairs.values())) > 1
    return [title(row) if several else row.name for row in group.rows]


def _family(comparisons: int, baseline: str, metric: str, seed: int) -> str:
    rows = f"{comparisons} row{'s' if comparisons > 1 else ''} against {baseline} on {metric}"
    return f"{rows}: paired randomisation test over queries, two-sided, {FLIPS:,} sign flips, seed {seed}, Holm over all {comparisons}"


def _ranked(rows: Sequence[Row], metric: str, warning: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows sorted by the leading metric; those that see the answers come last and have no place."""
    ordered = sorted(rows, key=lambda row: (not _competes(row, metric), -_mean(row, metric), row.name, row.budget or 0))
    places = {row.run_ids: number for number, row in enumerate((row for row in ordered if _competes(row, metric)), 1)}
    return tuple(replace(row, rank=places.get(row.run_ids), flags=(*warning, *row.flags)) for row in ordered)


def _competes(row: Row, metric: str) -> bool:
    return row.teacher_type not in ("oracle", "simulated") and metric in row.metrics


def _mean(row: Row, metric: str) -> float:
    return row.metrics[metric].mean if metric in row.metrics else 0.0
