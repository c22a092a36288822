"""Several folders of one cell: which of them counts. The same stages cannot have given other numbers, so of two that
contradict each other the one that was there first stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from harness.leaderboard.configuration import cell_of
from harness.leaderboard.disputes.query_sets import place_of
from harness.published.card import Card
from harness.published.result_folder import Published


def contradicting(runs: Sequence[Published]) -> dict[int, str]:
    """Places in `runs` of those that say of a cell what another run of it denies, with the reason.

    Runs of one cell contradict each other where their cards name the same stages, or none at all (systems from
    elsewhere), and their values differ. One that was verified counts before one that was not, then the one that was
    published first. A run of other stages was made by other code: it is no contradiction (see `configurations`).
    """
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        groups[_claim(run.card)].append(place)
    reasons: dict[int, str] = {}
    for places in groups.values():
        first = min(places, key=lambda place: _precedence(runs[place]))
        for place in places:
            if place != first and runs[place].scores != runs[first].scores:
                reasons[place] = _reason(runs[place], runs[first])
    return reasons


def same_cell(one: Card, other: Card) -> bool:
    """Whether both cards are of one cell, on one content of a collection."""
    return _place(one) == _place(other)


def _place(card: Card) -> tuple[Any, ...]:
    about = card.collection
    return about.name, about.split, about.content_hash, about.drop_identical, cell_of(card)


def _claim(card: Card) -> tuple[Any, ...]:
    return *_place(card), tuple(sorted(card.stages.items()))


def _precedence(run: Published) -> tuple[bool, Any, str]:
    return not run.verified, run.card.created, place_of(run)


def _reason(run: Published, first: Published) -> str:
    why = "which was verified" if first.verified else f"published before, {first.card.created:%Y-%m-%d}"
    return (
        f"the same cell as {place_of(first)} with other numbers; that one counts, {why}. Two systems need two names; "
        f"remove the folder that is wrong"
    )
