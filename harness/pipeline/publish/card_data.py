"""The data of a run, for its card."""

from __future__ import annotations

from collections.abc import Iterable

from harness.config.sweep_file import SweepFile
from harness.pipeline.builder import PlannedCell
from harness.pipeline.store import Store
from harness.published.card import CopiesOnCard, Data, DataSource, TestCollection
from harness.stage import Stage
from harness.training_lists.copies import CopiesLeftOut


def card_data(cell: PlannedCell, sweep: SweepFile, stages: Iterable[Stage], store: Store) -> Data:
    """What the run was evaluated on, where its training queries came from, and what its training lists lost."""
    collection = cell.inputs.collection
    names = () if cell.cell.resample is None else sweep.candidates.sources
    test = TestCollection(
        name=collection.name,
        split=cell.inputs.split,
        content_hash=collection.split_hash(cell.inputs.split),
        former_content_hash=collection.content_hash,
        drop_identical=collection.judgments(cell.inputs.split).drop_identical,
    )
    test = test.model_copy(update={"warnings": collection.report.faults()})
    return Data(
        test_collection=test,
        training_data=tuple(DataSource(name=name) for name in names),
        copies_left_out=_copies(stages, store),
    )


def _copies(stages: Iterable[Stage], store: Store) -> dict[str, CopiesOnCard]:
    """What the lists of each training lost, the most of one kind where there are several."""
    found: dict[str, CopiesOnCard] = {}
    for stage in stages:
        copies = CopiesLeftOut.read(store.place(stage)) if stage.trains and store.has(stage) else None
        known = found.get(stage.kind)
        if copies is not None and (known is None or copies.documents > known.documents):
            found[stage.kind] = CopiesOnCard(documents=copies.documents, lists=copies.lists)
    return found
