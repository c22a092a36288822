"""Starting the dashboard: on this machine only unless another address is given, phoning nobody."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from dashboard.server import answers, check_free, page_address, serving
from harness.errors import UserError

RESULTS = "HARNESS_RESULTS"
"""Environment variable through which the page learns which results folder to show."""
WORKSPACE = "HARNESS_WORKSPACE"
"""Environment variable that says where prepared collections and the journals of sweeps lie; ``workspace`` where it is
not set."""
HOUR = "HARNESS_HOUR"
"""Environment variable that says what an hour of the machine costs in USD; 0 where it is not set."""
LOCAL = "localhost"
APP = Path(__file__).with_name("app.py")
_OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    # A table's own download writes a stranger's text as it is, and a spreadsheet would run it as a formula; our buttons
    # quote it.
    "client.disableDataExport": "true",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.primaryColor": "#0072B2",
}


def command(port: int, app: Path = APP, address: str = LOCAL) -> list[str]:
    """The command line that serves `app` on `address`:`port`; pages of other names and addresses may not talk to it."""
    places = {"server.address": address, "browser.serverAddress": address, "server.port": str(port)}
    options = [f"--{name}={value}" for name, value in {**_OPTIONS, **places}.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app), *options]


def environment(results: Path, workspace: Path | None = None, hour: float | None = None) -> dict[str, str]:
    """The environment of that command: this process's, which results folder and workspace to show, and what an hour of
    the machine costs."""
    chosen = {} if workspace is None else {WORKSPACE: str(workspace.resolve())}
    chosen |= {} if hour is None else {HOUR: str(hour)}
    return {**os.environ, RESULTS: str(results.resolve()), **chosen, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}


def launch(
    results: Path,
    port: int,
    workspace: Path | None = None,
    address: str = LOCAL,
    hour: float | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> int:
    """Serve the dashboard until it is interrupted; the exit code. `tell` hears where it is. Raises UserError when it
    cannot start."""
    if find_spec("streamlit") is None or find_spec("altair") is None:
        raise UserError("the dashboard is not installed", remedy="run: pip install 'distil-harness[dashboard]'")
    if workspace is not None and not workspace.is_dir():
        raise UserError(
            "there is no workspace", file=workspace, remedy="give the one that a sweep runs in with --workspace"
        )
    if workspace is None and not results.is_dir():
        raise UserError(
            "there is no results folder", file=results, remedy="give one with --results, or run a sweep first"
        )
    check_free(address, port)
    try:
        with serving(command(port, address=address), environment(results, workspace, hour)) as server:
            place = page_address(address, port)
            if answers(server, f"{place}/_stcore/health"):
                tell(f"dashboard of {results} at {place} (Ctrl+C stops it)")
            return server.wait()
    except KeyboardInterrupt:
        return 0
