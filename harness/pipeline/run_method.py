"""One method on one collection, without a sweep file: the sweep of one entry that its arguments describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.config.load import sweep_of
from harness.pipeline.live.observer import Observer
from harness.pipeline.plan import Plan
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace_folder import WorkspaceFolder

Entry = str | Mapping[str, Any]


def run_method(
    method: Entry,
    *,
    collection: Entry,
    teacher: Entry | None = None,
    budget: int | None = None,
    resample: int = 0,
    seed: int = 0,
    workspace: WorkspaceFolder | str | Path = "workspace",
    results: str | Path = "results",
    max_cost: float | None = None,
    max_cost_workspace: float | None = None,
    observer: Observer | None = None,
    **sections: Any,
) -> SweepResult:
    """Run one method on one collection and publish its run, through the same plan, store and ledger as a sweep.

    `method` and `collection` are written as in a sweep file (``"direct"``, ``{"method": "direct", "epochs": 3}``;
    ``"semanlink"``, ``{"folder": "PATH"}``). `teacher` is a kind (``"oracle"``), a kind and a model
    (``"litellm:openai/gpt-4.1-mini"``), or settings with their ``kind``. `budget` is the number of labelled queries.
    `sections` are further parts of a sweep file: ``students``, ``candidates``, ``losses``, ``evaluate``,
    ``max_length``. `max_cost` limits all runs of the same call together, `max_cost_workspace` all that is run in the
    workspace. Raises UserErrors before anything runs; what fails later is in the result.

    >>> import harness
    >>> students = {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"}
    >>> result = harness.run_method("bm25", collection="semanlink-arxiv", students=students)
    >>> [folder.parent.name for folder in result.published], result.summary["cells"]["done"]
    (['semanlink-arxiv'], 1)
    """
    given = {
        "collection": collection,
        "teacher": teacher,
        "budget": budget,
        "resample": resample,
        "seed": seed,
        **sections,
    }
    content = {
        "collections": [collection],
        "methods": [method],
        "resamples": [resample],
        "seeds": [seed],
        **({} if teacher is None else {"teachers": _teacher(teacher)}),
        **({} if budget is None else {"budgets": [budget]}),
        **sections,
    }
    sweep = sweep_of(content, "run_method", _command(method, given))
    return Plan.of(sweep, WorkspaceFolder.of(workspace)).run(
        results, max_cost=max_cost, max_cost_workspace=max_cost_workspace, observer=observer
    )


def _teacher(teacher: Entry) -> dict[str, Any]:
    """The teacher under the name of its kind, as a sweep file defines it."""
    if not isinstance(teacher, str):
        return {str(teacher.get("kind", "teacher")): dict(teacher)}
    kind, _, model = teacher.partition(":")
    return {kind: {"kind": kind} | ({"model": model} if model else {})}


def _command(method: Entry, given: Mapping[str, Any]) -> str:
    """The call, as it stands on the card of the run."""
    arguments = [
        repr(_portable(method)),
        *(f"{name}={_portable(value)!r}" for name, value in given.items() if value is not None),
    ]
    return f"harness.run_method({', '.join(arguments)})"


def _portable(value: Any) -> Any:
    """`value` without absolute paths, which belong to one machine: their last part stands for them."""
    if isinstance(value, Mapping):
        return {key: _portable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(part) for part in value]
    if isinstance(value, str | Path) and Path(value).is_absolute():
        return Path(value).name
    return str(value) if isinstance(value, Path) else value
