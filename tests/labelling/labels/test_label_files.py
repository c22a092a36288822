"""Labels in files of any form: one reader for what three writers write, and for what strangers make of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels.label_export import LabelSet, write_labels
from harness.labelling.labels.label_files import choose_set, label_sets, read_rankings, stream_rankings, write_rankings
from harness.labelling.labels.label_stage import summarise
from harness.labelling.labels.ranking import VERDICTS, Ranking
from harness.labelling.labels.run_labels import packed, row_of
from harness.ledger.calls import Call, call_key
from harness.stage import digest

wild = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\n\r\0\u2028\u0085"\\\ufeff'), max_size=12)


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    """Any ranking whose tail is in the order of the candidates, which are its documents sorted."""
    ids = draw(st.lists(wild, unique=True, min_size=1, max_size=5))
    placed = draw(st.integers(0, len(ids)))
    documents = tuple(ids[:placed]), tuple(sorted(ids[placed:]))
    # Published numbers have six digits.
    numbers = st.lists(st.integers(-99_999, 99_999).map(float), min_size=len(ids), max_size=len(ids)).map(tuple)
    return Ranking(
        draw(wild),
        *documents,
        verdict=draw(st.sampled_from(VERDICTS)),
        reason=draw(wild),
        raw=draw(wild),
        scores=draw(st.none() | numbers),
        presented=draw(st.just(()) | st.permutations(ids).map(tuple).filter(lambda order: order != tuple(sorted(ids)))),
    )


some = st.lists(rankings(), max_size=4, unique_by=lambda one: one.query)


def label_set(rankings: Sequence[Ranking], name: str = "one") -> LabelSet:
    """A finished set as it stands in an export."""
    about = {"kind": "labels", "version": 1, "fields": {"draw": name}}
    summary = summarise(rankings) | {"alone": {}, "here": {}}
    return LabelSet(
        {"key": digest(about), **about, "label": f"teacher {name}", "seconds": 1.0},
        summary,
        [one.to_json() for one in rankings],
    )


def write_export(path: Path, rankings: Sequence[Ranking]) -> None:
    write_labels(path, [Call(call_key("gpt", "q"), "gpt", "{}", "[1]"), label_set(rankings)])


def write_run_labels(path: Path, rankings: Sequence[Ranking]) -> None:
    rows = [row_of(one, "text", sorted(one.ranked + one.unranked)) for one in rankings]
    path.write_bytes(packed([row for row in rows if row is not None], len(rows)))


FORMS: dict[str, Callable[[Path, Sequence[Ranking]], None]] = {
    "rankings": write_rankings,
    "export": write_export,
    "run": write_run_labels,
}


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=60)
@given(written=some, zipped=st.booleans())
def test_what_is_written_in_any_form_is_read(
    tmp_path_factory: pytest.TempPathFactory, form: str, written: list[Ranking], zipped: bool
) -> None:
    file = tmp_path_factory.mktemp("labels") / "labels.jsonl.gz"
    FORMS[form](file, written)
    if not zipped:
        file.write_bytes(gzip.decompress(file.read_bytes()))
    if form == "run" and not written:
        # No row says that there was a set.
        assert label_sets(file) == {}
        return
    assert read_rankings(file) == written


@pytest.mark.parametrize("form", FORMS)
def test_equal_labels_give_equal_bytes(tmp_path: Path, form: str) -> None:
    for name in ("a", "b"):
        FORMS[form](
            tmp_path / name, [Ranking("q", ("d1",), ("d2",), "partial", "missing", "[1]", (0.5, 0.25), ("d2", "d1"))]
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_no_damaged_byte_becomes_another_label(tmp_path: Path, form: str) -> None:
    written = [Ranking("q1", ("d2", "d1"), ("d3",), "partial", "missing", "[2] > [1]"), Ranking("q2", ("d1",))]
    file = tmp_path / "labels.jsonl"
    FORMS[form](file, written)
    whole = file.read_bytes()
    for place in range(0, len(whole), 3):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]):
            file.write_bytes(damaged)
            try:
                found = read_rankings(file)
            except UserError as error:
                assert error.file == file
                continue
            # Parts of the gzip header mean nothing, and an empty file of rankings holds none.
            assert (place < 10 and found == written) or damaged == b""


def test_of_several_sets_one_is_named(tmp_path: Path) -> None:
    sets = [label_set([Ranking("q", (f"d{number}",))], f"t{number}") for number in range(3)]
    file = tmp_path / "labels.jsonl.gz"
    write_labels(file, sorted(sets, key=lambda one: str(one.manifest["key"])))
    for number, one in enumerate(sets):
        key = one.manifest["key"]
        assert read_rankings(file, key[:10]) == read_rankings(file, key) == [Ranking("q", (f"d{number}",))]
        assert choose_set(file, key[:10]) == key and label_sets(file)[key] == f"teacher t{number}"
    for name, message in (("", "3 sets of labels are here"), ("zz", "no set of labels here begins with 'zz'")):
        with pytest.raises(UserError, match=message) as caught:
            stream_rankings(file, name)
        assert caught.value.file == file and all(
            f"{one.manifest['key'][:12]} (" in str(caught.value.remedy) for one in sets
        )


def test_sets_of_a_run_go_by_their_number(tmp_path: Path) -> None:
    rows = [
        row_of(Ranking("q", order), "text", ("a", "b"), of_set=number)
        for number, order in enumerate((("a", "b"), ("b", "a")))
    ]
    file = tmp_path / "labels.jsonl.gz"
    file.write_bytes(packed([row for row in rows if row is not None], 2))
    assert [read_rankings(file, name)[0].ranked for name in ("0", "1")] == [("a", "b"), ("b", "a")]
    with pytest.raises(UserError, match="2 sets") as caught:
        read_rankings(file)
    assert "0 (1 query), 1 (1 query)" in str(caught.value.remedy)


def test_a_set_cannot_be_named_where_sets_have_no_names_or_are_none(tmp_path: Path) -> None:
    write_rankings(tmp_path / "plain.jsonl.gz", [Ranking("q", ("a",))])
    with pytest.raises(UserError, match="no name") as caught:
        read_rankings(tmp_path / "plain.jsonl.gz", "ab")
    assert caught.value.remedy == "leave `set` out"
    write_labels(tmp_path / "calls.jsonl.gz", [Call(call_key("gpt", "q"), "gpt", "{}", "[1]")])
    with pytest.raises(UserError, match="no rankings here"):
        read_rankings(tmp_path / "calls.jsonl.gz")


def test_a_foreign_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"format": "something else"}\n')
    with pytest.raises(UserError, match="no file of labels"):
        read_rankings(tmp_path / "other.jsonl")


def test_an_altered_export_is_not_replayed(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl.gz"
    write_export(file, [Ranking("q", ("a", "b"))])
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b'["a","b"]', b'["b","a"]')))
    with pytest.raises(UserError, match="counts or checksum"):
        read_rankings(file)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"ordered": ["a"]}, "'query' is missing"),
        ({"query": "q"}, "'ordered' is missing"),
        ({"query": 3, "ordered": ["a"]}, "'query' is not text"),
        ({"query": "q", "ordered": "ab"}, "'ordered' is not a list of document ids"),
        ({"query": "q", "ordered": ["a", 1]}, "'ordered' is not a list of document ids"),
        ({"query": "q", "ordered": ["a"], "shown": [["a"]]}, "'shown' is not a list of document ids"),
        ({"query": "q", "ordered": ["a"], "scores": [True]}, "'scores' is not a list of finite numbers"),
        ({"query": "q", "ordered": ["a"], "scores": 1}, "'scores' is not a list of finite numbers"),
        ({"query": "q", "ordered": ["a"], "colour": "red"}, "unknown key 'colour', known: query, ordered, tail"),
        ({"query": "q", "ordered": ["a"], "ranked": ["a"]}, "unknown key 'ranked'"),
        ({"query": "q", "ordered": ["a"], "verdict": ["ok"]}, "'verdict' is not text"),
        ({"query": "\x1b[2J", "ordered": ["a", "a"]}, "query '\ufffd\\[2J': a document stands twice"),
    ],
)
def test_a_row_that_is_no_ranking_says_why(tmp_path: Path, row: dict[str, object], message: str) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(f'{{"query": "0", "ordered": []}}\n\n{json.dumps(row)}\n')
    with pytest.raises(UserError, match=f"no ranking: {message}") as caught:
        read_rankings(file)
    assert caught.value.line == 3


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    for number in ("NaN", "Infinity", "1e999"):
        (tmp_path / "labels.jsonl").write_text(f'{{"query": "q", "ordered": ["a"], "scores": [{number}]}}\n')
        with pytest.raises(UserError, match=r"NaN is no JSON|Infinity is no JSON|finite"):
            read_rankings(tmp_path / "labels.jsonl")
