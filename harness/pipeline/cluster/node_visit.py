"""A look at every node of a cluster: whether stages come out there as here, and whether it sees the workspace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from harness._lazy import lazy
from harness.errors import UserError
from harness.models import BUNDLED, resolve_model
from harness.pipeline.cluster.node_facts import Facts, differences, node_facts
from harness.pipeline.workspace_folder import WorkspaceFolder

ray = lazy("ray")

_PATIENCE = 120.0
"""Seconds that a node may take to start a worker."""


class NodeView(NamedTuple):
    """A node as a worker there sees it."""

    facts: Facts
    models: dict[str, str]
    """Hashes of the bundled models that are there, by name."""
    sees_folder: bool
    writes: bool
    """Whether it sees the workspace and may write there."""
    variables: frozenset[str]
    """Names of those environment variables that it was asked for and has."""


class NodeVisit(NamedTuple):
    """What was found out about a node."""

    node: str
    """Its name and the beginning of its number."""
    faults: list[str]
    """Why no stage may run there."""
    view: NodeView | None


def visit_nodes(workspace: WorkspaceFolder, variables: Sequence[str] = ()) -> list[NodeVisit]:
    """Look at all nodes that are alive; also which of the environment variables with those names they have."""
    token = workspace.cache(f"seen-{uuid4().hex}")
    token.parent.mkdir(parents=True, exist_ok=True)
    token.touch()
    try:
        looks = {one: _look_at(one[0], token.absolute(), variables) for one in _living()}
        ray.wait([*looks.values()], num_returns=len(looks), timeout=_PATIENCE)
        visits = {node: _visit(name, look) for (node, name), look in looks.items()}
        # One that has gone meanwhile is no node any more, whatever was said of it.
        living = {node for node, _ in _living()}
        return [visit for node, visit in visits.items() if node in living]
    finally:
        token.unlink(missing_ok=True)


def _living() -> list[tuple[str, str]]:
    """Number and name of every node that is alive."""
    nodes = [(node["NodeID"], node["NodeManagerHostname"]) for node in ray.nodes() if node["Alive"]]
    return [(node, f"{name} ({node[:6]})") for node, name in nodes]


def _look_at(node: str, token: Path, variables: Sequence[str]) -> Any:
    there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
    task = ray.remote(view_node).options(num_cpus=0, scheduling_strategy=there, max_retries=0)
    return task.remote(Path.cwd(), token, tuple(variables))


def _visit(name: str, look: Any) -> NodeVisit:
    try:
        view: NodeView = ray.get(look, timeout=0)
    except ray.exceptions.GetTimeoutError:
        return NodeVisit(name, [f"{name} starts no worker"], None)
    except Exception as error:
        # Whatever a node without this project raises when it is to run its code.
        first = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
        return NodeVisit(name, [f"{name} cannot run a stage: {first.strip()}"], None)
    faults = differences(node_facts(), view.facts)
    faults += [] if view.sees_folder else [f"it does not see the folder {Path.cwd()}"]
    faults += [] if view.writes else ["it does not see the workspace, or may not write there"]
    return NodeVisit(name, [f"{name}: {', '.join(faults)}"] if faults else [], view)


def view_node(folder: Path, token: Path, variables: Sequence[str]) -> NodeView:
    """What a worker on this node sees. It runs there."""
    models = {}
    for name in BUNDLED:
        try:
            models[name] = resolve_model(f"bundled:{name}").identity
        except UserError:
            continue
    writes = token.is_file() and os.access(token.parent, os.W_OK | os.X_OK)
    present = frozenset(name for name in variables if os.environ.get(name))
    return NodeView(node_facts(), models, folder.is_dir(), writes, present)
