"""How a run was made, for a page: its stages with time and cache, the loss curves of its trainings, where its model
lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.published.provenance import LossCurveData, Provenance, StageProvenance, read_provenance
from harness.published.result_folder import Published
from harness.text import plain

MODELS = ("retriever", "ranker")
"""Kinds of stages whose artefact is a model folder that people load."""


class StageRow(NamedTuple):
    """A stage behind the run; `cached` where the sweep that published the run found it in the store."""

    stage: str
    label: str
    seconds: float
    peak_memory_mb: float
    cached: bool
    started: str
    key: str


class LossPoint(NamedTuple):
    """A point of a loss curve; `kind` is training or held-out."""

    step: int
    kind: str
    loss: float


class LossCurve(NamedTuple):
    """The losses of one training stage; a training point is the mean of `window` steps."""

    name: str
    stage: str
    steps: int
    best_step: int
    window: int
    points: tuple[LossPoint, ...]

    @property
    def held_out(self) -> bool:
        """Whether a held-out loss was measured."""
        return any(point.kind == HELD_OUT for point in self.points)


TRAINING, HELD_OUT = "training", "held-out"


@dataclass(frozen=True)
class RunProvenance:
    """What is known of how a run was made."""

    stages: tuple[StageRow, ...]
    """In the order in which they were made."""
    curves: tuple[LossCurve, ...]
    seconds: float
    """Of all stages."""
    seconds_incurred: float
    """Of those that the publishing sweep made itself."""


def run_provenance(run: Published) -> RunProvenance | None:
    """How `run` was made; None where its folder does not say. Raises UserError for a file that cannot be used."""
    found = read_provenance(Path(run.folder))
    return None if found is None else _run_provenance(found)


def _run_provenance(found: Provenance) -> RunProvenance:
    rows = tuple(
        StageRow(
            plain(one.kind),
            plain(one.label),
            one.seconds,
            one.peak_memory_mb,
            one.cached,
            f"{one.started:%Y-%m-%d %H:%M:%S} UTC",
            one.key,
        )
        for one in found.stages
    )
    curves = tuple(_curve(one, one.curve) for one in found.stages if one.curve is not None and one.curve.step)
    return RunProvenance(
        rows, curves, sum(row.seconds for row in rows), sum(row.seconds for row in rows if not row.cached)
    )


def _curve(stage: StageProvenance, found: LossCurveData) -> LossCurve:
    points = [*_points(TRAINING, found.step, found.loss), *_points(HELD_OUT, found.held_out_step, found.held_out_loss)]
    name = f"{plain(stage.kind)} · {plain(stage.label)}"
    return LossCurve(name, plain(stage.kind), found.steps, found.best_step, found.window, tuple(points))


def _points(kind: str, steps: tuple[int, ...], losses: tuple[float | None, ...]) -> Iterator[LossPoint]:
    return (LossPoint(step, kind, loss) for step, loss in zip(steps, losses, strict=False) if loss is not None)


def model_folders(found: RunProvenance, store: Path) -> dict[str, tuple[Path, bool]]:
    """Where the run's models lie in a store, by kind, and whether they are there. Keys are hexadecimal, so no path
    leaves it."""
    folders = {row.stage: store / row.stage / row.key for row in found.stages if row.stage in MODELS}
    return {kind: (folder, folder.is_dir()) for kind, folder in folders.items()}
