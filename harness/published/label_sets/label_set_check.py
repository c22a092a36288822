"""Is a published set of labels what its card says? Hashes, identity, counts, agreement, costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.files import sha256
from harness.labelling.labels.label_dataset import DatasetHeader
from harness.published.card_collection import TestCollection
from harness.published.label_sets.label_card import LabelCard, costs_of
from harness.published.label_sets.label_set_folder import (
    LabelSetPlace,
    label_sets_in,
    read_label_card,
    read_label_set,
)
from harness.published.label_sets.label_statistics import label_statistics
from harness.text import plain

TOLERANCE = 2e-6
"""Means stand on cards with six digits."""


def false_label_sets(folder: Path, collection_of: Callable[[TestCollection], Collection]) -> list[str]:
    """Problems of all sets of labels in a collection's folder, each beginning with the set's name; none where all are
    as their cards say. `collection_of` finds what a card names; what it raises, is raised."""
    places = label_sets_in(folder)
    if not places:
        return ["no set of labels is here"]
    return [f"{place.name}: {problem}" for place in places for problem in _problems(place, collection_of)]


def _problems(place: LabelSetPlace, collection_of: Callable[[TestCollection], Collection]) -> Iterator[str]:
    try:
        card, published = read_label_card(place), read_label_set(place)
    except UserError as error:
        yield f"unreadable: {plain(error.summary)}"
        return
    file = card.file
    if (file.name, file.sha256, file.bytes) != (place.file.name, sha256(place.file), place.file.stat().st_size):
        yield f"hash: {place.file.name} is not the file that the card describes"
    wrong = _false_identity(card, published.header)
    if wrong:
        yield f"identity: the card and the file have another {', '.join(wrong)}"
    collection = collection_of(card.collection)
    if collection.split_hash(card.collection.split) != card.collection.content_hash:
        yield f"collection: {plain(card.collection.name)} has another content hash here than on the card"
    again = label_statistics(published.rows, collection)
    yield from (f"{key}: not what follows from the labels" for key in again if not _agree(card, again, key))
    if costs_of(card.draws) != card.costs:
        yield "costs: not what follows from the draws"


def _false_identity(card: LabelCard, header: DatasetHeader) -> list[str]:
    about = header.about
    pairs = {
        "collection": (card.collection.name, about.collection),
        "split": (card.collection.split, about.split),
        "content hash": (card.collection.content_hash, about.content_hash),
        "kind of teacher": (card.teacher.kind, about.kind),
        "model": (card.teacher.model, about.model),
        "teacher": (card.identity, about.identity),
        "first stage": (card.candidates, about.candidates),
        "depth": (card.depth, about.depth),
        "date": (card.date, header.date),
        "licence": (card.licence, header.licence),
    }
    return [name for name, (on_card, in_file) in pairs.items() if on_card != in_file]


def _agree(card: LabelCard, again: dict[str, Any], key: str) -> bool:
    on_card, found = getattr(card, key), again[key]
    if key != "sources":
        return bool(on_card == found)
    return on_card.keys() == found.keys() and all(
        _near(on_card[name].model_dump(), one.model_dump()) for name, one in found.items()
    )


def _near(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        abs(one[key] - other[key]) <= TOLERANCE
        if isinstance(one[key], float) and isinstance(other[key], float)
        else one[key] == other[key]
        for key in one
    )
