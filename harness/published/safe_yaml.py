"""YAML from strangers: plain data only, no tags, aliases or deep nesting (libyaml's own loader crashes on the last)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

_DEEPEST = 32
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """The single document of `text` as dicts, lists and scalars. Raises ValueError with what is wrong and in which
    line."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return builder.root


class _Builder:
    """Puts parsing events together without recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self._documents = 0
        self._open: list[dict[Any, Any] | list[Any]] = []
        self._keys: list[Any] = []

    def take(self, event: yaml.Event) -> None:
        """Use the next event. Raises ValueError on what plain data does not need."""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refusal(event, "anchors and aliases are not allowed")
        self._documents += isinstance(event, yaml.DocumentStartEvent)
        if self._documents > 1:
            raise _refusal(event, "a second document")
        if isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.ScalarEvent):
            self._add(_scalar(event), event)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) == _DEEPEST or event.tag is not None:
            raise _refusal(event, "nested too deeply, or tagged")
        value: dict[Any, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._add(value, event)
        self._open.append(value)
        self._keys.append(None)

    def _add(self, value: Any, event: yaml.Event) -> None:
        if not self._open:
            self.root = value
        elif isinstance(parent := self._open[-1], list):
            parent.append(value)
        elif self._keys[-1] is not None:
            parent[self._keys[-1]] = value
            self._keys[-1] = None
        elif not isinstance(value, str) or value in parent:
            raise _refusal(event, "a key is no text or stands twice")
        else:
            self._keys[-1] = value


def _refusal(event: yaml.Event, reason: str) -> ValueError:
    return ValueError(f"line {event.start_mark.line + 1}: {reason}" if event.start_mark else reason)


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag is not None:
        raise _refusal(event, "tags are not allowed")
    return _plain(event.value) if event.implicit[0] else event.value


@lru_cache(maxsize=8192)
def _plain(value: str) -> Any:
    """An unquoted scalar as YAML 1.1 reads it: number, truth value, time, null or text."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return SafeConstructor().construct_object(yaml.ScalarNode(tag, value))


_RESOLVER = Resolver()
