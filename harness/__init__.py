"""Benchmark harness for distilling large language models into retrievers.

What is listed here is the public face: it changes only with an entry in CHANGELOG. Everything else can be imported, and
may change. Names are imported when they are first used, so that ``import harness`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness._version import __version__

if TYPE_CHECKING:
    from harness.config.load import load_sweep as load_sweep
    from harness.errors import UserError as UserError
    from harness.evaluation.significance.compare_runs import compare as compare
    from harness.evaluation.significance.evaluate_run import evaluate as evaluate
    from harness.labelling.labels.ledger_teacher import LedgerTeacher as LedgerTeacher
    from harness.labelling.labels.ranking import Ranking as Ranking
    from harness.labelling.labels.teacher import Task as Task
    from harness.labelling.labels.teacher import Teacher as Teacher
    from harness.labelling.strategies.strategy import Strategy as Strategy
    from harness.leaderboard.board import load_board as load_board
    from harness.losses.loss import Loss as Loss
    from harness.losses.loss import Target as Target
    from harness.method import Method as Method
    from harness.method import MethodInputs as MethodInputs
    from harness.method import RetrieverMethod as RetrieverMethod
    from harness.pipeline.inputs import load_collection as load_collection
    from harness.pipeline.inputs import load_qrels as load_qrels
    from harness.pipeline.inputs import load_result as load_result
    from harness.pipeline.inputs import load_run as load_run
    from harness.pipeline.plan import Plan as Plan
    from harness.pipeline.run_method import run_method as run_method
    from harness.pipeline.sweep import SweepResult as SweepResult
    from harness.pipeline.workspace import Workspace as Workspace
    from harness.plugins import Settings as Settings
    from harness.retrieval.student_type import StudentType as StudentType
    from harness.stage import Stage as Stage

FACE = {
    "Workspace": "harness.pipeline.workspace",
    "Plan": "harness.pipeline.plan",
    "SweepResult": "harness.pipeline.sweep",
    "run_method": "harness.pipeline.run_method",
    "load_sweep": "harness.config.load",
    "load_board": "harness.leaderboard.board",
    "load_run": "harness.pipeline.inputs",
    "load_qrels": "harness.pipeline.inputs",
    "load_collection": "harness.pipeline.inputs",
    "load_result": "harness.pipeline.inputs",
    "evaluate": "harness.evaluation.significance.evaluate_run",
    "compare": "harness.evaluation.significance.compare_runs",
    "Method": "harness.method",
    "RetrieverMethod": "harness.method",
    "MethodInputs": "harness.method",
    "Teacher": "harness.labelling.labels.teacher",
    "LedgerTeacher": "harness.labelling.labels.ledger_teacher",
    "Task": "harness.labelling.labels.teacher",
    "Ranking": "harness.labelling.labels.ranking",
    "Strategy": "harness.labelling.strategies.strategy",
    "Loss": "harness.losses.loss",
    "Target": "harness.losses.loss",
    "StudentType": "harness.retrieval.student_type",
    "Stage": "harness.stage",
    "Settings": "harness.plugins",
    "UserError": "harness.errors",
}
"""Public names and the modules that own them, in the order of docs/api.md."""

__all__ = ["__version__", *FACE]


def __getattr__(name: str) -> Any:
    if name not in FACE:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(FACE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
