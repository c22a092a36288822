"""Collections that are at hand without a download, by what they hold: those that were prepared here, and those that
come with installed packages."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from harness.collections.collection import CollectionSource
from harness.collections.parse import parse_source
from harness.collections.prepared import PreparedCollection, prepare
from harness.errors import UserError
from harness.plugins import plugins


class PreparedShelf:
    """Prepared collections in the folder `home`, into which those of installed packages are prepared when they are
    asked for."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def find(self, name: str, split: str, hashes: Collection[str | None]) -> PreparedCollection | None:
        """The collection, to be called `name`, of which one of `hashes` is that of its content, as a whole or for that
        split; None where it is not at hand, or cannot be read."""
        place = next((self._places[mark, split] for mark in hashes if (mark, split) in self._places), None)
        with suppress(OSError, ValueError, KeyError, TypeError, UserError, ImportError):
            if place is not None:
                return PreparedCollection(place, name)
            source = plugins(CollectionSource).get(name)
            if source is not None and source.bundled:
                found = prepare(parse_source(name), self.home)
                return found if {found.content_hash, found.split_hash(split)}.intersection(hashes) else None
        return None

    @cached_property
    def _places(self) -> dict[tuple[str | None, str], Path]:
        """Folders by content hash and split."""
        places: dict[tuple[str | None, str], Path] = {}
        for file in sorted(self.home.glob("*/collection.json")):
            with suppress(OSError, ValueError, KeyError, TypeError, UserError):
                found = PreparedCollection(file.parent, file.parent.name)
                for split in found.splits:
                    places.setdefault((found.split_hash(split), split), file.parent)
                    places.setdefault((found.content_hash, split), file.parent)
        return places
