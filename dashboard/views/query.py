"""Query: where each chosen run ranks which documents, and for a training query what the teachers said and the rankers
scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import choose
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.source import View, view, workspace
from dashboard.tables.row_list import row_list
from dashboard.text import literal
from dashboard.training import training
from dashboard.usual_rows import usual_note, usual_rows
from harness.collections.collection import Collection
from harness.errors import UserError
from harness.leaderboard.comparison import MOST
from harness.leaderboard.inspect.query_rankings import DEPTH, QueryView, local_collection, query_view, read_run
from harness.leaderboard.row_query_values import PerQuery, per_query
from harness.published.result_folder import Published
from harness.retrieval.run import Run

_TEST, _TRAINING = "a test query, as the runs answer it", "a training query, as the teachers saw it"


@st.cache_resource(max_entries=24, show_spinner="Reading a run")  # type: ignore[untyped-decorator]
def _read(folder: str, size: int, changed: int, _run: Published) -> Run:
    """A run file, read again when it changes."""
    return read_run(_run)


def _run(run: Published) -> Run:
    about = (Path(run.folder) / "run.trec.gz").lstat()
    return _read(str(run.folder), about.st_size, about.st_mtime_ns, run)  # type: ignore[no-any-return]


def _show(found: QueryView, names: list[str]) -> None:
    if found.text:
        st.subheader(literal(found.text))
    if found.answers:
        st.text(f"Short answers: {'; '.join(found.answers)}")
    scores = choose.switch(
        st, "Scores", "scores", help="What each run scores a document; scores of two runs are on scales of their own."
    )
    shown: dict[str, list[Any]] = {"document": [one.document for one in found.documents]}
    config: dict[str, Any] = {
        "document": st.column_config.TextColumn(width=130),
        "text": st.column_config.TextColumn(width=300),
        "grade": st.column_config.NumberColumn(
            width=60, help="Judged relevance; empty where nobody judged the document."
        ),
    }
    if any(one.text for one in found.documents):
        shown["text"] = [one.text for one in found.documents]
    shown["grade"] = [one.grade for one in found.documents]
    for number, name in enumerate(names, 1):
        heading = f"rank {number}"
        shown[heading] = [one.ranks[number - 1] for one in found.documents]
        config[heading] = st.column_config.NumberColumn(
            width=62, help=f"Its rank in {literal(name)}; empty below {DEPTH}."
        )
        if scores:
            shown[f"score {number}"] = [one.scores[number - 1] for one in found.documents]
            config[f"score {number}"] = st.column_config.NumberColumn(
                width=70, format="%.4g", help=f"What {literal(name)} scores it."
            )
    frame(shown, "Documents", config, save="documents")


def _values(values: PerQuery, query: str, names: list[str]) -> None:
    found = values.values[values.queries.index(query)].tolist()
    row_list({f"{number}": name for number, name in enumerate(names, 1)})
    where = st.container(horizontal=True)
    for number, (name, value) in enumerate(zip(names, found, strict=True), 1):
        where.metric(
            literal(f"{values.metric}, row {number}"),
            f"{value:.3f}",
            help=literal(f"{values.metric} of {name}"),
            width="content",
        )


def _test(found: View, names: list[str]) -> None:
    values = per_query(found.result_set, found.table, [(name, found.rows[name]) for name in names])
    query = choose.one(st, "Query", list(values.queries), "query")
    if query is None:
        return
    groups = [found.result_set.runs_of_row(found.table, found.rows[name]) for name in names]
    collection: Collection | None = local_collection(groups[0][0], workspace().collections)
    answer = query_view(
        [_run(group[0]) for group in groups], query, collection=collection, split=groups[0][0].card.collection.split
    )
    _values(values, query, names)
    _show(answer, names)
    notes = [f"Ranks to {DEPTH}; documents that are judged relevant and ranked by none come last."]
    if max(map(len, groups)) > 1:
        notes.append("Of a row with several runs the first is shown here; its value above is the mean over all.")
    if collection is None:
        notes.append(
            "Texts and judgments are not on this machine: run a sweep on the collection, or set HARNESS_WORKSPACE."
        )
    st.caption(literal(" ".join(notes)))


def page() -> None:
    """The whole page."""
    heading("query")
    found = view()
    names = choose.several(
        st, f"Rows, up to {MOST}", list(found.rows), "rows", most=MOST, default=usual_rows(found.table)
    )
    if not names:
        st.info("Choose rows to see where they rank which documents.")
        return
    usual_note("rows")
    what = choose.one(
        st, "Look at", [_TEST, _TRAINING], "what", help="Teachers label training queries; test queries they never see."
    )
    try:
        if what == _TRAINING:
            training(found, names)
        else:
            _test(found, names)
    except (UserError, OSError) as error:
        st.error(literal(str(error)))


page()
