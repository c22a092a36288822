"""The side of the worker: one stage of a sweep, run in a process that Ray started somewhere."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from harness._lazy import lazy
from harness.errors import UserError
from harness.ledger.calls import Usage
from harness.ledger.network_disk import is_on_network
from harness.llm.pace.shared_pace import PACER
from harness.pipeline.cluster.distant_ledger import DistantLedger
from harness.pipeline.cluster.distant_pacer import DistantPacer
from harness.pipeline.cluster.graph_pickle import load_stages
from harness.pipeline.cluster.keeper import StageNews
from harness.pipeline.cluster.node_facts import Facts, differences, node_facts
from harness.pipeline.isolation.child_work import LedgerTerms
from harness.pipeline.isolation.plugin_classes import suspects
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Manifest, Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugin_files import load_named_files, search_modules
from harness.stage import Stage

ray = lazy("ray")

_EVERY = 0.5
"""Seconds between two words of progress."""
_UNSEEN = 60.0
"""Seconds that a network disk may take to show what another machine wrote."""


@dataclass(frozen=True)
class SharedWork:
    """What all workers of a sweep need; in the object store once. It holds no secret."""

    folder: Path
    """Where the sweep was started: relative paths begin there."""
    environment: dict[str, str | None]
    """Variables that decide what comes out; None for those that are not to be set."""
    modules: tuple[str, ...]
    """Of the plug-ins at work."""
    facts: Facts
    workspace: Path
    terms: LedgerTerms
    graph: bytes


class StageReport(NamedTuple):
    """How a stage ended: with a manifest, or None where another sweep made it; or with a fault."""

    attempt: str
    paid: Usage
    manifest: Manifest | None = None
    fault: StageFault | None = None


class _Entered(NamedTuple):
    """A worker that has taken up its sweep's work."""

    reference: str
    shared: SharedWork
    stages: dict[str, Stage]
    store: Store


_latest: list[_Entered] = []


def run_key(references: Sequence[Any], keeper: Any, key: str) -> StageReport:
    """Run the stage with that key. `references` hold a reference to the `SharedWork`, which is fetched once a worker;
    `keeper` is the actor."""
    attempt, stage = uuid4().hex, None
    keeper.tell.remote(StageNews(key, attempt))
    try:
        entered = _enter(references[0])
        stage = entered.stages[key]
        ledger = DistantLedger(keeper, entered.shared.terms)
        PACER.set(DistantPacer(keeper))
    except Exception as error:
        return StageReport(attempt, Usage(), fault=StageFault.of(error).masked())
    try:
        manifest = _run(stage, entered, ledger, keeper, attempt)
    except (Exception, SystemExit) as error:
        return StageReport(attempt, ledger.paid, fault=StageFault.of(error, suspects(stage)).masked())
    finally:
        ledger.close()
    return StageReport(attempt, ledger.paid, manifest)


def _run(stage: Stage, entered: _Entered, ledger: DistantLedger, keeper: Any, attempt: str) -> Manifest | None:
    spoken = 0.0

    def progress(done: int, total: int, unit: str) -> None:
        nonlocal spoken
        if done >= total or time.monotonic() - spoken > _EVERY:
            spoken = time.monotonic()
            keeper.tell.remote(StageNews(stage.key, attempt, ledger.paid, int(done), int(total), str(unit)))

    @contextmanager
    def right(stage: Stage) -> Iterator[None]:
        with ledger.lease(stage.key):
            if is_on_network(entered.store.root):
                # Its locks are not to be trusted, and may outlive a machine.
                yield
            else:
                with entered.store.lock(stage):
                    yield

    for needed in stage.inputs():
        await_artefact(needed, entered.store)
    cache = WorkspaceFolder(entered.shared.workspace).cache()
    return run_stage(stage, entered.store, ledger, cache, progress, right=right)


def await_artefact(stage: Stage, store: Store) -> None:
    """Wait until this machine sees what another made. Raises UserError where it does not come to sight."""
    end = time.monotonic() + _UNSEEN
    while not store.has(stage):
        if time.monotonic() > end:
            raise UserError(
                f"the {stage.kind} {stage.key[:12]} is made, and {socket.gethostname()} does not see it",
                store.place(stage),
                remedy="give a --workspace on storage that all nodes share",
            )
        # Listing a folder has a network disk look anew.
        with suppress(OSError):
            os.listdir(store.place(stage).parent)  # noqa: PTH208
        time.sleep(0.1)


def _enter(reference: Any) -> _Entered:
    """Become a worker of the sweep, once for all its stages. Raises UserError where this node differs."""
    if not _latest or _latest[0].reference != reference.hex():
        shared: SharedWork = ray.get(reference)
        if differing := differences(shared.facts, node_facts()):
            raise UserError(
                f"{socket.gethostname()} differs from where the sweep was planned: {', '.join(differing)}",
                remedy="install the same versions on every node",
            )
        _take_up(shared)
        store = WorkspaceFolder(shared.workspace).store
        _latest[:] = [_Entered(reference.hex(), shared, load_stages(shared.graph), store)]
    return _latest[0]


def _take_up(shared: SharedWork) -> None:
    try:
        os.chdir(shared.folder)
    except OSError as error:
        raise UserError(
            f"{socket.gethostname()} does not see the folder that the sweep was started in",
            shared.folder,
            remedy="start it in a folder on storage that all nodes share",
        ) from error
    for name, value in shared.environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    load_named_files()
    search_modules(shared.modules)
