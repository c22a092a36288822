"""The data of a run, for its card."""

from __future__ import annotations

from collections.abc import Iterable

from harness.config.sweep_file import SweepFile
from harness.pipeline.builder import PlannedCell
from harness.pipeline.publish.evaluated_split import EvaluatedSplit, evaluated_split
from harness.pipeline.store import Store
from harness.published.card import CopiesOnCard, Data, DataSource
from harness.stage import Stage
from harness.training_lists.copies import CopiesLeftOut


def card_data(cell: PlannedCell, sweep: SweepFile, stages: Iterable[Stage], store: Store) -> Data:
    """What the run was evaluated on, where its training queries came from, and what its training lists lost."""
    names = () if cell.cell.resample is None else sweep.candidates.sources
    return Data(
        test_collection=split_of(cell, sweep).about,
        training_data=tuple(DataSource(name=name) for name in names),
        copies_left_out=_copies(stages, store),
    )


def split_of(cell: PlannedCell, sweep: SweepFile) -> EvaluatedSplit:
    """The split that the run of `cell` was evaluated on, with the clusters of its queries."""
    return evaluated_split(cell.inputs.collection, cell.inputs.split, sweep.evaluate.cluster)


def _copies(stages: Iterable[Stage], store: Store) -> dict[str, CopiesOnCard]:
    """What the lists of each training lost, the most of one kind where there are several."""
    found: dict[str, CopiesOnCard] = {}
    for stage in stages:
        copies = CopiesLeftOut.read(store.place(stage)) if stage.trains and store.has(stage) else None
        known = found.get(stage.kind)
        if copies is not None and (known is None or copies.documents > known.documents):
            found[stage.kind] = CopiesOnCard(documents=copies.documents, lists=copies.lists)
    return found
