"""Claims over simulated runs whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from harness.claims.claim_report import ClaimReport, report_of
from harness.claims.claim_verdict import ClaimVerdict
from harness.claims.claims_file import Claims, load_claims
from harness.claims.freezing import freeze
from harness.leaderboard.load_results import ResultSet
from harness.published.result_folder import Published
from tests.leaderboard.runs import make_card, teacher

COLLECTIONS = ("semanlink", "scifact", "semanlink-arxiv", "irds/vaswani")
SPECS = ("semanlink", "scifact", "semanlink-arxiv", "irds/vaswani")
SWEEP: dict[str, Any] = {
    "claims": "claims.yaml",
    "candidates": {"training_queries": {"mix": {"train": 0.2, "sentences": 0.8}}},
    "teachers": {
        "oracle": {"kind": "oracle"},
        "llm": {"kind": "simulated", "noise": 1},
        "shuffled": {"kind": "shuffled"},
    },
    "methods": ["zero-shot", "direct"],
    "budgets": [100],
    "resamples": 3,
    "evaluate": {"metrics": ["nDCG@10"]},
}
RUNS = {
    "oracle": {"method": "direct", "teacher": "oracle"},
    "ours": {"method": "direct", "teacher": "llm"},
    "shuffled": {"method": "direct", "teacher": "shuffled"},
    "start": {"method": "zero-shot"},
}
HYPOTHESES: dict[str, Any] = {
    "S": {"check": True, "run": "oracle", "than": "start"},
    "C1": {"run": "ours", "than": {"all": ["start", "shuffled"]}, "after": "S", "on": 2},
}


class Setting:
    """A folder with a file of claims and its sweep; runs are put into memory."""

    def __init__(self, folder: Path, hypotheses: Mapping[str, Any] = HYPOTHESES, collections: int = 3) -> None:
        self.folder = folder
        self.collections = COLLECTIONS[:collections]
        self.sweep = SWEEP | {"collections": list(SPECS[:collections])}
        self.content = {"sweeps": ["sweep.yaml"], "runs": RUNS, "hypotheses": dict(hypotheses)}
        self.write()
        self.runs: list[Published] = []
        self.mark: tuple[str, ...] = ()

    def write(self) -> None:
        """The files as they are now."""
        (self.folder / "sweep.yaml").write_text(yaml.safe_dump(self.sweep, sort_keys=False))
        (self.folder / "claims.yaml").write_text(yaml.safe_dump(self.content, sort_keys=False))

    @property
    def claims(self) -> Claims:
        """As they are read from disk."""
        return load_claims(self.folder / "claims.yaml")

    def freeze(self) -> None:
        """Runs that are put from now on carry the freeze."""
        self.mark = (freeze(self.claims, dict.fromkeys(self.collections, "ab" * 32)).hash,)

    def put(
        self, collection: str, name: str, advantage: float, resamples: int = 3, luck: float = 0.003, **card: Any
    ) -> None:
        """Runs of `name`: `advantage` over the start in truth, queries differ by 0.1, runs by 0.05 and by `luck`."""
        start = np.random.default_rng(0).random(200) * 0.5 + 0.2
        choice = RUNS[name]
        own = np.random.default_rng(sum(map(ord, collection + name)))
        of_queries = start + advantage + own.normal(0, 0.1, 200)
        reference = choice["method"] == "zero-shot"
        for resample in range(1 if reference else resamples):
            values = start if reference else of_queries + own.normal(0, 0.05, 200) + own.normal(0, luck)
            points = {} if reference else {"budget": 100, "resample": resample, "seed": 0, "shared_queries": 0.05}
            labelled = {"teacher": teacher(choice["teacher"])} if "teacher" in choice else {}
            tag = f"{name}-{resample}-{len(self.runs)}"
            made = make_card(
                tag, choice["method"], collection=collection, frozen=self.mark, **{**points, **labelled, **card}
            )
            scores = {"nDCG@10": {f"q{number:03}": float(value) for number, value in enumerate(values)}}
            self.runs.append(Published(self.folder / tag, made, scores))

    def put_all(self, advantages: Mapping[str, float], **more: Any) -> None:
        """All runs on all collections."""
        for collection in self.collections:
            for name in RUNS:
                self.put(collection, name, advantages.get(name, 0.0), **more)

    @property
    def report(self) -> ClaimReport:
        """What the runs say."""
        return report_of(self.claims, ResultSet(tuple(self.runs), (), str(self.folder)))

    def verdict(self, name: str) -> ClaimVerdict:
        """Of one hypothesis."""
        return next(one for one in self.report.verdicts if one.name == name)
