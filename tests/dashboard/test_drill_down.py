"""From a teacher's verdicts to its words: the pages that show what is published beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dashboard.charts.loss_chart import loss_chart
from dashboard.charts.strata_chart import strata_chart
from dashboard.charts.teacher_charts import heatmap, picks_chart
from dashboard.charts.trace_chart import trace_chart
from dashboard.show import saved
from dashboard.text import literal
from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.leaderboard.board import load_board
from harness.leaderboard.inspect.label_quality import MEASURES, agreements, first_picks, teacher_labels
from harness.leaderboard.inspect.row_trace import load_traces
from harness.leaderboard.inspect.run_provenance import run_provenance
from harness.leaderboard.inspect.strata import SIZES, strata
from harness.leaderboard.load_results import load_results
from harness.leaderboard.row_query_values import per_query
from harness.leaderboard.row_texts import titles
from harness.published.result_folder import LABELS, PROVENANCE, TRACE
from tests.dashboard.pages import open_page
from tests.dashboard.test_hostile import assert_inert
from tests.leaderboard.hostile import SCRIPT
from tests.leaderboard.labels import CANDIDATES, orders_of, put_labelled
from tests.leaderboard.runs import DOCUMENTS, QRELS, make_card, make_run, put
from tests.leaderboard.traces import put_traced, trace_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two teachers that speak, with labels."""
    results = tmp_path_factory.mktemp("taught") / "results"
    put_labelled(results, "one", orders_of(1), raw=SCRIPT)
    put_labelled(results, "two", orders_of(2), shown=orders_of(3))
    return results


ROWS = ["direct-one · one · 40 labels", "direct-two · two · 40 labels"]


def test_teachers_shows_agreement_and_first_picks(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(taught, monkeypatch, "teachers", picks="two")
    found, _ = teacher_labels(load_results(taught).runs)
    pairs = [one for one in agreements(found) if one.a != one.b]
    _, students, agreement, picks = (element.value for element in page.dataframe)
    (table,) = load_board(taught).tables
    assert students["teacher"].tolist() == sorted(row.teacher or "" for row in table.rows)
    for measure in MEASURES:
        assert agreement[measure].tolist() == [one.values[measure] for one in pairs]
    assert picks["share"].tolist() == [place.share for place in first_picks(found[1]).places]
    assert "shown in another order" in page.caption[-1].value


def test_teachers_without_labels_say_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "teachers")
    assert "no run here has any" in page.info[0].value


def test_a_training_query_shows_words_and_scores_and_runs_nothing(
    taught: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "a training query, as the teachers saw it"
    page = open_page(taught, monkeypatch, "query", rows=ROWS, what=what, training="t07")
    assert page.subheader[0].value == "text of t07"
    candidates = page.dataframe[0].value
    order = orders_of(1)["t07"]
    assert candidates["document"].tolist() == list(CANDIDATES)
    assert candidates["1. teacher"].tolist() == [order.index(document) + 1 for document in CANDIDATES]
    assert candidates["2. shown"].tolist() == [orders_of(3)["t07"].index(document) + 1 for document in CANDIDATES]
    assert candidates["1. score"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert page.code[0].value == SCRIPT
    assert any("No words" in caption.value for caption in page.caption)
    assert_inert(page)


def test_rows_without_labels_say_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "query", rows=["zero-shot"], what="a training query, as the teachers saw it")
    assert "No labels are published" in page.info[0].value


@pytest.mark.parametrize("name", [PROVENANCE, LABELS])
def test_a_bad_file_beside_a_run_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = put_labelled(tmp_path, "one", orders_of(1))
    (folder / name).write_text(f"{SCRIPT}{{")
    view = "run" if name == PROVENANCE else "query"
    page = open_page(
        tmp_path, monkeypatch, view, rows=ROWS[:1], row=ROWS[0], what="a training query, as the teachers saw it"
    )
    assert literal(name) in page.error[0].value
    assert_inert(page)


def test_run_shows_losses_and_stages(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(taught, monkeypatch, "run", row=ROWS[0])
    stages = page.dataframe[1].value
    assert stages["stage"].tolist() == ["labels", "ranker", "retriever"]
    assert stages["from"].tolist() == ["store", "store", "made"]
    said = [caption.value for caption in page.caption]
    assert any("mean of 2 steps" in text and "step 200 of 400" in text for text in said)
    assert any("No held\\-out loss was measured" in text for text in said)
    files = {button.proto.label for button in page.get("download_button")}
    assert {"run.trec.gz", "metrics.parquet", "card.yaml", PROVENANCE, LABELS, "Chart as SVG", "Stages as CSV"} <= files
    assert any("store/retriever" in code.value for code in page.code)


def test_run_shows_where_knowledge_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_traced(tmp_path / "results", 100, 0, 0.5, trace_of(1.0, held_out=False))
    page = open_page(tmp_path / "results", monkeypatch, "run", run="ours-100-0")
    (found,) = load_traces(tmp_path / "results")
    assert "Where is it lost?" in [heading.value for heading in page.subheader]
    shown = page.dataframe[1].value
    assert shown["order of"].tolist() == [step.model for step in found.steps]
    assert shown["value"].dropna().tolist() == [step.value for step in found.steps if step.value is not None]
    captions = [caption.value for caption in page.caption]
    assert literal(found.line) in captions and literal(found.notes[0]) in captions
    drawn = ElementTree.fromstring(saved(trace_chart(found.steps), "svg"))
    texts = {element.text for element in drawn.iter() if element.tag.endswith("text")}
    assert {"9. retriever, evaluated queries", "not measured", f"{found.steps[-1].value:.3f}"} <= texts


def test_a_run_of_before_says_how_to_get_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_traced(tmp_path / "results", 100, 0, 0.5, None)
    page = open_page(tmp_path / "results", monkeypatch, "run", run="ours-100-0")
    assert any("without a trace" in caption.value and "sweep again" in caption.value for caption in page.caption)
    (folder,) = (tmp_path / "results").glob("*/ours-100-0")
    (folder / TRACE).write_text("{")
    page = open_page(tmp_path / "results", monkeypatch, "run", run="ours-100-0")
    assert any("trace" in error.value for error in page.error)


def test_an_old_run_says_that_it_has_no_losses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "run", row="zero-shot")
    assert "without loss curves" in page.info[0].value


def test_the_leaderboard_stands_apart_by_what_methods_see(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, tables="by what methods may see")
    assert page.subheader[1].value == "sees order"
    assert len(page.dataframe) == 1


def _prepared(base: Path) -> str:
    """A collection on this machine that has the queries of the synthetic runs; its content hash."""
    folder = base / "own"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{d}", "title": "", "text": "text of {d}"}}\n' for d in DOCUMENTS)
    )
    lines = (f'{{"_id": "{query}", "text": "{"word " * (number % 3 + 1)}"}}\n' for number, query in enumerate(QRELS))
    (folder / "queries.jsonl").write_text("".join(lines))
    qrels = (f"{query}\t{document}\t{grade}\n" for query, grades in QRELS.items() for document, grade in grades.items())
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(qrels))
    return prepare(parse_source({"folder": str(folder)}), base / "workspace" / "collections").content_hash


def test_compare_shows_kinds_of_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _prepared(tmp_path)
    monkeypatch.setenv("HARNESS_WORKSPACE", str(tmp_path / "workspace"))
    results = tmp_path / "results"
    put(results, make_card("zero", content_hash=content), make_run(0.2, 1))
    put(results, make_card("one", "direct", content_hash=content), make_run(0.6, 2))
    page = open_page(results, monkeypatch, "compare", rows=["zero-shot", "direct"])
    shown = page.dataframe[-1].value
    result_set = load_results(results)
    (table,) = load_board(results).tables
    values = per_query(result_set, table, [(name, titles(table)[name]) for name in ("zero-shot", "direct")])
    sizes = {query: number % 3 + 1 for number, query in enumerate(QRELS)}
    found = strata(values, sizes)
    assert shown["nDCG@10"].tolist() == [one.mean for one in found]
    assert shown[next(iter(SIZES))].tolist() == ["1", "1", "2", "2", "3", "3"]
    wins = page.dataframe[2].value
    assert wins["text"].tolist() == [" ".join(["word"] * sizes[query]) for query in wins["query"]]
    assert_drawn(strata_chart(found, "nDCG@10", "words").to_dict())


def assert_drawn(spec: Mapping[str, object]) -> None:
    """A layered chart in which colour never stands alone."""
    layers = spec["layer"]
    assert isinstance(layers, list) and len(layers) == 2
    assert layers[1]["encoding"]["shape"]["field"] == layers[1]["encoding"]["stroke"]["field"] == "text"


def test_the_heatmap_has_a_number_in_every_cell(taught: Path) -> None:
    found = agreements(teacher_labels(load_results(taught).runs)[0])
    squares, letters = heatmap(found, "Kendall's tau").to_dict()["layer"]
    values = (
        squares["data"]["values"] if "data" in squares else heatmap(found, "Kendall's tau").to_dict()["data"]["values"]
    )
    assert {(value["a"], value["b"]) for value in values} >= {
        ("one", "two"),
        ("two", "one"),
        ("one", "one"),
        ("first stage", "two"),
    }
    assert all(value["text"] == f"{value['value']:.2f}" for value in values)
    assert letters["encoding"]["text"]["field"] == "text"


def test_charts_are_saved_as_svg_and_png(taught: Path) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    found, _ = teacher_labels(load_results(taught).runs)
    text = saved(heatmap(agreements(found), "Kendall's tau"), "svg")
    assert ElementTree.fromstring(text).tag.endswith("svg") and b"first stage" in text
    assert saved(picks_chart(first_picks(found[0])), "png").startswith(b"\x89PNG")
    run = next(run for run in load_results(taught).runs if run.card.tag == "by-one")
    making = run_provenance(run)
    assert making is not None
    assert b"kept: step 200" in saved(loss_chart(making.curves[0]), "svg")
