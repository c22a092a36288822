"""From what a sweep file says of a teacher to the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError, UserErrors, did_you_mean
from harness.labelling.labels.teacher import Teacher
from harness.plugins import plugin


def teacher_from(spec: Mapping[str, Any], base: Path = Path()) -> Teacher:
    """The teacher of ``{kind: KIND, **settings}``; relative paths in it start from `base`.

    Raises UserError on an unknown kind (with the nearest name), and UserErrors that name every wrong setting.
    """
    settings = dict(spec)
    kind = settings.pop("kind", None)
    if not isinstance(kind, str):
        raise UserError("a teacher needs a kind", key="kind", remedy="write {kind: NAME, ...}")
    found = plugin(Teacher, kind)
    try:
        return found(found.Settings(**settings), base)
    except ValidationError as error:
        faults = tuple(_fault(found, fault["type"], fault["loc"], fault["msg"]) for fault in error.errors())
        raise UserErrors(f"wrong settings of the teacher '{kind}'", errors=faults) from error


def _fault(kind: type[Teacher], what: str, place: tuple[int | str, ...], message: str) -> UserError:
    key = ".".join(str(part) for part in place)
    if what == "extra_forbidden":
        return UserError(
            f"unknown setting of the teacher '{kind.name}'", key=key, remedy=did_you_mean(str(place[-1]), kind.Settings.model_fields)
        )
    return UserError(message, key=key, remedy=f"see: harness show teachers {kind.name}")
