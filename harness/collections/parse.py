"""From what a sweep file says of a collection to its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.collections.collection import CollectionSource
from harness.errors import UserError, did_you_mean, nearest
from harness.plugins import plugins, refusal
from harness.validation import validated, value_text

_FORMS = (
    "A collection is a name (semanlink), NAME/WHAT (beir/scifact, irds:vaswani), {folder: PATH} or {source: "
    "NAME, ...settings}"
)


def parse_source(spec: str | Mapping[str, Any], base: Path = Path()) -> CollectionSource:
    """The source that `spec` names; paths in it are relative to `base`.

    ``semanlink``, ``beir/scifact``, ``irds:ID``, ``{folder: PATH, ...}``, ``{source: NAME, ...settings}``. Raises
    UserError for an unknown name, with the nearest known one, and UserErrors for wrong settings.
    """
    settings = _from_text(spec, base) if isinstance(spec, str) else dict(spec)
    kind = _kind(settings)
    if isinstance(spec, str) and kind.name in settings and kind.name not in kind.Settings.model_fields:
        raise UserError(f"'{kind.name}' takes nothing after its name", remedy=f"write {kind.name}")
    what, show = f"the collection '{kind.name}'", f"harness show collections {kind.name}"
    return kind(validated(kind.Settings, settings, what=what, show=show), base)


def _from_text(spec: str, base: Path) -> dict[str, Any]:
    name, mark, what = re.fullmatch(r"([^:/]*)([:/]?)(.*)", spec.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    if name not in plugins(CollectionSource) and (base / spec).expanduser().is_dir():
        raise UserError(f"unknown collection '{spec}'", remedy=f"it is a folder: write {{folder: {spec}}}")
    return {"source": name} | ({name: what} if mark else {})


def _kind(settings: dict[str, Any]) -> type[CollectionSource]:
    """The source class; takes ``source`` out of the settings. Without it, the one source that is itself among the
    settings."""
    known = plugins(CollectionSource)
    names = [settings.pop("source")] if "source" in settings else [name for name in settings if name in known]
    if len(names) != 1:
        near = next((hint for key in settings if not names and (hint := nearest(str(key), [*known, "source"]))), "")
        remedy = f"{near} {_FORMS}".lstrip()
        raise UserError(f"no collection source is named by {value_text(settings)}", remedy=remedy)
    name = str(names[0])
    if name not in known:
        raise refusal(known, name) or UserError(
            f"unknown collection '{name}'", remedy=did_you_mean(name, known, _FORMS)
        )
    return known[name]
