"""What the names in a sweep file may mean."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.collections.collection import CollectionSource
from harness.collections.parse import parse_source
from harness.config.located import Node
from harness.config.repeats import repeats
from harness.errors import UserError, UserErrors, nearest
from harness.evaluation.metrics.lookup import metric
from harness.labelling.labels.teacher import Teacher
from harness.losses.loss import Loss
from harness.masking import masked
from harness.method import Method
from harness.plugins import Plugin, plugins
from harness.retrieval.engines import LexicalEngine
from harness.retrieval.student_type import StudentType
from harness.validation import KeyPath, dotted

_ABSOLUTE = re.compile(r"(?<![\w.:/~])/(?:[^/\s'\",\[\]{}]+/)*")
"""The folders of an absolute path, not those of an address."""


@dataclass(frozen=True)
class Registries:
    """Plug-in classes by kind and name, and who judges the names that are more than a plug-in's."""

    methods: Mapping[str, type[Method]]
    teachers: Mapping[str, type[Teacher]]
    losses: Mapping[str, type[Loss]]
    engines: Mapping[str, type[Plugin]]
    students: Mapping[str, type[StudentType]]
    collections: Mapping[str, type[CollectionSource]]
    collection: Callable[[str | Mapping[str, Any], Path], object]
    """Raises UserError when its first argument names no collection; the second is the folder that paths start from.
    Reads no data."""
    metric: Callable[[str], object]
    """The metric's own spelling, as its text. Raises UserError when there is no such metric."""

    @classmethod
    def installed(cls) -> Registries:
        """What is installed in this environment and can be used; the rest is told on stderr."""

        return cls(
            methods=plugins(Method),
            teachers=plugins(Teacher),
            losses=plugins(Loss),
            engines=plugins(LexicalEngine),
            students=plugins(StudentType),
            collections=plugins(CollectionSource),
            collection=parse_source,
            metric=metric,
        )


@dataclass(frozen=True)
class SweepSource:
    """Where a sweep came from: its file, and a sha256 in hex over its content after `extends`, overrides and
    definitions."""

    path: Path
    sha256: str
    command: str = ""
    """What runs it, where that is not ``harness sweep`` with its file."""
    overrides: tuple[str, ...] = ()
    """``a.b=v`` of the command line."""
    tree: Node | None = field(default=None, compare=False, repr=False)
    """The content with the place of every value."""

    @property
    def typed(self) -> str:
        """The command as people type it, without what belongs to one machine or to nobody else: of absolute paths
        their names, of secrets a mark."""
        if self.command:
            return self.command
        overrides = (f"--set {shlex.quote(masked(_without_folders(one)))}" for one in self.overrides)
        return " ".join(["harness sweep", shlex.quote(_without_folders(self.path.as_posix())), *overrides])

    @property
    def notices(self) -> tuple[UserError, ...]:
        """What is no fault and may yet be a slip."""
        return tuple(repeats(self.tree)) if self.tree is not None else ()

    def at(self, error: UserError, *paths: KeyPath) -> UserErrors:
        """`error` at the first of `paths` that the file holds; what is wrong inside another file stays there."""
        node, path = self._place(paths)
        file, line = node.place if node is not None else (str(self.path), None)
        found = []
        for one in error.parts:
            if one.file is not None and Path(one.file).is_file():
                found.append(one)
                continue
            key = dotted((*path, one.key) if one.key else path)
            message = one.message if one.file is None else f"{one.message}: '{one.file}'"
            found.append(UserError(message, file, line, key, one.remedy, one.what))
        return UserErrors.of(found)

    def _place(self, paths: tuple[KeyPath, ...]) -> tuple[Node | None, KeyPath]:
        for path in paths:
            if (node := self._at(path)) is not None:
                return node, path
        return None, paths[0]

    def _at(self, path: KeyPath) -> Node | None:
        node, found = self.tree.follow(path) if self.tree is not None else (None, ())
        return node if found == path else None

    def where(self, path: KeyPath, value: Any) -> KeyPath:
        """The path of `value` in the list at `path`; `path` itself where it stands alone, or in a list that no longer
        shows it."""
        node = self._at(path)
        items = node.value if node is not None and isinstance(node.value, list) else []
        return next(((*path, index) for index, item in enumerate(items) if item.plain() == value), path)


def _without_folders(text: str) -> str:
    return _ABSOLUTE.sub("", text)


@dataclass(frozen=True)
class Scope:
    """What validators know beside the value they look at."""

    registries: Registries
    source: SweepSource
    teachers: frozenset[str]
    """Names that the file defines, right or wrong."""
    methods: frozenset[str]
    """Names and labels of the methods that the file lists, right or wrong."""
    unknown: frozenset[str] = frozenset()
    """Keys at the top of the file that sweep files do not have."""

    def misspells(self, key: str) -> bool:
        """Whether the file seems to say `key` by a name that is nearly it, so that nobody complains that it is
        missing."""
        return any(nearest(given, (key,)) for given in self.unknown)
