"""A collection of questions split anew, by article: ``python -m benchmarks.split_by_article FOLDER OUT``.

Where several questions ask about one passage, a random split puts a passage's questions on both sides. Here the
articles (titles of the relevant documents) that hold at least `--least` questions are divided: one half trains, of each
of the other half `--questions` test. All other questions keep their split. ``metadata.cluster`` of a question is its
article, for tests over clusters.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

SPLITS = ("train", "dev", "test")


def main() -> None:
    """Writes the folder, and prints how many questions each split has."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.split_by_article", description=__doc__)
    parser.add_argument("folder", type=Path, help="in BEIR's format, with qrels of train, dev and test")
    parser.add_argument("out", type=Path)
    parser.add_argument("--least", type=int, default=50, help="questions that an article must have to be divided")
    parser.add_argument("--questions", type=int, default=40, help="questions of an article that test")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    judged = {split: _qrels(given.folder / "qrels" / f"{split}.tsv") for split in SPLITS}
    former = {query: split for split in SPLITS for query in judged[split]}
    titles = {one["_id"]: one.get("title", "") for one in _lines(given.folder / "corpus.jsonl")}
    articles = {query: titles[next(iter(judged[split][query]))] for query, split in former.items()}
    splits = divided(former, articles, least=given.least, questions=given.questions, seed=given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(given.folder / "corpus.jsonl", given.out / "corpus.jsonl")
    _write_queries(given.folder / "queries.jsonl", given.out / "queries.jsonl", splits, articles)
    for split in SPLITS:
        asked = [query for query, place in splits.items() if place == split]
        _write_qrels(given.out / "qrels" / f"{split}.tsv", {query: judged[former[query]][query] for query in asked})
        print(f"{split}: {len(asked)} questions about {len({articles[query] for query in asked})} articles")


def divided(
    former: Mapping[str, str], articles: Mapping[str, str], *, least: int, questions: int, seed: int
) -> dict[str, str]:
    """The split of each question that has one: those of test articles beyond `questions` have none.

    `former` and `articles` say split and article of each question. Of the questions of a training article, those of
    dev stay there and all others train.
    """
    by_article: dict[str, list[str]] = defaultdict(list)
    for query in sorted(former):
        by_article[articles[query]].append(query)
    large = sorted(article for article, queries in by_article.items() if len(queries) >= least)
    random.Random(seed).shuffle(large)
    splits = dict(former)
    for place, article in enumerate(large):
        queries = by_article[article]
        if place < len(large) // 2:
            splits |= {query: "dev" if former[query] == "dev" else "train" for query in queries}
        else:
            chosen = set(random.Random(f"{seed} {article}").sample(queries, min(questions, len(queries))))
            splits = {query: split for query, split in splits.items() if query in chosen or articles[query] != article}
            splits |= dict.fromkeys(chosen, "test")
    return splits


def _lines(file: Path) -> Iterable[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _qrels(file: Path) -> dict[str, dict[str, str]]:
    judged: dict[str, dict[str, str]] = defaultdict(dict)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t")
        next(rows)
        for query, document, grade in rows:
            judged[query][document] = grade
    return judged


def _write_qrels(file: Path, judged: Mapping[str, Mapping[str, str]]) -> None:
    file.parent.mkdir(exist_ok=True)
    rows: Sequence[tuple[str, str, str]] = [
        (query, document, grade) for query, grades in judged.items() for document, grade in grades.items()
    ]
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, delimiter="\t", lineterminator="\n")
        writer.writerow(("query-id", "corpus-id", "score"))
        writer.writerows(rows)


def _write_queries(source: Path, file: Path, splits: Mapping[str, str], articles: Mapping[str, str]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for query in _lines(source):
            if query["_id"] in splits:
                query["metadata"] = {**query.get("metadata", {}), "cluster": articles[query["_id"]]}
                lines.write(json.dumps(query, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
