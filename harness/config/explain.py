"""Validation errors in plain words: pydantic's findings to faults with a remedy, and faults to places in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from harness.config.located import KeyPath, Node, complaint, dotted
from harness.errors import UserError, did_you_mean

M = TypeVar("M", bound=BaseModel)

_OURS = "sweep_file"
_WANTED = {
    "int_": "a whole number",
    "float_": "a number",
    "finite_number": "a finite number",
    "bool_": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_": "a mapping (key: value)",
    "path_type": "a path",
}
"""What was expected, by the first letters of pydantic's error type."""


class ConfigFault(NamedTuple):
    """Something wrong with the value at `path`; `missing` when that value should be there and is not."""

    path: KeyPath
    message: str
    remedy: str | None = None
    missing: bool = False


def failure(faults: Iterable[ConfigFault]) -> ValidationError:
    """Faults as the error that a validator raises; pydantic puts the path of the validated field before theirs."""
    return ValidationError.from_exception_data("sweep file", [_detail(fault) for fault in faults])


def _detail(fault: ConfigFault) -> InitErrorDetails:
    kind = PydanticCustomError(_OURS, "{message}", {"message": fault.message, "remedy": fault.remedy, "missing": fault.missing})
    return InitErrorDetails(type=kind, loc=fault.path, input=None)


def checked(model: type[M], value: Any, context: Any = None) -> M:
    """`value` as a `model`. Raises ValidationError whose unknown keys come with the nearest key that `model` has."""
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        raise failure(faults_of(error, model)) from error


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[ConfigFault]:
    """What `error`, met while validating `model`, says in our words."""
    return [_fault(detail, model) for detail in error.errors(include_url=False)]


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> ConfigFault:
    kind, path, given = detail["type"], detail["loc"], detail["input"]
    if kind == _OURS:
        return ConfigFault(path, **detail["ctx"])
    if kind == "missing":
        return ConfigFault(path, "this key is required", missing=True)
    if kind == "extra_forbidden":
        return ConfigFault(path, f"unknown key '{path[-1]}'", did_you_mean(str(path[-1]), _keys(model, path[:-1])))
    if kind == "literal_error":
        wanted = detail["ctx"]["expected"]
        return ConfigFault(path, f"must be {wanted}, not {value_text(given)}", _nearest(given, re.findall(r"'([^']*)'", wanted)))
    wanted = next((words for prefix, words in _WANTED.items() if kind.startswith(prefix)), None)
    if wanted:
        return ConfigFault(path, f"must be {wanted}, not {value_text(given)}", _quotes(given) if wanted == "text" else None)
    return ConfigFault(path, _words(detail["msg"], given))


def _words(message: str, given: Any) -> str:
    message = re.sub("^(Value error|Assertion failed), ", "", message)
    said = re.sub("^Input should be", "must be", message)
    return f"{said}, not {value_text(given)}" if said != message else message


def _nearest(given: Any, known: list[str]) -> str | None:
    return did_you_mean(given, known) if isinstance(given, str) and len(known) > 1 else None


def _quotes(given: Any) -> str | None:
    return "put it in quotes" if isinstance(given, (bool, int, float)) else None


def value_text(value: Any) -> str:
    """A value as it may stand in a message: short, and never a whole mapping."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    return "nothing" if value is None else repr(value)[:80]


def _keys(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Every key that may stand at `path` of a `model`; parts that name no field (positions, branches of a union) are passed over."""
    models = {model}
    for part in path:
        inner = {found for owner in models if (field := _fields(owner).get(str(part))) for found in models_in(field)}
        models = inner or models
    return {key for owner in models for key in _fields(owner)}


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


class _Placed(NamedTuple):
    path: KeyPath
    fault: ConfigFault
    branch: bool
    """Whether the complaint comes from one branch of a union only."""


def user_errors(faults: Iterable[ConfigFault], tree: Node, known: Iterable[str | None] = ()) -> list[UserError]:
    """Faults at their places in the file, one error a key; keys in `known` are already complained about."""
    placed = [_place(fault, tree) for fault in faults]
    by_path: dict[KeyPath, list[ConfigFault]] = {}
    for item in placed:
        if not (item.branch and any(len(other.path) > len(item.path) == _common(item.path, other.path) for other in placed)):
            by_path.setdefault(item.path, []).append(item.fault)
    taken = set(known)
    return [_error(tree, path, found) for path, found in by_path.items() if dotted(path) not in taken]


def _place(fault: ConfigFault, tree: Node) -> _Placed:
    _, path = tree.follow(fault.path)
    passed_over = len(fault.path) - len(path)
    return _Placed((*path, fault.path[-1]) if fault.missing else path, fault, passed_over > fault.missing)


def _common(one: KeyPath, other: KeyPath) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _error(tree: Node, path: KeyPath, faults: list[ConfigFault]) -> UserError:
    node, _ = tree.follow(path)
    messages = dict.fromkeys(fault.message for fault in faults)
    remedies = dict.fromkeys(fault.remedy for fault in faults if fault.remedy)
    return complaint(node.place, path, " or ".join(messages), "; ".join(remedies) or None)
