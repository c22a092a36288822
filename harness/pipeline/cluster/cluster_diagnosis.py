"""The checks of a cluster: the report behind ``harness doctor --executor ray``."""

from __future__ import annotations

import os
from collections.abc import Iterator

from harness.doctor import KEYS, Check, check
from harness.pipeline.cluster.node_visit import NodeView, NodeVisit, view_node, visit_nodes
from harness.pipeline.cluster.ray_session import connect, disconnect
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.text import counted


def diagnose_cluster(address: str, workspace: WorkspaceFolder) -> dict[str, list[Check]]:
    """``{"checks": [{"name", "ok", "detail", "remedy"}]}``: of each node whether stages come out there as here, whether
    it sees the workspace, and which models and keys of providers it lacks. Raises UserError where there is no
    cluster."""
    has_joined = connect(address)
    try:
        keys = [name for name in KEYS if os.environ.get(name)]
        visits = visit_nodes(workspace, keys)
        own = view_node(workspace.path.absolute(), workspace.path.absolute(), keys)
        nodes = check("cluster", bool(visits), counted(len(visits), "node"), "start Ray there: docs/clusters.md")
        return {"checks": [nodes, *(row for visit in visits for row in _checks(visit, own))]}
    finally:
        if has_joined:
            disconnect()


def _checks(visit: NodeVisit, own: NodeView) -> Iterator[Check]:
    detail = "; ".join(visit.faults) or "the same code and versions as here; it sees the workspace"
    remedy = "install the same versions on every node, and start in a folder on storage that all share"
    yield check(visit.node, not visit.faults, detail, remedy)
    if visit.view is None:
        return
    models = [_model(name, identity, visit.view) for name, identity in own.models.items()]
    differing = [words for words in models if words]
    yield check(
        f"{visit.node}: models",
        not differing,
        "; ".join(differing) or f"{counted(len(own.models), 'bundled model')} as here",
        "run there: harness setup",
    )
    missing = sorted(own.variables - visit.view.variables)
    # Which ones there are is told, never what they say.
    present = f"set there: {', '.join(sorted(own.variables))}" if own.variables else "none set here, so none needed"
    yield check(
        f"{visit.node}: keys",
        not missing,
        f"not set there: {', '.join(missing)}" if missing else present,
        "export them before `ray start` on that node: Ray writes a runtime_env into its logs",
    )


def _model(name: str, identity: str, there: NodeView) -> str:
    """How a model of this machine is otherwise on that node; empty where it is not."""
    other = there.models.get(name)
    if other == identity:
        return ""
    return f"bundled:{name} is absent" if other is None else f"bundled:{name} is {other[:12]}, here {identity[:12]}"
