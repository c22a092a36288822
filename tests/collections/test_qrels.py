"""Qrels files: right ones are read whole, wrong ones are refused at the right line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections.collection import Qrels
from harness.collections.qrels import read_qrels
from harness.errors import UserError

ids = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["C", "Z"]), min_size=1, max_size=12
)
qrels = st.dictionaries(ids, st.dictionaries(ids, st.integers(-2, 5), min_size=1, max_size=5), min_size=1, max_size=6)


def lines_of(judged: Qrels, form: str) -> list[str]:
    return [
        form.format(q=query, d=document, g=grade)
        for query, grades in judged.items()
        for document, grade in grades.items()
    ]


FORMS = ["{q}\t{d}\t{g}", "{q} 0 {d} {g}", "{q}\tQ0\t{d}\t{g}", "{q} {d} {g}"]


@given(judged=qrels, form=st.sampled_from(FORMS), end=st.sampled_from(["\n", "\r\n"]))
def test_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, judged: Qrels, form: str, end: str) -> None:
    file = tmp_path_factory.mktemp("qrels") / "qrels.tsv"
    file.write_bytes(end.join(lines_of(judged, form)).encode())
    assert read_qrels(file) == judged


def test_header_of_beir_and_byte_order_mark_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "test.tsv"
    file.write_text("\ufeffquery-id\tcorpus-id\tscore\n\nq1\td1\t2\n", encoding="utf-8")
    assert read_qrels(file) == {"q1": {"d1": 2}}


def test_gzip(tmp_path: Path) -> None:
    file = tmp_path / "qrels.gz"
    with gzip.open(file, "wt") as stream:
        stream.write("q1 0 d1 1\n")
    assert read_qrels(file) == {"q1": {"d1": 1}}
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(UserError, match="no complete gzip file"):
        read_qrels(file)


@pytest.mark.parametrize(
    ("third_line", "complaint"),
    [
        ("q3\td3", "has 2 columns, not 3"),
        ("q3 0 d3 1", "has 4 columns, not 3"),
        ("q3\td3\tone", "the grade 'one' is no whole number"),
        ("q3\td3\t1.5", "the grade '1.5' is no whole number"),
        ("q3\td3\t1_0", "the grade '1_0' is no whole number"),
        ("q3\td 3\t1", "holds white space"),
        ("q3\t\t1", "id is empty"),
        ("q1\td1\t0", "have grade 0 here and 1 in line 2"),
    ],
)
def test_a_corrupt_line_is_named_with_what_would_be_right(tmp_path: Path, third_line: str, complaint: str) -> None:
    file = tmp_path / "test.tsv"
    file.write_text(f"query-id\tcorpus-id\tscore\nq1\td1\t1\n{third_line}\n")
    with pytest.raises(UserError, match=complaint) as caught:
        read_qrels(file)
    assert (caught.value.file, caught.value.line) == (file, 3)
    assert caught.value.remedy and ("'q1<TAB>d7<TAB>1'" in caught.value.remedy or "keep one" in caught.value.remedy)


@pytest.mark.parametrize("first", ["q1\td1\tx", "q1", "a b c d e"])
def test_a_corrupt_first_line_is_no_header(tmp_path: Path, first: str) -> None:
    file = tmp_path / "test.tsv"
    file.write_text(f"{first}\nq1\td1\t1\n")
    with pytest.raises(UserError) as caught:
        read_qrels(file)
    assert caught.value.line == 1


def test_latin1_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "test.tsv"
    file.write_bytes(b"q1 0 d1 1\nq2 0 caf\xe9 1\n")
    with pytest.raises(UserError, match="is not UTF-8: byte 0xe9 at byte 9") as caught:
        read_qrels(file)
    assert caught.value.line == 2


def test_absent_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        read_qrels(tmp_path / "none.tsv")
    (tmp_path / "empty.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(UserError, match="holds no judgments"):
        read_qrels(tmp_path / "empty.tsv")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_the_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("qrels") / "qrels.tsv"
    file.write_bytes(content)
    try:
        judged = read_qrels(file)
    except UserError as error:
        assert error.file == file
    else:
        assert all(isinstance(grade, int) for grades in judged.values() for grade in grades.values())
