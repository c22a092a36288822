"""Imported labels teach a sweep, stand on its cards, and leave the workspace as training files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.pipeline.inputs import load_collection
from harness.pipeline.labels.foreign_labels import Publication, import_published
from harness.pipeline.labels.training_export import Wanted, export_training
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card

pytestmark = pytest.mark.models

SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 10, training_queries: [train]}}
teachers: {{published: {{kind: recorded, file: {file}}}}}
methods: [{{method: direct, epochs: 1}}]
budgets: [4, 8]
max_length: 32
"""


def test_a_sweep_learns_from_imported_labels_and_its_card_names_their_source(tmp_path: Path) -> None:
    home = Workspace(tmp_path / "workspace")
    collection = load_collection("semanlink-arxiv", home)
    documents = list(collection.corpus.ids)
    lines = [
        f"{query} Q0 {document} {place} {-place} zephyr\n"
        for query in collection.queries("train").ids
        for place, document in enumerate(documents, 1)
    ]
    (tmp_path / "zephyr.run").write_text("".join(lines))
    about = Publication(tmp_path / "zephyr.run", "trec", None, "RankZephyr", "2024-05", "CC-BY-4.0")
    told = import_published(about, "semanlink-arxiv", home)
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(SWEEP.format(file=told["file"]))

    done = home.plan(sweep).run(tmp_path / "results", observer=NullObserver())

    teachers = [teacher for folder in done.published if (teacher := read_card(folder).teacher) is not None]
    assert len(teachers) == 2
    assert all(teacher.settings["imported_from"] == [told["source"]] for teacher in teachers)
    with pytest.raises(UserError, match="2 finished sets of labels") as caught:
        export_training(tmp_path / "train.jsonl", Wanted("tevatron", "semanlink-arxiv"), home)
    assert caught.value.remedy is not None
    key = next(part.split()[0] for part in caught.value.remedy.split("--set: ")[1].split(", ") if "(" in part)
    report = export_training(tmp_path / "train.jsonl", Wanted("tevatron", "semanlink-arxiv", None, key), home)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    (folder,) = (tmp_path / "workspace" / "store" / "labels").glob(f"{key}*")
    rankings = {ranking.query: ranking for ranking in read_rankings(folder / "rankings.jsonl.gz")}
    # A row needs a positive and a negative document; BM25 finds only one for some names of topics.
    assert {row["query_id"] for row in rows} == {query for query, one in rankings.items() if len(one.ranked) > 1}
    assert report["left_out"]["labels"] == len(rankings) - len(rows)
    texts = dict(zip(collection.queries("train").ids, collection.queries("train").slice_texts(0, 10_000), strict=False))
    for row in rows:
        assert row["query"] == texts[row["query_id"]]
        order = [one["docid"] for one in row["positive_passages"] + row["negative_passages"]]
        assert order == sorted(order, key=documents.index)
