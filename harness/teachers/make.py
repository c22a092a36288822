"""From what a sweep file says of a teacher to the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.labelling.labels.teacher import Teacher
from harness.plugins import plugin
from harness.validation import validated


def teacher_from(spec: Mapping[str, Any], base: Path = Path()) -> Teacher:
    """The teacher of ``{kind: KIND, **settings}``; relative paths in it start from `base`.

    Raises UserError on an unknown kind (with the nearest name), and UserErrors that name every wrong setting.
    """
    settings = dict(spec)
    kind = settings.pop("kind", None)
    if not isinstance(kind, str):
        raise UserError("a teacher needs a kind", key="kind", remedy="write {kind: NAME, ...}")
    found = plugin(Teacher, kind)
    return found(
        validated(found.Settings, settings, what=f"the teacher '{kind}'", show=f"harness show teachers {kind}"), base
    )
