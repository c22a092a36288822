"""``harness answer``: does a retriever help somebody who answers questions?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

import harness
from harness.cli.evaluate_commands import CorrectionOption, RunsArg, TestOpt, TestOption
from harness.cli.options import JsonOpt, MaxCostWorkspaceOpt, RetryFailedOpt, WorkspaceOpt, display, emit
from harness.progress import bar

CollectionOpt = Annotated[
    str,
    typer.Option(
        "--collection",
        metavar="NAME:SPLIT",
        help="A collection with short answers: folder/PATH:test, for example.",
        show_default=False,
    ),
]
ReaderOpt = Annotated[
    str,
    typer.Option(
        "--reader",
        help="KIND:MODEL (litellm:openai/gpt-4.1-mini), or a teacher's settings as '{kind: vllm, model: M, url: U}'. "
        "none: hits only.",
    ),
]
MetricsOpt = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", help="TokenF1, EM, AnswerHit@k; may be repeated. The first is tested."),
]


PassagesOpt = Annotated[int, typer.Option("--passages", min=1, help="How many passages of a run the reader is shown.")]
BaselineOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        help="Name of the run that the others are tested against. Default: closed-book. May be repeated: each, and all "
        "together.",
    ),
]
ReferencesOpt = Annotated[
    bool,
    typer.Option("--references/--no-references", help="Also answer without passages, and from the judged passages."),
]
CorrectionOpt = Annotated[
    CorrectionOption | None, typer.Option("--correction", help="Over all comparisons shown. Default: holm.")
]
SeedOpt = Annotated[int, typer.Option("--seed", min=0, help="Of randomisation and bootstrap.")]
PerQueryOpt = Annotated[
    bool, typer.Option("--per-query", help="With --json: also the values and answers of every query.")
]
MaxCostOpt = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="USD", help="Stop before calls cost more than this.")
]


def answer(
    runs: RunsArg,
    collection: CollectionOpt,
    reader: ReaderOpt = "transformers:bundled:smollm2-135m",
    passages: PassagesOpt = 5,
    metric: MetricsOpt = None,
    baseline: BaselineOpt = None,
    references: ReferencesOpt = True,
    test: TestOpt = TestOption.t,
    correction: CorrectionOpt = None,
    seed: SeedOpt = 0,
    per_query: PerQueryOpt = False,
    max_cost: MaxCostOpt = None,
    max_cost_workspace: MaxCostWorkspaceOpt = None,
    retry_failed: RetryFailedOpt = False,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Does retrieval help? A language model answers from the first passages of each run, and its answers are scored.

    EM and TokenF1 as SQuAD and NQ define them, AnswerHit@k (a passage of the first k holds an answer) as DPR does, per
    question and with paired tests. Two references stand beside the runs: closed-book, the model without passages, and
    gold-passage, with the judged ones. Every call is in the workspace's ledger: the same question with the same
    passages is never paid twice.

    harness answer bm25.trec ours.trec --collection folder/openqa:test --reader litellm:openai/gpt-4.1-mini --baseline
    bm25
    """
    from harness.evaluation.significance.test_spec import TestSpec
    from harness.pipeline.inputs import collection_split
    from harness.qa import answer_tables, examination
    from harness.qa.reader import named_reader

    who = None if reader == "none" else named_reader(reader, Path.cwd())
    home = harness.Workspace(workspace)
    found, split = collection_split(collection, home)
    # Each answering has a limit of its own, so it pays under a name of its own.
    home.ledger.account = f"answer {uuid4()}"
    home.ledger.limit, home.ledger.workspace_limit = max_cost, max_cost_workspace
    if retry_failed:
        home.ledger.given_up_since = time.time()
    about = examination.Examination(found, split, who, passages, examination.usual(metric or (), who))
    question = TestSpec(test=test.value, correction=None if correction is None else correction.value, seed=seed)
    loaded = [harness.load_run(run) for run in runs]
    with bar("reading") as progress:
        report = examination.answer(
            loaded,
            about,
            home.ledger,
            progress,
            baseline=baseline,
            references=references,
            per_query=per_query,
            question=question,
        )
    emit(report) if as_json else display(answer_tables.render_answers(report))
