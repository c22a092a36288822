"""A cluster as a sweep uses it: found, its nodes looked at, with a keeper; and left as it was."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness._lazy import lazy
from harness.device import DEVICES, HELD_THREADS, THREADS, VARIABLE, Resources
from harness.errors import UserError
from harness.pipeline.cluster.distant_ledger import DistantLedger
from harness.pipeline.cluster.graph_pickle import dump_stages
from harness.pipeline.cluster.keeper import Keeper
from harness.pipeline.cluster.node_facts import node_facts
from harness.pipeline.cluster.node_visit import visit_nodes
from harness.pipeline.cluster.ray_crew import ClusterSize
from harness.pipeline.cluster.stage_task import SharedWork
from harness.pipeline.isolation.child_work import LedgerTerms
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugin_files import VARIABLE as PLUGINS
from harness.plugins import Plugin
from harness.stage import Stage

ray = lazy("ray")

_CARRIED = (
    THREADS,
    HELD_THREADS,
    VARIABLE,
    DEVICES,
    PLUGINS,
    "HF_HUB_OFFLINE",
    "HF_HUB_DISABLE_TELEMETRY",
    "TQDM_DISABLE",
)
"""Variables that decide what a stage makes, or where it may look; nodes have all others, keys of providers among them,
from whoever started Ray there."""


def connect(address: str) -> bool:
    """Join the cluster at `address` (``auto``: the one that runs on this machine) as Ray does, unless this process has
    joined one; whether it joined now. Raises UserError."""
    if find_spec("ray") is None:
        raise UserError("Ray is not installed", remedy="pip install 'distil-harness[ray]'")
    try:
        with _own_signals():
            if ray.is_initialized():
                return False
            # What workers print stays in Ray's logs: standard output is for results.
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise UserError(
            f"there is no Ray cluster at '{address}': {first}",
            remedy="start one with: ray start --head (docs/clusters.md), or give --address HOST:PORT",
        ) from error
    return True


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray makes SIGTERM a SystemExit, with the wrong exit code, and for any stage to be mistaken for its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def disconnect() -> None:
    """Leave the cluster that `connect` joined."""
    ray.shutdown()


class RaySession:
    """The connection of one sweep. Raises UserError where there is no cluster, or a node differs.

    The keeper runs on this machine, and ends with this process.
    """

    def __init__(self, address: str, workspace: WorkspaceFolder, terms: LedgerTerms) -> None:
        self._has_joined = connect(address)
        self._workspace, self._terms = workspace.path.absolute(), terms.at(terms.path.absolute())
        if differing := [line for visit in visit_nodes(workspace) for line in visit.faults]:
            self._leave()
            raise UserError(
                f"nodes of the cluster differ: {'; '.join(differing)}", remedy="harness doctor --executor ray"
            )
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "scheduling_strategy": here}
        self.keeper: Any = ray.remote(Keeper).options(**options).remote(self._terms, uuid4().hex)
        self.ledger = DistantLedger(self.keeper, self._terms)

    def share(self, stages: dict[str, Stage]) -> Any:
        """A reference to what workers need to make these stages."""
        shared = SharedWork(
            Path.cwd(),
            {name: os.environ.get(name) for name in _CARRIED},
            tuple(_modules(stages.values())),
            node_facts(),
            self._workspace,
            self._terms,
            dump_stages(stages),
        )
        return ray.put(shared)

    @property
    def size(self) -> ClusterSize:
        """What the nodes have that are there now."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]

        def most(name: str, unit: float = 1.0) -> float:
            return max((node.get(name, 0.0) / unit for node in nodes), default=0.0)

        largest = Resources(most("CPU"), most("memory", 2**30), most("GPU"))
        return ClusterSize(max(1, int(sum(node.get("CPU", 0.0) for node in nodes))), largest)

    def close(self) -> None:
        """End the keeper, and leave the cluster where this session joined it."""
        self.ledger.close()
        ray.kill(self.keeper)
        self._leave()

    def _leave(self) -> None:
        if self._has_joined:
            disconnect()


def _modules(stages: Iterable[Stage]) -> dict[str, None]:
    """Modules of the plug-ins at work."""
    classes = (kind for stage in stages for kind in plugin_classes(stage))
    return dict.fromkeys(kind.__module__ for kind in classes if issubclass(kind, Plugin))
