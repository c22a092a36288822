"""A stage: one node of the graph, a pure function of its fields, keyed by their content.

A stage is a frozen dataclass. Fields that are stages are its inputs; fields made with `transport()` (concurrency,
addresses) do not change the output and stay out of the key; all others do, by their names, or by the older name that
`keyed()` gives. Objects may stand for their content through an `identity` attribute; plain dataclasses and settings
stand for their fields (a settings field with ``json_schema_extra={"transport": True}`` stays out, and one with
``{"absent": value}`` where it holds that value: what was so before there was the field).

Where models compute in a stage (`computes`), its key holds their numerics too (numerics.py), which were resolved when
it was made.

Code outside this project counts by its text (source_hash.py): stages, identified objects and dataclasses of a plug-in,
and whatever an object names in `source_classes`, get another key with every edit. What an object names there says by a
`version` that its own code changed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

from harness.device import Resources, resolve_numerics
from harness.numerics.active_numerics import active_numerics
from harness.numerics.numerics_class import Numerics
from harness.progress import Progress
from harness.source_hash import is_foreign, source_hash

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger

JSON = Any
_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class Context(Protocol):
    """What a running stage may use beside its fields."""

    @property
    def ledger(self) -> CallLedger:
        """Every call ever paid for."""
        ...

    cache: Path
    """Scratch that any sweep of the workspace may share; losing it loses time only."""
    progress: Progress

    def path(self, stage: Stage) -> Path:
        """The verified artefact folder of a finished input stage."""
        ...


def transport(**options: Any) -> Any:
    """A dataclass field that cannot change the output and so is no part of the key."""
    return dataclasses.field(metadata={"transport": True}, compare=False, **options)


def keyed(key: str, **options: Any) -> Any:
    """A dataclass field that stands in keys and manifests under the name `key`, which it was first stored with."""
    return dataclasses.field(metadata={"key": key}, **options)


def _is_transport(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(extra.get("transport"))


@cache
def _absent(kind: type[BaseModel]) -> dict[str, Any]:
    """Of the fields of settings that came later, what each says that held before it came."""
    extras = {name: info.json_schema_extra for name, info in kind.model_fields.items()}
    return {name: extra["absent"] for name, extra in extras.items() if isinstance(extra, dict) and "absent" in extra}


_PLAIN = frozenset({NoneType, bool, int, float, str})
"""Classes whose values are plain JSON as they are."""


def canonical(value: Any) -> JSON:
    """`value` as plain JSON in which stages and identified objects are replaced by what they stand for."""
    kind = type(value)
    return value if kind in _PLAIN else _writer(kind)(value)  # type: ignore[arg-type]  # classes hash


@cache
def _writer(kind: type) -> Callable[[Any], JSON]:
    """What makes plain JSON of values of exactly this class: a plan asks a hundred thousand times."""
    if issubclass(kind, (NoneType, bool, int, float, str)):
        return lambda value: value
    if issubclass(kind, Stage):
        return lambda stage: {"stage": stage.key}
    if hasattr(kind, "identity"):
        return _as_identity
    plain = _plain_writer(kind)
    return lambda value: _as_identity(value) if _has_identity(value) else plain(value)


def _plain_writer(kind: type) -> Callable[[Any], JSON]:
    """The same for classes without identity."""
    if issubclass(kind, (list, tuple)):
        return lambda items: [canonical(item) for item in items]
    if issubclass(kind, dict):
        return lambda items: {str(key): canonical(items[key]) for key in sorted(items)}
    names = _field_names(kind)  # type: ignore[arg-type]  # classes hash
    if names is None:
        return _refuse
    absent = _absent(kind) if issubclass(kind, BaseModel) else {}
    return lambda value: _fields(value, names, absent) | _code(value)


def _has_identity(value: Any) -> bool:
    """Whether an object of a class without identity has one of its own."""
    return "identity" in getattr(value, "__dict__", ())


def _as_identity(value: Any) -> JSON:
    return {"identity": value.identity, **_code(value)}


def _fields(value: Any, names: Mapping[str, str], absent: Mapping[str, Any]) -> JSON:
    """The fields of a dataclass or of settings under their keys, without those that hold what is `absent`."""
    held = ((key, name, getattr(value, name)) for key, name in names.items())
    return {key: canonical(one) for key, name, one in held if name not in absent or one != absent[name]}


def _refuse(value: Any) -> JSON:
    raise TypeError(f"{type(value).__name__} has no identity and cannot be part of a key")


def _code(value: Any) -> JSON:
    """What the code behind an object adds to its key, under names that no field can have: the mark of a plug-in's, and
    the versions of classes that it names, from the second on."""
    if isinstance(value, BaseModel):
        # Settings are data; those of plug-ins also stand on cards. Whatever they are for counts where it is held.
        return {}
    makers = getattr(value, "source_classes", ())
    mark = source_hash(type(value), *makers)  # type: ignore[arg-type]  # classes hash
    risen = {kind.name: kind.version for kind in makers if kind.version > 1}
    return ({} if mark is None else {"code of": mark}) | ({"versions of": risen} if risen else {})


@cache
def _field_names(kind: type) -> dict[str, str] | None:
    """Key and name of the fields that stand for a plain dataclass, or for settings without those of transport; None for
    any other class."""
    if issubclass(kind, BaseModel):
        return {
            name: name
            for name in sorted(kind.model_fields)
            if not _is_transport(kind.model_fields[name].json_schema_extra)
        }
    return {_key(f): f.name for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else None


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


def digest(value: JSON) -> str:
    """sha256 of the canonical JSON text of `value`, in hex."""
    return digest_plain(canonical(value))


def digest_plain(value: JSON) -> str:
    """`digest` of what is plain JSON already, with text for keys."""
    return hashlib.sha256(_JSON.encode(value).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, eq=False)
class Stage(ABC):
    """Base of all stages. `kind` names it on screen, `version` rises whenever its code changes what comes out.

    The stages of plug-ins need no version: every edit of their package counts (`revision`).

    >>> import harness, dataclasses, pathlib
    >>> @dataclasses.dataclass(frozen=True, eq=False)
    ... class Greeting(harness.Stage):
    ...     name: str
    ...     kind = "greeting"
    ...
    ...     def run(self, out: pathlib.Path, context) -> None:
    ...         (out / "text.txt").write_text(f"hello {self.name}")
    >>> Greeting("you").key == Greeting("you").key, Greeting("you").key == Greeting("me").key
    (True, False)
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    trains: ClassVar[bool] = False
    """Whether its seconds count as training."""
    computes: ClassVar[bool | None] = None
    """Whether models run or learn in it, so that its key needs their numerics; None stands for yes in the stages of
    plug-ins, for no in ours."""

    given_numerics: Numerics | None = dataclasses.field(
        default_factory=active_numerics, kw_only=True, repr=False, compare=False, metadata={"transport": True}
    )
    """What the sweep resolved; None where it is none of a sweep."""

    @abstractmethod
    def run(self, out: Path, context: Context) -> None:
        """Write the artefact into the empty folder `out`. Must depend on nothing but the fields."""

    @property
    def label(self) -> str:
        """A few words for people beside the kind; no part of the key."""
        return ""

    @property
    def priority(self) -> int:
        """Ready stages run in falling priority: give large shared work (the largest budget) the larger number."""
        return 0

    @property
    def resources(self) -> Resources:
        """What it takes of the machine; decides which stages run side by side, never what comes out."""
        return Resources()

    @cached_property
    def numerics(self) -> Numerics:
        """Those of its process, whatever runs in it."""
        return self.given_numerics or resolve_numerics()

    @property
    def computed_in(self) -> Numerics | None:
        """In which numerics models compute what comes out; None where none do."""
        return self.numerics if self._has_numerics else None

    @property
    def _has_numerics(self) -> bool:
        return is_foreign(type(self)) if self.computes is None else self.computes

    def fields(self) -> dict[str, Any]:
        """What the key is made of: every field that is not transport, by the name that it was first stored with."""
        return {key: getattr(self, name) for key, name in _keyed(type(self)).items()}

    @property
    def source_classes(self) -> tuple[type, ...]:
        """Classes beside its own that its fields only name and whose code decides what comes out."""
        return ()

    @cached_property
    def revision(self) -> int | str:
        """`version`, followed by a mark of the code where a plug-in is at work."""
        mark = source_hash(type(self), *self.source_classes)
        return self.version if mark is None else f"{self.version} {mark}"

    @cached_property
    def key(self) -> str:
        """Content key: sha256 over kind, revision, fields, and the mark of the numerics that its models compute in."""
        mark = self.numerics.stage_mark if self._has_numerics else None
        numerics = {} if mark is None else {"numerics": mark}
        return digest({"kind": self.kind, "version": self.revision, "fields": self.fields(), **numerics})

    def inputs(self) -> tuple[Stage, ...]:
        """The stages this one reads, also inside lists, tuples and dicts of its fields."""
        return self._inputs

    @cached_property
    def _inputs(self) -> tuple[Stage, ...]:
        return tuple(chain.from_iterable(_stages(value) for value in self.fields().values()))


@cache
def _keyed(kind: type[Stage]) -> dict[str, str]:
    return {_key(f): f.name for f in dataclasses.fields(kind) if not f.metadata.get("transport")}


def _stages(value: Any) -> Iterable[Stage]:
    """The stages in a field, in their order."""
    return _finder(type(value))(value)  # type: ignore[arg-type]  # classes hash


@cache
def _finder(kind: type) -> Callable[[Any], Iterable[Stage]]:
    """What finds the stages in values of exactly this class."""
    if issubclass(kind, Stage):
        return lambda stage: (stage,)
    if issubclass(kind, (NoneType, bool, int, float, str, type, BaseModel)) or hasattr(kind, "identity"):
        return lambda value: ()
    parts = _parts(kind)
    return lambda value: () if _has_identity(value) else chain.from_iterable(map(_stages, parts(value)))


def _parts(kind: type) -> Callable[[Any], Iterable[Any]]:
    """What a container, or a dataclass, holds."""
    if issubclass(kind, dict):
        return lambda items: items.values()
    if issubclass(kind, (list, tuple)):
        return iter
    names = (_field_names(kind) or {}).values()  # type: ignore[arg-type]  # classes hash
    return lambda value: [getattr(value, name) for name in names]
