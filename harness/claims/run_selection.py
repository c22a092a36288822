"""Which cells and which cards a name in the claims means."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from harness.claims.claims_file import Claims
from harness.collections.parse import parse_source
from harness.config.cells import Cell, expand
from harness.config.choices import StudentChoice
from harness.config.claims.claims_section import RunChoice
from harness.config.sweep_file import SweepFile
from harness.published.card import Card

Cells = frozenset[tuple[int | None, int | None]]
"""(resample, seed) of cells, None where it makes no difference."""


def matches_card(card: Card, choice: RunChoice) -> bool:
    """Whether the run of `card` is one of `choice`."""
    teacher = card.teacher.name if card.teacher else None
    given = {
        "teacher": teacher,
        "budget": card.budget,
        "ranker_loss": card.ranker_loss,
        "retriever_loss": card.retriever_loss,
        "student": card.student,
    }
    return (
        choice.method == (card.method.label or card.method.name)
        and _fits(given, choice)
        and _has(card.method.settings, choice.settings)
    )


def planned_cells(claims: Claims) -> dict[str, dict[str, Cells]]:
    """By collection and by name in the claims: what the sweeps make of it. Reads no data."""
    found: dict[str, dict[str, set[tuple[int | None, int | None]]]] = defaultdict(lambda: defaultdict(set))
    for sweep in claims.sweeps.values():
        names = {
            json.dumps(spec, sort_keys=True): parse_source(spec, sweep.source.path.parent).title
            for spec in sweep.collections
        }
        for cell in expand(sweep).cells:
            here = found[names[json.dumps(cell.collection, sort_keys=True)]]
            for name, choice in claims.section.runs.items():
                if _matches_cell(cell, sweep, choice):
                    here[name].add((cell.resample, cell.seed))
    return {place: {name: frozenset(cells) for name, cells in runs.items()} for place, runs in found.items()}


def _matches_cell(cell: Cell, sweep: SweepFile, choice: RunChoice) -> bool:
    given = {
        "teacher": cell.teacher,
        "budget": cell.budget,
        "ranker_loss": cell.loss("ranker"),
        "retriever_loss": cell.loss("retriever"),
        "student": _student(cell, sweep),
    }
    return (
        choice.method == (cell.entry or cell.method.name)
        and _fits(given, choice)
        and _has(cell.settings.model_dump(mode="json"), choice.settings)
    )


def _student(cell: Cell, sweep: SweepFile) -> str:
    student = sweep.students.retriever
    own = getattr(cell.settings, "model", None)
    if own or isinstance(student, str):
        return str(own or student)
    if isinstance(student, StudentChoice):
        return f"{student.student.name}:{student.model}"
    return f"static:{student.static}"


def _fits(given: Mapping[str, Any], choice: RunChoice) -> bool:
    return all(getattr(choice, key) in (None, value) for key, value in given.items())


def _has(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    for key, value in wanted.items():
        found: Any = settings
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found != value:
            return False
    return True
