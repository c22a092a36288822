"""The trials of configs/tune-method.yaml as a table and a figure: ``python -m benchmarks.trials RESULTS [--svg FILE]``.

Rows are what was changed, columns collections; a cell is the first metric on the split that was judged.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import harness

KINDS = {"intermediate": "ours", "no-llm": "no LLM", "direct": "direct"}
REFERENCES = "references"
TRIED = {
    "ranker_loss": ("listmle",),
    "retriever_loss": ("listmle", "kl temperature 0.1 teacher_temperature 2.0"),
    "student_candidates": ("20",),
    "learning_rate": (),
}
"""Settings that trials change, with their usual values."""


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--svg", type=Path, help="write the figure there")
    given = parser.parse_args()
    trials = [trial(folder.parent) for folder in sorted(given.results.rglob("card.yaml"))]
    print(markdown(trials))
    if given.svg:
        import altair

        rows = [one for one in trials if one["kind"] != REFERENCES]
        chart = altair.Chart(altair.Data(values=rows)).mark_point(filled=True, opacity=0.7, size=60)
        drawn = chart.encode(
            x=altair.X("value:Q", title=trials[0]["metric"], scale=altair.Scale(zero=False)),
            y=altair.Y("kind:N", title=None, sort=list(KINDS.values())),
            color=altair.Color("kind:N", legend=None),
            shape=altair.Shape("teacher:N", title="teacher"),
        ).properties(width=190, height=110)
        drawn.facet(altair.Facet("collection:N", title=None), columns=2).resolve_scale(x="independent").save(given.svg)


def trial(folder: Path) -> dict[str, Any]:
    """What a published run is in the table."""
    card = harness.load_result(folder).card
    metric, value = next(iter(card.outcome.metrics.items()))
    return {
        "collection": card.collection.name.rsplit("/", 1)[-1],
        "kind": KINDS.get(card.method.name, REFERENCES),
        "teacher": card.teacher.name if card.teacher else "none",
        "change": _change(card.method),
        "metric": metric,
        "value": value,
    }


def _change(method: Any) -> str:
    """What sets a trial apart: the end of its label, and those settings of `TRIED` that are not the usual ones."""
    name = method.label or method.name
    values = {key: _text(method.settings[key]) for key in TRIED if method.settings.get(key) is not None}
    unusual = [f"{key} {value}" for key, value in values.items() if value not in TRIED[key]]
    return ", ".join([name.partition(" / ")[2] or name, *unusual])


def _text(value: Any) -> str:
    """A setting on one line."""
    if isinstance(value, dict):
        rest = " ".join(f"{key} {_text(one)}" for key, one in value.items() if key != "name")
        return f"{value.get('name', '')} {rest}".strip()
    return " + ".join(map(_text, value)) if isinstance(value, list) else str(value)


def markdown(trials: list[dict[str, Any]]) -> str:
    """One row a change and teacher, one column a collection; rows in the order of the first collection's values."""
    names = sorted({one["collection"] for one in trials})
    rows: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for one in trials:
        rows[one["kind"], one["teacher"], one["change"]][one["collection"]] = one["value"]
    order = sorted(rows, key=lambda key: ([REFERENCES, *KINDS.values()].index(key[0]), -rows[key].get(names[0], 0.0)))
    lines = [f"| method | teacher | what is changed | {' | '.join(names)} |", f"|---|---|---|{'--:|' * len(names)}"]
    for key in order:
        cells = [f"{rows[key][name]:.3f}" if name in rows[key] else "" for name in names]
        lines.append(f"| {' | '.join(key)} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
