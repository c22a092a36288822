"""A training query on the page: the candidates, each teacher's order and words, each ranker's scores."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import choose
from dashboard.frame import frame
from dashboard.source import View, workspace
from dashboard.tables.row_list import row_list
from dashboard.text import literal
from harness.labelling.labels.run_labels import RAW, LabelRow, LabelsOfRun
from harness.leaderboard.columns import VERDICT_HELP
from harness.leaderboard.inspect.query_rankings import local_collection
from harness.leaderboard.inspect.training_query import InspectedQuery, training_query
from harness.published.published_labels import read_labels
from harness.published.result_folder import LABELS, Published
from harness.text import counted


@st.cache_resource(max_entries=24, show_spinner="Reading labels")  # type: ignore[untyped-decorator]
def _read(folder: str, size: int, changed: int) -> LabelsOfRun | None:
    """The labels of a run, read again when the file changes."""
    return read_labels(Path(folder))


def _labels(runs: list[Published]) -> LabelsOfRun | None:
    """The labels of the first of a row's runs that has any."""
    for run in runs:
        try:
            about = (Path(run.folder) / LABELS).lstat()
        except OSError:
            continue
        return _read(str(run.folder), about.st_size, about.st_mtime_ns)  # type: ignore[no-any-return]
    return None


def training(found: View, names: list[str]) -> None:
    """Choose a training query that a teacher of the named rows labelled, and show what is published of it. Raises
    UserError."""
    groups = [found.result_set.runs_of_row(found.table, found.rows[name]) for name in names]
    labels = [_labels(group) for group in groups]
    rows = [{row.query: row for row in one.rows} if one else {} for one in labels]
    counts = Counter(query for mapping in rows for query in mapping)
    queries = sorted(counts, key=lambda query: -counts[query])
    if not queries:
        st.info(
            "No labels are published for these rows: no teacher taught them, or their sweep ran before "
            "labels.jsonl.gz was written."
        )
        return
    query = choose.one(st, "Training query", queries, "training", help="Those that most of the rows have come first.")
    if query is None:
        return
    chosen: list[tuple[str, LabelRow | None]] = [
        (name, mapping.get(query)) for name, mapping in zip(names, rows, strict=True)
    ]
    answer = training_query(chosen, local_collection(groups[0][0], workspace().collections))
    st.subheader(literal(answer.text or answer.query))
    row_list({f"{number}": name for number, name in enumerate(names, 1)})
    _candidates(answer, names)
    _opinion_text(answer)
    published = [
        f"{name}: {one.header.rows:,} of {one.header.labels:,}" for name, one in zip(names, labels, strict=True) if one
    ]
    st.caption(literal(f"Labels published with the first run of each row that has any: {'; '.join(published)}."))


def _candidates(answer: InspectedQuery, names: list[str]) -> None:
    found = answer.candidates
    shown: dict[str, list[Any]] = {"document": [one.document for one in found]}
    config: dict[str, Any] = {
        "document": st.column_config.TextColumn(width=130),
        "text": st.column_config.TextColumn(width=300),
    }
    if any(one.text for one in found):
        shown["text"] = [one.text for one in found]
    if any(one.grade is not None for one in found):
        shown["grade"] = [one.grade for one in found]
    columns = {
        "shown": ("presented_at", "Its place in what the teacher of {} was shown.", "%d"),
        "teacher": ("placed", "Its place in the teacher's order, {}; empty where the teacher did not place it.", "%d"),
        "number": ("scores", "The teacher's own number, {}; higher is better.", "%.4g"),
        "ranker": ("ranker_placed", "Its place by the trained ranker of {}.", "%d"),
        "score": ("ranker", "What the trained ranker of {} scores it.", "%.4g"),
    }
    for number, name in enumerate(names):
        for heading, (field, said, form) in columns.items():
            values = [getattr(one, field)[number] for one in found]
            if any(value is not None for value in values):
                title = f"{number + 1}. {heading}"
                shown[title] = values
                config[title] = st.column_config.NumberColumn(width=84, format=form, help=said.format(literal(name)))
    frame(shown, "Candidates", config, save="candidates")
    st.caption(
        "Candidates in the first stage's order, with each row's: place where its teacher was shown them, place and "
        "number that the "
        "teacher gave, place and score that its trained ranker gives."
    )


def _opinion_text(answer: InspectedQuery) -> None:
    st.subheader("In the teacher's own words")
    for one in answer.opinions:
        st.markdown(f"**{literal(one.name)}**")
        reason = f" ({one.reason})" if one.reason else ""
        st.caption(literal(f"{one.verdict}{reason}: {VERDICT_HELP[one.verdict]}"))
        if one.raw:
            st.code(one.raw, language=None, wrap_lines=True)
            if one.cut:
                st.caption(f"Cut after {counted(RAW, 'character')}.")
        else:
            st.caption("No words: this teacher answers in numbers or an order alone.")
