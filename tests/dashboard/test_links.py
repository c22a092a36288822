"""An address opens one view in any session; what it names in vain is said; choices go along from page to page."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.text import literal
from harness.leaderboard.board import load_board
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
    assert [note.value for note in page.warning] == [
        literal(note) for note in load_board(tmp_path).notes if note.startswith("scifact")
    ]
    page.selectbox(key="collection").select_index(1).run()
    page.selectbox(key="metric").select("R@100").run()
    notes = load_board(tmp_path, metric="R@100").notes
    assert (
        [note.value for note in page.warning] == [literal(note) for note in notes if note.startswith("semanlink")] != []
    )
