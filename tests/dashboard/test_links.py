"""An address opens one view in any session; what it names in vain is said; choices go along from page to page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dashboard import address
from dashboard.text import literal
from dashboard.words import FILTERS
from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Row
from harness.leaderboard.row_texts import titles
from tests.dashboard.pages import open_page
from tests.leaderboard.runs import make_card, make_run, put

pytestmark = pytest.mark.slow


def test_choices_of_a_link_go_along_and_back_restores_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(folder, monkeypatch, metric="R@100", group="ours")
    page.switch_page("views/cost.py").run()
    assert page.selectbox(key="metric").value == "R@100"
    page.query_params.clear()
    page.run()
    assert page.selectbox(key="metric").value == "nDCG@10"


def test_what_is_not_in_the_address_has_its_default_whatever_was_chosen_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, make_card("a"), make_run(0.5))
    put(tmp_path, make_card("b", collection="scifact"), make_run(0.5), metrics=("R@100",))
    page = open_page(tmp_path, monkeypatch)
    for collection in page.selectbox(key="collection").options:
        page.selectbox(key="collection").select(collection).run()
        again = open_page(tmp_path, monkeypatch, **page.query_params)
        assert again.selectbox(key="metric").value == page.selectbox(key="metric").value
        assert [frame.value.to_dict() for frame in again.dataframe] == [
            frame.value.to_dict() for frame in page.dataframe
        ]


@pytest.mark.parametrize(
    ("view", "address", "words"),
    [
        ("leaderboard", {"metric": "Foo"}, "Metric: 'Foo' is not here; shown instead: nDCG@10."),
        ("leaderboard", {"costs": "perhaps"}, "Costs: 'perhaps' is neither true nor false; shown instead: true."),
        ("run", {"row": "nope"}, "Row: 'nope' is not here; shown instead:"),
        ("query", {"row_s": "zero-shot"}, "'row_s' in the address is nothing that a page here reads"),
        ("compare", {"rows": ["zero-shot", "<b>gone", "no-llm"]}, "Rows, 2 to 6: '<b>gone' is not here."),
        ("curves", {"target": "a value", "value": "2"}, "nDCG@10: '2' is no number from 0 to 1; shown instead: 0.5."),
    ],
)
def test_what_an_address_names_in_vain_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, view: str, address: dict[str, str | list[str]], words: str
) -> None:
    page = open_page(folder, monkeypatch, view, **address)
    assert page.warning[0].value.startswith(literal(words))
    page.run()
    assert page.warning[0].value.startswith(literal(words))


def test_a_run_is_found_first_whatever_row_the_address_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "run", run="no-llm", row="nope")
    assert page.selectbox(key="row").value == "no-llm"
    assert page.dataframe[0].value["value"].tolist()[0] == "no-llm"
    page.selectbox(key="row").select("zero-shot").run()
    assert page.dataframe[0].value["value"].tolist()[0] == "zero"


def test_notes_are_those_of_the_board_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, make_card("a"), make_run(0.5))
    put(tmp_path, make_card("b", "direct"), make_run(0.6))
    put(tmp_path, make_card("c", "direct", collection="scifact"), make_run(0.5))
    page = open_page(tmp_path, monkeypatch)
    assert page.selectbox(key="collection").value.startswith("scifact")
    (scifact, _) = load_board(tmp_path).tables
    assert [note.value for note in page.warning] == [
        literal(note) for note in scifact.notes if note not in scifact.anchors
    ]
    # What others published is no doubt.
    shown = {note.value for note in page.caption}
    assert scifact.anchors and all(literal(note) in shown for note in scifact.anchors)
    page.selectbox(key="collection").select_index(1).run()
    page.selectbox(key="metric").select("R@100").run()
    notes = load_board(tmp_path, metric="R@100").notes
    assert (
        [note.value for note in page.warning] == [literal(note) for note in notes if note.startswith("semanlink")] != []
    )


def test_every_key_that_a_page_reads_is_known_and_no_other() -> None:
    read = set(FILTERS)
    choices = {2: ("switch", "number", "words"), 3: ("one", "several")}
    places = {f"choose.{name}": place for place, names in choices.items() for name in names}
    for path in Path(address.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in places:
                key = call.args[places[ast.unparse(call.func)]]
                read |= {key.value} if isinstance(key, ast.Constant) else set()
    assert read == address.KEYS


@pytest.mark.parametrize("key", ["rows", "shown"])
def test_query_shows_the_rows_of_a_link_of_compare_and_of_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    page = open_page(folder, monkeypatch, "query", **{key: ["no-llm", "zero-shot"]})
    assert page.multiselect(key="rows").value == ["no-llm", "zero-shot"]


def test_compare_and_query_open_with_the_best_row_of_each_method_beside_the_baseline(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = load_board(folder).tables
    for view in ("compare", "query"):
        page = open_page(folder, monkeypatch, view)
        first, *others = page.multiselect(key="rows").value
        assert first == table.baseline == "zero-shot"
        rows = titles(table)
        for name in others:
            same = [row for row in rows.values() if row.rank and _kind(row) == _kind(rows[name])]
            assert rows[name] is same[0]
        assert any("luckiest" in caption.value for caption in page.caption)
    page = open_page(folder, monkeypatch, "compare")
    assert page.selectbox(key="against").value == "zero-shot"
    page.multiselect(key="rows").set_value([]).run()
    assert not page.dataframe and page.multiselect(key="rows").value == []


def _kind(row: Row) -> tuple[str, bool]:
    return row.method, row.teacher_type == "placebo"


def test_a_collection_is_called_by_its_content_only_where_two_have_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, make_card("a"), make_run(0.5))
    put(tmp_path, make_card("b", collection="scifact"), make_run(0.5))
    page = open_page(tmp_path, monkeypatch)
    assert page.selectbox(key="collection").options == ["scifact · test", "semanlink · test"]
    (one,) = [table for table in load_board(tmp_path).tables if table.collection == "semanlink"]
    page = open_page(tmp_path, monkeypatch, collection=f"semanlink · test · {one.content_hash[:8]}")
    assert page.selectbox(key="collection").value == "semanlink · test" and not page.warning
    put(tmp_path, make_card("c", collection="scifact", content_hash="f" * 64), make_run(0.5))
    page = open_page(tmp_path, monkeypatch)
    assert [option.count(" · ") for option in page.selectbox(key="collection").options] == [2, 2, 1]
