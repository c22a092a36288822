"""Is a result folder what its card says? Hashes, means and bounds, without judgments: what a board asks of every folder
before it shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from harness.evaluation.metrics.lookup import bounds, mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.significance.clusters import FILE as CLUSTERS
from harness.files import sha256
from harness.published.card import Card, CardOutcome
from harness.published.result_folder import CARD, RUN, SIDECARS, check_file
from harness.text import counted, plain

TOLERANCE = 1e-9
Values = Mapping[str, Mapping[str, float]]
"""metric -> query id -> value"""


def false_numbers(folder: Path, card: Card, scores: Values) -> str:
    """Why the numbers of a folder are not those that its card tells of, or cannot be any run's; empty where nothing is
    wrong."""
    if card.outcome is None:
        return f"{CARD} does not say what came of the run"
    if card.collection.clusters is not None and CLUSTERS not in card.outcome.files:
        return f"its card tells of clusters of queries, and of no {CLUSTERS}"
    return _out_of_bounds(scores) or _other_outcome(card.outcome, scores) or _other_files(folder, card.outcome)


def changed_sidecars(folder: Path, card: Card) -> tuple[str, ...]:
    """Names of files beside the run, no number of a board rests on them, that are not what the card describes."""
    named = card.outcome.files if card.outcome is not None else {}
    # Beside a card from before they were counted may lie others, which nobody can vouch for.
    return tuple(name for name in SIDECARS if name in named and named[name] != file_hash(folder / name))


def file_hash(path: Path) -> str | None:
    """sha256; None for a file that is missing, linked or too large."""
    try:
        check_file(path)
        return sha256(path)
    except (OSError, ValueError):
        return None


def _out_of_bounds(scores: Values) -> str:
    for name, values in scores.items():
        low, high = bounds(name)
        for extreme in (max, min):
            query = extreme(values, key=values.__getitem__)
            if not low - TOLERANCE <= values[query] <= high + TOLERANCE:
                most = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
                return plain(f"{name} is {values[query]:g} for query '{query[:60]}'; it can be {most}")
    return ""


def _other_outcome(outcome: CardOutcome, scores: Values) -> str:
    if set(outcome.metrics) != set(scores):
        return "the card and the values of queries name different metrics"
    for name, values in scores.items():
        if abs(mean(values) - outcome.metrics[name]) > TOLERANCE:
            told, found = outcome.metrics[name], mean(values)
            return plain(f"the mean of {name} is {told:.6g} on its card, {found:.6g} over the values of its queries")
    queries = len(next(iter(scores.values()), {}))
    if outcome.queries != queries:
        return f"its card tells of {counted(outcome.queries, 'query')}, its values are of {queries:,}"
    return ""


def _other_files(folder: Path, outcome: CardOutcome) -> str:
    clusters = [CLUSTERS] if CLUSTERS in outcome.files else []
    for name in (METRICS, RUN, *clusters):
        found = file_hash(folder / name)
        if found is None or found != outcome.files.get(name):
            return f"{name} is not the file that its card describes"
    return ""
