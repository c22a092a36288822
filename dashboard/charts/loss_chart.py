"""The loss of a training, step by step."""

from __future__ import annotations

import altair as alt

from harness.leaderboard.inspect.run_provenance import HELD_OUT, TRAINING, LossCurve

LOOKS = {TRAINING: ("#0072B2", [1, 0]), HELD_OUT: ("#D55E00", [6, 3])}
"""Colour and dash of a curve; held-out losses also have a marker at every check."""

_FEW = 30
"""Points up to which each is marked: a line of one point would not be seen."""


def loss_chart(found: LossCurve) -> alt.LayerChart:
    """Training loss as a solid line, held-out loss dashed with markers, the kept step as a rule where it is not the
    last."""
    values = [point._asdict() for point in found.points]
    kinds = [kind for kind in LOOKS if any(value["kind"] == kind for value in values)]
    legend = alt.Legend(title=None, orient="bottom", symbolType="stroke")
    colours, dashes = [LOOKS[kind][0] for kind in kinds], [LOOKS[kind][1] for kind in kinds]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X(
            "step:Q", title="optimiser step", scale=alt.Scale(nice=False), axis=alt.Axis(format=",d", tickMinStep=1)
        ),
        y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False), axis=alt.Axis(format=".3~g")),
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=colours), legend=legend),
        tooltip=[alt.Tooltip("kind:N"), alt.Tooltip("step:Q", format=",d"), alt.Tooltip("loss:Q", format=".4g")],
    )
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=dashes), legend=legend)
    lines = base.mark_line(point=len(values) <= _FEW).encode(strokeDash=dash)
    checks = base.transform_filter(alt.datum.kind == HELD_OUT).mark_point(filled=True, size=60)
    layers = [lines, checks]
    if found.best_step != found.steps:
        kept = alt.Chart(alt.Data(values=[{"step": found.best_step, "text": f"kept: step {found.best_step:,}"}]))
        layers += [
            kept.mark_rule(color="gray", strokeDash=[2, 3]).encode(x="step:Q"),
            kept.mark_text(align="left", dx=4, color="gray").encode(x="step:Q", y=alt.value(8), text="text:N"),
        ]
    return alt.layer(*layers).properties(height=400)
