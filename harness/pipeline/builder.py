"""From a sweep file to stages: prepares collections, gives every method its inputs, asks it for its part of the
graph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.collections.collection import Collection, Corpus, Texts
from harness.collections.pool import training_pool
from harness.collections.prepared import PreparedCollection
from harness.config.cells import Cell, expand
from harness.config.parts import DENSE
from harness.config.sweep_file import SweepFile
from harness.device import resolve_numerics
from harness.errors import UserError
from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Teacher
from harness.method import MethodInputs
from harness.numerics.active_numerics import using_numerics
from harness.pipeline.faults import FaultCollector, method_path
from harness.pipeline.fidelity.trace_plan import EvaluatedCandidates, TracePlan
from harness.pipeline.graph import closure
from harness.pipeline.isolation.blind_collection import BlindCollection, hidden_splits
from harness.pipeline.outcome.stage_fault import Refused, StageFault
from harness.pipeline.qa_cells import AnswerEvaluation, answer_evaluation
from harness.pipeline.sweep_inputs import SweepInputs
from harness.pipeline.trial_selection import SelectTrial, search, select_trial
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugin_code.plugin_guard import plugin_guard
from harness.plugin_files import plugin_timeout
from harness.retrieval.search_stages import DenseSearch, Embed, Interleave, lexical_search
from harness.source_hash import is_foreign
from harness.stage import Stage, digest
from harness.training.training_inputs import TrainingInputs

if TYPE_CHECKING:
    from harness.qa.answer_stages import Answered


@dataclass(frozen=True)
class SharedInputs:
    """A collection of the sweep with what all its cells share."""

    collection: Collection
    pool: Stage
    candidates: Stage


@dataclass(frozen=True)
class PlannedCell:
    """One cell of the sweep and the stages that end it."""

    cell: Cell
    inputs: MethodInputs
    run: Stage
    evaluate: Evaluate | Answered
    choice: SelectTrial | None = None
    """What chose the retriever; None where the cell has no trials."""
    trace: Stage | None = None
    """How far each model follows what taught it; None where there is no such model, or the sweep wants none."""

    @property
    def finals(self) -> tuple[Stage, ...]:
        """What the cell needs; its result is there without the trace."""
        return (self.evaluate,) if self.trace is None else (self.evaluate, self.trace)


@dataclass(frozen=True)
class UnplannedCell:
    """A cell whose method failed when it was asked for its stages."""

    cell: Cell
    fault: StageFault

    @property
    def key(self) -> str:
        """What its failure is kept under, in place of the key of a stage."""
        return digest([str(self.cell), self.cell.settings.model_dump(mode="json")])


class Builder:
    """Turns the cells of one sweep file into stages. Building prepares collections (reads them once) and runs nothing
    else."""

    def __init__(self, sweep: SweepFile, workspace: WorkspaceFolder) -> None:
        self.sweep = sweep
        self.numerics = resolve_numerics(sweep.numerics)
        self.workspace = workspace
        self.base = sweep.source.path.parent
        self.unplanned: list[UnplannedCell] = []
        """Cells that `cells` left out, since their methods raised."""
        self._benches: dict[str, SharedInputs] = {}
        self._evaluated: dict[str, EvaluatedCandidates] = {}
        self._sound: set[str] = set()
        """Keys of stages that were asked for all that a sweep asks of them."""
        self._seconds = sweep.timeout or plugin_timeout()
        """That a plug-in has to plan a cell."""
        self.inputs = SweepInputs(
            sweep, lambda spec: workspace.collection(spec, sweep.source.path.parent), workspace.server
        )

    def cells(self) -> list[PlannedCell]:
        """Every cell of the sweep with its stages, in the numerics of the sweep. Raises UserErrors with all missing
        collections, models and the like."""
        with using_numerics(self.numerics):
            return self._cells()

    def _cells(self) -> list[PlannedCell]:
        self.inputs.check()
        faults = FaultCollector(self.sweep.source)
        cells: list[PlannedCell] = []
        for cell in expand(self.sweep).cells:
            with faults.at(method_path(self.sweep.source, cell)):
                try:
                    cells.append(self._planned(cell))
                except (UserError, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self.unplanned.append(UnplannedCell(cell, StageFault.of(error, (cell.method,)).masked()))
        with faults.at(("evaluate", "answers")):
            cells += self._references()
        faults.finish()
        return self._traced(cells) if self.sweep.evaluate.trace else cells

    def _traced(self, cells: list[PlannedCell]) -> list[PlannedCell]:
        """The cells with their traces, which may read labels of one another."""
        stages = closure(cell.run for cell in cells).values()
        plan = TracePlan(stage for stage in stages if isinstance(stage, Labels))
        return [replace(cell, trace=self._trace(cell, plan)) for cell in cells]

    def _trace(self, cell: PlannedCell, plan: TracePlan) -> Stage | None:
        evaluated = self._evaluated_candidates(cell)
        if cell.choice is not None:
            return plan.chosen_trace(cell.choice, cell.run, cell.inputs, evaluated)
        return plan.trace(cell.run, cell.inputs, evaluated)

    def _evaluated_candidates(self, cell: PlannedCell) -> EvaluatedCandidates | None:
        """The first stage on the evaluated split, by the metric that leads the board where judged documents suffice;
        one for all cells of a collection."""
        if not self.sweep.evaluate.ranking:
            return None
        mark, inputs = digest(cell.cell.collection), cell.inputs
        if mark not in self._evaluated:
            first = self._first_stage(inputs.collection, inputs.collection.queries(inputs.split), inputs.depth)
            self._evaluated[mark] = EvaluatedCandidates(first, self.sweep.evaluate.ranking[0])
        return self._evaluated[mark]

    def _references(self) -> Iterator[PlannedCell]:
        """What a reader's answers are held against, where the sweep has one."""
        if (ending := self._ending) is None:
            return
        for spec in self.sweep.collections:
            for cell, inputs, run in ending.references(spec, self._inputs):
                ranking = self._scored(inputs, run) if inputs.teacher else None
                yield PlannedCell(cell, inputs, run, ending.last_stage(inputs, run, ranking))

    @property
    def teachers(self) -> dict[str, Teacher]:
        """The sweep's teachers by the names it gave them; a reader that is none of them by `INLINE`."""
        return self.inputs.teachers

    @cached_property
    def _ending(self) -> AnswerEvaluation | None:
        return answer_evaluation(self.sweep, self.teachers)

    def _planned(self, cell: Cell) -> PlannedCell:
        inputs = self._inputs(cell)
        given = self._blind(inputs) if is_foreign(cell.method) else inputs
        with plugin_guard(self._seconds) if is_foreign(cell.method) else nullcontext():
            choice = select_trial(cell, given, self.sweep.tune) if self.sweep.tune and cell.trials else None
            run = search(cell, given, choice) if choice else cell.method(cell.settings).run(given)
            self._check_stages(cell, run)
        ranking = self._scored(inputs, run, inputs.collection.corpus if is_foreign(cell.method) else None)
        return PlannedCell(
            cell, inputs, run, self._ending.last_stage(inputs, run, ranking) if self._ending else ranking, choice
        )

    def _check_stages(self, cell: Cell, run: Stage) -> None:
        """Asks the stages of a cell for all that the sweep will, so that what a plug-in's raise is the cell's
        failure."""
        if not isinstance(run, Stage):
            raise Refused(f"run() of {cell.method.__name__} returned {run!r}, where the last stage of the cell is due")
        for key, stage in closure([run]).items():
            if key not in self._sound:
                _check_stage(stage)
                self._sound.add(key)

    def _blind(self, inputs: MethodInputs) -> MethodInputs:
        """What a plug-in is given."""
        found = inputs.collection
        assert isinstance(found, PreparedCollection)
        hidden = hidden_splits(self.sweep)
        return replace(inputs, collection=BlindCollection(found.folder, found.name, found.drop_identical, hidden))

    def _scored(self, inputs: MethodInputs, run: Stage, corpus: Corpus | None = None) -> Evaluate:
        judgments = inputs.collection.judgments(inputs.split)
        return Evaluate(source=run, judgments=judgments, metrics=self.sweep.evaluate.ranking, corpus=corpus)

    def _inputs(self, cell: Cell) -> MethodInputs:
        bench = self._bench(cell.collection)
        return TrainingInputs(
            collection=bench.collection,
            split=self.sweep.evaluate.split,
            depth=self.sweep.evaluate.depth,
            pool=bench.pool,
            candidates=bench.candidates,
            list_depth=self.sweep.candidates.depth,
            retriever=self.inputs.retriever,
            ranker=self.inputs.ranker,
            max_length=self.sweep.max_length,
            base=self.base,
            teacher=self.teachers[cell.teacher] if cell.teacher is not None else None,
            budget=cell.budget,
            resample=cell.resample,
            seed=cell.seed,
        )

    def _bench(self, spec: Any) -> SharedInputs:
        mark = digest(spec)
        if mark not in self._benches:
            self._benches[mark] = self._new_bench(self.inputs.collection(spec))
        return self._benches[mark]

    def _new_bench(self, collection: Collection) -> SharedInputs:
        settings = self.sweep.candidates
        pool = training_pool(collection, settings.sources, settings.pool, shares=settings.shares)
        return SharedInputs(collection, pool, self._first_stage(collection, pool, settings.depth))

    def _first_stage(self, collection: Collection, queries: Texts | Stage, depth: int) -> Stage:
        settings = self.sweep.candidates
        runs: list[Stage] = []
        for engine in settings.engines:
            if engine.startswith(DENSE):
                model = self.inputs.encoder(engine)
                corpus = Embed(model=model, texts=collection.corpus, max_length=self.sweep.max_length)
                runs.append(
                    DenseSearch(model=model, corpus=corpus, queries=queries, ids=collection.corpus, depth=depth)
                )
            else:
                runs.append(lexical_search(engine, settings.engine_settings, collection.corpus, queries, depth))
        return runs[0] if len(runs) == 1 else Interleave(runs=tuple(runs), depth=depth)


def _check_stage(stage: Stage) -> None:
    _ = stage.priority, stage.resources
    # Artefacts lie in a folder of that name.
    if not re.fullmatch(r"\w[\w.-]{0,99}", str(stage.kind)):
        raise Refused(f"the kind of {type(stage).__name__} is {stage.kind!r}; letters, digits, _, . and - name one")
    if not isinstance(stage.label, str):
        raise Refused(f"the label of {type(stage).__name__} is {stage.label!r}, where text is due")
