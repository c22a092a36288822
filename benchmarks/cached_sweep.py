"""A sweep of 1,000 cells whose every artefact is in the store, made without 1,000 trainings.

The graph is the real one of Intermediate Distillation: losses x budgets x resamples x seeds. Of each kind of stage one
is run; the others of that kind get its files under their own keys, for a replay opens no model. Runs differ (noise is
added to the scores) and are evaluated for real, so that the board has something to test.
"""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from pathlib import Path

import numpy as np

from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.files import sha256
from harness.pipeline.artefact_records import MANIFEST
from harness.pipeline.isolation.stage_work import StageContext
from harness.pipeline.run_stage import run_stage
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.retrieval.run import FILE, Run
from harness.retrieval.search_stages import DenseSearch
from harness.stage import Stage

SWEEP = """\
collections: [semanlink-arxiv]
students: {retriever: bundled:bert-tiny, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5, training_queries: [train, titles]}
teachers: {shuffled: {kind: shuffled}}
methods:
  - bm25
  - zero-shot
  - method: intermediate
    epochs: 1
    ranker: {architecture: bi-encoder, epochs: 1}
    ranker_loss: [listmle, ranknet, listnet, lambdarank, approx-ndcg]
    retriever_loss: [kl, reverse-kl, jensen-shannon, margin-mse]
budgets: [10, 20, 30, 40, 50]
resamples: RESAMPLES
seeds: 2
evaluate: {depth: 20, metrics: [nDCG@10, R@100]}
"""


def write_sweep(folder: Path, resamples: int) -> Path:
    """The sweep file, of 200 cells a resample and two references."""
    file = folder / "sweep.yaml"
    file.write_text(SWEEP.replace("RESAMPLES", str(resamples)), encoding="utf-8")
    return file


def fill(file: Path, workspace: Path) -> int:
    """Every artefact of the sweep of `file` in `workspace`; returns the number of cells."""
    home = Workspace(workspace)
    store, plan = home.store, home.plan(file)
    made: dict[str, Stage] = {}
    for stage in plan.stages.values():
        like = made.setdefault(f"{stage.kind} {len(stage.inputs())}", stage)
        if like is stage:
            run_stage(stage, store, home.ledger, home.cache(), silent)
        else:
            _imitate(stage, like, StageContext(store, home.ledger, home.cache(), silent))
    return len(plan.cells)


def _imitate(stage: Stage, like: Stage, context: StageContext) -> None:
    """The artefact of `stage` from that of `like`; not synced to the disk, as nobody will miss it."""
    store = context.store
    record = store.manifest(like) | {
        "key": stage.key,
        "inputs": [needed.key for needed in stage.inputs()],
        "label": stage.label,
    }
    with store.draft(stage) as draft:
        if isinstance(stage, DenseSearch):
            _noisy(_read(store.place(like)), int(stage.key[:8], 16)).write(draft / FILE)
        elif isinstance(stage, Evaluate):
            stage.run(draft, context)
        else:
            shutil.copytree(store.place(like), draft, copy_function=os.link, dirs_exist_ok=True)
            (draft / MANIFEST).unlink()
        if isinstance(stage, (DenseSearch, Evaluate)):
            record["files"] = {
                file.name: {"sha256": sha256(file), "bytes": file.stat().st_size} for file in draft.iterdir()
            }
        (draft / MANIFEST).write_text(json.dumps(record), encoding="utf-8")
        draft.rename(store.place(stage))


@cache
def _read(folder: Path) -> Run:
    return Run.read(folder / FILE)


def _noisy(run: Run, seed: int) -> Run:
    draw = np.random.default_rng(seed)
    scores = {
        query: dict(
            zip(found, (np.fromiter(found.values(), float) + draw.normal(0, 0.05, len(found))).tolist(), strict=True)
        )
        for query, found in run.scores.items()
    }
    return Run(run.name, scores)
