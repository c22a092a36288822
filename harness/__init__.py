"""Benchmark harness for distilling large language models into retrievers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.errors import UserError as UserError
    from harness.labelling.labels.ledger_teacher import LedgerTeacher as LedgerTeacher
    from harness.labelling.labels.ranking import Ranking as Ranking
    from harness.labelling.labels.teacher import Task as Task
    from harness.labelling.labels.teacher import Teacher as Teacher
    from harness.labelling.strategies.strategy import Strategy as Strategy
    from harness.losses.loss import Loss as Loss
    from harness.losses.loss import Target as Target
    from harness.method import Method as Method
    from harness.method import MethodInputs as MethodInputs
    from harness.method import RetrieverMethod as RetrieverMethod
    from harness.plugins import Settings as Settings
    from harness.stage import Stage as Stage

__version__ = "0.2.0"

FACE = {
    "LedgerTeacher": "harness.labelling.labels.ledger_teacher",
    "Loss": "harness.losses.loss",
    "Method": "harness.method",
    "MethodInputs": "harness.method",
    "Ranking": "harness.labelling.labels.ranking",
    "RetrieverMethod": "harness.method",
    "Settings": "harness.plugins",
    "Stage": "harness.stage",
    "Strategy": "harness.labelling.strategies.strategy",
    "Target": "harness.losses.loss",
    "Task": "harness.labelling.labels.teacher",
    "Teacher": "harness.labelling.labels.teacher",
    "UserError": "harness.errors",
}
"""Public names and the modules that define them, which load with the first use."""

__all__ = ["__version__", *FACE]


def __getattr__(name: str) -> Any:
    if name not in FACE:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    return getattr(import_module(FACE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
