"""Qrels files: right ones are read whole, wrong ones are refused at the right line."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections.collection import Qrels
from harness.collections.qrels import read_qrels
from harness.errors import UserError
from harness.published.run_export import export_qrels

ids = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["C", "Z"]), min_size=1, max_size=12
)
qrels = st.dictionaries(ids, st.dictionaries(ids, st.integers(-2, 5), min_size=1, max_size=5), min_size=1, max_size=6)


def as_csv(value: str) -> str:
    """`value` as a csv writer would put it where it would be taken for one in quotation marks."""
    return '"{}"'.format(value.replace('"', '""')) if value.startswith('"') else value


def lines_of(judged: Qrels, form: str) -> list[str]:
    written = as_csv if form == FORMS[0] else str
    return [
        form.format(q=written(query), d=written(document), g=grade)
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


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\n{}",
        "{}",
        "query_id\tdoc_id\trelevance\n{}",
        "qid\tpid\tlabel\n{}",
        "topic\tdocno\tjudgement\n{}",
        '"query-id"\t"corpus-id"\t"score"\n{}',
        "#query-id\tcorpus-id\tscore\n{}",
        "query-id corpus-id score\n{}",
        "query-id\tcorpus-id\tgrade of relevance\n{}",
    ],
)
@pytest.mark.parametrize("grade", ["{}", "{}.0", "+{}", '"{}"'])
def test_headers_of_all_kinds_or_none(tmp_path: Path, text: str, grade: str) -> None:
    lines = "".join(
        f"{query}\t{one}\t{grade.format(value)}\n" for query, one, value in [("q1", "d1", 1), ("q2", "d2", 0)]
    )
    file = tmp_path / "test.tsv"
    file.write_text(text.format(lines))
    assert read_qrels(file) == {"q1": {"d1": 1}, "q2": {"d2": 0}}


@pytest.mark.parametrize(
    ("lines", "right"),
    [
        ("query-id\titeration\tcorpus-id\tscore\nq1\t0\td1\t2\n", {"q1": {"d1": 2}}),
        ("docid\tqid\trel\nd1\tq1\t2\n", {"q1": {"d1": 2}}),
        ("qid\tdocid\trel\tannotator\tnote\nq1\td1\t2\tx\ty z\n", {"q1": {"d1": 2}}),
        ("query-id\tcorpus-id\tscore\nq1 d1 1\nq2\td2\t1\n", {"q1": {"d1": 1}, "q2": {"d2": 1}}),
        ("q1 0\td1\t1\nq2\t0 d2 1\nq3 0 d3 1\n", {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}}),
        ("q1 \t d1 \t 1\n", {"q1": {"d1": 1}}),
        ("q1\t0\tdoc 1\t1\n", {"q1": {"doc 1": 1}}),
        ("q 1\tdoc 1\t1\nq2\td\u00a02\t1\n", {"q 1": {"doc 1": 1}, "q2": {"d\u00a02": 1}}),
        ("q1 0 d\u00a01 1\n", {"q1": {"d\u00a01": 1}}),
        (
            'q1\t"5""disk"\t1\nq2\t5"disk\t1\nq3\t"half\t1\n',
            {"q1": {'5"disk': 1}, "q2": {'5"disk': 1}, "q3": {'"half': 1}},
        ),
        ('q1\t"a\tb"\t1\nq2\t"over\nlines"\t1\n', {"q1": {"a\tb": 1}, "q2": {"over\nlines": 1}}),
        ('"q1\td1"\t1\n', {'"q1': {'d1"': 1}}),
        ('q1 0 "d1" 1\n', {"q1": {'"d1"': 1}}),
        ("#tag 0 d1 1\n#tag 0 #d2 0\n", {"#tag": {"d1": 1, "#d2": 0}}),
        ("\ufeffq1 0 d1 1\n\ufeffq2\t0 d1 1\n", {"q1": {"d1": 1}, "q2": {"d1": 1}}),
    ],
)
def test_columns_are_found_as_they_come(tmp_path: Path, lines: str, right: Qrels) -> None:
    file = tmp_path / "test.tsv"
    file.write_text(lines)
    assert read_qrels(file) == right


AWKWARD = st.text('a# \t\n\u00a0\u2028%"', min_size=1, max_size=5).filter(
    lambda text: bool(text.strip("\n ")) and "\n\n" not in text and not text.endswith("\n")
)


@given(
    judged=st.dictionaries(AWKWARD, st.dictionaries(AWKWARD, st.integers(0, 3), min_size=1), min_size=1),
    name=st.sampled_from(["qrels.trec", "qrels.trec.xz"]),
)
def test_exported_qrels_come_back(tmp_path_factory: pytest.TempPathFactory, judged: Qrels, name: str) -> None:
    file = tmp_path_factory.mktemp("qrels") / name
    export_qrels(judged, file)
    assert read_qrels(file) == judged


@given(
    rows=st.lists(
        st.tuples(AWKWARD.filter(lambda text: "\n" not in text), AWKWARD.filter(lambda text: "\n" not in text)),
        min_size=1,
        unique=True,
    )
)
def test_csv_writers_are_read_as_csv_readers_do(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """BEIR writes and reads its tsv files with Python's csv module."""
    file = tmp_path_factory.mktemp("qrels") / "test.tsv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerows([("query-id", "corpus-id", "score"), *((*row, 1) for row in rows)])
    assert {(query, one) for query, grades in read_qrels(file).items() for one in grades} == set(rows)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("q1 Q0 d1 1 2.5 bm25\n", "a TREC run"),
        ("a,b,c\n1,2,3\n", "commas"),
        ('{"q1": {"d1": 1}}', "JSON"),
        ("<html>", "a web page"),
    ],
)
def test_a_message_names_the_format_it_sees(tmp_path: Path, content: str, seen: str) -> None:
    (tmp_path / "qrels.txt").write_text(content)
    with pytest.raises(UserError, match=f"looks like {seen}|looks like .*{seen}"):
        read_qrels(tmp_path / "qrels.txt")


@pytest.mark.parametrize(
    "lines",
    [
        "query-id,corpus-id,score\nq1,d1,1\nq1,d2,0\n",
        "q1,d1,1\nq1,d2,0\n",
        "q1, d1, 1\nq1, d2, 0\n",
        "query-id, corpus-id, score\nq1, d1, 1\nq1, d2, 0\n",
        "q1,0,d1,1\nq1,0,d2,0\n",
        '"query","document","relevance"\n"q1","d1","1.0"\n"q1","d2","0.0"\n',
        "\ufeffscore,corpus-id,query-id,note\r\n1,d1,q1,yes\r\n0,d2,q1,\r\n",
    ],
)
def test_commas_between_columns(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "qrels.csv"
    file.write_bytes(lines.encode())
    assert read_qrels(file) == {"q1": {"d1": 1, "d2": 0}}


@given(
    rows=st.lists(
        st.tuples(AWKWARD.filter(lambda text: "\n" not in text), AWKWARD.filter(lambda text: "\n" not in text)),
        min_size=1,
        unique=True,
    )
)
def test_what_csv_writers_put_between_commas_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    file = tmp_path_factory.mktemp("qrels") / "qrels.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("query-id", "corpus-id", "score"), *((*row, 1) for row in rows)])
    assert {(query, one) for query, grades in read_qrels(file).items() for one in grades} == set(rows)


def test_a_line_of_other_columns_among_commas_is_named(tmp_path: Path) -> None:
    file = tmp_path / "qrels.csv"
    file.write_text("q1,d1,1\nq1,d2\n")
    with pytest.raises(UserError, match="has 2 columns, not 3 columns as the lines before it") as error:
        read_qrels(file)
    assert error.value.line == 2


def test_ids_that_hold_commas_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "qrels.trec"
    file.write_text("a,b 0 c,d 1\nq2 0 x,y,3 1\n")
    assert read_qrels(file) == {"a,b": {"c,d": 1}, "q2": {"x,y,3": 1}}
