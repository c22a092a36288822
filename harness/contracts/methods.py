"""What a method promises."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from harness.contracts.cast import may_fail
from harness.contracts.child import run_apart
from harness.contracts.contract import Broken, Contract, NotChecked, raised
from harness.contracts.double import Double
from harness.contracts.trial import BUDGET, RUN_DEPTH, Bench, Trial, weights
from harness.contracts.world import TRAINING, World
from harness.labelling.teacher import GIVES
from harness.method import Axis, Group, Method
from harness.models import ModelFiles
from harness.plugins import Settings
from harness.stage import Stage

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def opened(plugin: type[Method], settings: Settings, home: Path) -> Bench:
    """A method on the small setting."""
    return Bench(plugin, settings, home)


def describes_itself(bench: Bench) -> None:
    """Attributes that lists, boards and sweep files rely on."""
    method, faults = bench.method, []
    if not method.summary or method.summary.endswith("."):
        faults.append("'summary' must be a few words without a full stop")
    if not (method.__doc__ or "").strip():
        faults.append("the class has no docstring")
    if method.standing not in get_args(Group):
        faults.append(f"'standing' is '{method.standing}', not one of {', '.join(get_args(Group))}")
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


def runs(bench: Bench) -> None:
    """The run is a run of the test queries."""
    from harness.retrieval.run import Run

    planned, store = bench.main
    scores = Run.read(store.read(planned.run)).scores
    plain = bench.collection(Trial())
    queries, documents = set(plain.queries("test").ids), set(plain.corpus.ids)
    if foreign := sorted(set(scores) - queries):
        raise Broken(f"its run holds queries that are not of the evaluated split, such as '{foreign[0]}'")
    if strange := sorted({found for ranked in scores.values() for found in ranked} - documents):
        raise Broken(f"its run holds documents that the collection does not have, such as '{strange[0]}'")
    if (longest := max(map(len, scores.values()))) > RUN_DEPTH:
        raise Broken(f"its run holds {longest} documents for a query, where {RUN_DEPTH} were asked for")


def gives_a_retriever(bench: Bench) -> None:
    """A folder that sentence-transformers loads and that gives finite vectors."""
    import numpy as np
    from sentence_transformers import SentenceTransformer

    from harness.students.base import quiet

    planned, store = bench.main
    if planned.model is None:
        raise NotChecked("it searches without a retriever")
    folder = planned.model.path if isinstance(planned.model, ModelFiles) else store.read(planned.model)
    if isinstance(planned.model, Stage) and (pickles := [file.name for file in folder.rglob("*") if file.suffix in PICKLES]):
        raise Broken(f"its retriever holds {pickles[0]}, which loads by unpickling")
    try:
        with quiet():
            model = SentenceTransformer(str(folder), device="cpu")
        vectors = model.encode(["a query", "a document about something else"], show_progress_bar=False)
    except Exception as error:
        raise Broken(f"SentenceTransformer(folder) {raised(error).removeprefix('it ')}") from error
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise Broken("its retriever gives vectors that are not finite")


def is_deterministic(bench: Bench) -> None:
    """Again here, and in another process, where sets have another order."""
    planned, wanted = bench.main[0], bench.weights
    bench.repeatable = False
    if bench.tried(Trial(), "again")[1] != wanted:
        raise Broken(f"two runs with the same seed gave other bytes in '{planned.target.kind}'")
    run_apart(bench, "apart")
    place = bench.home / "apart" / "store" / planned.target.kind / planned.target.key
    if not place.is_dir():
        raise Broken(f"the key of '{planned.target.kind}' is another in another process: one of its fields is not fixed by the settings")
    if weights(place) != wanted:
        raise Broken(f"in another process '{planned.target.kind}' has other bytes: it depends on the order of a set or on hash()")
    bench.repeatable = True


def respects_the_budget(bench: Bench) -> None:
    """The teacher is asked about drawn queries only, and the gold labels of others make no difference."""
    if "budget" not in bench.method.axes:
        raise NotChecked("a budget makes no difference to it")
    asked = bench.labelled
    if beyond := [query for query in asked if query not in bench.drawn]:
        raise Broken(f"with a budget of {BUDGET} the teacher was asked about {len(asked)} queries; '{beyond[0]}' is not among those drawn")
    if "gold labels" not in bench.method.needs:
        return
    if not bench.same(Trial(world=World(training_judgments=bench.undrawn)), "undrawn"):
        raise Broken(f"with a budget of {BUDGET} its retriever depends on the gold labels of queries that were not drawn")


def sees_no_test_data(bench: Bench) -> None:
    """Test judgments raise when they are touched; other test judgments and other test queries change nothing."""
    planned, _ = bench.main
    _guarded(bench, "test-data")
    if bench.planned(Trial(world=World(test_judgments=True))).target.key != planned.target.key:
        raise Broken(f"the key of '{planned.target.kind}' changes with the judgments of the test split")
    if not bench.same(Trial(world=World(test_judgments=True)), "test-judgments"):
        raise Broken(f"'{planned.target.kind}' gives other bytes when the judgments of the test split change")
    trained = planned.target is not planned.run
    if trained and not bench.same(Trial(world=World(test_queries=True)), "test-queries"):
        raise Broken(f"'{planned.target.kind}' gives other bytes when the test queries change")


def _guarded(bench: Bench, contract: str) -> None:
    """Runs on a collection that raises; only what breaks `contract` passes through."""
    try:
        bench.tried(Trial(guarded=True), f"guarded-{contract}")
    except Broken as seen:
        if seen.contract == contract:
            raise


def declares_its_needs(bench: Bench) -> None:
    """What it does not declare makes no difference to it, or raises."""
    planned, _ = bench.main
    _guarded(bench, "needs")
    every = tuple(f"train-{number}" for number in range(TRAINING))
    if "gold labels" not in bench.method.needs and not bench.same(Trial(world=World(training_judgments=every)), "gold"):
        raise Broken("its result depends on the gold labels of training queries, which are not among its needs")
    if isinstance(planned.teacher, Double) and not bench.same(Trial(scored=True), "scored"):
        raise Broken("its result depends on the teacher's scores, and neither likelihoods nor attention are among its needs")


def has_true_axes(bench: Bench) -> None:
    """Another value on a declared axis means another run."""
    plain = bench.main[0].run.key
    idle = [axis for axis in sorted(bench.method.axes) if bench.planned(Trial(other=axis)).run.key == plain]
    if idle:
        raise Broken(f"another {idle[0]} gives the very same run, so that one run would count as several")


def resumes(bench: Bench) -> None:
    """Killed in the middle of its longest stage, then run again."""
    planned, wanted = bench.main[0], bench.weights
    if not bench.seconds:
        raise NotChecked("it has no stage of its own")
    longest = max(bench.seconds, key=lambda key: bench.seconds[key])
    run_apart(bench, "killed", (longest, bench.seconds[longest] / 2))
    try:
        again = weights(bench.make(planned.target, bench.home / "killed").place(planned.target))
    except Exception as error:
        raise Broken(f"after a kill in its longest stage {raised(error)}") from error
    if bench.repeatable is not False and again != wanted:
        raise Broken(f"after a kill in its longest stage '{planned.target.kind}' has other bytes than without")


def survives_missing_answers(bench: Bench) -> None:
    """Every fourth query has a failed ranking, or no short answer where those are read."""
    teacher, needs = bench.main[0].teacher, bench.method.needs
    if teacher is None:
        raise NotChecked("it uses no teacher")
    if not may_fail(needs) and "answers" not in needs:
        raise NotChecked(f"a teacher of kind '{teacher.name}' always answers")
    bench.tried(Trial(failing=True, world=World(unanswered="answers" in needs)), "failing")


CONTRACTS: tuple[Contract[Bench], ...] = (
    Contract(
        "describes-itself",
        "says what it is, what it needs and what it may see",
        "set the class attributes; baselines/direct.py is an example",
        describes_itself,
    ),
    Contract(
        "runs",
        "gives a run of the evaluated queries over the collection's documents",
        "see the reason; the board never shows a method without a run",
        runs,
    ),
    Contract(
        "retriever",
        "gives a folder that SentenceTransformer(path) loads",
        "save with SentenceTransformer.save, or train with harness.students.stages.TrainRetriever",
        gives_a_retriever,
    ),
    Contract(
        "deterministic",
        "gives the same bytes when it runs again, also in another process",
        "draw from generators seeded with kit.seed; sort before you walk over a set; use harness.students.train.deterministic",
        is_deterministic,
    ),
    Contract(
        "budget",
        "sees the labels of the drawn queries only",
        "take queries from kit.draw() and rankings from kit.labels(); more queries may be drawn only without their labels",
        respects_the_budget,
    ),
    Contract(
        "test-data",
        "sees no test judgments, and test queries only when it searches for them",
        "never read kit.collection.judgments(kit.split); choose on the dev split",
        sees_no_test_data,
    ),
    Contract(
        "needs",
        "uses only what it declares among its needs",
        "add it to `needs` and `sees`, or do without it: the board groups methods by what they may see",
        declares_its_needs,
    ),
    Contract(
        "axes",
        "makes a difference on every axis it declares",
        "pass kit.seed, kit.draw() and kit.labels() on to the stages, or take the axis out of `axes`",
        has_true_axes,
    ),
    Contract(
        "resumes",
        "ends in the same bytes after a kill",
        "write only into `out`; what context.cache holds may be half written",
        resumes,
    ),
    Contract(
        "missing-answers",
        "goes on when the teacher gave no answer to some queries",
        "leave out rankings whose verdict is 'failed'; harness.students.list_stages.RankedLists does",
        survives_missing_answers,
    ),
)
