"""The one way from what people wrote to a checked model: every fault at once, in plain words, with key, value and a
remedy.

Validators raise `failure`, which pydantic passes on; whoever stands outside calls `validated` and gets a UserError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, from_json

from harness.errors import UserError, UserErrors, did_you_mean, nearest
from harness.text import plain

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of what was written down to a value."""
LONGEST = 600
"""Characters of a message that are shown."""

_OURS = "harness"
_WANTED = {
    "int_": "a whole number",
    "float_": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a finite number",
    "bool_": "true or false",
    "string_type": "text",
    "string_sub_type": "text",
    "string_unicode": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "iterable_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "path_type": "a path",
}
"""What was expected, by the first letters of pydantic's error type."""
_PHRASES = (
    (r"^(Value error|Assertion failed), ", ""),
    (r"^[\w ]+? should ", "must "),
    (r"must be greater than or equal to ", "must be at least "),
    (r"must be less than or equal to ", "must be at most "),
    (r" after validation,", ","),
)
"""Pydantic's phrases and ours, applied one after the other."""


class Fault(NamedTuple):
    """Something wrong with the value at `path`; `missing` when that value should be there and is not."""

    path: KeyPath
    message: str
    remedy: str | None = None
    missing: bool = False


class Places(Protocol):
    """A value that may know where its parts were written (config/located.py)."""

    @property
    def place(self) -> tuple[str | None, int | None]:
        """File and line."""
        ...

    def follow(self, path: Sequence[str | int], /) -> tuple[Places, KeyPath]:
        """The deepest value on the way along `path`, and the parts that led there; parts that lead nowhere are passed
        over."""
        ...


def validated(
    model: type[M],
    value: Any,
    *,
    what: str,
    file: Path | None = None,
    line: int | None = None,
    key: str = "",
    place: Places | None = None,
    show: str = "",
    context: Any = None,
) -> M:
    """`value` as a `model`. Raises UserErrors with every fault: key, the value that was given, and what would be right.

    `what` names the thing for people where there is no file; `line` is where it stands in `file`, `place` where its
    parts do; keys are put below `key`; `show` is the command that lists what is right; `context` is for validators of
    the model.
    """
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        faults = _user_errors(faults_of(error, model), place or _Unplaced(value), key)
    for fault in faults:
        fault.what, fault.file, fault.line = what, fault.file or file, fault.line or line
        fault.remedy = fault.remedy or (f"see: {show}" if show else None)
    raise UserErrors.of(faults)


def validated_json(model: type[M], text: str | bytes, *, what: str, file: Path | None = None) -> M:
    """JSON as a `model`. Raises UserErrors like `validated`, and where `text` is no JSON."""
    try:
        value = from_json(text)
    except ValueError as error:
        raise UserErrors.of([UserError(f"is not JSON: {plain(f'{error}')}", file, what=what)]) from error
    return validated(model, value, what=what, file=file)


def checked(model: type[M], value: Any, context: Any = None) -> M:
    """`value` as a `model`, for validators. Raises ValidationError whose unknown keys come with the nearest key that
    `model` has."""
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        raise failure(faults_of(error, model)) from error


def failure(faults: Iterable[Fault]) -> ValidationError:
    """Faults as the error that a validator raises; pydantic puts the path of the validated field before theirs."""
    return ValidationError.from_exception_data("settings", [_detail(fault) for fault in dict.fromkeys(faults)])


class ErrorCollector:
    """Collects the faults of several values, so that all of them come out at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def attempt(self, path: KeyPath, make: Callable[[], T]) -> T | None:
        """What `make` gives, or None when it fails; its faults are kept with `path` before their own."""
        try:
            return make()
        except ValidationError as error:
            self.faults += [fault._replace(path=(*path, *fault.path)) for fault in faults_of(error, BaseModel)]
            return None

    def finish(self) -> None:
        """Raises ValidationError with everything that was collected."""
        if self.faults:
            raise failure(self.faults)


def _detail(fault: Fault) -> InitErrorDetails:
    words = "{message} ({remedy})" if fault.remedy else "{message}"
    return InitErrorDetails(type=PydanticCustomError(_OURS, words, fault._asdict()), loc=fault.path, input=None)


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """What `error`, met while validating `model`, says in our words."""
    return [_fault(detail, model) for detail in error.errors(include_url=False)]


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind, path, given = detail["type"], detail["loc"], detail["input"]
    if kind == _OURS:
        return Fault(**{**detail["ctx"], "path": path})
    if kind == "missing":
        return Fault(path, "this key is required", missing=True)
    if kind == "extra_forbidden":
        return Fault(path, f"unknown key '{path[-1]}'", did_you_mean(str(path[-1]), _keys(model, path[:-1])))
    if kind in ("literal_error", "enum"):
        wanted = detail["ctx"]["expected"]
        return Fault(
            path, f"must be {wanted}, not {value_text(given)}", _nearest(given, re.findall(r"'([^']*)'", wanted))
        )
    wanted = next((words for prefix, words in _WANTED.items() if kind.startswith(prefix)), None)
    if wanted:
        return Fault(path, f"must be {wanted}, not {value_text(given)}", _spelling(given, wanted))
    return Fault(path, _words(detail["msg"], given))


def _words(message: str, given: Any) -> str:
    """Pydantic's sentence in ours, with the value that was given; what our own validators say stands as it is."""
    own = message.startswith(("Value error, ", "Assertion failed, "))
    for theirs, ours in _PHRASES:
        message = re.sub(theirs, ours, message)
    if own or ", not " in message:
        return message
    return f"{message}, not {value_text(given)}" if message.startswith("must ") else f"{message}: {value_text(given)}"


def _nearest(given: Any, known: list[str]) -> str | None:
    """The nearest name, where one is near; the message names them all."""
    return nearest(given, known) if isinstance(given, str) else None


def _spelling(given: Any, wanted: str) -> str | None:
    if wanted == "text":
        return "put it in quotes" if isinstance(given, (bool, int, float)) else None
    return "write it in digits" if wanted.endswith("number") and isinstance(given, str) else None


def value_text(value: Any) -> str:
    """A value as it may stand in a message: short, and never a whole mapping."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = repr(value)
    return "nothing" if value is None else text if len(text) <= 80 else f"{text[:79]}…"


def _keys(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Every key that may stand at `path` of a `model`; parts that name no field (positions, branches of a union) are
    passed over."""
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


class _Unplaced:
    """A value of which nobody knows where it was written."""

    place = (None, None)

    def __init__(self, value: Any) -> None:
        self.value = value

    def follow(self, path: Sequence[str | int], /) -> tuple[Places, KeyPath]:
        value, taken = self.value, []
        for part in path:
            inside = (
                part in value
                if isinstance(value, Mapping)
                else isinstance(value, (list, tuple)) and part in range(len(value))
            )
            if inside:
                value = value[part]
                taken.append(part)
        return self, tuple(taken)


class _Located(NamedTuple):
    path: KeyPath
    fault: Fault
    branch: bool
    """Whether the complaint comes from one branch of a union only."""


def _user_errors(faults: Iterable[Fault], tree: Places, key: str) -> list[UserError]:
    """Faults at their places, one error a key."""
    located = [_locate(fault, tree) for fault in faults]
    by_path: dict[KeyPath, list[Fault]] = {}
    for item in located:
        if not (
            item.branch and any(len(other.path) > len(item.path) == _common(item.path, other.path) for other in located)
        ):
            by_path.setdefault(item.path, []).append(item.fault)
    return [_error(tree, path, found, key) for path, found in by_path.items()]


def _locate(fault: Fault, tree: Places) -> _Located:
    _, path = tree.follow(fault.path)
    passed_over = len(fault.path) - len(path)
    return _Located((*path, fault.path[-1]) if fault.missing else path, fault, passed_over > fault.missing)


def _common(one: KeyPath, other: KeyPath) -> int:
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _error(tree: Places, path: KeyPath, faults: list[Fault], key: str) -> UserError:
    file, line = tree.follow(path)[0].place
    messages = " or ".join(dict.fromkeys(plain(fault.message, LONGEST) for fault in faults))
    remedies = "; ".join(dict.fromkeys(fault.remedy for fault in faults if fault.remedy))
    return UserError(messages, file, line, plain(dotted((*([key] if key else []), *path))) or None, remedies or None)


def dotted(path: Sequence[str | int]) -> str:
    """``("methods", 2, "method")`` as people write it: ``methods.2.method``."""
    return ".".join(str(part) for part in path)
