"""The page draws what the board says, survives hostile folders, and phones nobody."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from dashboard.launch import RESULTS, command, environment, launch
from dashboard.tables.table import column_config
from dashboard.text import literal, run_address
from harness.errors import UserError
from harness.leaderboard import row_texts
from harness.leaderboard.board import load_board
from harness.leaderboard.overview.headline import headline, words_of
from tests.dashboard.pages import methods, open_page
from tests.leaderboard.runs import make_card, make_run, put

pytestmark = pytest.mark.slow


def test_the_table_has_the_numbers_of_the_board(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch)
    (table,) = load_board(folder).tables
    shown = page.dataframe[0].value
    assert shown["nDCG@10"].tolist() == [row.metrics["nDCG@10"].mean for row in table.rows]
    assert shown["flags"].tolist() == ["; ".join(row.flags) for row in table.rows]
    assert shown["against baseline"].tolist()[0].startswith("▲ +0.478 (p <0.0001)")


def test_filters_by_metric_and_group(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch)
    page.selectbox(key="metric").select("RR@10").run()
    (table,) = load_board(folder, metric="RR@10").tables
    assert page.dataframe[0].value["RR@10"].tolist() == [row.metrics["RR@10"].mean for row in table.rows]
    page.multiselect(key="group").set_value(["baseline"]).run()
    assert methods(page) == ["zero-shot"]
    assert not page.exception


def test_an_address_opens_the_same_view(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, metric="R@100", collection="no such collection")
    assert page.selectbox(key="metric").value == "R@100"
    assert page.selectbox(key="collection").value.startswith("semanlink")
    page = open_page(folder, monkeypatch, group="control", costs="false", baseline="no-llm")
    assert methods(page) == ["no-llm", "intermediate"]
    assert "USD" not in page.dataframe[0].value
    (table,) = load_board(folder, baseline="no-llm").tables
    assert page.caption[1].value == literal(row_texts.caption(table))


def test_a_search_shows_the_rows_that_hold_all_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch)
    page.text_input(key="search").set_value("SHUFFLED placebo").run()
    assert methods(page) == ["intermediate"]
    assert page.query_params["search"] == "SHUFFLED placebo"
    page = open_page(folder, monkeypatch, search="nobody has this")
    assert "No row passes" in page.info[0].value


def test_the_first_page_opens_with_verdicts_that_link_to_their_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = load_board(folder).tables
    said = next(text.value for text in open_page(folder, monkeypatch).markdown if text.value.startswith("- "))
    for line, sentence in zip(said.splitlines(), headline(table), strict=True):
        assert re.sub(r"\]\(run\?[^)]*\)|\[(?=\w)|\\", "", line[2:]) == words_of(sentence)
        for phrase in sentence:
            if phrase.run_ids:
                assert run_address(table, phrase.run_ids[0]) in line


def test_what_to_know_of_a_row_stands_below_its_name_which_stays_in_sight(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(folder, monkeypatch)
    shown = page.dataframe[0].value
    placebo = next(text for text in shown["method"] if "placebo" in text)
    assert placebo == "intermediate (placebo, 100 labels) · ! one seed · shuffled"
    assert shown["card"].tolist()[0].startswith("run?") and shown["what it is"].tolist()[0].startswith("methods?")
    config = column_config(load_board(folder).tables[0])
    assert config["#"]["pinned"] and config["method"]["pinned"]


def test_a_new_result_appears(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = Path(shutil.copytree(folder, tmp_path / "results"))
    page = open_page(results, monkeypatch)
    before = len(page.dataframe[0].value)
    put(results, make_card("late", "late"), make_run(0.4, 8))
    page.run()
    assert len(page.dataframe[0].value) == before + 1


def test_an_empty_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(tmp_path, monkeypatch)
    assert "No published runs" in page.info[0].value
    assert not page.dataframe


def test_literal_escapes_all_that_markdown_reads() -> None:
    assert literal("a_b [c](d) <e> $f$ :g: 0.5") == r"a\_b \[c\]\(d\) \<e\> \$f\$ \:g\: 0\.5"


def test_the_command_binds_to_this_machine_and_sends_no_statistics(tmp_path: Path) -> None:
    said = command(8765)
    for option in (
        "--server.address=localhost",
        "--server.port=8765",
        "--browser.gatherUsageStats=false",
        "--server.headless=true",
    ):
        assert option in said
    assert environment(tmp_path)[RESULTS] == str(tmp_path)
    with pytest.raises(UserError, match="no results folder"):
        launch(tmp_path / "nowhere", 8765)


def test_the_server_answers_on_localhost_only(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        command(port), env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                    assert answer.read() == b"ok"
                break
            except OSError:
                assert server.poll() is None, server.stdout.read()
                time.sleep(0.25)
        else:
            pytest.fail("the server did not come up")
        listening = _listeners(port)
        assert not {"00000000", "0" * 32} & listening
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=20)
    assert "External URL" not in said
    assert "Network URL" not in said


def _listeners(port: int) -> set[str]:
    """Addresses, in hex, on which something listens at `port` (Linux; empty elsewhere)."""
    files = [file for file in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if file.exists()]
    fields = [line.split() for file in files for line in file.read_text().splitlines() if ":" in line]
    return {
        field[1].rpartition(":")[0]
        for field in fields
        if field[3] == "0A" and int(field[1].rpartition(":")[2], 16) == port
    }
