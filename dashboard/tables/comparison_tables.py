"""A comparison of rows as tables: their means, all of them against each other, and every pair with its test."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.frame import frame
from dashboard.save import save_button
from dashboard.text import literal
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.comparison_tables import p_text, p_words, verdict_words
from harness.leaderboard.curves.series_style import letters
from harness.leaderboard.render import comparison_files
from harness.leaderboard.render.comparison_files import interval
from harness.leaderboard.report.all_pairs import PairMatrix
from harness.text import counted

_HELP = {
    "row": "A row, by its letter in the list above.",
    "against": "The row that it is held against.",
    "difference": "Mean over queries, row minus against: above 0, the row is better.",
    "95 %": "Interval of the mean difference, over queries and runs where the test is t.",
    "p": "How often chance alone would give a difference at least as large, if the two were equal.",
    "p adj.": "p corrected for the number of comparisons made here; the verdict goes by it.",
    "verdict": "Of the row. 'not shown' is no evidence that the two are equal.",
    "+/=/-": "Queries on which the row is better, equal, worse.",
    "d_z": "Cohen's d for paired values: the mean difference in standard deviations of the differences.",
    "P(better)": "On which share of queries the row is better, ties counted half.",
    "detectable": "The least true difference that as many queries show with 80 % power.",
    "queries needed": "How many queries it takes to show a true difference of this size with 80 % power.",
}
_NUMBERS = {
    "difference": "%+.4f",
    "d_z": "%+.2f",
    "P(better)": "%.2f",
    "detectable": "%.4f",
    "queries needed": "localized",
}
_WIDTHS = {
    "row": 40,
    "against": 62,
    "difference": 78,
    "95 %": 112,
    "p": 62,
    "p adj.": 62,
    "verdict": 168,
    "+/=/-": 104,
    "d_z": 58,
    "P(better)": 75,
}


def _scope(answer: ComparisonResult) -> str:
    """What verdicts are about."""
    if answer["test"] == "t":
        return "Over queries and runs: of a method with one run nothing is said."
    return "Runs of a row are averaged on each query first: verdicts are about these runs, others may undo them."


def lettered(answer: ComparisonResult) -> dict[str, str]:
    """A letter for every row, A to F, by the row's name."""
    names = [row["name"] for row in answer["runs"]]
    return dict(zip(names, map(str.upper, letters(len(names))), strict=True))


def means(answer: ComparisonResult, letter: Mapping[str, str]) -> None:
    """Each row's mean with its interval."""
    rows, metric = answer["runs"], answer["metric"]
    shown = {
        "letter": [letter[row["name"]] for row in rows],
        metric: [row["mean"] for row in rows],
        "95 % over queries": [interval(row["interval"]) for row in rows],
        "missing queries": [row["missing"] for row in rows],
        "row": [row["name"] for row in rows],
    }
    said = (
        "Other queries of the same kind, the runs as they are. The leaderboard's interval is wider: it also counts "
        "resamples and seeds."
    )
    config = {
        "letter": st.column_config.TextColumn(width=50),
        metric: st.column_config.NumberColumn(format="%.4f", width=85),
        "95 % over queries": st.column_config.TextColumn(width=130, help=said),
        "missing queries": st.column_config.NumberColumn(
            width=115, help="Queries that the row's runs lack; each counts 0."
        ),
    }
    # Names stand in the list of letters; here they are for the files.
    frame(shown, "Means", config, save="means", column_order=list(config))


def matrix(answer: ComparisonResult, letter: Mapping[str, str]) -> None:
    """All rows against each other, where all pairs were tested and there is more than one."""
    if len(letter) < 3 or len(answer["comparisons"]) < len(letter) * (len(letter) - 1) // 2:
        return
    pairs = PairMatrix(tuple(letter), letter, answer)
    shown: dict[str, list[str]] = {"row": list(letter.values())}
    for column, heading in letter.items():
        found = [pairs.cell(row, column) for row in letter]
        shown[heading] = [f"{one.text} ({p_words(one.p_adjusted)})" if one else "" for one in found]
    config = {"row": st.column_config.TextColumn(width=40, pinned=True)}
    config |= {heading: st.column_config.TextColumn(width=124) for heading in letter.values()}
    frame(shown, "Matrix", config, save="matrix")
    st.caption(
        "Row minus column with its adjusted p: ▲ the row is better, ▼ worse, · not shown. The list below has the "
        "same differences: row minus against."
    )


def tests(answer: ComparisonResult, letter: Mapping[str, str]) -> None:
    """Every pair with its test, how large the difference is, and what could have been seen; below it how it was
    tested."""
    rows = answer["comparisons"]
    shown = {
        "row": [letter[row["b"]] for row in rows],
        "against": [letter[row["a"]] for row in rows],
        "difference": [row["difference"] for row in rows],
        "95 %": [interval(row["interval"]) for row in rows],
        "p": [p_text(row["p"]) for row in rows],
        "p adj.": [p_text(row["p_adjusted"]) for row in rows],
        "verdict": [verdict_words(row) for row in rows],
        "+/=/-": [f"{row['wins']} / {row['ties']} / {row['losses']}" for row in rows],
        "d_z": [row["effect_size"] for row in rows],
        "P(better)": [row["superiority"] for row in rows],
        "detectable": [row["detectable"] for row in rows],
        "queries needed": [row["queries_needed"] for row in rows],
    }
    config = {
        name: st.column_config.NumberColumn(help=said, format=_NUMBERS[name], width=_WIDTHS.get(name))
        if name in _NUMBERS
        else st.column_config.TextColumn(help=said, width=_WIDTHS.get(name))
        for name, said in _HELP.items()
    }
    frame(shown, "Comparisons", config, key="comparisons")
    sides = "" if answer["alternative"] == "two-sided" else f" ({answer['alternative']})"
    st.caption(
        literal(
            f"{answer['test']} test{sides}, paired over {counted(answer['queries'], 'query')}, seed {answer['seed']}; "
            "p adjusted by "
            f"{answer['correction']} over {answer['family']}. {_scope(answer)}"
        )
    )
    where = st.container(horizontal=True)
    save_button(where, "Comparisons as CSV", comparison_files.csv(answer), "comparison.csv", "text/csv")
    save_button(where, "Comparisons as LaTeX", comparison_files.latex(answer), "comparison.tex", "text/x-tex")
