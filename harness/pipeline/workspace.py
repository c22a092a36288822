"""The folder that a machine keeps between sweeps, as Python users open it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.config.load import load_sweep
from harness.pipeline.plan import Plan
from harness.pipeline.workspace_folder import WorkspaceFolder


class Workspace(WorkspaceFolder):
    """Artefacts, prepared collections and every LLM call ever paid for, in one folder that is safe to move.

    Nothing is made before something is written. As a context manager it closes the ledger's file at the end of the
    block.

    >>> import harness
    >>> with harness.Workspace("workspace") as workspace:
    ...     plan = workspace.plan("configs/smoke.yaml", overrides=["budgets=[20]", "methods=[bm25, zero-shot]"])
    ...     print([str(cell.cell) for cell in plan.cells])
    ...     print(len(workspace.ledger), "calls paid for")
    ['semanlink-arxiv bm25', 'semanlink-arxiv zero-shot']
    0 calls paid for
    """

    def plan(self, file: str | Path, overrides: str | Sequence[str] = ()) -> Plan:
        """The sweep of `file` with ``a.b=v`` overrides, here. Prepares its collections and runs nothing. Raises
        UserErrors."""
        return Plan.of(load_sweep(file, (overrides,) if isinstance(overrides, str) else overrides), self)
