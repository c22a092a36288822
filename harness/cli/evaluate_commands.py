"""``harness evaluate`` and ``harness compare``: numbers of runs that exist already, ours or not."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import harness
from harness.cli.options import ClustersOpt, JsonOpt, WorkspaceOpt, display, emit

if TYPE_CHECKING:
    from harness.collections.collection import Qrels
    from harness.evaluation.significance.comparison_result import ComparisonResult
    from harness.evaluation.significance.test_spec import TestSpec
    from harness.retrieval.run import Run

QrelsOpt = Annotated[
    str, typer.Option("--qrels", help="TREC qrels, BEIR tsv, ranx qrels, or collection:split.", show_default=False)
]
MetricsOpt = Annotated[
    list[str] | None, typer.Option("--metric", "-m", help="As ir_measures names it, e.g. nDCG@10; may be repeated.")
]
RunsArg = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help="TREC files, files ranx reads, or published result folders.", show_default=False
    ),
]


DropOpt = Annotated[
    bool | None,
    typer.Option(
        "--drop-identical/--no-drop-identical",
        help="Leave out documents whose id is the query's, as BEIR does where queries are documents (ArguAna, Quora). "
        "Default: as sweeps do for --qrels beir/NAME:split.",
        show_default=False,
    ),
]


class TestOption(StrEnum):
    """Paired tests."""

    t = "t"
    randomisation = "randomisation"
    bootstrap = "bootstrap"
    bootstrap_t = "bootstrap-t"
    wilcoxon = "wilcoxon"
    tukey = "tukey"
    maxt = "maxt"


class CorrectionOption(StrEnum):
    """Corrections for several comparisons."""

    holm = "holm"
    hochberg = "hochberg"
    bonferroni = "bonferroni"
    bh = "bh"
    by = "by"
    none = "none"


class AlternativeOption(StrEnum):
    """What is held against 'no difference'."""

    two_sided = "two-sided"
    greater = "greater"
    less = "less"


class IntervalOption(StrEnum):
    """Intervals of a difference."""

    percentile = "percentile"
    bca = "bca"
    studentised = "studentised"
    t = "t"


def evaluate(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A TREC file, a file ranx reads, or a published result folder.")
    ],
    qrels: QrelsOpt,
    metric: MetricsOpt = None,
    drop_identical: DropOpt = None,
    per_query: Annotated[bool, typer.Option("--per-query", help="Also the value of every query.")] = False,
    clusters: ClustersOpt = None,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Score any run, ours or not, with a 95 % interval of each mean. Queries of the qrels that the run misses score 0.

    Metrics and their parameters are those of ir_measures: nDCG@10, nDCG(dcg='exp-log2')@10, AP(rel=2), RBP(p=0.5),
    P(judged_only=True)@5 (condensed list). `harness list metrics` lists them, `harness show metrics nDCG` tells their
    parameters. alpha_nDCG@20 reads the qrels by subtopic, as TREC's diversity tasks write them: query subtopic document
    grade.
    """
    from harness.evaluation.metrics.lookup import distinct_metrics
    from harness.evaluation.metrics.subtopics import needs_subtopics, read_subtopics
    from harness.evaluation.significance import evaluate_run

    names = [str(one) for one in distinct_metrics(metric or ())]
    if any(map(needs_subtopics, names)):
        found = _load(run, bool(drop_identical))
        result = evaluate_run.evaluate_subtopics(found, read_subtopics(Path(qrels)), names, per_query=per_query)
    else:
        judged = harness.load_qrels(qrels, workspace)
        found = _load(run, _drops(drop_identical, qrels, workspace))
        named = _clusters(clusters, [run], qrels, workspace)
        result = harness.evaluate(found, judged, names or None, per_query=per_query, clusters=named)
    emit(result) if as_json else display(evaluate_run.render_evaluation(result))


def _clusters(file: Path | None, sources: list[str], qrels: str, workspace: Path) -> dict[str, str]:
    """Those of `file`, otherwise those that runs or collection tell of."""
    from harness.pipeline.inputs import clusters_at_hand

    return clusters_at_hand(sources, qrels, workspace, file)


def _drops(wanted: bool | None, qrels: str, workspace: Path) -> bool:
    """Whether own documents are left out: as wanted, or as the collection has it that the qrels are of."""
    if wanted is not None or Path(qrels).is_file():
        return bool(wanted)
    spec, _, split = qrels.rpartition(":")
    return harness.load_collection(spec, workspace).judgments(split).drop_identical


def _load(run: str, drop_identical: bool) -> Run:
    found = harness.load_run(run)
    return found.without_identical() if drop_identical else found


TestOpt = Annotated[
    TestOption,
    typer.Option(
        "--test",
        help="Paired test. t: over queries, and over runs with --group; the others over queries, with these runs; "
        "tukey and maxt test the family at once, without a correction.",
    ),
]
CorrectionOpt = Annotated[
    CorrectionOption | None,
    typer.Option(
        "--correction",
        help="Over all comparisons shown. Default: holm. holm, hochberg, bonferroni: chance of any false claim; bh, "
        "by: share of them.",
    ),
]


BaselineOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        help="Compare every run with this one only, not all pairs. May be repeated: with each, and with all together.",
    ),
]
GroupOpt = Annotated[
    bool,
    typer.Option(
        "--group",
        help="Result folders that differ in resample and seed only are runs of one method: compare methods, over "
        "queries and runs.",
    ),
]
MetricOpt = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", help="Default: nDCG@10. May be repeated: one family of all of them."),
]
AlternativeOpt = Annotated[
    AlternativeOption,
    typer.Option("--alternative", help="greater asks only whether b is better than a: decide before you look."),
]
IntervalOpt = Annotated[
    IntervalOption | None,
    typer.Option(
        "--interval",
        help="Interval of a difference, of level 1 - alpha. Default: the one that goes with the test, below 100 "
        "queries t.",
    ),
]
EquivalenceOpt = Annotated[
    float | None,
    typer.Option(
        "--equivalence", metavar="MARGIN", help="Also test whether b is as good as a, give or take MARGIN (TOST)."
    ),
]
NonInferiorityOpt = Annotated[
    float | None,
    typer.Option(
        "--non-inferiority", metavar="MARGIN", help="Also test whether b is worse than a by less than MARGIN."
    ),
]
SuperiorityOpt = Annotated[
    float | None,
    typer.Option("--superiority", metavar="MARGIN", help="Also test whether b is better than a by more than MARGIN."),
]
AlphaOpt = Annotated[float, typer.Option("--alpha", help="Adjusted p below it makes a verdict.")]
PowerOpt = Annotated[
    float, typer.Option("--power", help="Chance to find a true difference, for 'detectable' and 'queries'.")
]
SeedOpt = Annotated[
    int, typer.Option("--seed", min=0, help="Of randomisation and bootstrap: the same seed gives the same p.")
]


def compare(
    runs: RunsArg,
    qrels: QrelsOpt,
    baseline: BaselineOpt = None,
    group: GroupOpt = False,
    metric: MetricOpt = None,
    drop_identical: DropOpt = None,
    test: TestOpt = TestOption.t,
    correction: CorrectionOpt = None,
    alternative: AlternativeOpt = AlternativeOption.two_sided,
    interval: IntervalOpt = None,
    equivalence: EquivalenceOpt = None,
    non_inferiority: NonInferiorityOpt = None,
    superiority: SuperiorityOpt = None,
    clusters: ClustersOpt = None,
    alpha: AlphaOpt = 0.05,
    power: PowerOpt = 0.8,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Is the difference real? Paired tests between runs, with intervals, effect sizes and power.

    Each comparison says how large the difference is (b - a, its interval, Cohen's d_z, queries won, tied and lost), how
    likely chance alone gives as much (p, and p adjusted over the whole family), what these queries could have shown at
    all (detectable) and how many queries it would take. The verdict follows from the adjusted p and never stands beside
    an interval that holds 0. 'not shown' is no evidence that two runs are equal: for that, name a MARGIN that would not
    matter with --equivalence. With --group, result folders are runs of methods, and p and interval are over queries and
    runs. docs/statistics.md tells what each test assumes.

    harness compare bm25.trec ours.trec --qrels qrels.tsv --baseline bm25.trec

    harness compare results/semanlink/* --qrels semanlink:test --group --baseline zero-shot --baseline no-llm
    """
    from harness.evaluation.significance import evaluate_run

    question = evaluate_run.TestSpec(
        test=test.value,
        correction=None if correction is None else correction.value,
        side=evaluate_run.Alternative(alternative.value),
        interval=None if interval is None else interval.value,
        margin=equivalence,
        noninferior=non_inferiority,
        superior=superiority,
        alpha=alpha,
        power=power,
        seed=seed,
    )
    judged, metrics, named = harness.load_qrels(qrels, workspace), metric or ["nDCG@10"], baseline or []
    together = _clusters(clusters, [*runs, *named], qrels, workspace)
    drops = _drops(drop_identical, qrels, workspace)
    if group:
        result = _grouped(runs, named, judged, metrics, question, together, drops)
    else:
        loaded = [_load(run, drops) for run in runs if run not in named]
        against = [_load(one, drops) for one in named] or None
        result = harness.compare(
            loaded, judged, baseline=against, metrics=metrics, question=question, clusters=together
        )
    emit(result) if as_json else display(evaluate_run.render_comparison(result))


def _grouped(
    runs: list[str],
    baselines: list[str],
    qrels: Qrels,
    metrics: list[str],
    question: TestSpec,
    clusters: dict[str, str],
    drop_identical: bool,
) -> ComparisonResult:
    """Methods instead of runs."""
    from harness.leaderboard.comparison import compare_groups, method_groups

    groups = method_groups(runs, baselines, lambda source: _load(source, drop_identical))
    return compare_groups(groups, qrels, metrics, question, clusters)
