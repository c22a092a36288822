"""Which settings may be lists by themselves, so that a list in a sweep file is one value and no axis."""

from __future__ import annotations

import collections.abc
from collections import deque
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.validation import models_in

_CONCRETE = (list, tuple, set, frozenset, deque)
_ABSTRACT = (
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Set,
    collections.abc.MutableSet,
)


def accepts_list(annotation: Any) -> bool:
    """Whether a value of this type can be written as a list."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return accepts_list(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return any(accepts_list(option) for option in get_args(annotation))
    kind = origin or annotation
    return kind in (Any, object, *_ABSTRACT) or (isinstance(kind, type) and issubclass(kind, _CONCRETE))


def fields_by_key(models: Iterable[type[BaseModel]]) -> dict[str, FieldInfo]:
    """The fields of some models by the keys they have in a file."""
    return {field.alias or name: field for model in models for name, field in model.model_fields.items()}


def axes_in(
    models: Iterable[type[BaseModel]], value: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The axes in settings as written: every list that stands where one value belongs, also in settings inside
    settings."""
    fields = fields_by_key(models)
    for key, item in value.items():
        annotation = fields[key].annotation if key in fields else Any
        if isinstance(item, list) and not accepts_list(annotation):
            yield (*path, key), item
        elif isinstance(item, dict):
            yield from axes_in(list(models_in(annotation)), item, (*path, key))
