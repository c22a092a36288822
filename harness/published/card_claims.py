"""What else a card says that can be computed again from the files beside it: how its labels came out, and how long its
stages took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.labelling.labels.ranking import VERDICTS
from harness.labelling.labels.run_labels import LabelsOfRun
from harness.published.card import Card
from harness.published.provenance import Provenance
from harness.text import counted

_ROUNDED = 1e-3
"""Seconds by which a duration on a card may be off."""


def false_label_rates(card: Card, labels: LabelsOfRun) -> Iterator[str]:
    """Where the labels in a folder came out otherwise than its card says. A file may hold a part of them."""
    told = card.labels
    if told is None and not labels.header.labels:
        return
    if told is None:
        yield f"labels: the card tells of none, there are {labels.header.labels:,}"
        return
    if labels.header.labels > told.total or labels.header.rows != len(labels.rows):
        said = f"{counted(told.total, 'label')}, the file of {labels.header.labels:,} in {labels.header.rows:,} rows"
        yield f"labels: the card tells of {said}; it has {len(labels.rows):,}"
        return
    whole = labels.header.labels == told.total == len(labels.rows)
    found = Counter(row.verdict for row in labels.rows)
    for verdict in VERDICTS:
        said = getattr(told, verdict)
        if found[verdict] > said or (whole and found[verdict] != said):
            yield f"labels: {said:,} are {verdict} on the card, {found[verdict]:,} in the file of labels"


def false_seconds(card: Card, provenance: Provenance | None) -> Iterator[str]:
    """Where the seconds of a card are not those of its stages."""
    told = card.costs.seconds
    if card.durations and _differ(told, found := sum(card.durations.values()), len(card.durations)):
        yield f"costs: {told:.1f} seconds on the card, its stages add up to {found:.1f}"
    stages = provenance.stages if provenance is not None else ()
    if stages and _differ(told, found := sum(stage.seconds for stage in stages), 1):
        yield f"costs: {told:.1f} seconds on the card, {found:.1f} where it is told how the run was made"


def _differ(one: float, other: float, parts: int) -> bool:
    return abs(one - other) > _ROUNDED * parts + 1e-9 * one
