"""Which sweep made a published run, and which of its cells it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.collections.parse import parse_source
from harness.config.cells import Cell
from harness.errors import UserError
from harness.examples import examples
from harness.pipeline.builder import PlannedCell
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.card_builder import run_tag
from harness.published.card import Card
from harness.text import plain


@dataclass(frozen=True)
class SweepCommand:
    """A sweep file, and what was overridden in it."""

    file: Path
    overrides: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: Card) -> SweepCommand:
        """What the card says that made its run, in its numerics; a file that is not here is looked for among the
        examples.

        Raises UserError for a run that no sweep made, and where there is no such file.
        """
        executable = card.implementation.get("executable")
        typed = str(executable.get("cmd", "")) if isinstance(executable, dict) else ""
        words = shlex.split(typed)
        if words[:2] != ["harness", "sweep"] or len(words) < 3:
            raise UserError(
                f"the card names no sweep that made it ({plain(typed) or 'no command'})",
                remedy="name the sweep file: --sweep FILE",
            )
        typed_overrides = (value for flag, value in pairwise(words) if flag == "--set")
        file = Path(words[2])
        if not file.is_file():
            file = examples().get(file.stem, file)
        if not file.is_file():
            raise UserError(
                f"the sweep file of its card, {plain(str(file))}, is not here", remedy="name it: --sweep FILE"
            )
        classes = card.numerics.classes if card.numerics is not None else ()
        return cls(file, (*(f"numerics={name}" for name in classes if len(classes) == 1), *typed_overrides))

    def __str__(self) -> str:
        return " ".join([str(self.file), *(f"--set {override}" for override in self.overrides)])


def cell_of(card: Card, plan: PlannedSweep) -> PlannedCell:
    """The cell that `card` describes: that of its run id, or else the one with the same collection, method, settings,
    teacher and place on every axis, whose keys have changed since.

    Raises UserError where the sweep has none, or several.
    """
    named = [cell for cell in plan.cells if run_tag(cell) == card.tag]
    wanted, folder = _of_card(card), plan.sweep.source.path.parent
    found = named or [cell for cell in plan.cells if _of_cell(cell.cell, folder) == wanted]
    if len(found) != 1:
        count = f"{len(found)} cells" if found else "no cell"
        raise UserError(
            f"{count} of {plan.sweep.source.path} could be this run",
            remedy="name the sweep file that made it, as it was then: --sweep FILE, with --set what was overridden",
        )
    return found[0]


def _of_card(card: Card) -> Sequence[Any]:
    teacher = card.teacher.name if card.teacher else None
    axes = (card.budget, card.resample, card.seed, card.ranker_loss, card.retriever_loss)
    method = card.method
    return (card.collection.name, method.name, method.label, method.settings, teacher, *axes)


def _of_cell(cell: Cell, folder: Path) -> Sequence[Any]:
    collection = parse_source(cell.collection, folder).title
    axes = (cell.budget, cell.resample, cell.seed, cell.loss("ranker"), cell.loss("retriever"))
    settings = cell.settings.model_dump(mode="json")
    return (collection, cell.method.name, cell.entry or "", settings, cell.teacher, *axes)
