"""What cards say of the teacher that labelled."""

from __future__ import annotations

from harness.labelling.labels.teacher import Teacher
from harness.published.card import TeacherSection
from harness.stage import canonical


def teacher_section(name: str | None, teacher: Teacher) -> TeacherSection:
    """Of `teacher`, which the sweep calls `name`; what is transport stays out of its settings."""
    settings = canonical(teacher.settings)
    return TeacherSection(
        name=name or teacher.name,
        kind=teacher.name,
        teacher_type=teacher.teacher_type,
        box=teacher.box,
        model=str(settings.get("model", "")),
        settings=settings | teacher.provenance(),
    )
