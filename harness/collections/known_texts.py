"""The texts that a folder of prepared collections holds already: one order for one content, and one copy on the disk.

What is made of texts depends on their order in small things (which title is drawn, the last digit of a sum), so that a
copy of a collection with its lines in another order is read in the order of the first.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from harness.collections.texts_writer import Stored


class _Known(NamedTuple):
    folder: Path
    identity: str
    content: str


class KnownTexts:
    """Corpora and queries of the collections below `home`, those that were prepared first at the beginning."""

    def __init__(self, home: Path) -> None:
        files = home.glob("[0-9a-f]*/collection.json")
        self._known = [one for file in sorted(files, key=_age) for one in _texts_of(file)]

    def settle(self, folder: Path, stored: Stored, keeps_order: bool) -> Stored:
        """The texts in `folder`, which now shares its files with the first ones of the same content; with those in the
        same order where it `keeps_order`."""
        for one in self._known:
            same = one.identity == stored.identity or (not keeps_order and one.content == stored.content)
            if same and _share(one.folder, folder):
                return stored._replace(identity=one.identity)
        return stored


def _age(file: Path) -> tuple[int, str]:
    return file.stat().st_mtime_ns, str(file)


def _texts_of(file: Path) -> Iterator[_Known]:
    with suppress(OSError, ValueError, KeyError):
        facts, folder = json.loads(file.read_text(encoding="utf-8")), file.parent
        yield _Known(folder / "corpus", facts["corpus"]["identity"], facts["corpus"].get("content", ""))
        for split in facts["splits"].values():
            yield _Known(folder / split["folder"] / "queries", split["queries"], split.get("queries_content", ""))


def _share(source: Path, folder: Path) -> bool:
    """Put the files of `source` in the place of those in `folder`, where there are just the same."""
    names = sorted(file.name for file in folder.iterdir())
    if not source.is_dir() or sorted(file.name for file in source.iterdir()) != names:
        return False
    for name in names:
        (folder / name).unlink()
        try:
            os.link(source / name, folder / name)
        except OSError:
            # Another file system, or one without hard links.
            shutil.copyfile(source / name, folder / name)
    return True
