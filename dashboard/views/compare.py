"""Compare: is the difference between two to six rows real, how large is it, and on which queries?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import address, choose
from dashboard.charts.pair_charts import differences, scatter
from dashboard.charts.strata_chart import strata_chart
from dashboard.frame import frame
from dashboard.heading import heading
from dashboard.show import show
from dashboard.source import View, view, workspace
from dashboard.tables.comparison_tables import lettered, matrix, means, tests
from dashboard.tables.row_list import row_list
from dashboard.text import literal
from dashboard.usual_rows import usual_note, usual_rows
from harness.errors import UserError
from harness.evaluation.significance.corrections import CORRECTIONS
from harness.evaluation.significance.paired_tests import TESTS
from harness.evaluation.significance.test_spec import HOLM, TestSpec
from harness.leaderboard import row_texts
from harness.leaderboard.comparison import FEWEST, MOST, compare_rows
from harness.leaderboard.inspect.query_rankings import local_collection, query_texts
from harness.leaderboard.inspect.strata import SIZES, strata
from harness.leaderboard.row_query_values import PerQuery, QueryChange, changes, extremes, per_query
from harness.text import counted

_ALL = "all pairs"
_NO_TEXTS = (
    "Queries stand by their ids: their texts are not on this machine. Run a sweep on the collection, or start the "
    "dashboard with the --workspace of one."
)


def _question(where: st.delta_generator.DeltaGenerator) -> TestSpec:
    tests = {name: test.summary for name, test in TESTS.items()}
    said = "\n".join(f"- {name}: {literal(about)}" for name, about in tests.items())
    test = choose.one(where, "Test", list(tests), "test", help=said) or "t"
    if TESTS[test].joint is not None:
        where.caption("This test covers the whole family by itself.")
        return TestSpec(test=test)
    said = (
        "holm, hochberg, bonferroni bound the chance of any false claim; bh, by the share of false ones among the "
        "claims."
    )
    return TestSpec(
        test=test, correction=choose.one(where, "Correction", list(CORRECTIONS), "correction", default=HOLM, help=said)
    )


def _pair(found_view: View, values: PerQuery, chosen: list[str], letter: Mapping[str, str]) -> None:
    st.subheader("Query by query")
    left, right = st.columns(2)
    a = choose.one(right, "Against", chosen, "a", default=chosen[0]) or chosen[0]
    others = [name for name in chosen if name != a]
    b = choose.one(left, "Row", others, "b", default=chosen[1]) or others[0]
    row_list({f"{letter[b]}, the row": b, f"{letter[a]}, against": a})
    found = changes(values, values.names.index(a), values.names.index(b))
    said = f"{values.metric} of {counted(len(found), 'query')}"
    # A row for each kind of thing: on a phone columns stand below each other, and both choices belong before the first
    # chart.
    left, right = st.columns(2)
    show(
        scatter(found, values.metric, (a, b)),
        "scatter",
        f"{said}: the row up, what it is held against across; above the diagonal the row is better.",
        left,
    )
    show(
        differences(found, values.metric, (a, b)),
        "differences",
        f"{said}: row minus against, largest gain first.",
        right,
    )
    gains, losses = extremes(found)
    texts = _texts(found_view, chosen, [change.query for change in [*gains, *losses]])
    left, right = st.columns(2)
    _list(left, "Biggest wins of the row", gains, texts)
    _list(right, "Biggest losses of the row", losses, texts)
    if not texts:
        st.caption(_NO_TEXTS)
    queries = [change.query for change in [*gains, *losses]]
    if queries:
        query = st.selectbox("Look at a query", queries, key="extreme", format_func=lambda one: texts.get(one, one))
        st.page_link("views/query.py", label="Open it", query_params=address.link(query=[query], rows=[a, b]))


def _texts(found: View, chosen: list[str], queries: list[str]) -> dict[str, str]:
    """What the queries say, by their ids; nothing where their collection is not on this machine."""
    run = found.result_set.runs_of_row(found.table, found.rows[chosen[0]])[0]
    collection = local_collection(run, workspace().collections)
    return query_texts(collection, run.card.collection.split, queries)


def _list(
    where: st.delta_generator.DeltaGenerator, title: str, found: list[QueryChange], texts: Mapping[str, str]
) -> None:
    where.markdown(f"**{title}**")
    if not found:
        where.caption("None.")
        return
    headings = {"query": "query", "b": "row", "a": "against", "difference": "difference"}
    shown = {heading: [getattr(one, name) for one in found] for name, heading in headings.items()}
    config: dict[str, Any] = {name: st.column_config.NumberColumn(format="%.3f") for name in ("row", "against")}
    config["difference"] = st.column_config.NumberColumn(format="%+.3f")
    if texts:
        shown = {"text": [texts.get(one.query, "") for one in found], **shown}
        config["text"] = st.column_config.TextColumn(width=220)
    frame(shown, title, config, where, save=title.lower().replace(" ", "-"))


def _strata(found: View, values: PerQuery, chosen: list[str], letter: Mapping[str, str]) -> None:
    st.subheader("By kind of query")
    run = found.result_set.runs_of_row(found.table, found.rows[chosen[0]])[0]
    collection = local_collection(run, workspace().collections)
    if collection is None:
        st.info(
            "Query lengths and judgments are not on this machine: run a sweep on the collection, or set "
            "HARNESS_WORKSPACE."
        )
        return
    size = choose.one(st, "Bins by", list(SIZES), "bins", help="Bins hold about equally many queries.") or next(
        iter(SIZES)
    )
    rows = strata(values, SIZES[size](collection, run.card.collection.split))
    said = f"{values.metric} of each row by {size}; the table below has the numbers."
    show(strata_chart(rows, values.metric, size), "kinds", said)
    shown = {
        size: [one.bin for one in rows],
        "queries": [one.queries for one in rows],
        "letter": [letter[one.name] for one in rows],
        values.metric: [one.mean for one in rows],
        "95 %": [row_texts.bounds(one.interval) for one in rows],
        "row": [one.name for one in rows],
    }
    frame(shown, "Means by bin", {values.metric: st.column_config.NumberColumn(format="%.3f")}, save="bins")
    st.caption(
        "Intervals are 95 % bootstraps over the queries of a bin. Many bins are many looks: a difference in one of "
        "them is no test."
    )


def page() -> None:
    """The whole page."""
    heading("compare")
    found = view()
    usual = usual_rows(found.table)
    chosen = choose.several(st, f"Rows, {FEWEST} to {MOST}", list(found.rows), "rows", most=MOST, default=usual)
    if len(chosen) < FEWEST:
        st.info(f"Choose {FEWEST} to {MOST} rows, here or by ticking them on the leaderboard.")
        return
    usual_note("rows")
    left, right = st.columns(2)
    said = "All pairs, or every other row against one. A difference is always that of a row from what it is against."
    first = usual[0] if not address.values("rows") else _ALL
    against = choose.one(left, "Against", [_ALL, *chosen], "against", default=first, help=said)
    try:
        values = per_query(found.result_set, found.table, [(name, found.rows[name]) for name in chosen])
        with right:
            answer = compare_rows(values, _question(right), None if against in (None, _ALL) else against)
    except UserError as error:
        st.error(literal(str(error)))
        return
    letter = lettered(answer)
    row_list({key: name for name, key in letter.items()})
    means(answer, letter)
    matrix(answer, letter)
    tests(answer, letter)
    _pair(found, values, chosen, letter)
    _strata(found, values, chosen, letter)


page()
