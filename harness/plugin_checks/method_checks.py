"""What a method promises."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from harness._lazy import lazy
from harness.labelling.labels.teacher import GIVES
from harness.method import Axis, Category, Method
from harness.models import ModelFiles, resolve_model
from harness.plugin_checks.check import Broken, Check, NotChecked, raised
from harness.plugin_checks.check_setup import BUDGET, MODEL, RUN_DEPTH, CheckSetup, CheckVariant, weights
from harness.plugin_checks.fixture import FixtureVariant, query_ids
from harness.plugin_checks.stub_spec import may_fail
from harness.plugin_checks.subprocess_run import run_in_subprocess
from harness.plugins import Settings
from harness.retrieval.run import Run
from harness.stage import Stage
from harness.students.student import silence_libraries

sentence_transformers = lazy("sentence_transformers")

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def opened(plugin: type[Method], settings: Settings, home: Path) -> CheckSetup:
    """A method on the small setting."""
    return CheckSetup(plugin, settings, home)


def describes_itself(bench: CheckSetup) -> None:
    """Attributes that lists, boards and sweep files rely on."""
    method, faults = bench.method, []
    if not method.summary or method.summary.endswith("."):
        faults.append("'summary' must be a few words without a full stop")
    if not (method.__doc__ or "").strip():
        faults.append("the class has no docstring")
    if method.category not in get_args(Category):
        faults.append(f"'category' is '{method.category}', not one of {', '.join(get_args(Category))}")
    if unknown := sorted(set(method.axes) - set(get_args(Axis))):
        faults.append(f"'axes' holds {', '.join(unknown)}; known: {', '.join(get_args(Axis))}")
    if not method.sees or set(method.needs) - set(method.sees):
        faults.append(f"'sees' ({', '.join(method.sees) or 'empty'}) must hold what it needs ({', '.join(method.needs)}), or 'nothing'")
    if (asked := [need for need in method.needs if need in GIVES]) and "teacher" not in method.axes:
        faults.append(f"it needs {' and '.join(asked)} of a teacher, but 'teacher' is not among its axes")
    if "teacher" in method.axes and not asked:
        faults.append(f"'teacher' is among its axes, but it needs nothing that a teacher gives ({', '.join(GIVES)})")
    if faults:
        raise Broken("; ".join(faults))


def runs(bench: CheckSetup) -> None:
    """The run is a run of the test queries."""

    planned, store = bench.main
    scores = Run.read(store.read(planned.run)).scores
    plain = bench.collection(CheckVariant())
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


def gives_a_retriever(bench: CheckSetup) -> None:
    """A folder that sentence-transformers loads and that gives finite vectors."""

    planned, store = bench.main
    if planned.model is None:
        raise NotChecked("it searches without a retriever")
    folder = planned.model.path if isinstance(planned.model, ModelFiles) else store.read(planned.model)
    if isinstance(planned.model, Stage) and (pickles := [file.name for file in folder.rglob("*") if file.suffix in PICKLES]):
        raise Broken(f"its retriever holds {pickles[0]}, which loads by unpickling")
    try:
        with silence_libraries():
            model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
        vectors = model.encode(["a query", "a document about something else"], show_progress_bar=False)
    except Exception as error:
        raise Broken(f"SentenceTransformer(folder) {raised(error).removeprefix('it ')}") from error
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise Broken("its retriever gives vectors that are not finite")


def is_deterministic(bench: CheckSetup) -> None:
    """Again here, and in another process, where sets have another order; and nothing is left for a later run to find."""
    planned, _ = bench.main
    if not bench.repeats:
        raise Broken(f"two runs with the same seed gave other bytes in '{planned.target.kind}'")
    # A process that gave the plain run's bytes though all it must not see was changed has shown both at once.
    if bench.leakage.differs and bench.fault_in_subprocess:
        raise Broken(bench.fault_in_subprocess)
    if bench.outside:
        raise Broken(f"it writes {min(bench.outside)}, outside its workspace, where a later run may find it and end otherwise")


def respects_the_budget(bench: CheckSetup) -> None:
    """The teacher is asked about drawn queries only, and the gold labels and short answers of others make no difference."""
    if "budget" not in bench.method.axes:
        raise NotChecked("a budget makes no difference to it")
    asked = bench.labelled
    if beyond := [query for query in asked if query not in bench.drawn]:
        raise Broken(f"with a budget of {BUDGET} the teacher was asked about {len(asked)} queries; '{beyond[0]}' is not among those drawn")
    bench.leakage.keeps("budget")


def sees_no_test_data(bench: CheckSetup) -> None:
    """Test judgments raise when they are touched; other ones change neither retriever nor run, other test queries no retriever."""
    planned, _ = bench.main
    _guarded(bench, "test-data")
    other = bench.planned(CheckVariant(world=FixtureVariant(judgments=query_ids("test"))))
    for ours, theirs in ((planned.target, other.target), (planned.run, other.run)):
        if ours.key != theirs.key:
            raise Broken(f"the key of '{ours.kind}' changes with the judgments of the test split")
    bench.leakage.keeps("test-data")


def _guarded(bench: CheckSetup, contract: str) -> None:
    """What a run on a collection that raises said about `contract`."""
    if isinstance(bench.guarded, Broken) and bench.guarded.contract == contract:
        raise bench.guarded


def declares_its_needs(bench: CheckSetup) -> None:
    """What it does not declare makes no difference to it, or raises."""
    _guarded(bench, "needs")
    bench.leakage.keeps("needs")
    bench.leakage.keeps_together()


def has_true_axes(bench: CheckSetup) -> None:
    """Another value on a declared axis means another run, by its key and by its bytes; and training moves the student."""
    planned, store = bench.main
    axes = sorted(bench.method.axes)
    if idle := [axis for axis in axes if bench.planned(CheckVariant(other=axis)).run.key == planned.run.key]:
        raise Broken(f"another {idle[0]} gives the very same run, so that one run would count as several")
    student = resolve_model(MODEL).path
    if axes and planned.trained and set(weights(store.place(planned.target)).values()) <= set(weights(student).values()):
        raise Broken(
            f"its retriever has the weights of the student that it started from, whatever its {', '.join(axes)}: nothing was learnt"
        )
    if idle := [axis for axis in axes if _unmoved(bench, axis)]:
        raise Broken(f"another {idle[0]} gives the very same bytes in '{planned.target.kind}', so that one run would count as several")


def _unmoved(bench: CheckSetup, axis: Axis) -> bool:
    """Whether another value on `axis` ends in the same bytes. What a teacher's failures do is another contract's matter."""
    try:
        return bench.run_variant(CheckVariant(other=axis), "main") == bench.wanted()
    except Exception:
        if axis == "teacher":
            return False
        raise


def resumes(bench: CheckSetup) -> None:
    """Killed in the middle of its longest stage, then run again."""
    planned, _ = bench.main
    if not bench.seconds:
        raise NotChecked("it has no stage of its own")
    longest = max(bench.seconds, key=lambda key: bench.seconds[key])
    run_in_subprocess(bench, CheckVariant(), "killed", kill=(longest, bench.seconds[longest] / 2))
    try:
        again = bench.run_variant(CheckVariant(), "killed")
    except Exception as error:
        raise Broken(f"after a kill in its longest stage {raised(error)}") from error
    if again != bench.wanted() and bench.repeats and not bench.fault_in_subprocess:
        raise Broken(f"after a kill in its longest stage '{planned.target.kind}' has other bytes than without")


def survives_missing_answers(bench: CheckSetup) -> None:
    """Every fourth query has a failed ranking, or no short answer where those are read."""
    teacher, needs = bench.main[0].teacher, bench.method.needs
    if teacher is None:
        raise NotChecked("it uses no teacher")
    if not may_fail(needs) and "answers" not in needs:
        raise NotChecked(f"a teacher of kind '{teacher.name}' always answers")
    bench.run_variant(CheckVariant(failing=True, world=FixtureVariant(unanswered="answers" in needs)), "main")


CONTRACTS: tuple[Check[CheckSetup], ...] = (
    Check(
        "describes-itself",
        "says what it is, what it needs and what it may see",
        "set the class attributes; baselines/direct.py is an example",
        describes_itself,
    ),
    Check(
        "runs",
        "gives a run of the evaluated queries over the collection's documents",
        "see the reason; the board never shows a method without a run",
        runs,
    ),
    Check(
        "retriever",
        "gives a folder that SentenceTransformer(path) loads",
        "save with SentenceTransformer.save, or train with harness.training.train_stages.TrainRetriever",
        gives_a_retriever,
    ),
    Check(
        "deterministic",
        "gives the same bytes when it runs again, also in another process",
        "draw from generators seeded with inputs.seed; sort before you walk over a set; use harness.device.deterministic",
        is_deterministic,
    ),
    Check(
        "budget",
        "sees the labels of the drawn queries only",
        "take queries from inputs.draw() and rankings from inputs.labels(); more queries may be drawn only without their labels",
        respects_the_budget,
    ),
    Check(
        "test-data",
        "sees no test judgments, and test queries only when it searches for them",
        "never read inputs.collection.judgments(inputs.split); choose on the dev split",
        sees_no_test_data,
    ),
    Check(
        "needs",
        "uses only what it declares among its needs",
        "add it to `needs` and `sees`, or do without it: the board groups methods by what they may see",
        declares_its_needs,
    ),
    Check(
        "axes",
        "makes a difference on every axis it declares",
        "pass inputs.seed, inputs.draw() and inputs.labels() on to the stages, or take the axis out of `axes`",
        has_true_axes,
    ),
    Check(
        "resumes",
        "ends in the same bytes after a kill",
        "write only into `out`; what context.cache holds may be half written",
        resumes,
    ),
    Check(
        "missing-answers",
        "goes on when the teacher gave no answer to some queries",
        "leave out rankings whose verdict is 'failed'; harness.training_lists.list_stages.RankedLists does",
        survives_missing_answers,
    ),
)
