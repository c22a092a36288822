"""From a results folder to the board: tables of comparable rows, one row a configuration."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.board.configuration import Configuration, configurations, variants
from harness.board.flags import flags_of
from harness.board.gathering import Gathered, gather
from harness.board.model import Against, Board, Row, Table
from harness.board.rows import row_of
from harness.board.statistics import SEED, Measured, compare, measure, queries_of
from harness.errors import UserError, did_you_mean
from harness.evaluation.metrics import metric as parse_metric
from harness.evaluation.randomisation import FLIPS
from harness.evaluation.text import plain
from harness.published.folders import Published

BASELINE = "zero-shot"


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
    gathered = gather(results, runs)
    return board_of(gathered, collection=collection, split=split, metric=metric, baseline=baseline, seed=seed)


def board_of(
    gathered: Gathered,
    *,
    collection: str | None = None,
    split: str | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    seed: int = SEED,
) -> Board:
    """`board` of runs that were read already; the same choices, the same errors."""
    found, skipped = gathered.runs, gathered.skipped
    chosen = [run for run in found if collection in (None, run.card.collection.name) and split in (None, run.card.collection.split)]
    if found and not chosen:
        known = sorted({plain(f"{run.card.collection.name} ({run.card.collection.split})") for run in found})
        raise UserError(
            f"no published run of collection '{collection or 'any'}', split '{split or 'any'}'", remedy=f"there are: {', '.join(known)}"
        )
    wanted = _wanted_metric(chosen, metric)
    groups: dict[tuple[str, str, str], list[Published]] = defaultdict(list)
    for run in chosen:
        groups[run.card.collection.name, run.card.collection.split, run.card.collection.content_hash].append(run)
    contents = Counter((name, of) for name, of, _ in groups)
    notes = [
        f"'{plain(name)}' ({plain(of)}) has {count} different contents: a table each" for (name, of), count in contents.items() if count > 1
    ]
    tables = []
    for (name, of, content), members in sorted(groups.items()):
        warning = (f"content {content[:8]}",) if contents[name, of] > 1 else ()
        table, said = _table(members, wanted, baseline, seed, warning)
        tables.append(table)
        notes += [f"{table.collection} ({table.split}): {note}" for note in said]
    return Board(tuple(tables), tuple(skipped), tuple(notes), gathered.folder)


def _table(runs: list[Published], metric: str | None, baseline: str | None, seed: int, warning: tuple[str, ...]) -> tuple[Table, list[str]]:
    about = runs[0].card.collection
    found, notes = configurations(runs)
    queries, leading = queries_of(runs), _leading(runs, metric)
    metrics = list(dict.fromkeys([leading, *(name for run in runs for name in run.scores)]))
    measured = {name: measure(found, name, queries, seed) for name in metrics}
    rows = [
        row_of(number, one, variant, measured, len(queries))
        for number, (one, variant) in enumerate(zip(found, variants(found), strict=True))
    ]
    wanted = baseline or _usual_baseline(runs)
    pairs = _pairs(found, rows, measured[leading], wanted)
    compared = compare(measured[leading], pairs, [row.name for row in rows], seed)
    if metric not in (None, leading):
        notes.append(f"not evaluated by {metric}, led by {plain(leading)}")
    if not pairs:
        notes.append(f"no row of the baseline '{plain(wanted)}' to compare with")
    table = Table(
        collection=plain(about.name),
        split=plain(about.split),
        content_hash=about.content_hash,
        queries=len(queries),
        metric=plain(leading),
        metrics=tuple(plain(name) for name in metrics),
        baseline=plain(wanted) if pairs else None,
        family=_family(len(pairs), plain(wanted), leading, seed) if pairs else "",
        rows=_ranked(rows, compared, plain(leading), warning),
    )
    return table, notes


def _leading(runs: Sequence[Published], metric: str | None) -> str:
    """`metric` where any of the runs has it, otherwise the measure that most of their sweeps report first."""
    known = dict.fromkeys(name for run in runs for name in run.scores)
    if metric in known:
        return metric
    firsts = Counter(next(iter([*run.card.research_goal.evaluation.reported_measures, *run.scores])) for run in runs)
    return next((name for name, _ in firsts.most_common() if name in known), next(iter(known)))


def _wanted_metric(runs: Sequence[Published], metric: str | None) -> str | None:
    """`metric` as it is written in results. Raises UserError when no run has it."""
    if metric is None or not runs:
        return None
    wanted, known = str(parse_metric(metric)), {name for run in runs for name in run.scores}
    if wanted not in known:
        raise UserError(f"no run was evaluated by {wanted}", remedy=did_you_mean(wanted, map(plain, known)))
    return wanted


def _usual_baseline(runs: Sequence[Published]) -> str:
    named = Counter(name for run in runs for name in run.card.research_goal.evaluation.baseline)
    return named.most_common(1)[0][0] if named else BASELINE


def _family(comparisons: int, baseline: str, metric: str, seed: int) -> str:
    rows = f"{comparisons} row{'s' if comparisons > 1 else ''} against {baseline} on {metric}"
    return f"{rows}: paired randomisation test over queries, two-sided, {FLIPS:,} sign flips, seed {seed}, Holm over all {comparisons}"


_ALIKE = ("student", "budget", "teacher", "ranker_loss", "retriever_loss")


def _pairs(found: Sequence[Configuration], rows: Sequence[Row], measured: Measured, baseline: str) -> dict[int, int]:
    """For every other row the baseline row that is most like it; of equals the one with the highest mean."""
    methods = {number: found[number].card.method for number in measured.means}
    shown = [number for number, method in methods.items() if (method.label or method.name) == baseline]
    candidates = shown or [number for number, method in methods.items() if method.name == baseline]

    def nearest(row: Row) -> int:
        return max(candidates, key=lambda other: (_alike(row, rows[other]), measured.estimates[other].mean))

    return {number: nearest(rows[number]) for number in measured.means if number not in candidates} if candidates else {}


def _alike(row: Row, other: Row) -> int:
    return sum(getattr(row, key) == getattr(other, key) for key in _ALIKE)


def _ranked(rows: Sequence[Row], compared: Mapping[int, Against], metric: str, warning: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows with comparison and flags, sorted by the leading metric; those that see the answers come last and have no place."""
    full = [replace(row, against=compared.get(number)) for number, row in enumerate(rows)]
    ordered = sorted(full, key=lambda row: (not _competes(row, metric), -_mean(row, metric), row.name, row.budget or 0))
    places = {tags: number for number, tags in enumerate((row.tags for row in ordered if _competes(row, metric)), 1)}
    most_trials = max((row.trials for row in rows), default=0)
    return tuple(replace(row, rank=places.get(row.tags), flags=(*warning, *flags_of(row, most_trials))) for row in ordered)


def _competes(row: Row, metric: str) -> bool:
    return row.standing not in ("oracle", "simulated") and metric in row.metrics


def _mean(row: Row, metric: str) -> float:
    return row.metrics[metric].mean if metric in row.metrics else 0.0
