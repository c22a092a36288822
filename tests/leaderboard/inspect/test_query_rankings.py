"""Texts of queries and documents as a page shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.leaderboard.inspect.query_rankings import one_line, query_view, safe_text
from harness.leaderboard.render import table_files
from harness.retrieval.run import Run

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("a\tb\xa0c\u2009d\u3000e\u2028f", "a b c d e f"),
        ("naïve – 東京 → 🙂", "naïve – 東京 → 🙂"),
        ("red\x1b[31m \u202eevil\x00\x07", f"red{MARK}[31m {MARK}evil{MARK}{MARK}"),
    ],
)
def test_white_space_is_no_control_character(text: str, said: str) -> None:
    assert safe_text(text) == said


def test_a_text_is_as_long_as_asked() -> None:
    assert safe_text("\r\n" * 7, 7) == "\n" * 7
    assert safe_text("\r\n" * 8, 7) == "\n" * 6 + "…"
    assert safe_text("abcdefgh", 7) == "abcdef…"


def test_a_query_stands_on_one_line() -> None:
    assert one_line(" what\xa0is\tthis\r\nabout \x1b") == f"what is this about {MARK}"


def test_a_page_and_its_file_show_texts_with_white_space_as_it_is_meant(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "", "text": "first\\r\\nsecond\\u00a0part\\tend"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "a\\u00a0hard\\tspace"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    collection = prepare(parse_source({"folder": str(folder)}), tmp_path / "collections")
    found = query_view([Run("r", {"q1": {"d1": 1.0}})], "q1", collection=collection, split="test")
    assert found.text == "a hard space"
    assert MARK not in found.documents[0].text and "second part end" in found.documents[0].text
    written = table_files.page_csv({"text": [one.text for one in found.documents]})
    assert MARK not in written and "\r" not in written
