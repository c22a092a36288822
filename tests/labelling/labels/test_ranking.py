from __future__ import annotations

import gzip
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings, write_rankings
from harness.labelling.labels.ranking import VERDICTS, Ranking

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    ids = draw(st.lists(texts, unique=True, max_size=8))
    cut = draw(st.integers(0, len(ids)))
    scores = draw(
        st.none()
        | st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=len(ids), max_size=len(ids)).map(tuple)
    )
    shown = draw(st.just(()) | st.permutations(ids).map(tuple))
    return Ranking(
        draw(texts),
        tuple(ids[:cut]),
        tuple(ids[cut:]),
        draw(st.sampled_from(VERDICTS)),
        draw(texts),
        draw(texts),
        scores,
        shown,
    )


@given(st.lists(rankings(), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, written: list[Ranking]) -> None:
    path = tmp_path_factory.mktemp("rankings") / "rankings.jsonl.gz"
    write_rankings(path, written)
    assert read_rankings(path) == written


def test_equal_rankings_give_equal_bytes_at_any_time_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranking = Ranking("q", ("a", "b"), ("c",), scores=(1.5, 0.25, -3.0))
    write_rankings(tmp_path / "one.gz", [ranking])
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_rankings(tmp_path / "two.gz", iter([ranking]))
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_plain_json_lines_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(
        '{"query": "1", "ordered": ["b", "a"]}\n\n{"query": "2", "ordered": [], "tail": ["c"], "verdict": "failed"}\n'
    )
    assert read_rankings(path) == [Ranking("1", ("b", "a")), Ranking("2", (), ("c",), "failed")]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"query": "1"}',
        '{"query": "1", "ordered": ["a"], "verdict": "fine"}',
        '{"query": "1", "ordered": ["a"], "tail": ["a"]}',
        '{"query": "1", "ordered": ["a"], "scores": [1, 2]}',
        '{"query": "1", "ordered": ["a"], "shown": ["a", "b"]}',
        '{"query": "1", "ordered": ["a"], "colour": "red"}',
    ],
)
def test_a_line_that_is_no_ranking_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"query": "0", "ordered": ["a"]}\n' + line + "\n")
    with pytest.raises(UserError) as caught:
        read_rankings(path)
    assert (caught.value.file, caught.value.line) == (path, 2)


def test_a_damaged_gzip_file_is_a_users_error(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl.gz"
    whole = gzip.compress(json.dumps({"query": "1", "ordered": [str(number) for number in range(1000)]}).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        read_rankings(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_rankings(tmp_path / "absent.jsonl")


def test_what_was_shown_is_what_was_ranked(tmp_path: Path) -> None:
    write_rankings(
        tmp_path / "r.gz", [Ranking("q", ("a",), ("b",)), Ranking("q", ("a",), ("b",), presented=("b", "a"))]
    )
    lines = gzip.decompress((tmp_path / "r.gz").read_bytes()).splitlines()
    assert ["shown" in json.loads(line) for line in lines] == [False, True]
    assert [ranking.presented for ranking in read_rankings(tmp_path / "r.gz")] == [(), ("b", "a")]
    for shown in (("a",), ("a", "a"), ("a", "b", "b"), ("a", "c")):
        with pytest.raises(ValueError, match="shown"):
            Ranking("q", ("a",), ("b",), presented=shown)


def test_a_ranking_must_hold_exactly_what_was_shown() -> None:
    ranking = Ranking("q", ("a", "b"), ("c",))
    ranking.check("q", ["c", "b", "a"])
    for query, shown in (("q", ["a", "b"]), ("q", ["a", "b", "c", "d"]), ("other", ["a", "b", "c"])):
        with pytest.raises(ValueError, match="quer"):
            ranking.check(query, shown)


def test_ten_thousand_rankings_take_no_time_worth_speaking_of(tmp_path: Path) -> None:
    many = [Ranking(f"q{number}", tuple(f"doc{number * 7 + place}" for place in range(20))) for number in range(10_000)]
    start = time.thread_time()
    write_rankings(tmp_path / "r.gz", many)
    assert read_rankings(tmp_path / "r.gz") == many
    assert time.thread_time() - start < 3, "about 0.3 s on an idle core"


def test_a_cut_keeps_everything_but_the_order_behind_it() -> None:
    whole = Ranking(
        "q", ("a", "b", "c"), ("d",), "partial", "missing", "raw", (4.0, 3.0, 2.0, 1.0), ("d", "c", "b", "a")
    )
    cut = whole.cut(2)
    assert (cut.ranked, cut.unranked) == (("a", "b"), ("c", "d"))
    assert replace(cut, ranked=whole.ranked, unranked=whole.unranked) == whole
    assert whole.cut(3) == whole == whole.cut(9)
    assert whole.cut(0).ranked == () and whole.cut(0).unranked == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="the first -1"):
        whole.cut(-1)
