"""One folder of a results folder as it was read: a run, or the reason why it is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.errors import UserError
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.significance.clusters import FILE as CLUSTERS
from harness.leaderboard.query_values import QueryIndex, Values
from harness.published.card import Card
from harness.published.card_check import changed_sidecars, false_numbers
from harness.published.result_folder import CARD, RUN, SIDECARS, Published, read_folder
from harness.text import plain

MOST_METRICS = 100
LARGEST_VALUE = 1e6
"""Most metrics of a run, and the largest value of one: far beyond what any evaluation gives."""


@dataclass(frozen=True)
class Entry:
    """`mark` changes when any file of the folder does; without a card there is a reason."""

    mark: str
    reason: str = ""
    false: bool = False
    """Whether the reason is that the folder is not what its card says."""
    changed: tuple[str, ...] = ()
    """Files beside the run that are not what the card describes."""
    card: Card | None = None
    scores: dict[str, Values] = field(default_factory=dict, repr=False)
    clusters: Mapping[str, str] = field(default_factory=dict, repr=False)

    def published(self, folder: Path) -> Iterator[Published]:
        """The run, if it is one."""
        if self.card is not None:
            yield Published(folder, self.card, self.scores, self.clusters, self.changed)


def mark_of(folder: Path | str) -> str:
    """Sizes, times and kinds of the files that a board looks at; nothing is opened, no link followed."""
    # Called for every folder whenever a page is drawn: texts are joined several times as fast as paths.
    return "; ".join(file_mark(f"{folder}/{name}") for name in (CARD, METRICS, CLUSTERS, RUN, *SIDECARS))


def file_mark(path: str) -> str:
    """Size, times and kind of a file; a link is not followed."""
    try:
        found = os.lstat(path)
    except OSError:
        return "none"
    return f"{found.st_mode} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def read_entry(folder: Path, mark: str, shared: dict[tuple[str, ...], QueryIndex]) -> Entry:
    """What lies in `folder`; runs with the same queries get the same object of `shared`."""
    try:
        run = read_folder(folder)
    except UserError as error:
        return Entry(mark, plain(error.summary))
    if len(run.scores) > MOST_METRICS:
        return Entry(mark, f"{len(run.scores):,} metrics, more than {MOST_METRICS}")
    scores = {name: _values(values, shared) for name, values in run.scores.items()}
    # Sums of a table are exact on a grid that the largest value in it sets: one absurd value would blur all other rows.
    largest = max(float(np.abs(values.numbers).max()) for values in scores.values())
    if largest > LARGEST_VALUE:
        return Entry(mark, f"a value of {largest:g}, which no metric has", false=True)
    if reason := false_numbers(folder, run.card, run.scores):
        return Entry(mark, reason, false=True)
    changed = changed_sidecars(folder, run.card)
    return Entry(mark, changed=changed, card=run.card, scores=scores, clusters=run.clusters)


def _values(values: Mapping[str, float], shared: dict[tuple[str, ...], QueryIndex]) -> Values:
    ids = tuple(values)
    return Values(shared.setdefault(ids, QueryIndex(ids)), np.fromiter(values.values(), np.float64, len(ids)))
