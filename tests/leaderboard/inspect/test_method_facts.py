"""What the methods of a table are: from their classes where they are installed, and from their cards everywhere."""

from __future__ import annotations

from pathlib import Path

from harness.leaderboard.board import load_board
from harness.leaderboard.inspect.method_facts import method_facts
from harness.leaderboard.load_results import load_results
from harness.method import Method
from harness.plugins import plugin
from tests.leaderboard.runs import make_card, make_run, put


def test_a_method_says_what_its_class_says_and_a_stranger_only_what_its_card_does(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2))
    put(tmp_path, make_card("own", "nobody-has-this", category="external"), make_run(0.9))
    put(tmp_path, make_card("called", "bm25", label="words", category="reference"), make_run(0.5))
    (table,) = load_board(tmp_path).tables
    stranger, words, zero = method_facts(load_results(tmp_path), table)
    assert (stranger.method, stranger.summary, stranger.source, stranger.needs) == ("nobody-has-this", "", "", "")
    assert (words.method, words.name, words.category) == ("words", "bm25", "reference")
    assert words.summary == plugin(Method, "bm25").summary and zero.summary == plugin(Method, "zero-shot").summary
    assert zero.rows == tuple(row for row in table.rows if row.method == "zero-shot")
