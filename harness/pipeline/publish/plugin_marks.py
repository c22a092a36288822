"""What a card says of the plug-ins behind a run, and of a run that one made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.checked_plugins import is_passed
from harness.collections.collection import Corpus
from harness.pipeline.builder import PlannedCell
from harness.pipeline.publish.stage_facts import StageFacts
from harness.pipeline.store import Store
from harness.plugins import Plugin
from harness.published.card_plugins import PluginSection
from harness.retrieval.run import Run
from harness.source_hash import is_foreign, source_hash
from harness.stage import Stage
from harness.text import counted, plain


def plugin_sections(cell: PlannedCell, stages: Iterable[Stage], facts: StageFacts) -> tuple[PluginSection, ...]:
    """The plug-ins that made a cell, which rests on `stages`, each with the hash of its source and whether it was
    checked."""
    kinds = {cell.cell.method: None} | {kind: None for stage in stages for kind in facts.plugin_classes(stage)}
    found = [_section(kind) for kind in kinds if issubclass(kind, Plugin) and is_foreign(kind)]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.kind, one.name)))


def _section(kind: type[Plugin]) -> PluginSection | None:
    group, code = str(getattr(kind, "entry_point_group", "")), source_hash(kind)
    if not group or code is None:
        return None
    checked = is_passed(group, kind.name, code)
    return PluginSection(kind=group.rpartition(".")[2], name=plain(kind.name), code=code, checked=checked)


def run_faults(cell: PlannedCell, store: Store) -> tuple[str, ...]:
    """What is odd about the run of a cell of which nobody knows how it was made."""
    run = Run.read(store.place(cell.run) / "run.trec.gz")
    return tuple(_faults(run, cell.inputs.collection.corpus, cell.inputs.depth))


def _faults(run: Run, corpus: Corpus, depth: int) -> Iterator[str]:
    documents = list({document: None for ranked in run.scores.values() for document in ranked})
    if absent := int((corpus.find(documents) < 0).sum()):
        yield f"its run holds {counted(absent, 'document')} that the collection does not have"
    ranked = [scores for scores in run.scores.values() if len(scores) > 1]
    if ranked and all(len(set(scores.values())) == 1 for scores in ranked):
        yield "its run gives all documents of a query the same score, so that their ids decide"
    if (longest := max(map(len, run.scores.values()), default=0)) > depth:
        yield f"its run holds {longest:,} documents for a query, where {depth:,} were asked for"
