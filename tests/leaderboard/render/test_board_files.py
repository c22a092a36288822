"""The board on screen and in files."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from harness.leaderboard import row_texts
from harness.leaderboard.board import Board, load_board
from harness.leaderboard.curves.ascii import plot
from harness.leaderboard.curves.series import chart, select
from harness.leaderboard.curves.svg import svg, write_svg
from harness.leaderboard.overview.headline import headline, words_of
from harness.leaderboard.render import board_files
from harness.leaderboard.row_sections import By
from tests.leaderboard.runs import make_card, make_run, put, teacher

SVG = "{http://www.w3.org/2000/svg}"


def shown(found: Board, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(board_files.terminal(found))
    return console.file.getvalue()


def test_the_terminal_shows_everything_that_matters_in_100_columns(results: Path) -> None:
    text = shown(load_board(results))
    assert max(map(len, text.splitlines())) <= 100
    for part in (
        "semanlink · test · 60 queries",
        "intermediate  ours",
        "smollm2 · listmle → kl",
        "! one seed · better",
        "0.920▲",
        "12 s",
    ):
        assert part in text
    assert "5 rows against zero-shot on nDCG@10" in text.replace("\n", " ")
    assert re.search(r"–\s+intermediate\s+ours", text)
    assert "…" not in text


@pytest.mark.parametrize("width", [70, 80, 90])
def test_a_narrow_terminal_is_told_what_is_left_out_and_nothing_is_cut(results: Path, width: int) -> None:
    found = load_board(results)
    text = shown(found, width)
    assert max(map(len, text.splitlines())) <= width
    assert "no room here for: " in text
    assert row_texts.interval(found.tables[0].rows[0], "nDCG@10") in text
    assert "…" not in text.partition("by number of labels")[0]


@pytest.mark.parametrize("width", [20, 40, 60])
def test_the_narrowest_terminal_loses_no_name(results: Path, width: int) -> None:
    found = load_board(results)
    text = shown(found, width)
    cut = min(width, 25)
    for row in found.tables[0].rows:
        assert any(row.method[: cut - 8] in line for line in text.splitlines()), row.method


def test_a_wide_terminal_says_what_a_mean_is_uncertain_by(results: Path) -> None:
    found = load_board(results)
    told = [row.variance.summary for row in found.tables[0].rows if row.variance]
    assert told
    assert all(text in shown(found, 240) for text in told)
    narrow = shown(found, 100)
    assert "uncertain by" in narrow.split("no room here for: ")[1].splitlines()[0]
    assert not any(text in narrow for text in told)
    single = Board((replace(found.tables[0], rows=tuple(row for row in found.tables[0].rows if not row.variance)),))
    assert "uncertain by" not in shown(single, 240)


def test_the_terminal_says_what_was_skipped_and_when_there_is_nothing(tmp_path: Path) -> None:
    put(tmp_path, make_card("good"), make_run(0.5))
    (tmp_path / "semanlink" / "bad[red]").mkdir()
    assert "skipped semanlink/bad[red]: the card cannot be read" in shown(load_board(tmp_path))
    assert f"no published runs in {tmp_path / 'none'}" in shown(load_board(tmp_path / "none"), width=200)


def test_csv_has_every_number(results: Path) -> None:
    found = load_board(results)
    lines = list(csv.DictReader(io.StringIO(board_files.csv(found))))
    for line, row in zip(lines, found.tables[0].rows, strict=True):
        assert float(line["nDCG@10"]) == row.metrics["nDCG@10"].mean
        assert float(line["nDCG@10 low"]) == row.metrics["nDCG@10"].interval.low
        p = row.against.p_adjusted if row.against else None
        assert line["p_adjusted"] == ("" if p is None else repr(p))
        assert line["p_runs_adjusted"] == ("" if row.against is None else repr(row.against.p_runs_adjusted))
    assert lines[1]["flags"] == "one seed; better with this run only"


def seeing(results: Path) -> Board:
    """A method that is given likelihoods and answers beside those of `results`, which are given the order."""
    likelihoods = make_card("reader", "emdr2", budget=100, teacher=teacher())
    section = likelihoods.method.model_copy(update={"sees": ("likelihoods", "answers")})
    put(results, likelihoods.model_copy(update={"method": section}), make_run(0.6, 8))
    nothing = make_card("lexical", "bm25", category="reference", budget=None)
    put(
        results, nothing.model_copy(update={"method": nothing.method.model_copy(update={"sees": ()})}), make_run(0.3, 9)
    )
    return load_board(results)


@pytest.mark.parametrize("width", [80, 100, 240])
def test_every_row_says_what_its_method_sees_at_any_width(results: Path, width: int) -> None:
    text = shown(seeing(results), width)
    below, beside = re.search(r"sees\s+likelihoods", text), re.search(r"emdr2 .* likelihoods, answers", text)
    assert (below is not None, beside is not None) == (width < 240, width == 240)
    assert "sees" not in "".join(re.findall("no room here for: (.*)", text))


def test_rows_are_parted_by_what_they_see_and_keep_places_and_tests(results: Path) -> None:
    found = seeing(results)
    text = shown_by(found)
    heads = re.findall(r"60 queries · (sees .*\S)", text)
    assert heads == ["sees nothing", "sees order", "sees answers and likelihoods"]
    rows = {row.method: row for row in found.tables[0].rows}
    last = text.split("sees answers and likelihoods")[1]
    assert re.search(rf"{row_texts.place(rows['emdr2'])} +emdr2 ", last) and "zero-shot  " not in last
    assert text.count("bm25  ") == 1 and text.count("no room here for") <= 1
    assert board_files.markdown(found, By.sees).count("**semanlink, test, 60 queries, sees ") == 3
    assert board_files.latex(found, By.sees).count("tabular") == 6
    lines = [line for line in board_files.markdown(found).splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + len(
        found.tables[0].rows
    ) and "| emdr2, smollm2 | likelihoods, answers |" in board_files.markdown(found)
    cells_by = {line["method"]: line["sees"] for line in csv.DictReader(io.StringIO(board_files.csv(found)))}
    assert (cells_by["emdr2"], cells_by["bm25"], cells_by["no-llm"]) == ("likelihoods, answers", "nothing", "order")


def shown_by(found: Board) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(board_files.terminal(found, By.sees))
    return console.file.getvalue()


def test_rows_say_what_they_are_tested_against_only_where_that_differs(results: Path) -> None:
    found = load_board(results)
    (table,) = found.tables
    assert "tested against" not in shown(found, 240) and "| tested against |" not in board_files.markdown(found)
    tested = [place for place, row in enumerate(table.rows) if row.against]
    rows = list(table.rows)
    rows[tested[0]] = replace(
        rows[tested[0]], against=replace(rows[tested[0]].against, baseline="zero-shot · 300 labels")
    )
    several = Board((replace(table, rows=tuple(rows)),))
    text = " ".join(shown(several, 240).split())
    assert (
        text.count("tested against zero-shot") == len(tested)
        and text.count("tested against zero-shot · 300 labels") == 1
    )
    assert board_files.markdown(several).count("| zero-shot · 300 labels |") == 1
    assert "& zero-shot · 300 labels &" in board_files.latex(several)


@pytest.mark.parametrize("write", [board_files.csv, board_files.markdown, board_files.latex])
def test_text_of_strangers_is_escaped(tmp_path: Path, write: object) -> None:
    put(tmp_path, make_card("x", "=cmd|'<b>&_%$#{}~^\\`[a](b)"), make_run(0.5))
    text = write(load_board(tmp_path))
    if write is board_files.csv:
        assert "'=cmd" in text
    elif write is board_files.markdown:
        assert r"\|'\<b\>\&\_" in text
        assert r"\[a\](b)" in text
    else:
        assert r"\&\_\%\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in text


def test_latex_and_markdown_have_a_line_a_row(results: Path) -> None:
    found = load_board(results)
    assert board_files.latex(found).count(r"\\") == 7
    assert len([line for line in board_files.markdown(found).splitlines() if line.startswith("| ")]) == 8


def test_curves_join_the_budgets_of_a_configuration(results: Path) -> None:
    (table,) = load_board(results).tables
    found = chart(table)
    assert found.budgets == [100, 300]
    assert [(one.name, [point.budget for point in one.points]) for one in found.series] == [
        ("intermediate, oracle (oracle)", [100]),
        ("intermediate, smollm2, distil_queries=1000, ranker=bi-encoder", [100, 300]),
        ("intermediate, shuffled (placebo)", [100]),
    ]
    assert [level.name for level in found.levels] == ["no-llm", "zero-shot"]
    ours = found.series[1].points[1]
    row = table.rows[0]
    assert (ours.mean, (ours.low, ours.high)) == (row.metrics["nDCG@10"].mean, row.metrics["nDCG@10"].runs_interval)
    assert found.band == "resamples and seeds"


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (1, "95 % intervals over queries"),
        (2, "spread over resamples and seeds, too few for 95 %"),
        (4, "spread over resamples and seeds, too few for 95 %"),
        (5, "95 % intervals over resamples and seeds"),
    ],
)
def test_the_spread_of_few_runs_is_not_called_an_interval(tmp_path: Path, runs: int, told: str) -> None:
    for resample in range(runs):
        card = make_card(f"a{resample}", "first", budget=100, resample=resample, teacher=teacher())
        put(tmp_path, card, make_run(0.5 + resample / 20, resample))
    put(tmp_path, make_card("b", "second", budget=100, teacher=teacher()), make_run(0.1, 9))
    found = chart(load_board(tmp_path).tables[0])
    assert found.note == f"bands: {told}"


def test_a_selection_keeps_the_best_of_each_method_and_says_what_it_drops(tmp_path: Path) -> None:
    for number in range(6):
        card = make_card(f"a{number}", "first", settings={"n": number}, budget=100, teacher=teacher())
        put(tmp_path, card, make_run(0.5 + number / 10, number))
    put(tmp_path, make_card("b", "second", budget=100, teacher=teacher()), make_run(0.0, 9))
    whole = chart(load_board(tmp_path).tables[0])
    chosen = select(whole, 3)
    best = max(whole.series, key=lambda one: one.points[-1].mean)
    assert best in chosen.series
    assert "second" in {one.method for one in chosen.series}
    assert (len(chosen.series), chosen.left_out) == (3, 4)
    assert "4 not drawn" in chosen.note
    assert select(whole, 20).left_out == 0


def test_no_budgets_no_curve(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.5))
    assert chart(load_board(tmp_path).tables[0]) is None


def test_the_plot_in_characters_puts_better_points_higher(results: Path) -> None:
    lines = plot(chart(load_board(results).tables[0])).splitlines()
    height = {letter: next(number for number, line in enumerate(lines) if letter in line[8:]) for letter in "ABC"}
    assert height["A"] <= height["B"] < height["C"]
    assert "100" in lines[14]
    assert "300 labels" in lines[14]
    assert max(map(len, lines)) <= 100


def test_the_figure_is_well_formed_labelled_and_inside_its_frame(results: Path, tmp_path: Path) -> None:
    found = chart(load_board(results).tables[0])
    write_svg(found, tmp_path / "docs" / "curve.svg")
    root = ET.parse(tmp_path / "docs" / "curve.svg").getroot()
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    texts = {item.text: (float(item.attrib["x"]), float(item.attrib["y"])) for item in root.iter(f"{SVG}text")}
    assert any("intermediate, smollm2" in text and text.endswith("0.920") for text in texts)
    assert any(text.startswith("zero-shot") for text in texts)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in texts.values())
    labels = sorted(y for x, y in texts.values() if x > 600)
    assert all(lower - upper >= 15 for upper, lower in pairwise(labels))
    assert len({line.attrib["stroke-dasharray"] for line in root.iter(f"{SVG}polyline")}) == 3


def test_the_figure_escapes_names(tmp_path: Path) -> None:
    for budget in (100, 300):
        put(tmp_path, make_card(f"x{budget}", "<script>alert(1)</script>", budget=budget), make_run(0.5))
    text = svg(chart(load_board(tmp_path).tables[0]))
    assert "<script" not in text
    ET.fromstring(text)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_board_opens_with_what_its_verdicts_say_and_breaks_no_plot(results: Path, width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    board = load_board(results)
    console.print(board_files.terminal(board))
    text = console.export_text()
    start = text.partition("queries\n")[0]
    for sentence in headline(board.tables[0]):
        assert words_of(sentence) in " ".join(start.replace("·", " ").split())
    drawn = plot(select(chart(board.tables[0]))).splitlines()
    lines = [line.rstrip() for line in text.splitlines()]
    for line in drawn:
        assert (line if len(line) <= width else f"{line[: width - 1]}…") in lines
