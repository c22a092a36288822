"""One content hash for one content: cards of earlier versions have another hash of it than those of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.collections.collection import CollectionSource
from harness.plugins import plugins
from harness.published.result_folder import Published


def with_common_hashes(runs: Sequence[Published]) -> tuple[Published, ...]:
    """The runs, of which those with a hash of earlier versions have that of today, where another run or the source of
    the collection says that the two are of one content. A hash that nobody knows both ways stays."""
    today: dict[tuple[str | None, str], str] = {
        (about.former_content_hash, about.split): about.content_hash
        for about in (run.card.collection for run in runs)
        if about.former_content_hash is not None
    }
    hashes = set(today.values())
    for source in plugins(CollectionSource).values():
        for split, mark in source.split_hashes.items():
            if mark in hashes:
                today.setdefault((source.former_hash, split), mark)
    return tuple(_renamed(run, today) for run in runs)


def _renamed(run: Published, today: dict[tuple[str | None, str], str]) -> Published:
    about = run.card.collection
    mark = today.get((about.content_hash, about.split)) if about.former_content_hash is None else None
    if mark is None:
        return run
    hashes = {"content_hash": mark, "former_content_hash": about.content_hash}
    data = run.card.data.model_copy(update={"test_collection": about.model_copy(update=hashes)})
    return replace(run, card=run.card.model_copy(update={"data": data}))
