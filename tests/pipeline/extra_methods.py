"""A method that raises as long as a file says so: what happens to the other cells is the test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.method import Axis, Category, MethodInputs, RetrieverMethod
from harness.models import ModelFiles
from harness.stage import Context, Stage

SWITCH = "HARNESS_TEST_BROKEN"


@dataclass(frozen=True, eq=False)
class Fragile(Stage):
    """Copies nothing, or raises while the switch is on."""

    kind: ClassVar[str] = "fragile"
    start: Stage | ModelFiles

    def run(self, out: Path, context: Context) -> None:
        if os.environ.get(SWITCH):
            raise RuntimeError("the method is broken on purpose")
        from sentence_transformers import SentenceTransformer

        from harness.models import model_path

        SentenceTransformer(str(model_path(self.start, context))).save(str(out))


class FragileMethod(RetrieverMethod):
    """Needs one stage that may raise."""

    name = "fragile"
    summary = "raises while a switch is on"
    category: ClassVar[Category] = "baseline"
    sees = ("nothing",)
    axes: ClassVar[frozenset[Axis]] = frozenset()

    def retriever(self, inputs: MethodInputs) -> Stage:
        return Fragile(start=inputs.retriever)
