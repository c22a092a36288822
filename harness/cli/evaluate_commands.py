"""``harness evaluate`` and ``harness compare``: numbers of runs that exist already, ours or not."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import harness
from harness.cli.options import JsonOpt, WorkspaceOpt, display, emit

if TYPE_CHECKING:
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

    randomisation = "randomisation"
    t = "t"
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
    """95 % intervals of a difference."""

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
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Score any run, ours or not. Queries of the qrels that the run misses score 0.

    Metrics and their parameters are those of ir_measures: nDCG@10, nDCG(dcg='exp-log2')@10, AP(rel=2), RBP(p=0.5),
    P(judged_only=True)@5 (condensed list). `harness list metrics` lists them, `harness show metrics nDCG` tells their
    parameters. alpha_nDCG@20 reads the qrels by subtopic, as TREC's diversity tasks write them: query subtopic document
    grade.
    """
    from harness.evaluation.metrics.lookup import distinct_metrics
    from harness.evaluation.metrics.subtopics import needs_subtopics, read_subtopics
    from harness.evaluation.significance.comparison_tables import render_evaluation
    from harness.evaluation.significance.evaluate_run import evaluate_subtopics

    names = [str(one) for one in distinct_metrics(metric or ())]
    if any(map(needs_subtopics, names)):
        found = _load(run, bool(drop_identical))
        result = evaluate_subtopics(found, read_subtopics(Path(qrels)), names, per_query=per_query)
    else:
        judged = harness.load_qrels(qrels, workspace)
        found = _load(run, _drops(drop_identical, qrels, workspace))
        result = harness.evaluate(found, judged, names or None, per_query=per_query)
    emit(result) if as_json else display(render_evaluation(result))


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
        "--test", help="Paired test over queries; tukey and maxt test the family at once, without a correction."
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
    str | None, typer.Option("--baseline", help="Compare every run with this one only, not all pairs.")
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
    typer.Option("--interval", help="95 % interval of a difference. Default: the one that goes with the test."),
]
EquivalenceOpt = Annotated[
    float | None,
    typer.Option(
        "--equivalence", metavar="MARGIN", help="Also test whether b is as good as a, give or take MARGIN (TOST)."
    ),
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
    metric: MetricOpt = None,
    drop_identical: DropOpt = None,
    test: TestOpt = TestOption.randomisation,
    correction: CorrectionOpt = None,
    alternative: AlternativeOpt = AlternativeOption.two_sided,
    interval: IntervalOpt = None,
    equivalence: EquivalenceOpt = None,
    alpha: AlphaOpt = 0.05,
    power: PowerOpt = 0.8,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Is the difference real? Paired tests between runs, with intervals, effect sizes and power.

    Each comparison says how large the difference is (b - a, its 95 % interval, Cohen's d_z, queries won, tied and
    lost), how likely chance alone gives as much (p, and p adjusted over the whole family), what these queries could
    have shown at all (detectable) and how many queries it would take. The verdict follows from the adjusted p. 'not
    shown' is no evidence that two runs are equal: for that, name a MARGIN that would not matter with --equivalence.
    docs/statistics.md tells what each test assumes.

    harness compare bm25.trec ours.trec --qrels qrels.tsv --baseline bm25.trec

    harness compare a.trec b.trec c.trec --qrels semanlink:test -m nDCG@10 -m RR@10 --test maxt --equivalence 0.01
    """
    from harness.evaluation.significance.comparison_tables import render_comparison
    from harness.evaluation.significance.evaluate_run import Alternative, TestSpec

    question = TestSpec(
        test=test.value,
        correction=None if correction is None else correction.value,
        side=Alternative(alternative.value),
        interval=None if interval is None else interval.value,
        margin=equivalence,
        alpha=alpha,
        power=power,
        seed=seed,
    )
    judged = harness.load_qrels(qrels, workspace)
    drops = _drops(drop_identical, qrels, workspace)
    loaded = [_load(run, drops) for run in runs if run != baseline]
    base = _load(baseline, drops) if baseline is not None else None
    result = harness.compare(loaded, judged, baseline=base, metrics=metric or ["nDCG@10"], question=question)
    emit(result) if as_json else display(render_comparison(result))
