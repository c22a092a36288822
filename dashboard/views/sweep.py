"""Sweep: how far is a running sweep, what failed, and what has it cost so far?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import choose
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.source import workspace
from dashboard.text import literal
from harness.errors import UserError
from harness.pipeline.live.follower import Follower, SweepReport
from harness.text import clock

_NEWEST = "the newest"
_EVERY = 2  # Seconds between two looks. No docstring: Streamlit would write it on the page.
_LINES = 15
_BOX = {
    "running": st.info,
    "starting": st.info,
    "done": st.success,
    "failed": st.warning,
    "stopped": st.warning,
    "died": st.error,
}
_ICONS = {
    "running": ":material/play_circle:",
    "starting": ":material/hourglass_top:",
    "done": ":material/check_circle:",
    "failed": ":material/report:",
    "stopped": ":material/stop_circle:",
    "died": ":material/cancel:",
}


def _time(seconds: float | None) -> str:
    return "not known yet" if seconds is None else clock(seconds)


def _headline(found: SweepReport) -> None:
    _BOX[found.state](literal(found.summary), icon=_ICONS[found.state])
    done, total = found.stages
    st.progress(done / total if total else 0.0, text=f"{done:,} of {total:,} stages are there")
    calls, read, written, usd = found.llm
    with st.container(horizontal=True):
        st.metric("Cells finished", f"{found.cells_done:,} of {len(found.cells):,}")
        st.metric("Time gone", clock(found.gone))
        if found.state == "running":
            said = "From the mean time of each kind of stage, here or in earlier sweeps of this workspace."
            st.metric("To go, roughly", _time(found.left), help=said)
        st.metric(
            "LLM calls",
            f"{calls:,}",
            help="That this sweep made itself; answers from the ledger cost nothing and do not count.",
        )
        st.metric("LLM tokens", f"{read + written:,}", help=f"{read:,} read, {written:,} written.")
        st.metric("USD", f"{usd:,.2f}")


def _running(found: SweepReport) -> None:
    if not found.running:
        return
    st.subheader("Runs now" if found.state == "running" else "Ran when it ended")
    rows = found.running
    shown = {
        "stage": [row.stage for row in rows],
        "for": [clock(row.seconds) for row in rows],
        "progress": ["" if row.done is None else f"{row.done:,} of {row.total:,} {row.unit}" for row in rows],
        "rate": ["" if row.rate is None else f"{row.rate:,.3g} {row.unit or 'steps'} per s" for row in rows],
        **({"to go, roughly": [_time(row.left) for row in rows]} if found.state == "running" else {}),
    }
    frame(shown, "Stages that run now")


def _failures(found: SweepReport) -> None:
    if not found.failures:
        return
    st.subheader("Failed")
    rows = found.failures
    shown: dict[str, list[Any]] = {
        "stage": [row.stage for row in rows],
        "reason": [row.reason for row in rows],
        "stages that rest on it": [row.stages for row in rows],
        "cells without a result": [row.cells for row in rows],
        "traceback": [row.trace for row in rows],
    }
    frame(shown, "Failed stages", {"reason": st.column_config.TextColumn(width="medium")})


def _stages(found: SweepReport) -> None:
    st.subheader("Stages")
    rows = found.kinds
    shown: dict[str, list[Any]] = {
        "stage": [row.kind for row in rows],
        "all": [row.total for row in rows],
        "done before": [row.cached for row in rows],
        "done": [row.done for row in rows],
        "running": [row.running for row in rows],
        "failed": [row.failed for row in rows],
        "rest on a failed one": [row.rest for row in rows],
        "waiting": [row.waiting for row in rows],
        "time": [clock(row.seconds) for row in rows],
    }
    frame(
        shown,
        "Stages by kind",
        {"done before": st.column_config.NumberColumn(help="Came from the store: not made again.")},
    )


def _cells(found: SweepReport) -> None:
    st.subheader("Cells")
    rows = found.cells
    frame({name: [getattr(row, name) for row in rows] for name in ("cell", "state", "reason")}, "Cells")


def _log(found: SweepReport) -> None:
    st.subheader("Last lines")
    st.code(
        "\n".join(f"{datetime.fromtimestamp(at):%H:%M:%S}  {said}" for at, said in found.log[-_LINES:]), language=None
    )


def _follower(chosen: str) -> Follower | None:
    """What follows the chosen journal, kept from look to look so that each reads only what is new."""
    files = workspace().journals
    file = next((file for file in files if chosen in (_NEWEST, file.stem)), None)
    if file is None:
        return None
    kept = st.session_state.get("followed")
    if kept is None or kept.file != file:
        kept = st.session_state["followed"] = Follower(file)
    return kept  # type: ignore[no-any-return]


@st.fragment(run_every=_EVERY)  # type: ignore[untyped-decorator]
def _live(chosen: str) -> None:
    """The part that looks again by itself."""
    follower = _follower(chosen)
    if follower is None:
        folder = workspace().path
        st.info(literal(f"No sweep has run in {folder}. Start one: harness sweep FILE --workspace {folder}"))
        return
    try:
        found = follower.read()
    except UserError as error:
        st.error(literal(str(error)))
        return
    st.subheader(literal(found.sweep) or "A sweep")
    _headline(found)
    _running(found)
    _failures(found)
    _stages(found)
    _cells(found)
    _log(found)
    at = f"{datetime.now():%H:%M:%S}"
    st.caption(literal(f"Looked at {at}; looks again every {_EVERY} s and writes nothing. {follower.file}"))


def page() -> None:
    """The whole page."""
    heading("sweep")
    options = [_NEWEST, *(file.stem for file in workspace().journals)]
    said = "Sweeps of this workspace, newest first, by their beginning (UTC)."
    _live(choose.one(st, "Sweep", options, "sweep", help=said) or _NEWEST)


page()
