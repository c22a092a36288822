"""What the names in a sweep file may mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.collections.collection import CollectionSource
from harness.collections.parse import parse_source
from harness.evaluation.metrics.lookup import metric
from harness.labelling.labels.teacher import Teacher
from harness.losses.loss import Loss
from harness.method import Method
from harness.plugins import Plugin, plugins
from harness.retrieval.engines import LexicalEngine


@dataclass(frozen=True)
class Registries:
    """Plug-in classes by kind and name, and who judges the names that are more than a plug-in's."""

    methods: Mapping[str, type[Method]]
    teachers: Mapping[str, type[Teacher]]
    losses: Mapping[str, type[Loss]]
    engines: Mapping[str, type[Plugin]]
    collections: Mapping[str, type[CollectionSource]]
    collection: Callable[[str | Mapping[str, Any], Path], object]
    """Raises UserError when its first argument names no collection; the second is the folder that paths start from. Reads no data."""
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
            collections=plugins(CollectionSource),
            collection=parse_source,
            metric=metric,
        )


@dataclass(frozen=True)
class SweepSource:
    """Where a sweep came from: its file, and a sha256 in hex over its content after `extends`, overrides and definitions."""

    path: Path
    sha256: str
    command: str = ""
    """What runs it, where that is not ``harness sweep`` with its file."""


@dataclass(frozen=True)
class Scope:
    """What validators know beside the value they look at."""

    registries: Registries
    source: SweepSource
    teachers: frozenset[str]
    """Names that the file defines, right or wrong."""
    methods: frozenset[str]
    """Names and labels of the methods that the file lists, right or wrong."""
