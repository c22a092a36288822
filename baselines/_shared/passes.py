"""Lists that differ from pass to pass, as one set of lists to be seen once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.stage import Context, Stage
from harness.training_lists.training_list import ListsBuilt, read_lists


@dataclass(frozen=True, eq=False, kw_only=True)
class Passes(Stage):
    """The lists of all `passes`, one after another: what a training that shuffles them sees once is as much as so many
    epochs."""

    kind: ClassVar[str] = "passes"

    passes: tuple[Stage, ...]

    @property
    def label(self) -> str:
        return f"{len(self.passes)} x {self.passes[0].label}"

    def run(self, out: Path, context: Context) -> None:
        ListsBuilt(tuple(one for part in self.passes for one in read_lists(context.path(part))), {}).write(out)
