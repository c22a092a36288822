"""Runs: what is written is what every IR tool reads; what is wrong in a file is named with its line."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.retrieval import trec
from harness.retrieval.run import Run
from harness.retrieval.run_lines import read_run_lines
from harness.retrieval.trec import read_trec

words = st.text(st.characters(min_codepoint=33, exclude_categories=("Z", "C")), min_size=1, max_size=6)
any_id = st.one_of(words, st.text('a# \t\n\r\u00a0\u2028\ufeff%20\x1c"', min_size=1, max_size=6))
"""Ids as people have them: with white space of any kind, percent signs, quotation marks, a leading #."""
scores = st.floats(width=32, allow_nan=False, allow_infinity=False)
found = st.dictionaries(words, scores, min_size=1, max_size=5)

GOOD = "q1 Q0 d1 1 2.5 bm25\nq1 Q0 d2 2 1.25 bm25\nq2 Q0 d1 1 0.5 bm25\n"
PARSED = {"q1": {"d1": 2.5, "d2": 1.25}, "q2": {"d1": 0.5}}


def _file(folder: Path, text: str | bytes, name: str = "run.trec") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@given(
    st.dictionaries(any_id, st.dictionaries(any_id, scores, min_size=1, max_size=5), min_size=1, max_size=4),
    words,
    st.booleans(),
)
def test_a_run_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, content: dict, name: str, gz: bool
) -> None:
    path = tmp_path_factory.mktemp("run") / ("run.trec.gz" if gz else "run.trec")
    Run(name, content).write(path)
    assert Run.read(path) == Run(name, content)


@given(st.dictionaries(words, found, min_size=1, max_size=4), st.randoms())
def test_equal_content_gives_equal_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: dict, random: object
) -> None:
    folder = tmp_path_factory.mktemp("run")
    shuffled = {}
    for query in sorted(content, key=lambda _: random.random()):  # type: ignore[attr-defined]
        items = list(content[query].items())
        random.shuffle(items)  # type: ignore[attr-defined]
        shuffled[query] = dict(items)
    Run("x", content).write(folder / "a.gz")
    Run("x", shuffled).write(folder / "b.gz")
    assert (folder / "a.gz").read_bytes() == (folder / "b.gz").read_bytes()


def test_lines_are_in_the_order_of_trec_eval(tmp_path: Path) -> None:
    Run("mine", {"q2": {"a": 1.0}, "q1": {"a": 0.5, "c": 0.5, "b": 2.0, "é": 0.5}}).write(tmp_path / "run.trec")
    assert (tmp_path / "run.trec").read_text().splitlines() == [
        "q1 Q0 b 1 2 mine",
        "q1 Q0 é 2 0.5 mine",
        "q1 Q0 c 3 0.5 mine",
        "q1 Q0 a 4 0.5 mine",
        "q2 Q0 a 1 1 mine",
    ]


def test_scores_equal_in_single_precision_are_ties() -> None:
    run = Run("x", {"q": {"a": 1.0 + 1e-12, "b": 1.0, "c": 0.0, "d": -0.0}})
    assert run.top("q") == ["b", "a", "d", "c"]
    assert run.top("q", 1) == ["b"]
    assert run.top("absent", 3) == []


@given(found)
def test_ranks_agree_with_trec_eval(content: dict) -> None:
    """trec_eval's reciprocal rank of the one relevant document is the place that `top` gives it."""
    ranking = Run("x", {"q": content}).top("q")
    for document in content:
        evaluator = pytrec_eval.RelevanceEvaluator({"q": {document: 1}}, {"recip_rank"})
        assert math.isclose(evaluator.evaluate({"q": content})["q"]["recip_rank"], 1 / (ranking.index(document) + 1))


def test_trec_readers_read_what_is_written(tmp_path: Path) -> None:
    Run("mine", PARSED).write(tmp_path / "run.trec")
    with (tmp_path / "run.trec").open() as stream:
        assert pytrec_eval.parse_run(stream) == PARSED
    read: dict[str, dict[str, float]] = {}
    for line in ir_measures.read_trec_run(str(tmp_path / "run.trec")):
        read.setdefault(line.query_id, {})[line.doc_id] = line.score
    assert read == PARSED


RANX = """
import sys
from ranx import Run, io
run = Run.from_file("run.trec.gz")
content = {
    str(query): {str(document): float(score) for document, score in found.items()}
    for query, found in run.to_dict().items()
}
run.save("saved.trec")
io.save_json(content, "saved.json")
io.save_lz4(content, "saved.lz4")
run.to_dataframe().to_parquet("saved.parquet", index=False)
print(run.name, content)
"""


@pytest.mark.slow
def test_ranx_reads_ours_and_we_read_what_ranx_writes(tmp_path: Path) -> None:
    """In a process of its own without numba's compiler, which would take half a minute."""
    Run("mine", PARSED).write(tmp_path / "run.trec.gz")
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RANX], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"mine {PARSED}"
    for ending in ("trec", "json", "lz4", "parquet"):
        assert Run.read(tmp_path / f"saved.{ending}") == Run("mine" if ending == "trec" else "saved", PARSED)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace(" ", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace(" ", "  "),
        GOOD.replace("\n", " \n"),
        " " + GOOD,
        GOOD.replace("q1 Q0 d1", "q1\tQ0 d1"),
        "# ir_metadata.start\n# actor: somebody\n# ir_metadata.end\n" + GOOD,
    ],
    ids=[
        "spaces",
        "tabs",
        "crlf",
        "no-last-newline",
        "blank-lines",
        "double",
        "trailing",
        "leading",
        "mixed",
        "comments",
    ],
)
def test_layouts_that_mean_the_same(tmp_path: Path, text: str) -> None:
    assert Run.read(_file(tmp_path, text)) == Run("bm25", PARSED)


def test_regular_files_take_the_fast_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trec, "read_run_lines", lambda *_: pytest.fail("read line by line"))
    assert Run.read(_file(tmp_path, GOOD)).scores == PARSED


def test_queries_whose_lines_are_apart_are_one_query(tmp_path: Path) -> None:
    text = "q1 Q0 a 1 3 x\nq2 Q0 a 1 1 x\nq1 Q0 b 2 2 x\n"
    assert Run.read(_file(tmp_path, text)).scores == {"q1": {"a": 3.0, "b": 2.0}, "q2": {"a": 1.0}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q2 Q0 d1 1 0.5", "5 columns instead of 6"),
        ("q2 Q0 d1 1 0.5 bm25 more", "7 columns instead of 6"),
        ("q2 Q0  1 0.5 bm25", "5 columns instead of 6"),
        ("q2 Q0 d1 1 nan bm25", "score 'nan' is not a finite number"),
        ("q2 Q0 d1 1 -inf bm25", "score '-inf' is not a finite number"),
        ("q2 Q0 d1 1 1e39 bm25", "score '1e39' is not a finite number"),
        ("q2 Q0 d1 1 high bm25", "score 'high' is no number"),
        ("q1 Q0 d1 1 0.5 bm25", "document 'd1' occurs twice for query 'q1'"),
    ],
)
@pytest.mark.parametrize("blank", ["", " "])
def test_faults_are_named_with_their_line(tmp_path: Path, line: str, message: str, blank: str) -> None:
    """With a blank at an end of the first line the fast reader gives up at once, without it only when it meets the
    fault."""
    path = _file(tmp_path, f"# a comment\nq1 Q0 d1 1 2.5 bm25{blank}\n{line}\nq3 Q0 d1 1 1 bm25\n")
    with pytest.raises(UserError, match=message) as caught:
        Run.read(path)
    assert (caught.value.file, caught.value.line) == (path, 3)


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not UTF-8") as caught:
        Run.read(_file(tmp_path, GOOD.encode() + b"q3 Q0 d\xff 1 1 bm25\n"))
    assert caught.value.line == 4


@pytest.mark.parametrize("text", ["", "\n \n", "# only comments"])
def test_a_run_without_results_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="holds no results"):
        Run.read(_file(tmp_path, text))


@pytest.mark.parametrize("cut", [0.5, 0.99])
def test_a_damaged_gzip_file_is_an_error(tmp_path: Path, cut: float) -> None:
    data = gzip.compress(GOOD.encode() * 50)
    with pytest.raises(UserError, match="no complete gzip file"):
        Run.read(_file(tmp_path, data[: int(len(data) * cut)], "run.trec.gz"))


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    assert Run.read(_file(tmp_path, gzip.compress(GOOD.encode()), "run.trec")).scores == PARSED


def test_a_result_folder_is_read_by_its_run(tmp_path: Path) -> None:
    Run("mine", PARSED).write(tmp_path / "run.trec.gz")
    assert Run.read(tmp_path).name == "mine"
    with pytest.raises(UserError, match="there is no run"):
        Run.read(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"q": {"d": 1}, "q": {"d": 2}}', "'q' occurs twice"),
        ('{"q": {"d": 1, "d": 2}}', "'d' occurs twice"),
        ('{"q": {"d": NaN}}', "not a finite number"),
        ('{"q": {"d": "x"}}', "is no number"),
        ('{"q": {"d": null}}', "is no number"),
        ('{"q": [1]}', "this is no run"),
        ("[]", "this is no run"),
        ("{}", "holds no results"),
        ('{"q": {\n"d" 1}}', "this is no JSON"),
    ],
)
def test_faults_in_json_runs(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Run.read(_file(tmp_path, text, "run.json"))


@pytest.mark.parametrize("ending", ["lz4", "parquet"])
def test_files_that_are_not_what_their_name_says(tmp_path: Path, ending: str) -> None:
    with pytest.raises(UserError, match="this is no"):
        Run.read(_file(tmp_path, json.dumps(PARSED), f"run.{ending}"))


@pytest.mark.parametrize("name", ["two words", "", "tab\there", "no\u00a0break"])
def test_a_name_with_white_space_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="white space"):
        Run(name, PARSED).write(tmp_path / "run.trec")
    assert list(tmp_path.iterdir()) == []


def test_empty_ids_cannot_be_written(tmp_path: Path) -> None:
    for run in (Run("x", {"": {"d": 1.0}}), Run("x", {"q": {"d": 2.0, "": 1.0}})):
        with pytest.raises(UserError, match="id is empty"):
            run.write(tmp_path / "run.trec")


@pytest.mark.parametrize("score", [math.nan, math.inf, 1e39])
def test_scores_that_are_not_finite_cannot_be_written(tmp_path: Path, score: float) -> None:
    with pytest.raises(UserError, match="document 'bad' for query 'q'"):
        Run("x", {"q": {"good": 1.0, "bad": score}}).write(tmp_path / "run.trec")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.trec"
    Run("old", PARSED).write(path)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Run("new", PARSED).write(path)
    assert Run.read(path).name == "old"
    assert list(tmp_path.iterdir()) == [path]


@given(scores)
def test_written_decimals_give_the_same_float32(tmp_path_factory: pytest.TempPathFactory, score: float) -> None:
    path = tmp_path_factory.mktemp("run") / "run.trec"
    Run("x", {"q": {"d": score}}).write(path)
    written = path.read_text().split()[4]
    assert np.float32(float(written)) == np.float32(score)


LINES = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", "#q", "\ufeffq"]),
        st.sampled_from(["Q0", "0"]),
        st.sampled_from(["d1", "d2", "a%20b", '"d', "é", "7"]),
        st.sampled_from(["1", "x"]),
        st.one_of(
            st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
            st.sampled_from(["1.00000017881393432617187499", "+2", "1_0", "1e-50", "0x1p3", "3.", "1e39", "nan"]),
        ),
        st.just("r"),
    ).map(list),
    min_size=1,
    max_size=5,
)
SEPARATORS = st.sampled_from([" ", "\t", "  ", " \t"])


@given(LINES, SEPARATORS, st.sampled_from(["\n", "\r\n", "\n\n", " \n"]), st.sampled_from(["", "\ufeff", "\n"]))
def test_both_readers_and_pytrec_eval_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]], separator: str, end: str, head: str
) -> None:
    text = head + end.join(separator.join(line) for line in lines)
    path = _file(tmp_path_factory.mktemp("run"), text)
    fast, careful, peer = (
        _outcome(read) for read in (lambda: read_trec(path)[1], lambda: _lines(path), lambda: _peer(text))
    )
    assert fast == careful
    if any(line[0] in ("#q", "\ufeffq") for line in lines):
        return
    assert fast == peer


def _outcome(read: Callable[[], dict[str, dict[str, float]]]) -> dict[str, dict[str, float]] | None:
    """What is read, in single precision as trec_eval has it; None for what is refused."""
    try:
        scores = {query: {one: np.float32(score) for one, score in found.items()} for query, found in read().items()}
    except (UserError, ValueError, AssertionError):
        return None
    return scores if all(np.isfinite(score) for found in scores.values() for score in found.values()) else None


def _lines(path: Path) -> dict[str, dict[str, float]]:
    return read_run_lines(path.read_bytes(), 0, path)[1]


def _peer(text: str) -> dict[str, dict[str, float]]:
    return dict(pytrec_eval.parse_run(line for line in text.replace("\ufeff", "").splitlines() if line.strip()))


@pytest.mark.parametrize("second", ["q1\tQ0 d2 2 1.25 bm25", "q1 Q0 d2 2 1.25 bm25"])
@pytest.mark.parametrize("comment", ["", "# a comment\n", "#\n\ufeff"])
def test_a_byte_order_mark_is_no_part_of_an_id(tmp_path: Path, second: str, comment: str) -> None:
    text = f"\ufeff{comment}q1 Q0 d1 1 2.5 bm25\n{second}\n\ufeffq2 Q0 d1 1 0.5 bm25\n"
    assert Run.read(_file(tmp_path, text)).scores == PARSED


def test_ids_may_begin_with_a_number_sign(tmp_path: Path) -> None:
    text = "# made by hand\n#ux Q0 d1 1 2 r\n#ux Q0 d2 2 1 r\nq2 Q0 d1 1 5 r\n"
    assert Run.read(_file(tmp_path, text)).scores == {"#ux": {"d1": 2.0, "d2": 1.0}, "q2": {"d1": 5.0}}


def test_ids_with_white_space_are_single_words_for_every_reader(tmp_path: Path) -> None:
    """Only lines that hold such ids are escaped, and say so in the column that nobody reads."""
    Run("mine", {"a%20b": {"x%20": 1.0}, "two words": {"d\u00a01": 2.0, "50%": 1.0}}).write(tmp_path / "run.trec")
    assert (tmp_path / "run.trec").read_text().splitlines() == [
        "a%20b Q0 x%20 1 1 mine",
        "two%20words Q0% d%C2%A01 1 2 mine",
        "two%20words Q0% 50%25 2 1 mine",
    ]
    with (tmp_path / "run.trec").open() as stream:
        assert set(pytrec_eval.parse_run(stream)) == {"a%20b", "two%20words"}


def test_tabs_part_ids_that_hold_blanks(tmp_path: Path) -> None:
    text = "q 1\tQ0\tdoc 1\t1\t2.5\tbm25\nq2\tQ0\td1\t1\t0.5\tbm25\n"
    assert Run.read(_file(tmp_path, text)).scores == {"q 1": {"doc 1": 2.5}, "q2": {"d1": 0.5}}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize(("name", "text"), [("run.trec", GOOD), ("mine.json", json.dumps(PARSED))])
def test_every_format_may_be_compressed(tmp_path: Path, pack: Callable[[bytes], bytes], name: str, text: str) -> None:
    ending = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    assert Run.read(_file(tmp_path, pack(text.encode()), name + ending)).scores == PARSED
    with pytest.raises(UserError, match="no complete"):
        Run.read(_file(tmp_path, pack(text.encode())[:-6], "cut.trec"))


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_what_is_written_is_compressed_as_its_name_ends(tmp_path: Path, ending: str) -> None:
    Run("mine", PARSED).write(tmp_path / f"run.trec{ending}")
    assert b"mine" not in (tmp_path / f"run.trec{ending}").read_bytes()
    assert Run.read(tmp_path / f"run.trec{ending}") == Run("mine", PARSED)


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("7\t1001\t1\n7\t1002\t2\n", {"7": {"1001": 1.0, "1002": 0.5}}),
        ("7 1001 1\n9 1002 1\n", {"7": {"1001": 1.0}, "9": {"1002": 1.0}}),
        ("7\t1001\t1\t12.5\n7\t1002\t2\t-3\n", {"7": {"1001": 12.5, "1002": -3.0}}),
    ],
)
def test_rankings_of_ms_marco(tmp_path: Path, text: str, scores: dict) -> None:
    assert Run.read(_file(tmp_path, text, "colbert.tsv")) == Run("colbert", scores)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("q1 0 7 1\nq1 0 8 0\n", "qrels of TREC"),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1\n", "qrels of BEIR"),
        ("q,doc,rank,score\nq1,d1,1,2.5\n", "commas"),
        ('{"q1": {"d1": 1.0}}', "JSON, whose name must end in .json"),
        ("<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04rest", "a zip archive"),
        ("q1 Q0 d1 1 2 r\n".encode("utf-16"), "UTF-16"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ],
)
def test_a_message_names_the_format_it_sees(tmp_path: Path, content: str | bytes, seen: str) -> None:
    with pytest.raises(UserError, match=f"looks like .*{seen}"):
        Run.read(_file(tmp_path, content))
