"""A method at work on the small setting: its stages, made in a workspace of their own, and what came out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.collections.crops import TrainingQuery
from harness.collections.pool import training_pool
from harness.collections.prepared import PreparedCollection
from harness.collections.sample import draw_queries
from harness.errors import UserError
from harness.files import sha256
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.teacher import Teacher
from harness.method import Axis, Method, MethodInputs, RetrieverMethod
from harness.models import ModelFiles, resolve_model
from harness.pipeline.graph import closure, missing
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugin_checks.check import Broken, raised
from harness.plugin_checks.fixture import PLAIN, FixtureVariant, collection
from harness.plugin_checks.guarded_collection import GuardedCollection
from harness.plugin_checks.stray_files import written_outside
from harness.plugin_checks.stub_spec import StubSpec, teacher_for
from harness.plugin_checks.stub_teacher import record_questions
from harness.plugins import Settings
from harness.retrieval.search_stages import lexical_search
from harness.stage import Stage
from harness.training.training_inputs import TrainingInputs

MODEL = "bundled:bert-tiny"
BUDGET, RUN_DEPTH, LIST_DEPTH, MAX_LENGTH = 20, 20, 5, 32
Watch = Callable[[Stage, bool], None]
"""Told of every stage twice: before it is made (False) and after (True)."""


@dataclass(frozen=True)
class CheckVariant:
    """How one run of the method differs from the plain one."""

    world: FixtureVariant = PLAIN
    failing: bool = False
    scored: bool = False
    guarded: bool = False
    """Whether the collection raises when its test judgments are read."""
    other: Axis | None = None
    """The axis that has another value."""


@dataclass(frozen=True)
class Planned:
    """The stages of a trial."""

    run: Stage
    model: ModelFiles | Stage | None
    teacher: Teacher | None

    @property
    def target(self) -> Stage:
        """What trials are compared by: the trained retriever, or the run where none is trained."""
        return self.model if isinstance(self.model, Stage) else self.run

    @property
    def trained(self) -> bool:
        """Whether there is a trained retriever."""
        return self.target is not self.run


@dataclass
class CheckSetup:
    """A method with its settings on the small setting, below the folder `home`."""

    method: type[Method]
    settings: Settings
    home: Path
    outside: set[Path] = field(default_factory=set)
    """Files that its runs wrote beside their workspace, and left there."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage of the plain run took, by key; not those that the harness makes for all methods."""
    _asked: list[str] = field(default_factory=list)

    def inputs(self, trial: CheckVariant, teacher: Teacher | None) -> MethodInputs:
        """What the method is given: axes that it does not declare are None."""
        found = self.collection(trial)
        pool = training_pool(found, ("train", "titles"))
        model = resolve_model(MODEL)
        axes = self.method.axes
        return TrainingInputs(
            collection=found,
            split="test",
            depth=RUN_DEPTH,
            pool=pool,
            candidates=lexical_search("bm25s", {}, found.corpus, pool, LIST_DEPTH),
            list_depth=LIST_DEPTH,
            retriever=model,
            ranker=model,
            max_length=MAX_LENGTH,
            base=self.home,
            teacher=teacher,
            budget=(BUDGET // 2 if trial.other == "budget" else BUDGET) if "budget" in axes else None,
            resample=int(trial.other == "resample") if "resample" in axes else None,
            seed=int(trial.other == "seed") if "seed" in axes else None,
        )

    def collection(self, trial: CheckVariant) -> PreparedCollection:
        """The collection of a trial."""
        found = collection(trial.world, self.home)
        return GuardedCollection(found.folder, found.name, "answers" in self.method.needs) if trial.guarded else found

    def planned(self, trial: CheckVariant) -> Planned:
        """The stages that the method puts together. Whatever it raises passes through."""
        teacher = self._teacher(trial)
        inputs, method = self.inputs(trial, teacher), self.method(self.settings)
        model = method.retriever(inputs) if isinstance(method, RetrieverMethod) else None
        return Planned(method.run(inputs), model, teacher)

    def _teacher(self, trial: CheckVariant) -> Teacher | None:
        part = StubSpec(self.home, trial.failing, trial.scored, trial.other == "teacher")
        return teacher_for(self.method.needs, part) if "teacher" in self.method.axes else None

    def make(self, final: Stage, folder: Path, watch: Watch = lambda stage, done: None) -> Store:
        """`final` made in the workspace at `folder`; what the harness itself prepares for every method is there
        already."""
        workspace = WorkspaceFolder(folder)
        store = workspace.store
        if not folder.is_dir():
            self._base()
            shutil.copytree(WorkspaceFolder(self.home / "base").store.root, store.root, copy_function=os.link)
        with workspace, written_outside(self.home) as outside:
            for stage in missing([final], store, verify=True).values():
                watch(stage, False)
                run_stage(stage, store, workspace.ledger, workspace.cache(), lambda done, total, unit: None)
                watch(stage, True)
        self.outside.update(outside)
        return store

    def _base(self) -> None:
        workspace = WorkspaceFolder(self.home / "base")
        inputs, store = self.inputs(CheckVariant(), None), workspace.store
        for stage in missing([inputs.candidates], store).values():
            run_stage(stage, store, workspace.ledger, workspace.cache(), lambda done, total, unit: None)

    def run_variant(self, trial: CheckVariant, name: str, whole: bool = False) -> dict[str, str]:
        """The hashes of a trial's target, made in the workspace `name`; with `whole` of its run too."""
        planned = self.planned(trial)
        self.make(planned.run if whole else planned.target, self.home / name)
        return self.found(trial, name, whole)

    def found(self, trial: CheckVariant, name: str, whole: bool = False) -> dict[str, str]:
        """The same of what stands in the workspace `name` already; nothing where it has no such key."""
        planned, store = self.planned(trial), WorkspaceFolder(self.home / name).store
        wanted = [planned.target, planned.run] if whole else [planned.target]
        return {
            file: told for stage in wanted if store.has(stage) for file, told in weights(store.place(stage)).items()
        }

    @cached_property
    def main(self) -> tuple[Planned, Store]:
        """The plain run. Raises Broken ``runs`` when it fails."""
        try:
            with record_questions(self._teacher(CheckVariant())) as asked:
                planned = self.planned(CheckVariant())
                store = self.make(planned.run, self.home / "main")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise Broken(raised(error), "runs") from error
        self._asked = asked
        shared = {path.name for path in WorkspaceFolder(self.home / "base").store.root.glob("*/*")}
        own = [stage for stage in closure([planned.target]).values() if stage.key not in shared and store.has(stage)]
        self.seconds = {stage.key: store.manifest(stage)["seconds"] for stage in own}
        return planned, store

    def wanted(self, whole: bool = False) -> dict[str, str]:
        """The hashes of the plain run's target; with `whole` of its run too."""
        return self.found(CheckVariant(), "main", whole) if self.main else {}

    @cached_property
    def guarded(self) -> dict[str, str] | Broken:
        """The hashes of the target on a collection that raises, or what it raised."""
        _ = self.main
        try:
            return self.run_variant(CheckVariant(guarded=True), "guarded")
        except Broken as seen:
            return seen

    @cached_property
    def labelled(self) -> list[str]:
        """Ids of the pool's queries that teachers like that of the plain run were asked about, by whomever, and as its
        labels show."""
        planned, store = self.main
        stages = [stage for stage in closure([planned.target]).values() if isinstance(stage, Labels)]
        ranked = [ranking.query for stage in stages for ranking in read_rankings(store.read(stage) / RANKINGS)]
        known = {query.id for query in self._pool}
        return list(dict.fromkeys(query for query in [*self._asked, *ranked] if query in known))

    @cached_property
    def drawn(self) -> list[str]:
        """Ids of the queries that the budget allows."""
        return [query.id for query in self._pool[:BUDGET]]

    @cached_property
    def undrawn(self) -> tuple[str, ...]:
        """Ids of the other queries that people wrote."""
        return tuple(query.id for query in self._pool[BUDGET:] if query.source == "train")

    @cached_property
    def _pool(self) -> list[TrainingQuery]:
        rows = list(training_pool(self.collection(CheckVariant()), ("train", "titles")).rows())
        return draw_queries(rows, 0, len(rows))


def weights(folder: Path) -> dict[str, str]:
    """sha256 by name of an artefact's weights; of its run, where it holds no weights."""
    found = sorted(folder.rglob("*.safetensors")) or sorted(folder.glob("run.trec.gz"))
    if not found:
        raise UserError(
            f"the artefact of the last stage holds neither weights (*.safetensors) nor a run: {_names(folder)}"
        )
    return {str(file.relative_to(folder)): sha256(file) for file in found}


def _names(folder: Path) -> str:
    return ", ".join(sorted(file.name for file in folder.iterdir()))
