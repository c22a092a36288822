"""A method of one file that does one of many things wrong; read as text by tests, which give the file to sweeps."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import harness
from harness.retrieval.run import Run


@dataclass(frozen=True, eq=False)
class FaultyStage(harness.Stage):
    """Ranks every document for every query, unless it is to fail."""

    kind: ClassVar[str] = "faulty"
    corpus: Any
    queries: Any
    fault: str

    def run(self, out: Path, context: Any) -> None:
        documents = list(self.corpus.ids)
        scores = {query: {one: 1.0 / (n + 1) for n, one in enumerate(documents)} for query in self.queries.ids}
        if self.fault == "raises":
            raise LookupError("no such embedding")
        if self.fault == "exits":
            sys.exit(3)
        if self.fault == "leaves":
            os._exit(7)
        if self.fault == "dies":
            ctypes.string_at(0)
        if self.fault == "loops":
            while True:
                time.sleep(0.1)
        if self.fault == "no-run":
            return
        if self.fault == "prints":
            print("noise of a stage")
            os.write(1, b"noise below Python\n")
        if self.fault == "foreign-documents":
            scores = {query: {f"x{one}": score for one, score in ranked.items()} for query, ranked in scores.items()}
        if self.fault == "some-foreign":
            scores = {query: {**ranked, "strange": 9.0} for query, ranked in scores.items()}
        if self.fault == "foreign-queries":
            scores = {f"x{query}": ranked for query, ranked in scores.items()}
        if self.fault == "constant":
            scores = {query: dict.fromkeys(ranked, 0.0) for query, ranked in scores.items()}
        Run("faulty", scores).write(out / "run.trec.gz")


class FaultySettings(harness.Settings):
    """Which fault."""

    fault: str = "none"


class Faulty(harness.Method):
    """Does what its settings say."""

    name, summary, category = "faulty", "fails as it is told", "baseline"
    settings: FaultySettings

    def run(self, inputs: harness.MethodInputs) -> harness.Stage:
        fault = self.settings.fault
        if fault == "plan-prints":
            print("noise of planning")
        if fault == "plan-raises":
            raise KeyError("retriever")
        if fault == "plan-exits":
            sys.exit(5)
        if fault == "returns-none":
            return None  # type: ignore[return-value]
        if fault == "reads-judgments":
            inputs.collection.judgments("test")
        return FaultyStage(inputs.collection.corpus, inputs.collection.queries(inputs.split), fault)
