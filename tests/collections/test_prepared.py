"""From a folder to a prepared collection: content hash, faults, atomicity."""

from __future__ import annotations

import json
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.errors import UserError, UserErrors
from harness.published.run_export import export_qrels
from tests.collections.folders import DOCUMENTS, QUERIES, Load, MakeFolder, write_folder


def test_everything_is_there(make_folder: MakeFolder, load: Load) -> None:
    queries = [*QUERIES[:2], {"_id": "q3", "text": "shock waves", "metadata": {"answers": ["yes", "no"]}}]
    collection = load(make_folder("mine", queries=queries))
    assert (collection.name, collection.splits) == ("mine", ("train", "dev", "test"))
    assert collection.corpus.texts(["d3", "d1"]) == ["Shock waves in gases", "Boundary layers " + DOCUMENTS[0]["text"]]
    assert collection.queries("test").slice_texts(0, 9) == ["heat conduction"]
    assert collection.judgments("test").qrels == {"q2": {"d2": 1, "d1": 0}}
    assert list(collection.titles()) == [("d1", "Boundary layers"), ("d3", "Shock waves in gases")]
    assert collection.answers("dev") == {"q3": ("yes", "no")} and collection.answers("test") == {}
    assert len(collection.report) == 0
    with pytest.raises(UserError, match="has no split 'tset'\n  did you mean 'test'"):
        collection.queries("tset")


def test_moving_and_touching_change_nothing(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    folder = make_folder()
    first = load(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    for file in moved.rglob("*.*"):
        os.utime(file, (1, 1))
    second = load(moved)
    assert second.folder != first.folder
    assert second.content_hash == first.content_hash
    assert second.corpus.identity == first.corpus.identity
    for split in first.splits:
        assert second.queries(split).identity == first.queries(split).identity
        assert second.judgments(split) == first.judgments(split)


def test_each_part_has_its_own_identity(make_folder: MakeFolder, load: Load) -> None:
    first = load(make_folder("a"))
    changed = [*DOCUMENTS[:2], {**DOCUMENTS[2], "text": "x"}]
    corpus = load(make_folder("b", documents=changed))
    queries = load(make_folder("c", queries=[*QUERIES[:2], {"_id": "q3", "text": "shock wave"}]))
    qrels = load(
        make_folder(
            "d",
            qrels={"train": [("q1", "d1", 1)], "dev": [("q3", "d3", 1)], "test": [("q2", "d1", 0), ("q2", "d2", 1)]},
        )
    )
    assert len({c.content_hash for c in (first, corpus, queries, qrels)}) == 4
    assert corpus.corpus.identity != first.corpus.identity == queries.corpus.identity == qrels.corpus.identity
    assert queries.queries("dev").identity != first.queries("dev").identity == qrels.queries("dev").identity
    assert queries.queries("test").identity == first.queries("test").identity
    assert qrels.judgments("dev").identity != first.judgments("dev").identity
    assert qrels.judgments("test").identity == first.judgments("test").identity, "the order of judgments is no content"


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), data=st.data())
def test_one_changed_document_changes_the_hash(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("hash")
    at = data.draw(st.integers(0, len(texts) - 1))
    other = data.draw(st.tuples(TEXT, TEXT).filter(lambda pair: pair != texts[at]))
    hashes = []
    for name, pairs in (("a", texts), ("b", texts), ("c", [*texts[:at], other, *texts[at + 1 :]])):
        documents = [{"_id": f"d{k}", "title": title, "text": text} for k, (title, text) in enumerate(pairs)]
        folder = write_folder(root / name, documents=documents, qrels={"test": [("q2", "d0", 1)]})
        hashes.append(prepare(parse_source({"folder": str(folder)}), root / "home").content_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_second_call_reads_one_small_file(make_folder: MakeFolder, load: Load) -> None:
    folder = make_folder(documents=[{"_id": f"d{k}", "text": "some words " * 20} for k in range(20_000)])
    first = load(folder)
    marks = {file: file.stat().st_mtime_ns for file in first.folder.rglob("*")}
    start = time.perf_counter()
    second = load(folder)
    assert time.perf_counter() - start < 0.1  # under 5 ms on an idle machine
    assert (
        second.folder == first.folder and {file: file.stat().st_mtime_ns for file in second.folder.rglob("*")} == marks
    )


def test_a_changed_file_is_read_again(make_folder: MakeFolder, load: Load) -> None:
    folder = make_folder()
    first = load(folder)
    corpus = folder / "corpus.jsonl"
    stat = corpus.stat()
    corpus.write_text(corpus.read_text().replace("Heat", "Warm"))
    os.utime(corpus, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load(folder).content_hash != first.content_hash, "same size and modification time, other content"


def test_a_failed_preparation_leaves_nothing(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    folder = make_folder()
    with (folder / "corpus.jsonl").open("a") as stream:
        stream.write("{broken\n")
    with pytest.raises(UserError) as caught:
        load(folder)
    assert caught.value.line == 4 and caught.value.file == folder / "corpus.jsonl"
    assert [path for path in (tmp_path / "home").iterdir() if not path.name.endswith(".lock")] == []


def test_what_a_killed_process_left_is_replaced(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    folder = make_folder()
    place = load(folder).folder
    place.rename(place.with_name(f".{place.name}.new-killed"))
    (place.with_name(f".{place.name}.new-killed") / "corpus" / "texts.arrow").write_bytes(b"half")
    assert load(folder).corpus.texts(["d2"]) == [DOCUMENTS[1]["text"]]
    assert not list((tmp_path / "home").glob(".*.new-*"))


def test_many_at_once_prepare_it_once(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder(documents=[{"_id": f"d{k}", "text": "words " * 50} for k in range(2000)])
    told: list[object] = []

    def tell(*progress: object) -> None:
        told.append(progress)

    def task(_: int) -> str:
        return prepare(parse_source({"folder": str(folder)}), tmp_path / "home", tell).content_hash

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(task, range(4)))) == 1
    assert told == [(2000, 0, "documents")]


def test_pickles_as_its_folder(make_folder: MakeFolder, load: Load) -> None:
    collection = load(make_folder())
    copy = pickle.loads(pickle.dumps(collection))
    assert copy.content_hash == collection.content_hash and copy.name == collection.name
    assert copy.judgments("test").qrels == collection.judgments("test").qrels


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "is no JSON"),
        ("[1]", "is a JSON list, not an object"),
        ('{"text": "no id"}', "'_id' is missing"),
        ('{"_id": "d9"}', "'text' is missing"),
        ('{"_id": "d9", "text": ["a"]}', "'text' is a list, not a string"),
        ('{"_id": true, "text": "a"}', "'_id' is a bool, not a string"),
        ('{"_id": "d9", "text": "\\ud83d"}', "'text' holds half a surrogate pair"),
        ("9" * 5000, "is no JSON"),
    ],
)
def test_a_corrupt_document_is_named_by_line(make_folder: MakeFolder, load: Load, line: str, complaint: str) -> None:
    folder = make_folder()
    with (folder / "corpus.jsonl").open("a") as stream:
        stream.write(f"\n{line}\n")
    with pytest.raises(UserError, match=complaint) as caught:
        load(folder)
    assert (caught.value.file, caught.value.line) == (folder / "corpus.jsonl", 5)
    assert "a right line looks like {" in str(caught.value)


JSON = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda parts: st.lists(parts) | st.dictionaries(st.sampled_from(["_id", "text", "title"]), parts),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(content=st.one_of(st.binary(max_size=80), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_line_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.mktemp("odd")
    folder = write_folder(root / "data")
    with (folder / "corpus.jsonl").open("ab") as stream:
        stream.write(content)
    try:
        assert len(prepare(parse_source({"folder": str(folder)}), root / "home").corpus) >= 3
    except UserErrors as error:
        assert "collection 'data'" in str(error)
    except UserError as error:
        assert error.file == folder / "corpus.jsonl" and error.line is not None and error.line >= 4


def test_odd_but_right_records(make_folder: MakeFolder, load: Load) -> None:
    documents = [{"_id": 7, "title": None, "text": "seven"}, {"_id": "d8", "text": None, "extra": [1]}]
    folder = make_folder(documents=documents, qrels={"test": [("q1", "7", 1)]})
    collection = load(folder)
    assert collection.corpus.texts(["7", "d8"]) == ["seven", ""]
    assert "1 documents without any text (kept): d8" in str(collection.report)


def test_wrong_encodings_are_named_by_line(make_folder: MakeFolder, load: Load) -> None:
    folder = make_folder()
    queries = folder / "queries.jsonl"
    queries.write_bytes(queries.read_bytes() + '{"_id": "q9", "text": "café"}'.encode("latin-1"))
    with pytest.raises(UserError, match=r"queries.jsonl:4: is not UTF-8: byte 0xe9"):
        load(folder)
    queries.write_bytes(queries.read_text(encoding="latin-1").encode("utf-16"))
    with pytest.raises(UserError, match=r"queries.jsonl:1: is not UTF-8"):
        load(folder)


def test_missing_files_are_all_named(make_folder: MakeFolder, load: Load, tmp_path: Path) -> None:
    folder = make_folder()
    (folder / "queries.jsonl").unlink()
    (folder / "qrels" / "train.tsv").unlink()
    (folder / "qrels" / "dev.tsv").unlink()
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(UserError, match=r"queries.jsonl and qrels/<split>.tsv missing"):
        load(folder)
    with pytest.raises(UserError, match="there is no folder"):
        load(tmp_path / "nowhere")


def test_all_errors_come_at_once(make_folder: MakeFolder, load: Load) -> None:
    documents = [*DOCUMENTS, DOCUMENTS[0] | {"text": "another"}, {"_id": "", "text": "x"}]
    with pytest.raises(UserErrors) as caught:
        load(make_folder(documents=documents, queries=[*QUERIES, QUERIES[0] | {"text": "another"}]))
    text = str(caught.value)
    assert "1 document ids are empty: 'x'" in text
    assert "1 document ids occur more than once, with different texts: 'd1' (2 times)" in text
    assert "1 query ids occur more than once, with different texts: 'q1'" in text


def test_repeats_to_the_letter_are_a_warning_and_change_nothing(make_folder: MakeFolder, load: Load) -> None:
    right = load(make_folder("right"))
    twice = load(make_folder("twice", documents=[*DOCUMENTS, DOCUMENTS[0]], queries=[*QUERIES, QUERIES[0]]))
    assert twice.content_hash == right.content_hash
    assert [str(fault) for fault in twice.report] == [
        "1 documents that repeat an earlier one to the letter (read once): d1",
        "1 queries that repeat an earlier one to the letter (read once): q1",
    ]


IDS = ["doc 1", " led", "trailing ", "a\tb", "hard\u00a0space", "line\nend", "#tag", "50%20", '"quoted"', '5"']


def test_ids_are_taken_as_they_come(make_folder: MakeFolder, load: Load) -> None:
    documents = [{"_id": name, "text": f"text {k}"} for k, name in enumerate(IDS)]
    queries = [{"_id": name, "text": f"query {k}"} for k, name in enumerate(IDS)]
    folder = make_folder(documents=documents, queries=queries)
    export_qrels({name: {name: 1} for name in IDS}, folder / "qrels" / "test.tsv")
    for split in ("train", "dev"):
        (folder / "qrels" / f"{split}.tsv").unlink()
    collection = load(folder)
    assert list(collection.corpus.ids) == list(collection.queries("test").ids) == IDS
    assert collection.judgments("test").qrels == {name: {name: 1} for name in IDS}
    assert str(collection.report).count("that hold white space (kept; runs have it as in a%20b)") == 2
    assert len(collection.report) == 2


def test_judgments_find_ids_whatever_blanks_stand_around_them(make_folder: MakeFolder, load: Load) -> None:
    folder = make_folder(qrels={"test": [("q2 ", " d2", 1), ("q1", "d1 ", 1), ("q3", "d3", 1)]})
    collection = load(folder)
    assert collection.judgments("test").qrels == {"q2": {"d2": 1}, "q1": {"d1": 1}, "q3": {"d3": 1}}
    assert "2 judgments with white space around an id that the collection has without" in str(collection.report)


def test_what_is_there_twice_is_counted(make_folder: MakeFolder, load: Load) -> None:
    copy = DOCUMENTS[1] | {"_id": "copy"}
    names = ["caf\u00e9", "cafe\u0301"]
    documents = [*DOCUMENTS, copy, *({"_id": name, "text": f"text {k}"} for k, name in enumerate(names))]
    report = load(make_folder(documents=documents)).report
    assert list(report.faults()) == [
        "1 document ids that differ in Unicode form only (NFC, NFD) from another one (kept): cafe\u0301",
        "1 documents with the text of another one (kept): copy",
    ]


@pytest.mark.parametrize("names", [("\u00e9tude", "e\u0301tude"), ("e\u0301tude", "\u00e9tude")])
def test_judgments_in_another_unicode_form_are_said(
    make_folder: MakeFolder, load: Load, names: tuple[str, str]
) -> None:
    kept, other = names
    documents = [*DOCUMENTS, {"_id": kept, "text": "a study"}]
    queries = [*QUERIES, {"_id": kept, "text": "which study?"}]
    report = load(
        make_folder(
            documents=documents, queries=queries, qrels={"test": [("q1", other, 1), (other, "d1", 1), ("q2", "d2", 1)]}
        )
    ).report
    said = "whose ids differ in Unicode form only (NFC, NFD) from the collection's"
    assert f"1 judgments in 'test' of documents {said} (kept, never found): q1 {other}" in str(report)
    assert f"1 judgments in 'test' of queries {said} (left out): {other}" in str(report)


def test_judgments_of_another_collection_are_an_error(make_folder: MakeFolder, load: Load) -> None:
    with pytest.raises(
        UserError, match="2 judgments in 'test', and the collection has none of their documents: x1, x2"
    ):
        load(make_folder(qrels={"test": [("q1", "x1", 1), ("q2", "x2", 0)]}))
    some = load(make_folder("some", qrels={"test": [("q1", "x1", 1), ("q2", "d2", 0)]}))
    assert "1 judgments in 'test' of documents that the collection does not have (kept): q1 x1" in str(some.report)


def test_collections_without_documents_or_judged_queries(make_folder: MakeFolder, load: Load) -> None:
    with pytest.raises(UserError, match="has no documents"):
        load(make_folder("a", documents=[]))
    with pytest.raises(
        UserError, match="has no judged queries\n  2 judgments in 'test' of queries that the collection does not have"
    ):
        load(make_folder("b", qrels={"test": [("x", "d1", 1), ("y", "d1", 1)]}))


def test_metadata_of_queries_are_texts_and_whole_numbers(make_folder: MakeFolder, load: Load) -> None:
    fields = {"cluster": "oil crisis", "year": 1973, "true": True, "list": [1], "empty": " ", "none": None}
    queries = [{**QUERIES[0], "metadata": {}}, {**QUERIES[1], "metadata": fields}, QUERIES[2]]
    found = load(make_folder(queries=queries))
    assert found.metadata("test") == {"q2": {"cluster": "oil crisis", "year": "1973"}}
    assert found.metadata("train") == {}


def test_a_cluster_that_is_no_text_has_its_line(make_folder: MakeFolder, load: Load) -> None:
    queries = [QUERIES[0], {**QUERIES[1], "metadata": {"cluster": ["a", "b"]}}, QUERIES[2]]
    with pytest.raises(UserError, match=r"(?s)queries\.jsonl:2: 'metadata\.cluster' is a list"):
        load(make_folder(queries=queries))


def test_a_query_that_comes_again_with_other_metadata_is_told(make_folder: MakeFolder, load: Load) -> None:
    again = [{**QUERIES[1], "metadata": {"cluster": name}} for name in ("first", "second")]
    found = load(make_folder(queries=[QUERIES[0], *again, QUERIES[2]]))
    assert found.metadata("test") == {"q2": {"cluster": "first"}}
    assert any("with other metadata" in fault.message for fault in found.report)
