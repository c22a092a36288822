"""Runs on one content of a collection are on the same queries: one that brings queries of its own would be a query
that all others miss, so it is left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from harness.errors import UserError
from harness.leaderboard.query_values import ids
from harness.published.card_collection import TestCollection
from harness.published.result_folder import Published
from harness.text import counted, plain

Queries = frozenset[str]
KnownQueries = Callable[[TestCollection], Collection[str] | None]
"""The queries of a split where its collection is at hand; None where it is not."""


def foreign_queries(runs: Sequence[Published], known: KnownQueries) -> dict[int, str]:
    """Places of runs in `runs` that have queries which are not those of their collection, with the reason.

    The queries of a content are those of the collection itself, where it is at hand. Otherwise they are those that
    most folders have; of equally many, those that were published first. A run that misses queries is no such run: they
    count 0 for it alone.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        groups[run.card.collection.content_hash, run.card.collection.split].append(place)
    reasons: dict[int, str] = {}
    for places in groups.values():
        sets = {place: _queries(runs[place]) for place in places}
        if len(set(sets.values())) > 1:
            reasons |= _reasons(runs, sets, known)
    return reasons


def _queries(run: Published) -> Queries:
    distinct = {ids(values) for values in run.scores.values()}
    return frozenset().union(*distinct)


def _reasons(runs: Sequence[Published], sets: Mapping[int, Queries], known: KnownQueries) -> dict[int, str]:
    own = _own_queries(runs, sets, known)
    right = own if own is not None else _usual_queries(runs, sets)
    strangers = {place: further for place, found in sets.items() if (further := found - right)}
    others = [runs[place] for place in sets if place not in strangers]
    return {place: _reason(runs[place], further, others, own is not None) for place, further in strangers.items()}


def _own_queries(runs: Sequence[Published], sets: Mapping[int, Queries], known: KnownQueries) -> Queries | None:
    """Those of the collection, under any of the names that its runs give it."""
    for about in {run.card.collection.name: run.card.collection for run in (runs[place] for place in sets)}.values():
        try:
            found = known(about)
        except UserError:
            # A collection without that split: whoever says so is wrong, or has another one.
            continue
        if found is not None:
            return frozenset(found)
    return None


def _usual_queries(runs: Sequence[Published], sets: Mapping[int, Queries]) -> Queries:
    votes = Counter(sets.values())

    def precedence(place: int) -> tuple[int, datetime, int, str]:
        card = runs[place].card
        return -votes[sets[place]], card.created, -len(sets[place]), card.tag

    return sets[min(sets, key=precedence)]


def _reason(run: Published, further: Queries, others: Sequence[Published], at_hand: bool) -> str:
    about = run.card.collection
    own = f"the collection {plain(about.name)} ({plain(about.split)}) has"
    who = own if at_hand else "most folders of its collection, or those that were there first, have"
    names = f", as {place_of(others[0])}" if others else ""
    more = f" and {counted(len(others) - 1, 'other')}" if len(others) > 1 else ""
    return (
        f"{counted(len(further), 'query')} of its own, first '{plain(min(further), 60)}': {who} none of them"
        f"{names}{more}"
    )


def place_of(run: Published) -> str:
    """How a folder is called in notes."""
    return plain(f"{run.folder.parent.name}/{run.folder.name}")
