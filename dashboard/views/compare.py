"""Compare: is the difference between two to six rows real, how large is it, and on which queries?"""

from __future__ import annotations

import streamlit as st

from dashboard import choose
from dashboard.frame import frame
from dashboard.pair_charts import differences, scatter
from dashboard.show import show
from dashboard.source import View, view, workspace
from dashboard.strata_chart import strata_chart
from dashboard.text import literal
from harness.board import cells, comparison_files
from harness.board.comparison import FEWEST, MOST, compare_rows
from harness.board.comparison_files import interval
from harness.board.per_query import Change, PerQuery, changes, extremes, per_query
from harness.board.rankings import at_hand
from harness.board.strata import SIZES, strata
from harness.errors import UserError
from harness.evaluation.answers import Compared
from harness.evaluation.corrections import CORRECTIONS
from harness.evaluation.question import HOLM, Question
from harness.evaluation.render import VERDICTS, p_text
from harness.evaluation.significance import TESTS
from harness.evaluation.text import counted

_ALL = "all pairs"
_HELP = {
    "b - a": "Mean difference over queries: above 0, b is better.",
    "95 %": "Interval of the mean difference over queries.",
    "p": "How often chance alone would give a difference at least as large, if the two were equal.",
    "p adj.": "p corrected for the number of comparisons made here; the verdict goes by it.",
    "d_z": "Cohen's d for paired values: the mean difference in standard deviations of the differences.",
    "P(b > a)": "On how many queries b is better, ties counted half.",
    "won": "Queries on which b is better, equal, worse.",
    "detectable": "The least true difference that as many queries show with 80 % power.",
    "queries needed": "How many queries it takes to show a true difference of this size with 80 % power.",
    "verdict": "'not shown' is no evidence that the two are equal.",
}


def _question(where: st.delta_generator.DeltaGenerator) -> Question:
    tests = {name: test.summary for name, test in TESTS.items()}
    said = "\n".join(f"- {name}: {literal(about)}" for name, about in tests.items())
    test = choose.one(where, "Test", list(tests), "test", help=said) or "randomisation"
    if TESTS[test].joint is not None:
        where.caption("This test covers the whole family by itself.")
        return Question(test=test)
    said = "holm, hochberg, bonferroni bound the chance of any false claim; bh, by the share of false ones among the claims."
    return Question(test=test, correction=choose.one(where, "Correction", list(CORRECTIONS), "correction", default=HOLM, help=said))


def _means(answer: Compared) -> None:
    rows = answer["runs"]
    shown = {
        "row": [row["name"] for row in rows],
        answer["metric"]: [row["mean"] for row in rows],
        "95 %": [interval(row["interval"]) for row in rows],
        "missing queries": [row["missing"] for row in rows],
    }
    frame(shown, "Means", {answer["metric"]: st.column_config.NumberColumn(format="%.4f")}, save="means")


def _tests(answer: Compared) -> None:
    rows = answer["comparisons"]
    shown = {
        "a": [row["a"] for row in rows],
        "b": [row["b"] for row in rows],
        "b - a": [row["difference"] for row in rows],
        "95 %": [interval(row["interval"]) for row in rows],
        "p": [p_text(row["p"]) for row in rows],
        "p adj.": [p_text(row["p_adjusted"]) for row in rows],
        "verdict": [VERDICTS[row["verdict"]] for row in rows],
        "d_z": [row["effect_size"] for row in rows],
        "P(b > a)": [row["superiority"] for row in rows],
        "won": [f"{row['wins']} / {row['ties']} / {row['losses']}" for row in rows],
        "detectable": [row["detectable"] for row in rows],
        "queries needed": [row["queries_needed"] for row in rows],
    }
    numbers = {"b - a": "%+.4f", "d_z": "%+.2f", "P(b > a)": "%.2f", "detectable": "%.4f", "queries needed": "localized"}
    config = {name: st.column_config.Column(help=said) for name, said in _HELP.items() if name not in numbers}
    config |= {name: st.column_config.NumberColumn(help=_HELP[name], format=form) for name, form in numbers.items()}
    frame(shown, "Comparisons", config, key="comparisons")
    sides = "" if answer["alternative"] == "two-sided" else f" ({answer['alternative']})"
    st.caption(
        literal(
            f"{answer['test']} test{sides}, paired over {counted(answer['queries'], 'query')}, seed {answer['seed']}; p adjusted by "
            f"{answer['correction']} over {answer['family']}. Runs of a row are averaged on each query first."
        )
    )
    with st.container(horizontal=True):
        st.download_button("Comparisons as CSV", comparison_files.csv(answer), "comparison.csv", "text/csv")
        st.download_button("Comparisons as LaTeX", comparison_files.latex(answer), "comparison.tex", "text/x-tex")


def _pair(values: PerQuery, answer: Compared) -> None:
    st.subheader("Query by query")
    left, right = st.columns(2)
    names = list(values.names)
    first, second = answer["comparisons"][0]["a"], answer["comparisons"][0]["b"]
    a = choose.one(left, "a", names, "a", default=first) or first
    others = [name for name in names if name != a]
    b = choose.one(right, "b", others, "b", default=second) or others[0]
    found = changes(values, names.index(a), names.index(b))
    said = f"{values.metric} of {counted(len(found), 'query')}"
    show(scatter(found, values.metric), "scatter", f"{said}: a across, b up; above the diagonal b is better.", left)
    show(differences(found, values.metric), "differences", f"{said}: b minus a, largest gain first.", right)
    gains, losses = extremes(found)
    _list(left, "Biggest wins of b", gains)
    _list(right, "Biggest losses of b", losses)
    queries = [change.query for change in [*gains, *losses]]
    if queries:
        query = st.selectbox("Look at a query", queries, key="extreme")
        st.page_link("views/query.py", label="Open it", query_params={"query": query, "shown": [a, b]})


def _list(where: st.delta_generator.DeltaGenerator, title: str, found: list[Change]) -> None:
    where.markdown(f"**{title}**")
    if not found:
        where.caption("None.")
        return
    shown = {name: [getattr(one, name) for one in found] for name in Change._fields}
    config = {name: st.column_config.NumberColumn(format="%.3f") for name in ("a", "b")}
    config["difference"] = st.column_config.NumberColumn("b - a", format="%+.3f")
    frame(shown, title, config, where, save=title.lower().replace(" ", "-"))


def _strata(found: View, values: PerQuery, chosen: list[str]) -> None:
    st.subheader("By kind of query")
    run = found.gathered.behind(found.table, found.rows[chosen[0]])[0]
    collection = at_hand(run, workspace())
    if collection is None:
        st.info("Query lengths and judgments are not on this machine: run a sweep on the collection, or set HARNESS_WORKSPACE.")
        return
    size = choose.one(st, "Bins by", list(SIZES), "bins", help="Bins hold about equally many queries.") or next(iter(SIZES))
    rows = strata(values, SIZES[size](collection, run.card.collection.split))
    said = f"{values.metric} of each row by {size}; the table below has the numbers."
    show(strata_chart(rows, values.metric, size), "kinds", said)
    shown = {
        size: [one.bin for one in rows],
        "queries": [one.queries for one in rows],
        "row": [one.name for one in rows],
        values.metric: [one.mean for one in rows],
        "95 %": [cells.bounds(one.interval) for one in rows],
    }
    frame(shown, "Means by bin", {values.metric: st.column_config.NumberColumn(format="%.3f")}, save="bins")
    st.caption("Intervals are 95 % bootstraps over the queries of a bin. Many bins are many looks: a difference in one of them is no test.")


def page() -> None:
    """The whole page."""
    st.title("Compare")
    found = view()
    chosen = choose.several(st, f"Rows, {FEWEST} to {MOST}", list(found.rows), "rows", most=MOST)
    if len(chosen) < FEWEST:
        st.info(f"Choose {FEWEST} to {MOST} rows, here or by ticking them on the leaderboard.")
        return
    left, right = st.columns(2)
    against = choose.one(left, "Against", [_ALL, *chosen], "against", help="All pairs, or every other row against one.")
    try:
        values = per_query(found.gathered, found.table, [(name, found.rows[name]) for name in chosen])
        with right:
            answer = compare_rows(values, _question(right), None if against in (None, _ALL) else against)
    except UserError as error:
        st.error(literal(str(error)))
        return
    _means(answer)
    _tests(answer)
    _pair(values, answer)
    _strata(found, values, chosen)


page()
