"""A method of one file that does one of many things wrong; read as text by tests, which give the file to sweeps."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import harness
from harness.collections.prepared import PreparedCollection
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
        if self.fault == "opens-judgments":
            Path("data/qrels/test.tsv").read_text()
        if self.fault == "links-judgments":
            os.link("data/qrels/test.tsv", out / "copy.tsv")
        if self.fault == "opens-prepared":
            PreparedCollection(Path(self.corpus.folder).parent, "data").judgments("test")
        if self.fault == "opens-training-judgments":
            Path("data/qrels/train.tsv").read_text()
        if self.fault == "pipes":
            os.mkfifo(out / "pipe")
        if self.fault == "links":
            (out / "models").symlink_to("/usr")
        if self.fault == "odd-name":
            (out / os.fsdecode(b"\xff")).write_text("")
        if self.fault == "removes":
            out.rmdir()
            return
        if self.fault == "foreign-documents":
            scores = {query: {f"x{one}": score for one, score in ranked.items()} for query, ranked in scores.items()}
        if self.fault == "some-foreign":
            scores = {query: {**ranked, "strange": 9.0} for query, ranked in scores.items()}
        if self.fault == "foreign-queries":
            scores = {f"x{query}": ranked for query, ranked in scores.items()}
        if self.fault == "constant":
            scores = {query: dict.fromkeys(ranked, 0.0) for query, ranked in scores.items()}
        Run("faulty", scores).write(out / "run.trec.gz")


class Escaping(FaultyStage):
    """Its artefacts would lie outside the store."""

    kind: ClassVar[str] = "../../outside"


class Speechless(Exception):
    """Fails to say what is wrong."""

    def __str__(self) -> str:
        raise LookupError


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
        if fault == "plan-of-0.1":
            inputs.draw()  # type: ignore[attr-defined]
        if fault.startswith("plan-raises"):
            raise KeyError("retriever")
        if fault == "plan-exits":
            sys.exit(5)
        if fault == "plan-loops":
            while True:
                time.sleep(0.01)
        if fault == "plan-swallows":
            while True:
                try:
                    time.sleep(0.01)
                except Exception:
                    continue
        if fault == "plan-leaves":
            os._exit(6)
        if fault == "plan-ends":
            raise GeneratorExit("no more")
        if fault == "plan-is-speechless":
            raise Speechless
        if fault == "plan-moves":
            os.chdir("/")
        if fault == "plan-starts-thread":
            threading.Thread(target=threading.Event().wait).start()
        if fault == "bad-kind":
            return Escaping(inputs.collection.corpus, inputs.collection.queries(inputs.split), fault)
        if fault == "returns-none":
            return None  # type: ignore[return-value]
        if fault == "reads-judgments":
            inputs.collection.judgments("test")
        return FaultyStage(inputs.collection.corpus, inputs.collection.queries(inputs.split), fault)
