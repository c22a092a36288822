"""The report in its three forms: complete, the same every time, and safe whatever the folder says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard import row_texts
from harness.leaderboard.board import board_of
from harness.leaderboard.curves.curve_answer import CurveQuestion, answer
from harness.leaderboard.load_results import load_results
from harness.leaderboard.report.curve_texts import curve_texts
from harness.leaderboard.report.page import FORMS, ResultsReport, make_report, render
from tests.leaderboard.hostile import REFUSED, SCRIPT, put_hostile
from tests.leaderboard.report.documents import Page, tex_rows
from tests.leaderboard.runs import make_card, make_run, put, put_board


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ResultsReport:
    folder = tmp_path_factory.mktemp("report") / "results"
    put_board(folder)
    return make_report(folder)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ResultsReport:
    base = tmp_path_factory.mktemp("hostile")
    put_hostile(base / "results", base / "outside")
    return make_report(base / "results")


def test_the_page_holds_every_row_with_its_numbers(report: ResultsReport) -> None:
    page = Page(render(report, "html"))
    text = " ".join(" ".join(page.text).split())
    for line in report.sections[0].lines:
        assert line.lead.text in text
        assert row_texts.interval(line.row, report.sections[0].table.metric) in text
        assert line.recipe.command in text
        for run in line.recipe.runs:
            assert run.tag in text
            assert run.run_key in text
            assert run.run_hash in text
    for part in (
        "semanlink (test)",
        "ab" * 32,
        "Budget curves",
        "with their numbers (15)",
        "sweep file",
        "d_z",
        "Collection hash",
    ):
        assert part in text


def test_the_page_loads_nothing_and_runs_nothing(report: ResultsReport, hostile: ResultsReport) -> None:
    for one in (report, hostile):
        page = Page(render(one, "html"))
        names = {tag for tag, _ in page.tags}
        assert names.isdisjoint({"script", "iframe", "object", "embed", "link", "img", "base", "form", "foreignobject"})
        assert page.values("src") == []
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert all(link.startswith("#") for link in page.values("href"))
        assert {link[1:] for link in page.values("href")} <= set(page.values("id"))
        policy = next(
            attributes for _, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy"
        )
        assert (policy["content"] or "").startswith("default-src 'none'")


def test_what_a_stranger_wrote_is_shown_letter_for_letter(hostile: ResultsReport) -> None:
    text = render(hostile, "html")
    assert "<script" not in text.lower()
    assert SCRIPT in "".join(Page(text).text)
    assert all(folder in "".join(Page(text).text) for folder in REFUSED)
    for raw in ("[x](javascript", "<script>"):
        assert raw not in render(hostile, "markdown")
    assert r"\alpha" not in render(hostile, "latex")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_folder_gives_the_same_text(report: ResultsReport, form: str) -> None:
    assert render(report, form) == render(report, form)
    assert str(Path(report.board.folder).parent) not in render(report, form)


def test_latex_has_the_rows_of_a_booktabs_table(report: ResultsReport) -> None:
    text = render(report, "latex")
    rows = tex_rows(text)
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns is not None
    assert all(row.endswith(r" \\") for row in rows if row != r"\midrule")
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows if row != r"\midrule"} == {len(columns[1])}
    assert len(rows) == 2 + len(report.sections[0].lines)
    assert text.count(r"\begin{") == text.count(r"\end{")
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert re.sub(r"\\\$", "", text).count("$") % 2 == 0
    winner = report.sections[0].lines[0]
    assert (
        rf"\textbf{{{winner.lead.text}}}$^{{\blacktriangle}}$\textsuperscript{{{winner.beats.replace('–', '--')}}}"
        in text
    )


def test_latex_survives_hostile_names(hostile: ResultsReport) -> None:
    rows = tex_rows(render(hostile, "latex"))
    counts = {len(re.findall(r"(?<!\\)&", row)) for row in rows if row != r"\midrule"}
    assert len(counts) == 1
    assert not [row for row in rows if re.search(r"(?<!\\)[#_%]", row)]


def test_markdown_has_a_table_of_one_width(report: ResultsReport) -> None:
    lines = [line for line in render(report, "markdown").splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(re.findall(r"\|", lines[1]))}
    assert len(lines) == 2 + len(report.sections[0].lines)


def test_findings_claim_no_more_than_the_tests(report: ResultsReport) -> None:
    (section,) = report.sections
    said = " ".join(section.findings)
    leader = next(line for line in section.lines if line.row.rank == 1)
    assert section.pairs is not None
    assert f"better than {len(section.pairs.beats(leader.title))} of the 5 other rows" in said
    against = [row.against for row in section.table.rows if row.against]
    better = sum(one.verdict == "better" for one in against)
    assert f"Against zero-shot on nDCG@10: {better} of {len(against)} rows better" in said
    assert "rest on one resample and seed" in said


def test_json_is_plain_data_with_the_same_numbers(report: ResultsReport) -> None:
    told = json.loads(json.dumps(report.as_json(), allow_nan=False))
    (table,) = told["tables"]
    assert [row["letter"] for row in table["rows"]] == [line.letter for line in report.sections[0].lines]
    assert len(table["pairs"]["comparisons"]) == 15
    assert table["reproduce"]["a"]["runs"][0]["run_key"] == "0" * 64
    assert table["reproduce"]["a"]["verify"].startswith("harness verify results/semanlink/")


def test_a_folder_with_two_collections_has_a_section_each(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "a"), make_run(0.2, 1))
    put(tmp_path, make_card("b", "b", collection="sci fact"), make_run(0.2, 1))
    made = make_report(tmp_path)
    assert [section.heading for section in made.sections] == ["sci fact (test)", "semanlink (test)"]
    page = Page(render(made, "html"))
    assert len(set(page.values("id"))) == len(page.values("id"))
    assert len(make_report(tmp_path, collection="semanlink").sections) == 1


def test_curves_say_what_harness_curves_says(tmp_path: Path) -> None:
    put_board(tmp_path)
    result_set = load_results(tmp_path)
    (table,) = board_of(result_set).tables
    found, asked = curve_texts(result_set, table), answer(result_set, table, CurveQuestion())
    assert found is not None
    assert asked.statistics is not None
    assert found.svg.startswith("<svg ")
    assert found.sentences == tuple(pair.words for pair in asked.pairs)
    ((line, fitted),) = zip(
        found.lines, [one for one in asked.statistics.fitted if len(one.series.points) > 1], strict=True
    )
    assert fitted.area is not None
    low, high = fitted.area.interval
    assert line[:3] == (fitted.series.name, f"{fitted.area.value:.3f}", f"[{low:.3f}, {high:.3f}]")


def test_a_table_without_budgets_has_no_curves(tmp_path: Path) -> None:
    put(tmp_path, make_card("a", "a"), make_run(0.2, 1))
    (section,) = make_report(tmp_path).sections
    assert section.curves is None
    assert section.pairs is None
    assert "no baseline here" in " ".join(section.findings)


def test_energy_is_named_where_the_cards_know_it(tmp_path: Path) -> None:
    known = {"joules": {"cpu": 1200.4, "gpu": 3.0}, "by": "x==1", "stages measured": 3, "stages": 4}
    for tag, seed in (("a", 0), ("b", 1)):
        put(tmp_path, make_card(tag, "m", seed=seed, energy=known), make_run(0.2, seed))
    put(tmp_path, make_card("c", "other"), make_run(0.2, 1))
    made = {line.row.method: line.recipe.energy for line in make_report(tmp_path).sections[0].lines}
    assert made == {"m": "cpu 2,401 J, gpu 6 J (6 of 8 stages)", "other": ""}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no published runs"):
        make_report(tmp_path)
