"""A split by article: no article trains and tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import split_by_article
from benchmarks.split_by_article import divided

LARGE = {f"{article}{number}": article for article in "abcdef" for number in range(7)}
SMALL = {"x1": "x", "y1": "y", "z1": "z"}
FORMER = {query: ("train", "dev", "test")[place % 3] for place, query in enumerate(LARGE)} | {
    "x1": "train",
    "y1": "dev",
    "z1": "test",
}


def test_an_article_trains_or_tests() -> None:
    splits = divided(FORMER, LARGE | SMALL, least=5, questions=4, seed=0)
    sides = {article: {splits[query] for query in splits if LARGE.get(query) == article} for article in "abcdef"}
    assert sorted(map(sorted, sides.values())) == [["dev", "train"]] * 3 + [["test"]] * 3
    assert Counter(splits.values())["test"] == 3 * 4 + 1
    assert {query: splits[query] for query in SMALL} == {"x1": "train", "y1": "dev", "z1": "test"}


def test_questions_of_training_articles_stay_in_dev() -> None:
    splits = divided(FORMER, LARGE | SMALL, least=5, questions=4, seed=0)
    kept = {query for query in splits if FORMER[query] == "dev" and splits[query] != "test"}
    assert kept == {query for query, split in splits.items() if split == "dev"}


def test_the_seed_alone_draws() -> None:
    drawn = [divided(FORMER, LARGE | SMALL, least=5, questions=4, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_folder_is_written_that_names_the_clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "shipped", tmp_path / "split"
    (source / "qrels").mkdir(parents=True)
    (source / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": name, "title": name, "text": "t"}) + "\n" for name in "abcdefxyz")
    )
    articles = LARGE | SMALL
    (source / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": "é?"}) + "\n" for q in articles))
    for split in split_by_article.SPLITS:
        rows = [f"{query}\t{articles[query]}\t1" for query, place in FORMER.items() if place == split]
        (source / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")
    given = ["", str(source), str(out), "--least", "5", "--questions", "4"]
    monkeypatch.setattr("sys.argv", given)
    split_by_article.main()
    test = [line.split("\t") for line in (out / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    assert len(test) == 13 and all(articles[query] == document for query, document, _ in test)
    queries = [json.loads(line) for line in (out / "queries.jsonl").read_text().splitlines()]
    assert all(one["metadata"]["cluster"] == articles[one["_id"]] for one in queries)
    assert {one["_id"] for one in queries} == set(divided(FORMER, articles, least=5, questions=4, seed=0))
