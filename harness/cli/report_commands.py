"""``harness report`` and ``harness export``: results for people to read, and for other tools to read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.evaluate_commands import CorrectionOption, TestOption
from harness.cli.options import JsonOpt, WorkspaceOpt, WrittenResultsOpt, emit, existing
from harness.cli.result_output import output
from harness.errors import UserError

PAGE = Path("report.html")


class Format(StrEnum):
    """Families of files for runs and judgments."""

    trec = "trec"
    ranx = "ranx"


ResultsArg = Annotated[
    Path | None, typer.Argument(metavar="[RESULTS]", help="Folder of published runs, in place of --results.")
]
HtmlOpt = Annotated[bool, typer.Option("--html", help="A page for the browser; loads and runs nothing. The default.")]
LatexOpt = Annotated[
    bool, typer.Option("--latex", help="A table for a paper (booktabs), with significance superscripts.")
]
MarkdownOpt = Annotated[bool, typer.Option("--markdown", help="For a repository.")]
OutOpt = Annotated[
    Path | None,
    typer.Option("--out", "-o", help=f"File to write. Default: {PAGE}; LaTeX and Markdown go to standard output."),
]
CollectionOpt = Annotated[str | None, typer.Option("--collection", help="Only this collection.")]
SplitOpt = Annotated[str | None, typer.Option("--split", help="Only this split.")]
MetricOpt = Annotated[
    str | None, typer.Option("--metric", "-m", help="Default: the one that most sweeps report first.")
]
BaselineOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline", help="Default: the one that most sweeps name. Repeated: ▲ and ▼ are against all of them."
    ),
]
TestOpt = Annotated[
    TestOption,
    typer.Option("--test", help="Of all pairs. t: over queries and runs; the others over queries, with these runs."),
]
CorrectionOpt = Annotated[
    CorrectionOption | None, typer.Option("--correction", help="Of all pairs, for the other tests. Default: holm.")
]


def report(
    folder: ResultsArg = None,
    results: WrittenResultsOpt = Path("results"),
    as_html: HtmlOpt = False,
    as_latex: LatexOpt = False,
    as_markdown: MarkdownOpt = False,
    out: OutOpt = None,
    collection: CollectionOpt = None,
    split: SplitOpt = None,
    metric: MetricOpt = None,
    baseline: BaselineOpt = None,
    test: TestOpt = TestOption.t,
    correction: CorrectionOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """A results folder as one document: board, budget curves, all pairs tested, settings, and how to make each number
    again.

    Rows carry letters. A superscript names the rows that a row is significantly better than, over the family of all
    pairs; ▲ and ▼ are against the baseline, over the family of all rows. The page explains every number in it and opens
    from a file. What the folder says of itself is shown letter for letter: it may come from strangers.

    harness report results --out report.html

    harness report results --latex --collection semanlink --metric RR@10 > table.tex
    """
    from harness.evaluation.significance.test_spec import TestSpec
    from harness.leaderboard.report.page import make_report, render

    results = existing(folder or results)
    chosen = [
        form for form, wanted in (("html", as_html), ("latex", as_latex), ("markdown", as_markdown)) if wanted
    ] or ["html"]
    if len(chosen) > 1:
        raise UserError(f"--{' and --'.join(chosen)} at once", remedy="ask for one form at a time")
    form = chosen[0]
    given = {"collection": collection, "split": split, "metric": metric}
    chosen_test = None if test is TestOption.t else test.value
    told = [*given.items(), *(("baseline", one) for one in baseline or ()), ("test", chosen_test)]
    told.append(("correction", correction and correction.value))
    made = make_report(
        results,
        **given,
        baseline=baseline,
        question=TestSpec(test=test.value, correction=None if correction is None else correction.value),
        command=_typed(results, form, told),
    )
    target = out if out is not None or form != "html" or as_json else PAGE
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(made, form), encoding="utf-8")
        print(f"{target} written", file=sys.stderr)
    if as_json:
        emit({"file": None if target is None else str(target), **made.as_json()})
    elif target is None:
        print(render(made, form), end="", file=output())


def _typed(results: Path, form: str, options: Sequence[tuple[str, str | None]]) -> str:
    """The command that makes the report again; an absolute path belongs to one machine and is shortened to its name."""
    words = [results.name if results.is_absolute() else results.as_posix(), f"--{form}"]
    words += [word for name, value in options if value is not None for word in (f"--{name}", value)]
    return f"harness report {shlex.join(words)}"


WhatArg = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A TREC file, a file ranx reads, a published result folder; with --qrels: judgments."
    ),
]
ExportOutOpt = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="File to write; its ending decides: .trec, .txt, .gz, .tsv (BEIR), .json, .lz4, .parquet."
    ),
]
FormOpt = Annotated[Format, typer.Option("--format", help="Where no file is named: NAME.trec, or NAME.json for ranx.")]
JudgmentsOpt = Annotated[bool, typer.Option("--qrels", help="RUN names judgments: a file, or collection:split.")]
AnnotatedOpt = Annotated[
    bool, typer.Option("--metadata", help="Of a result folder: put its card before the TREC run, as ir_metadata does.")
]


def export(
    what: WhatArg,
    out: ExportOutOpt = None,
    form: FormOpt = Format.trec,
    judgments: JudgmentsOpt = False,
    annotated: AnnotatedOpt = False,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Write a run or judgments in the files of other tools: TREC, or what ranx reads (JSON, LZ4, Parquet).

    ranx.Run.from_file and ranx.Qrels.from_file read the .json; ranx's own formats keep no name of the run.

    harness export results/semanlink/bm25-b287f4b1 --out bm25.json

    harness export semanlink:test --qrels --out qrels.json
    """
    from harness.published.annotated_run import header
    from harness.published.result_folder import read_card, slug
    from harness.published.run_export import FORMATS, export_qrels, export_run

    if judgments:
        qrels = harness.load_qrels(what, workspace)
        target = out or Path(slug(Path(what).name) + f".qrels{FORMATS[form.value]}")
        export_qrels(qrels, target)
        told = {"file": str(target), "queries": len(qrels), "judgments": sum(map(len, qrels.values()))}
    else:
        run = harness.load_run(what)
        target = out or Path(slug(run.name) + FORMATS[form.value])
        export_run(run, target, header(read_card(Path(what))) if annotated else "")
        told = {
            "file": str(target),
            "run": run.name,
            "queries": len(run.scores),
            "results": sum(map(len, run.scores.values())),
        }
    if as_json:
        emit(told)
    else:
        print(", ".join(f"{name}: {value}" for name, value in told.items()), file=sys.stderr)
