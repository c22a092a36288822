"""Which classes of plug-ins are at work in a stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from types import NoneType
from typing import Any

from pydantic import BaseModel

from harness.source_hash import is_foreign
from harness.stage import Stage


def plugin_classes(stage: Stage) -> tuple[type, ...]:
    """Classes from outside this project whose code the stage runs: its own, and those of its fields (teachers, losses,
    edits). Its inputs are stages of their own."""
    held = [
        kind for field in dataclasses.fields(stage) for kind in _classes(getattr(stage, field.name)) if is_foreign(kind)
    ]
    own = [kind for kind in (type(stage), *stage.source_classes) if is_foreign(kind)]
    return tuple(dict.fromkeys([*own, *held]))


def suspects(stage: Stage) -> tuple[type, ...]:
    """Classes of plug-ins that may be at fault where the stage fails: where none works in it, those that made what it
    reads."""
    return plugin_classes(stage) or tuple(kind for needed in stage.inputs() for kind in plugin_classes(needed))


@cache
def _runs_nothing(kind: type) -> bool:
    """Whether values of exactly this class are data, or stages of their own."""
    return issubclass(kind, (NoneType, Stage, BaseModel, bool, int, float, str, type))


def _classes(value: Any) -> Iterator[type]:
    if _runs_nothing(type(value)):  # type: ignore[arg-type]  # classes hash
        return
    if isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            # Judgments of a collection are hundreds of numbers.
            if not _runs_nothing(type(part)):  # type: ignore[arg-type]  # classes hash
                yield from _classes(part)
    else:
        yield type(value)
        yield from getattr(value, "source_classes", ())
        for name in (field.name for field in dataclasses.fields(value)) if dataclasses.is_dataclass(value) else ():
            yield from _classes(getattr(value, name))
