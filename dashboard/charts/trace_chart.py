"""A trace as bars, from the judgments over teacher and ranker down to the retriever."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from harness.leaderboard.inspect.trace_steps import JUDGMENTS, RANKER, TEACHER, TraceStep

LOOKS = {
    JUDGMENTS: ("against the judgments", "#0072B2"),
    TEACHER: ("against the teacher's order", "#D55E00"),
    RANKER: ("against the ranker's scores", "#009E73"),
}
"""What a step is measured against, in words, and its colour; every bar also says it below the mouse and in the
table."""
_ROW, _REST = 30, 110
"""Pixels of a bar with its gap, and of axis and legend."""


def trace_chart(steps: Sequence[TraceStep]) -> alt.LayerChart:
    """A bar a step, in their order, with its value and τ at its end; a tick is what orders by lot have."""
    values = [_row(number, step) for number, step in enumerate(steps, 1)]
    names = [value["step"] for value in values]
    present = [look for target, look in LOOKS.items() if any(step.target == target for step in steps)]
    legend = alt.Legend(title=None, orient="bottom", columns=1)
    colour = alt.Scale(domain=[words for words, _ in present], range=[shade for _, shade in present])
    down = alt.Y("step:N", sort=names, title=None, axis=alt.Axis(labelLimit=320))
    across = alt.X("value:Q", title="nDCG@10 and the metric of the board", scale=alt.Scale(domain=[0, 1.2], nice=False))
    base = alt.Chart(alt.Data(values=values)).encode(y=down)
    bars = base.mark_bar(height=16).encode(
        x=across,
        color=alt.Color("against:N", scale=colour, legend=legend),
        tooltip=[
            alt.Tooltip("step:N"),
            alt.Tooltip("against:N"),
            alt.Tooltip("metric:N"),
            alt.Tooltip("value:Q", format=".3f"),
            alt.Tooltip("chance:Q", format=".3f", title="by chance"),
            alt.Tooltip("tau:Q", format=".3f", title="τ"),
            alt.Tooltip("lists:Q", format=",d"),
        ],
    )
    chance = base.transform_filter("isValid(datum.chance)").mark_tick(color="black", thickness=2, height=20)
    texts = base.mark_text(align="left", dx=5, fontSize=12).encode(x="end:Q", text="text:N")
    layers = alt.layer(bars, chance.encode(x=alt.X("chance:Q")), texts)
    return layers.properties(height=_ROW * len(steps) + _REST)


def _row(number: int, step: TraceStep) -> dict[str, object]:
    tau = "" if step.tau is None else f"  τ {step.tau:.2f}"
    return {
        # Steps are told apart by their number where two would be called alike.
        "step": f"{number}. {step.model}, {step.on}",
        "against": LOOKS[step.target][0],
        "metric": step.metric,
        "value": step.value,
        "end": max(step.value or 0.0, step.chance or 0.0),
        "chance": step.chance,
        "tau": step.tau,
        "lists": step.lists,
        "text": "not measured" if step.value is None else f"{step.value:.3f}{tau}",
    }
