"""What a sweep has to publish of one teacher on one collection: finished labels, and what must be known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection, CollectionSource
from harness.collections.crops import HUMAN
from harness.collections.parse import parse_source
from harness.collections.pool import read_pool
from harness.labelling.labels.label_dataset import DatasetAbout, DatasetRow
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, SUMMARY, Labels
from harness.labelling.labels.teacher import Teacher
from harness.models import ModelFiles
from harness.pipeline.artefact_records import read_with_measured
from harness.pipeline.budgets import largest_budgets
from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.store import Store
from harness.published.label_sets.label_card import LabelDraw
from harness.retrieval.run import Run
from harness.retrieval.search_stages import Embed


@dataclass(frozen=True)
class LabelledTeacher:
    """A teacher of a sweep with its label stages on one collection."""

    name: str
    """As the sweep calls it."""
    teacher: Teacher
    collection: Collection
    source: CollectionSource
    candidates: Mapping[str, Any]
    """How the first stage finds them; labels over other candidates are of another set."""
    own: tuple[Labels, ...]
    """Those that ask as the sweep itself does, finished or not; the same order as `finished`."""
    finished: tuple[Labels, ...]
    """Smallest resample first, and in it the largest draw."""
    waiting: int
    """Lists of the largest draws that nobody labelled yet."""
    otherwise: int
    """Label stages of its cells that ask another thing: with answers, with another prompt, on other queries."""

    def about(self) -> DatasetAbout:
        """What its labels have in common."""
        split = HUMAN if HUMAN in self.collection.splits else self.collection.splits[0]
        return DatasetAbout(
            collection=self.collection.name,
            split=split,
            content_hash=self.collection.split_hash(split),
            kind=self.teacher.name,
            model=public_name(str(getattr(self.teacher.settings, "model", ""))),
            identity=self.teacher.identity,
            candidates=dict(self.candidates),
            depth=self.own[0].depth,
        )

    def rows(self, store: Store) -> Iterator[DatasetRow]:
        """Its labels, draw by draw; a query that several drew comes several times."""
        first = self.finished[0]
        run, queries = Run.read(store.read(first.candidates)), read_pool(store.read(first.subset.pool))
        pool = {query.id: query for query in queries}
        for stage in self.finished:
            for ranking in read_rankings(store.read(stage) / RANKINGS):
                query = pool[ranking.query]
                yield DatasetRow.of(ranking, query.text, query.source, run.top(query.id, stage.depth))

    def draws(self, sweep: str, store: Store, times: LabellingTime) -> tuple[LabelDraw, ...]:
        """What each draw took."""
        return tuple(_draw(stage, sweep, store, times) for stage in self.finished)


def labelled_teachers(plan: PlannedSweep) -> Iterator[LabelledTeacher]:
    """Every teacher of the sweep on every collection, in the sweep's order, those without a finished label too."""
    grouped: dict[tuple[str, str], list[PlannedCell]] = {}
    for cell in plan.cells:
        if cell.cell.teacher is not None and cell.inputs.teacher is not None and cell.inputs.resample is not None:
            key = cell.inputs.collection.split_hash(cell.inputs.split), cell.cell.teacher
            grouped.setdefault(key, []).append(cell)
    return (_labelled(cells, plan) for cells in grouped.values())


def _labelled(cells: Sequence[PlannedCell], plan: PlannedSweep) -> LabelledTeacher:
    store, inputs, point = plan.workspace.store, cells[0].inputs, cells[0].cell
    assert inputs.teacher is not None and point.teacher is not None
    asked = {key: one for key, one in closure([cell.run for cell in cells]).items() if isinstance(one, Labels)}
    found = [one for one in asked.values() if _is_own(one, cells[0])]
    own = sorted(found, key=lambda one: (one.subset.resample, -one.subset.size, one.key))
    finished = [one for one in own if store.has(one)]
    return LabelledTeacher(
        name=point.teacher,
        teacher=inputs.teacher,
        collection=inputs.collection,
        source=parse_source(point.collection, plan.sweep.source.path.parent),
        candidates=_candidates(cells[0], plan),
        own=tuple(own),
        finished=tuple(finished),
        waiting=_waiting(own, finished),
        otherwise=len(asked) - len(own),
    )


def _is_own(stage: Labels, cell: PlannedCell) -> bool:
    """Whether that is how the sweep itself has its training queries labelled."""
    wanted = cell.inputs
    assert wanted.teacher is not None
    same_inputs = (stage.candidates.key, stage.subset.pool.key) == (wanted.candidates.key, wanted.pool.key)
    same_asking = (stage.teacher.identity, stage.depth) == (wanted.teacher.identity, wanted.list_depth)
    return type(stage) is Labels and same_inputs and same_asking


def _waiting(wanted: Iterable[Labels], finished: Iterable[Labels]) -> int:
    """Budgets are nested, so of a resample only the largest draw counts."""
    asked, done = (sum(stage.subset.size for stage in largest_budgets(stages)) for stages in (wanted, finished))
    return asked - done


def _candidates(cell: PlannedCell, plan: PlannedSweep) -> dict[str, Any]:
    """Engines and their settings; of dense ones also the hashes of their models, and how much of a document they
    read."""
    found = plan.sweep.candidates
    embedded = [stage for stage in closure([cell.inputs.candidates]).values() if isinstance(stage, Embed)]
    models = sorted(stage.model.identity for stage in embedded if isinstance(stage.model, ModelFiles))
    dense = {"models": models, "max_length": plan.sweep.max_length} if models else {}
    return {
        "engines": [_public_engine(one) for one in found.engines],
        "engine_settings": found.engine_settings,
        **dense,
    }


def _public_engine(engine: str) -> str:
    kind, colon, model = engine.partition(":")
    return f"{kind}{colon}{public_name(model)}"


def public_name(name: str) -> str:
    """What others may read of the name of a model or a file: of a folder or file of this machine the last part; a
    hub's name is OWNER/MODEL."""
    return Path(name).name if name.count("/") > 1 or name.startswith((".", "/", "~")) else name


def _draw(stage: Labels, sweep: str, store: Store, times: LabellingTime) -> LabelDraw:
    summary, manifest = read_with_measured(store.read(stage), SUMMARY), store.manifest(stage)
    standalone, incurred = summary["alone"], summary["here"]
    return LabelDraw(
        key=stage.key,
        sweep=sweep,
        resample=stage.subset.resample,
        queries=stage.subset.size,
        labelled=str(manifest["started"])[:10],
        calls=standalone["calls"],
        input_tokens=standalone["input_tokens"],
        output_tokens=standalone["output_tokens"],
        usd=standalone["usd"],
        usd_incurred=incurred["usd"],
        seconds=times.standalone(stage),
    )
