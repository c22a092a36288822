"""Run: everything known of one published run, how it was made, and how to make it again."""

from __future__ import annotations

import streamlit as st

from dashboard import address, choose
from dashboard.charts.loss_chart import loss_chart
from dashboard.charts.trace_chart import LOOKS, trace_chart
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.save import save_button
from dashboard.show import show
from dashboard.source import View, view, workspace
from dashboard.text import literal
from harness.errors import UserError
from harness.leaderboard import row_texts
from harness.leaderboard.inspect.row_trace import REMEDY, trace_of_run
from harness.leaderboard.inspect.run_details import Details, content, details, downloads, scores
from harness.leaderboard.inspect.run_provenance import LossCurve, RunProvenance, model_folders, run_provenance
from harness.leaderboard.render.trace_terminal import FOOT
from harness.published.result_folder import Published
from harness.text import counted

_TYPES = {
    "run.trec.gz": "application/gzip",
    "metrics.parquet": "application/vnd.apache.parquet",
    "card.yaml": "text/plain",
    "provenance.json": "application/json",
    "making.json": "application/json",
    "labels.jsonl.gz": "application/gzip",
    "trace.json": "application/json",
}


def _provenance(run: Published) -> RunProvenance | None:
    """How the run was made; what is wrong with the file, or that there is none, stands on the page."""
    try:
        found = run_provenance(run)
    except UserError as error:
        st.error(literal(str(error)))
        return None
    if found is None:
        st.info(
            "This run was published without loss curves and a list of its stages: by a sweep of before that was "
            "written."
        )
    return found


def _trace(run: Published) -> None:
    """Where knowledge is lost between the teacher and this run; nothing for a run that nobody taught."""
    try:
        found = trace_of_run(run)
    except UserError as error:
        st.error(literal(str(error)))
        return
    if found is None:
        if run.card.teacher is not None or run.card.ranker is not None:
            st.caption(f"This run was published without a trace of what its models learnt: {REMEDY}.")
        return
    st.subheader("Where is it lost?")
    show(trace_chart(found.steps), "trace", found.line)
    st.caption("Each bar is the agreement of an order with what its colour names; a tick is what orders by lot have.")
    st.caption(literal(found.line), help=literal(FOOT))
    rows = {
        "order of": [step.model for step in found.steps],
        "on": [step.on for step in found.steps],
        "against": [LOOKS[step.target][0].removeprefix("against ") for step in found.steps],
        "metric": [step.metric for step in found.steps],
        "value": [step.value for step in found.steps],
        "by chance": [step.chance for step in found.steps],
        "τ": [step.tau for step in found.steps],
        "lists": [step.lists for step in found.steps],
    }
    number = st.column_config.NumberColumn(format="%.3f")
    frame(rows, "Trace", dict.fromkeys(("value", "by chance", "τ"), number), save="trace")
    for note in found.notes:
        st.caption(literal(note))


def _losses(curves: tuple[LossCurve, ...]) -> None:
    st.subheader("Loss")
    if not curves:
        st.caption("No stage of this run trains anything.")
    for number, one in enumerate(curves, 1):
        st.markdown(f"**{literal(one.name)}**")
        held_out = ", held-out loss dashed" if one.held_out else ""
        said = f"Loss of {one.stage} over {one.steps} optimiser steps{held_out}."
        show(loss_chart(one), f"loss-{number}", said)
        averaged = f"Each point is the mean of {one.window} steps. " if one.window > 1 else ""
        kept = f"The weights of step {one.best_step:,} of {one.steps:,} were kept."
        checked = (
            "" if one.held_out else " No held-out loss was measured: training does not stop by one (setting stop)."
        )
        st.caption(literal(f"{averaged}{kept}{checked}"))


def _stages(provenance: Details, found: RunProvenance | None) -> None:
    st.subheader("Stages")
    longest = max([one.seconds for one in (found.stages if found else provenance.stages)], default=1.0) or 1.0
    bar = st.column_config.ProgressColumn(
        format="%.1f s", max_value=longest, help="When it was made, also where it came from the store."
    )
    if found is None:
        stages = {
            "stage": [one.stage for one in provenance.stages],
            "seconds": [one.seconds for one in provenance.stages],
        }
        frame(stages, "Seconds by stage", {"seconds": bar}, save="stages")
        return
    rows = found.stages
    shown = {
        "stage": [row.stage for row in rows],
        "what": [row.label for row in rows],
        "seconds": [row.seconds for row in rows],
        "from": ["store" if row.cached else "made" for row in rows],
        "MB": [row.peak_memory_mb for row in rows],
        "begun": [row.started for row in rows],
        "key": [row.key[:12] for row in rows],
    }
    config = {
        "seconds": bar,
        "from": st.column_config.TextColumn(
            help="store: it was there before the sweep that published this run; made: that sweep made it."
        ),
        "MB": st.column_config.NumberColumn(format="%.0f", help="Peak memory of the process while the stage ran."),
    }
    frame(shown, "Stages", config, save="stages")
    cached = sum(row.cached for row in rows)
    total, here = row_texts.duration(found.seconds), row_texts.duration(found.seconds_incurred)
    if cached == len(rows):
        own = f"found all {len(rows)} in its store"
    else:
        own = (
            f"found {cached} of {len(rows)} in its store and made the others in {here}"
            if cached
            else "made all of them itself"
        )
    st.caption(literal(f"All stages took {total} when they were made. The sweep that published this run {own}."))


def _scores(found: View, run: Published, name: str | None) -> None:
    """What the run scores, and what the board says of its row."""
    with st.container(horizontal=True):
        for metric, mean in scores(run, found.table.queries).items():
            st.metric(literal(metric), row_texts.number(mean), width="content")
    if name is None:
        return
    row, table = found.rows[name], found.table
    verdict = f" ({row.against.verdict or 'not shown'})" if row.against else ""
    tested = f", {row_texts.against(row)} against {row.against.baseline}{verdict}" if row.against else ""
    place = f"place {row_texts.place(row)}" if row.rank is not None else "no place: its teacher sees the answers"
    interval = row_texts.interval(row, table.metric)
    st.markdown(
        literal(
            f"Means over {counted(table.queries, 'query')}. Its row, of {counted(row.runs, 'run')}: {table.metric} "
            f"{row_texts.mean(row, table.metric)} {interval}, {place}{tested}."
        )
    )
    for flag in row.flags:
        st.warning(literal(flag))


def _files(run: Published, details: Details, found: RunProvenance | None) -> None:
    st.subheader("Files")
    st.code(details.folder, language=None, wrap_lines=True)
    where = st.container(horizontal=True)
    for name in downloads(run):
        try:
            save_button(where, name, content(run, name), name, _TYPES[name])
        except UserError as error:
            st.caption(literal(f"{name}: {error.message}"))
    if found is None:
        return
    for kind, (folder, there) in model_folders(found, workspace().store.root).items():
        st.markdown(
            f"Model folder of the **{kind}**"
            + ("" if there else ", in the workspace that made it (it is not on this machine)")
        )
        st.code(str(folder), language=None, wrap_lines=True)


def _row(found: View) -> str | None:
    """The row that is looked at: that of the run which the address names, whatever row it names."""
    named = address.values("run")[-1:]
    owner = next((name for name, row in found.rows.items() if set(named) & set(row.run_ids)), None)
    if owner is not None and address.values("row"):
        address.choose("row", [owner])
    return choose.one(st, "Row", list(found.rows), "row", default=owner, forget=("run",))


def page() -> None:
    """The whole page."""
    heading("run")
    found = view()
    row = _row(found)
    runs = {run.card.tag: run for run in found.result_set.runs_of_row(found.table, found.rows[row])} if row else {}
    tag = choose.one(st, "Run", list(runs), "run", help="A row's runs differ in resample and seed.")
    if tag is None:
        return
    run = runs[tag]
    said = details(run)
    _scores(found, run, row)
    st.subheader("Card")
    frame({"what": list(said.about), "value": list(said.about.values())}, "Card")
    st.subheader("Make it again")
    st.code(said.command, language=None, wrap_lines=True)
    st.caption("With the sweep file named on the card and its commit: the same cells have the same keys.")
    _trace(run)
    provenance = _provenance(run)
    if provenance is not None:
        _losses(provenance.curves)
    _stages(said, provenance)
    _files(run, said, provenance)
    with st.expander("Whole card"):
        st.code(said.card, language="yaml")


page()
