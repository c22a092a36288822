"""What work takes of a machine."""

from __future__ import annotations

from typing import NamedTuple


class Resources(NamedTuple):
    """What a stage takes of its machine while it runs; no part of any key."""

    cpu: float = 1.0
    """Cores. 0: it waits for answers of others and runs beside stages that compute."""
    memory: float = 1.0
    """GiB."""
    gpu: float = 0.0
    """Share of an accelerator, where the machine has one."""
    slots: tuple[str, ...] = ()
    """Services that it asks; each serves as many stages at once as there are jobs."""
