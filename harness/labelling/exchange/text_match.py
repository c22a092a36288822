"""References of foreign labels become ids of a collection: by id, else by text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from harness.collections.collection import Texts
from harness.labelling.exchange.label_form import Reference
from harness.labelling.exchange.text_key import LENGTH, text_key

_HEAD = 40
"""Characters of a key by which texts are looked up; shorter keys must be equal."""
_AT_ONCE = 10_000
Match = Callable[[Reference], tuple[str, ...]]
"""The ids of what a reference names: several where texts are equal, none where the collection has no such thing."""


def matcher(wanted: Collection[Reference], texts: Iterable[Texts]) -> Match:
    """Finds `wanted` references in `texts`, which are read once if any reference lacks an id there.

    An id that the collection has wins. Without one all texts of the same key are meant, which nobody can tell apart,
    else those whose key begins with the reference's (passages are cut for prompts).
    """
    collections = list(texts)
    ids = _known(collections, {one.id for one in wanted} - {""})
    heads = {one.key[:_HEAD] for one in wanted if one.id not in ids and one.key}
    found = _texts(collections, heads) if heads else {}
    return lambda one: (one.id,) if one.id in ids else _nearest(one.key, found.get(one.key[:_HEAD], {}))


def _known(collections: Iterable[Texts], ids: set[str]) -> set[str]:
    return {id for texts in collections for id in ids.intersection(texts.ids)}


def _texts(collections: Iterable[Texts], heads: set[str]) -> dict[str, dict[str, list[str]]]:
    """Ids by key by head of key, of the texts that can be meant."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for texts in collections:
        for start in range(0, len(texts), _AT_ONCE):
            stop = min(start + _AT_ONCE, len(texts))
            for id, text in zip(texts.ids[start:stop], texts.slice_texts(start, stop), strict=True):
                key = text_key(text)
                if key[:_HEAD] in heads:
                    found[key[:_HEAD]][key].append(id)
    return found


def _nearest(key: str, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if key in known:
        return _falling(known[key])
    if not _HEAD <= len(key) < LENGTH:
        return ()
    return _falling(id for other, ids in known.items() if other.startswith(key) for id in ids)


def _falling(ids: Iterable[str]) -> tuple[str, ...]:
    """Each id once, as equal documents stand everywhere."""
    return tuple(sorted(set(ids), reverse=True))
