"""How a server of our own is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ServerLaunch:
    """A command that serves HTTP, as plain data that other processes can be handed. It holds no secret."""

    mark: str
    """Of weights and arguments: launches of one mark are asked at one server."""
    name: str
    """What is served, for people."""
    command: tuple[str, ...]
    """Holds ``{port}`` where the port belongs, ``{host}`` where the address does that it listens at."""
    port: int = 0
    """0 is any free one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of whoever starts it; ``{folder}`` is a folder of the server's own."""
    timeout: float = 900.0
    """Seconds until it must be ready."""
    key_variable: str = ""
    """The variable that the server takes a key from which all requests must then carry."""
    package: str = ""
    """Of modules that it imports from its folder."""
    modules: tuple[Path, ...] = ()
    """Files to be copied into that package."""
