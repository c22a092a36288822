"""What a method promises."""

from __future__ import annotations

from functools import cached_property
from typing import get_args

import numpy as np

from harness._lazy import lazy
from harness.labelling.labels.teacher import GIVES
from harness.method import Axis, Category
from harness.models import ModelFiles, resolve_model
from harness.plugin_checks.check import Broken, Checks, NotChecked, check_description, raised
from harness.plugin_checks.check_setup import BUDGET, MODEL, RUN_DEPTH, CheckSetup, CheckVariant, weights
from harness.plugin_checks.fixture import FixtureVariant, query_ids
from harness.plugin_checks.leakage import Leakage
from harness.plugin_checks.repetition import Repetition
from harness.plugin_checks.stub_spec import may_fail
from harness.plugin_checks.subprocess_run import run_in_subprocess
from harness.pretrained.loading import silence_libraries
from harness.retrieval.run import Run
from harness.stage import Stage

sentence_transformers = lazy("sentence_transformers")

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


class MethodSetup(CheckSetup):
    """A method on the small setting, with what several checks ask of it."""

    @cached_property
    def repetition(self) -> Repetition:
        """Whether it ends in the same bytes again."""
        return Repetition(self)

    @cached_property
    def leakage(self) -> Leakage:
        """Whether it sees what it must not."""
        return Leakage(self, self.repetition)


CONTRACTS: Checks[MethodSetup] = Checks()
"""What is tried, in this order."""


@CONTRACTS.add(
    "describes-itself",
    "says what it is, what it needs and what it may see",
    remedy="set the class attributes; baselines/black_box/direct.py is an example",
)
def describes_itself(setup: MethodSetup) -> None:
    """Attributes that lists, boards and sweep files rely on."""
    method, faults = setup.method, []
    if method.category not in get_args(Category):
        faults.append(f"'category' is '{method.category}', not one of {', '.join(get_args(Category))}")
    if unknown := sorted(set(method.axes) - set(get_args(Axis))):
        faults.append(f"'axes' holds {', '.join(unknown)}; known: {', '.join(get_args(Axis))}")
    if not method.sees or set(method.needs) - set(method.sees):
        faults.append(
            f"'sees' ({', '.join(method.sees) or 'empty'}) must hold what it needs ({', '.join(method.needs)}), or "
            "'nothing'"
        )
    if (asked := [need for need in method.needs if need in GIVES]) and "teacher" not in method.axes:
        faults.append(f"it needs {' and '.join(asked)} of a teacher, but 'teacher' is not among its axes")
    if "teacher" in method.axes and not asked:
        faults.append(f"'teacher' is among its axes, but it needs nothing that a teacher gives ({', '.join(GIVES)})")
    check_description(method, faults)


@CONTRACTS.add(
    "runs",
    "gives a run of the evaluated queries over the collection's documents",
    remedy="see the reason; the board never shows a method without a run",
)
def runs(setup: MethodSetup) -> None:
    """The run is a run of the test queries."""
    planned, store = setup.main
    scores = Run.read(store.read(planned.run)).scores
    plain = setup.collection(CheckVariant())
    queries, documents = set(plain.queries("test").ids), set(plain.corpus.ids)
    if foreign := sorted(set(scores) - queries):
        raise Broken(f"its run holds queries that are not of the evaluated split, such as '{foreign[0]}'")
    if absent := sorted(queries - {query for query, ranked in scores.items() if ranked}):
        told = f"its run holds documents for {len(queries) - len(absent)} of {len(queries)} queries"
        raise Broken(f"{told}; none for '{absent[0]}', so that it would be rated by fewer queries than others")
    if strange := sorted({found for ranked in scores.values() for found in ranked} - documents):
        raise Broken(f"its run holds documents that the collection does not have, such as '{strange[0]}'")
    if (longest := max(map(len, scores.values()))) > RUN_DEPTH:
        raise Broken(f"its run holds {longest} documents for a query, where {RUN_DEPTH} were asked for")


@CONTRACTS.add(
    "retriever",
    "gives a folder that SentenceTransformer(path) loads",
    remedy="save with SentenceTransformer.save, or train with harness.training.train_stages.TrainRetriever",
)
def gives_a_retriever(setup: MethodSetup) -> None:
    """A folder that sentence-transformers loads and that gives finite vectors."""
    planned, store = setup.main
    if planned.model is None:
        raise NotChecked("it searches without a retriever")
    folder = planned.model.path if isinstance(planned.model, ModelFiles) else store.read(planned.model)
    if isinstance(planned.model, Stage) and (
        pickles := [file.name for file in folder.rglob("*") if file.suffix in PICKLES]
    ):
        raise Broken(f"its retriever holds {pickles[0]}, which loads by unpickling")
    try:
        with silence_libraries():
            model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
        vectors = model.encode(["a query", "a document about something else"], show_progress_bar=False)
    except Exception as error:
        raise Broken(f"SentenceTransformer(folder) {raised(error).removeprefix('it ')}") from error
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise Broken("its retriever gives vectors that are not finite")


@CONTRACTS.add(
    "deterministic",
    "gives the same bytes when it runs again, also in another process",
    remedy="draw from generators seeded with inputs.seed; sort before you walk over a set; use "
    "harness.device.deterministic",
)
def is_deterministic(setup: MethodSetup) -> None:
    """Again here, and in another process, where sets have another order; and nothing is left for a later run to
    find."""
    planned, _ = setup.main
    if not setup.repetition.is_equal:
        raise Broken(f"two runs with the same seed gave other bytes in '{planned.target.kind}'")
    # A process that gave the plain run's bytes though all it must not see was changed has shown both at once.
    if setup.leakage.differs and setup.repetition.fault_in_subprocess:
        raise Broken(setup.repetition.fault_in_subprocess)
    if setup.outside:
        raise Broken(
            f"it writes {min(setup.outside)}, outside its workspace, where a later run may find it and end otherwise"
        )


@CONTRACTS.add(
    "budget",
    "sees the labels of the drawn queries only",
    remedy="take queries from inputs.subset() and rankings from inputs.labels(); more queries may be drawn only "
    "without their labels",
)
def respects_the_budget(setup: MethodSetup) -> None:
    """The teacher is asked about drawn queries only, and the gold labels and short answers of others make no
    difference."""
    if "budget" not in setup.method.axes:
        raise NotChecked("a budget makes no difference to it")
    asked = setup.labelled
    if beyond := [query for query in asked if query not in setup.drawn]:
        raise Broken(
            f"with a budget of {BUDGET} the teacher was asked about {len(asked)} queries; '{beyond[0]}' is not among "
            "those drawn"
        )
    setup.leakage.keeps("budget")


@CONTRACTS.add(
    "test-data",
    "sees no test judgments, and test queries only when it searches for them",
    remedy="never read inputs.collection.judgments(inputs.split); choose on the dev split",
)
def sees_no_test_data(setup: MethodSetup) -> None:
    """Test judgments raise when they are touched; other ones change neither retriever nor run, other test queries no
    retriever."""
    planned, _ = setup.main
    _guarded(setup, "test-data")
    other = setup.planned(CheckVariant(world=FixtureVariant(judgments=query_ids("test"))))
    for ours, theirs in ((planned.target, other.target), (planned.run, other.run)):
        if ours.key != theirs.key:
            raise Broken(f"the key of '{ours.kind}' changes with the judgments of the test split")
    setup.leakage.keeps("test-data")


def _guarded(setup: MethodSetup, contract: str) -> None:
    """What a run on a collection that raises said about `contract`."""
    if isinstance(setup.guarded, Broken) and setup.guarded.contract == contract:
        raise setup.guarded


@CONTRACTS.add(
    "needs",
    "uses only what it declares among its needs",
    remedy="add it to `needs` and `sees`, or do without it: the board groups methods by what they may see",
)
def declares_its_needs(setup: MethodSetup) -> None:
    """What it does not declare makes no difference to it, or raises."""
    _guarded(setup, "needs")
    setup.leakage.keeps("needs")
    setup.leakage.keeps_together()


@CONTRACTS.add(
    "axes",
    "makes a difference on every axis it declares",
    remedy="pass inputs.seed, inputs.subset() and inputs.labels() on to the stages, or take the axis out of `axes`",
)
def has_true_axes(setup: MethodSetup) -> None:
    """Another value on a declared axis means another run, by its key and by its bytes; and training moves the
    student."""
    planned, store = setup.main
    axes = sorted(setup.method.axes)
    if idle := [axis for axis in axes if setup.planned(CheckVariant(other=axis)).run.key == planned.run.key]:
        raise Broken(f"another {idle[0]} gives the very same run, so that one run would count as several")
    student = resolve_model(MODEL).path
    if (
        axes
        and planned.trained
        and set(weights(store.place(planned.target)).values()) <= set(weights(student).values())
    ):
        raise Broken(
            f"its retriever has the weights of the student that it started from, whatever its {', '.join(axes)}: "
            "nothing was learnt"
        )
    if idle := [axis for axis in axes if _unmoved(setup, axis)]:
        raise Broken(
            f"another {idle[0]} gives the very same bytes in '{planned.target.kind}', so that one run would count as "
            "several"
        )


def _unmoved(setup: MethodSetup, axis: Axis) -> bool:
    """Whether another value on `axis` ends in the same bytes. What a teacher's failures do is another contract's
    matter."""
    try:
        return setup.run_variant(CheckVariant(other=axis), "main") == setup.wanted()
    except Exception:
        if axis == "teacher":
            return False
        raise


@CONTRACTS.add(
    "resumes",
    "ends in the same bytes after a kill",
    remedy="write only into `out`; what context.cache holds may be half written",
)
def resumes(setup: MethodSetup) -> None:
    """Killed in the middle of its longest stage, then run again."""
    planned, _ = setup.main
    if not setup.seconds:
        raise NotChecked("it has no stage of its own")
    longest = max(setup.seconds, key=lambda key: setup.seconds[key])
    run_in_subprocess(setup, CheckVariant(), "killed", kill=(longest, setup.seconds[longest] / 2))
    try:
        again = setup.run_variant(CheckVariant(), "killed")
    except Exception as error:
        raise Broken(f"after a kill in its longest stage {raised(error)}") from error
    if again != setup.wanted() and setup.repetition.is_equal and not setup.repetition.fault_in_subprocess:
        raise Broken(f"after a kill in its longest stage '{planned.target.kind}' has other bytes than without")


@CONTRACTS.add(
    "missing-answers",
    "goes on when the teacher gave no answer to some queries",
    remedy="leave out rankings whose verdict is 'failed'; harness.training_lists.list_stages.RankedLists does",
)
def survives_missing_answers(setup: MethodSetup) -> None:
    """Every fourth query has a failed ranking, or no short answer where those are read."""
    teacher, needs = setup.main[0].teacher, setup.method.needs
    if teacher is None:
        raise NotChecked("it uses no teacher")
    if not may_fail(needs) and "answers" not in needs:
        raise NotChecked(f"a teacher of kind '{teacher.name}' always answers")
    setup.run_variant(CheckVariant(failing=True, world=FixtureVariant(unanswered="answers" in needs)), "main")
