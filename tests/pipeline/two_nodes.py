"""Two nodes of Ray on one machine: processes of their own, one of which can be lost."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

_NODE = {"num_cpus": 1, "object_store_memory": 100 << 20}


class TwoNodes:
    """The head, on which sweeps start, and one more."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        # Other processes of a full machine slow its start.
        os.environ["RAY_raylet_start_wait_time_s"] = "200"  # noqa: SIM112  # as Ray spells it
        self._cluster = Cluster(initialize_head=True, head_node_args={**_NODE, "include_dashboard": False})
        self._second: Any = None
        self.complete()

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    @property
    def logs(self) -> Path:
        """What Ray writes down."""
        return Path(self._cluster.head_node.get_logs_dir_path())

    def complete(self) -> None:
        """Have two nodes."""
        if self._second is None:
            self._second = self._cluster.add_node(**_NODE)

    def lose(self) -> None:
        """The second node dies with all that runs there."""
        self._cluster.remove_node(self._second, allow_graceful=False)
        self._second = None

    def workers(self, name: str) -> list[psutil.Process]:
        """Processes of workers that run what Ray calls `name`, or something that begins so."""
        found = []
        for one in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if one.status() != psutil.STATUS_ZOMBIE and "".join(one.cmdline()).startswith(f"ray::{name}"):
                    found.append(one)
        return found

    def close(self) -> None:
        import ray

        ray.shutdown()
        self._cluster.shutdown()
