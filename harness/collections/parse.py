"""From what a sweep file says of a collection to its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.collections.collection import CollectionSource
from harness.errors import UserError, UserErrors, did_you_mean
from harness.plugins import plugins, refusal

_FORMS = "a collection is a name (semanlink), NAME/WHAT (beir/scifact, irds:vaswani), {folder: PATH} or {source: NAME, ...settings}"


def parse_source(spec: str | Mapping[str, Any], base: Path = Path()) -> CollectionSource:
    """The source that `spec` names; paths in it are relative to `base`.

    ``semanlink``, ``beir/scifact``, ``irds:ID``, ``{folder: PATH, ...}``, ``{source: NAME, ...settings}``. Raises UserError for an
    unknown name, with the nearest known one, and UserErrors for wrong settings.
    """
    settings = _from_text(spec, base) if isinstance(spec, str) else dict(spec)
    kind = _kind(settings)
    try:
        return kind(kind.Settings.model_validate(settings), base)
    except ValidationError as error:
        known = kind.Settings.model_fields
        raise UserErrors(
            f"wrong settings of collection source '{kind.name}'",
            errors=tuple(_complaint(kind.name, fault, known) for fault in error.errors()),
        ) from error


def _from_text(spec: str, base: Path) -> dict[str, Any]:
    name, mark, what = re.fullmatch(r"([^:/]*)([:/]?)(.*)", spec.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    if name not in plugins(CollectionSource) and (base / spec).expanduser().is_dir():
        raise UserError(f"unknown collection '{spec}'", remedy=f"it is a folder: write {{folder: {spec}}}")
    return {"source": name} | ({name: what} if mark else {})


def _kind(settings: dict[str, Any]) -> type[CollectionSource]:
    """The source class; takes ``source`` out of the settings. Without it, the one source that is itself among the settings."""
    known = plugins(CollectionSource)
    names = [settings.pop("source")] if "source" in settings else [name for name in settings if name in known]
    if len(names) != 1:
        raise UserError(f"no collection source is named by {settings}", remedy=_FORMS)
    name = str(names[0])
    if name not in known:
        raise refusal(known, name) or UserError(f"unknown collection '{name}'", remedy=f"{did_you_mean(name, known)} {_FORMS}")
    return known[name]


def _complaint(source: str, fault: ErrorDetails, known: Mapping[str, Any]) -> UserError:
    place = ".".join(str(part) for part in fault["loc"])
    unknown = fault["type"] == "extra_forbidden"
    main = unknown and place == source
    message = f"source '{source}' takes nothing after its name" if main else "unknown key" if unknown else fault["msg"].lower()
    return UserError(message, key=place, remedy=did_you_mean(place, known) if unknown and not main else None)
