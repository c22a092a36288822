"""A collection with short answers small enough to compute everything by hand, a tiny language model, and one sweep of
every method."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.ledger.ledger import Ledger
from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.store import Store
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.teachers.tiny import WORDS

NAMES = ["Ada", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Grace", "John", "Karen", "Ken", "Leslie", "Tony"]
LIMIT = 24
"""Tokens of a passage that the language model reads."""
DEPTH = 4


def write_collection(folder: Path, answers: bool = True) -> Path:
    """Twelve documents about twelve people, two questions about each for training and one for the test."""
    choose = random.Random(5)
    (folder / "qrels").mkdir(parents=True)
    documents = [
        {"_id": f"d{n}", "title": f"{name} works", "text": f"{name} works on {' '.join(choose.choices(WORDS, k=12))}"}
        for n, name in enumerate(NAMES)
    ]
    queries, qrels = [], {"train": [], "test": []}
    for n in range(len(NAMES)):
        for split, number in (("train", 2), ("test", 1)):
            for copy in range(number):
                id, topic = f"{split}{n}-{copy}", documents[n]["text"].split()[3 + copy : 5 + copy]
                metadata = {"metadata": {"answers": [NAMES[n], "nobody"]}} if answers and n else {}
                queries.append({"_id": id, "text": f"Who works on {' '.join(topic)} {split}", **metadata})
                qrels[split].append(f"{id}\td{n}\t1")
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split, lines in qrels.items():
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    return folder


def sweep_file(home: Path, model: Path, methods: list[Any]) -> Path:
    """A sweep of `methods` over the collection in `home`/data."""
    file = home / "sweep.yaml"
    teacher = {
        "kind": "likelihood",
        "model": str(model),
        "prompt": "question",
        "max_passage_tokens": LIMIT,
        "precision": "fp32",
    }
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
        "candidates": {"engine": "bm25s", "depth": DEPTH, "training_queries": ["train"]},
        "teachers": {"tiny": teacher},
        "methods": methods,
        "budgets": [8],
        "evaluate": {"metrics": ["nDCG@10"]},
    }
    file.write_text(json.dumps(content))
    return file


@dataclass
class Swept:
    """A finished sweep and its workspace."""

    home: Path
    outcome: SweepResult
    cells: list[PlannedCell]
    store: Store

    def cell(self, label: str) -> PlannedCell:
        """The only cell of that label."""
        (found,) = (cell for cell in self.cells if cell.cell.label == label)
        return found

    def stage(self, label: str, kind: str) -> Stage:
        """The only stage of that kind that the cell of that label rests on."""
        (found,) = (stage for stage in closure([self.cell(label).run]).values() if stage.kind == kind)
        return found

    def made(self, label: str, kind: str) -> Path:
        """The artefact of that stage."""
        return self.store.read(self.stage(label, kind))

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.home / "workspace" / "ledger.sqlite")


def swept(home: Path, model: Path, methods: list[Any]) -> Swept:
    """Runs the sweep in `home`, whose folder data holds the collection."""
    file = sweep_file(home, model, methods)
    outcome = Workspace(home / "workspace").plan(file).run(home / "results", observer=NullObserver())
    cells = Workspace(home / "workspace").plan(file).cells
    return Swept(home, outcome, cells, Workspace(home / "workspace").store)
