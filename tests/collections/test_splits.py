"""Splits do not overlap, and what was left out is reported."""

from __future__ import annotations

from tests.collections.folders import DOCUMENTS, Load, MakeFolder


def many_queries(count: int) -> list[dict[str, str]]:
    return [{"_id": f"q{k}", "text": f"query number {k}"} for k in range(count)]


def test_queries_of_two_splits_leave_train_and_are_reported(make_folder: MakeFolder, load: Load) -> None:
    qrels = {
        "train": [(f"q{k}", "d1", 1) for k in range(20)],
        "dev": [(f"q{k}", "d1", 1) for k in range(10, 25)],
        "test": [(f"q{k}", "d1", 1) for k in range(18, 30)],
    }
    collection = load(make_folder(queries=many_queries(30), qrels=qrels))
    sizes = {split: set(collection.queries(split).ids) for split in collection.splits}
    assert sizes["test"] == {f"q{k}" for k in range(18, 30)}
    assert sizes["dev"] == {f"q{k}" for k in range(10, 18)}
    assert sizes["train"] == {f"q{k}" for k in range(10)}
    assert "2 queries of 'train' that are in 'test' too (removed from 'train'): q18, q19" in str(collection.report)
    assert "7 queries of 'dev' that are in 'test' too (removed from 'dev')" in str(collection.report)


def test_the_same_text_under_another_id_is_the_same_query(make_folder: MakeFolder, load: Load) -> None:
    queries = [
        {"_id": "a", "text": "Heat  conduction"},
        {"_id": "b", "text": "heat CONDUCTION"},
        {"_id": "c", "text": "else"},
    ]
    collection = load(
        make_folder(queries=queries, qrels={"train": [("a", "d1", 1), ("c", "d1", 1)], "test": [("b", "d1", 1)]})
    )
    assert list(collection.queries("train").ids) == ["c"]


def test_a_dev_split_is_carved_out_of_train(make_folder: MakeFolder, load: Load) -> None:
    qrels = {"train": [(f"q{k}", "d1", 1) for k in range(200)], "test": [("q200", "d1", 1)]}
    folder = make_folder(queries=many_queries(201), qrels=qrels)
    collection = load({"folder": str(folder)})
    assert collection.splits == ("train", "dev", "test")
    assert (len(collection.queries("train")), len(collection.queries("dev"))) == (180, 20)
    assert set(collection.queries("train").ids).isdisjoint(collection.queries("dev").ids)
    assert "20 training queries made into a dev split" in str(collection.report)

    reordered = load(make_folder("b", queries=many_queries(201)[::-1], qrels=qrels))
    assert set(reordered.queries("dev").ids) == set(collection.queries("dev").ids), "the choice depends on ids alone"

    capped = load({"folder": str(folder), "dev_share": 0.5, "dev_cap": 7})
    assert len(capped.queries("dev")) == 7
    assert load({"folder": str(folder), "dev_share": 0}).splits == ("train", "test")


def test_train_needs_a_relevant_document_and_test_does_not(make_folder: MakeFolder, load: Load) -> None:
    qrels = {"train": [("q0", "d1", 0), ("q1", "d1", 2)], "test": [("q2", "d1", 0), ("q3", "d1", 1)]}
    collection = load(make_folder(queries=many_queries(4), qrels=qrels))
    assert list(collection.queries("train").ids) == ["q1"]
    assert list(collection.queries("test").ids) == ["q2", "q3"]
    assert "1 training queries without a relevant document (left out): q0" in str(collection.report)


def test_splits_of_other_names_are_test_splits_that_may_share_queries(make_folder: MakeFolder, load: Load) -> None:
    qrels = {
        "dl19": [("q0", "d1", 1), ("q1", "d1", 1)],
        "dl20": [("q1", "d2", 1)],
        "train": [("q0", "d1", 1), ("q2", "d1", 1)],
    }
    collection = load(make_folder(queries=many_queries(3), qrels=qrels))
    assert {split: list(collection.queries(split).ids) for split in collection.splits} == {
        "train": ["q2"],
        "dl19": ["q0", "q1"],
        "dl20": ["q1"],
    }


def test_judgments_that_point_nowhere(make_folder: MakeFolder, load: Load) -> None:
    qrels = {"test": [("q0", "d1", 1), ("q0", "gone", 2), ("nobody", "d1", 1)]}
    queries = [*many_queries(2), {"_id": "q2", "text": " "}]
    collection = load(make_folder(queries=queries, qrels={**qrels, "dl": [("q2", "d1", 1)]}))
    assert collection.judgments("test").qrels == {"q0": {"d1": 1, "gone": 2}}, (
        "recall and the ideal ranking count unknown documents"
    )
    report = str(collection.report)
    assert "1 judgments in 'test' of documents that the collection does not have (kept): q0 gone" in report
    assert "1 judgments in 'test' of queries that the collection does not have (left out): nobody" in report
    assert "1 queries without a judgment in any split (left out): q1" in report
    assert "1 queries without any text (kept): q2" in report
    assert [fault.count for fault in collection.report] == [1, 1, 1, 1]


def test_a_report_keeps_the_count_and_a_few_examples(make_folder: MakeFolder, load: Load) -> None:
    documents = [*DOCUMENTS, *({"_id": f"e{k}", "text": ""} for k in range(1234))]
    report = load(make_folder(documents=documents)).report
    assert str(report) == "1,234 documents without any text (kept): e0, e1, e2, e3, e4, ..."
