"""Labels become training files of other projects."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from datasets import load_dataset
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.losses import ListNetLoss
from transformers import AutoTokenizer

from harness.cli.main import main
from harness.errors import UserError
from harness.labelling.labels.label_files import write_rankings
from harness.labelling.labels.ranking import Ranking
from harness.models import resolve_model
from harness.pipeline.labels.training_export import Wanted, export_training, render_training
from harness.pipeline.workspace import Workspace
from tests.pipeline.test_foreign_labels import QUERIES, TEXTS, write_collection

LABELS = [
    Ranking("q1", ("c", "a", "zz", "b"), ("d",)),
    Ranking("q2", ("b", "a"), scores=(2.5, 0.5)),
    Ranking("title:nobody", ("a", "b")),
    Ranking("q9", (), ("a",), "failed", "refused"),
]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    write_rankings(tmp_path / "labels.jsonl.gz", LABELS)
    return tmp_path / "labels.jsonl.gz"


def export(tmp_path: Path, labels: Path, form: str, **about: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    collection = write_collection(tmp_path / form, QUERIES, TEXTS)
    file = tmp_path / f"{form}.jsonl"
    told = export_training(file, Wanted(form, collection, labels, **about), Workspace(tmp_path / "home"))
    # As all three read them.
    return told, load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path)).to_list()


def test_flagembedding_gets_scores_for_positives_and_negatives(tmp_path: Path, labels: Path) -> None:
    told, rows = export(tmp_path, labels, "flagembedding")

    assert rows == [
        {
            "query": QUERIES["q1"],
            "pos": [TEXTS["c"]],
            "neg": [TEXTS["a"], TEXTS["b"]],
            "pos_scores": [1.0],
            # The document that the collection lacks keeps its place.
            "neg_scores": [1 / 2, 1 / 4],
        },
        {
            "query": QUERIES["q2"],
            "pos": [TEXTS["b"]],
            "neg": [TEXTS["a"]],
            "pos_scores": [2.5],
            "neg_scores": [0.5],
        },
    ]
    assert told["left_out"] == {"labels": 2, "placed_documents": 3} and told["tail_documents"] == 2
    assert "2 documents left out that the teacher did not place" in render_training(told)


def test_tevatron_gets_a_score_with_every_passage(tmp_path: Path, labels: Path) -> None:
    _, rows = export(tmp_path, labels, "tevatron", positives=2)

    (row,) = rows
    assert (row["query_id"], row["query"]) == ("q1", QUERIES["q1"])
    assert row["positive_passages"][1] == {"docid": "a", "title": "", "text": TEXTS["a"], "score": 1 / 2}
    assert [passage["docid"] for passage in row["negative_passages"]] == ["b"]


@pytest.mark.models
def test_a_listwise_loss_of_sentence_transformers_takes_the_lists(tmp_path: Path, labels: Path) -> None:
    _, rows = export(tmp_path, labels, "sentence-transformers")
    model = CrossEncoder(str(resolve_model("bundled:bert-tiny").path), num_labels=1)
    # A loss takes the columns before the labels by their places.
    queries, documents, grades = zip(*(row.values() for row in rows), strict=True)

    value = ListNetLoss(model)([list(queries), list(documents)], [model_tensor(one, model) for one in grades])

    assert list(rows[0]) == ["query", "docs", "labels"]
    assert value.item() > 0


def model_tensor(grades: list[float], model: CrossEncoder) -> Any:
    return next(model.parameters()).new_tensor(grades)


def test_what_makes_no_row_is_refused(tmp_path: Path, labels: Path) -> None:
    with pytest.raises(UserError, match="none of 4 labels"):
        export(tmp_path, labels, "tevatron", positives=9)
    with pytest.raises(UserError, match="did you mean 'tevatron'"):
        export_training(tmp_path / "x", Wanted("tevatronn", "scifact", labels), Workspace(tmp_path))
    with pytest.raises(UserError, match="0 finished sets of labels"):
        collection = write_collection(tmp_path / "empty", QUERIES, TEXTS)
        export_training(tmp_path / "x", Wanted("tevatron", collection), Workspace(tmp_path / "home"))


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["harness", "labels", *words])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


def test_commands_bring_labels_in_and_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "gpt.trec", tmp_path / "train.jsonl"
    run.write_text("q1 Q0 c 1 3 r\nq1 Q0 a 3 1 r\n")
    about = ["--collection", write_collection(tmp_path / "food", QUERIES, TEXTS), "--workspace", str(tmp_path / "home")]
    source = ["--source", "GPT of 2023", "--date", "2023-09", "--licence", "MIT"]

    assert call(monkeypatch, "import", str(run), "--as", "trec", *source, *about, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"]["name"], told["source"]["licence"], told["verdicts"]["ok"]) == ("GPT of 2023", "MIT", 1)

    assert call(monkeypatch, "export", str(out), "--as", "flagembedding", "--from", told["file"], *about) == 0
    assert json.loads(out.read_text())["pos"] == [TEXTS["c"]]

    for words in (["import", str(run), *about], ["import", str(run), "--as", "trec"], ["export", str(out), *about]):
        assert call(monkeypatch, *words) == 2


def read_by(package: str, *modules: str) -> Any:
    """The last of `modules`, files below an installed `package`, without all else that the package imports."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed here (pip install --no-deps {package})")
    folder, name = Path(spec.submodule_search_locations[0]), f"only_{package}"
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__path__ = []
    for module in modules:
        own = f"{name}.{Path(module).name}"
        loaded = spec_from_file_location(own, folder / f"{module}.py")
        assert loaded is not None and loaded.loader is not None
        sys.modules[own] = module_from_spec(loaded)
        loaded.loader.exec_module(sys.modules[own])
    return sys.modules[own]


def test_flagembeddings_own_dataset_reads_its_form(tmp_path: Path, labels: Path) -> None:
    place = "abc/finetune/embedder"
    theirs = read_by("FlagEmbedding", f"{place}/AbsArguments", f"{place}/AbsDataset")
    export(tmp_path, labels, "flagembedding")
    told = {"train_data": [str(tmp_path / "flagembedding.jsonl")], "cache_path": str(tmp_path / "cache")}
    arguments = sys.modules["only_FlagEmbedding.AbsArguments"].AbsEmbedderDataArguments(
        **told, knowledge_distillation=True, train_group_size=3
    )

    dataset = theirs.AbsEmbedderTrainDataset(arguments, None)

    query, passages, scores = dataset[0]
    assert (len(dataset), query, passages[0], scores[0]) == (2, QUERIES["q1"], TEXTS["c"], 1.0)
    assert set(zip(passages[1:], scores[1:], strict=True)) == {(TEXTS["a"], 1 / 2), (TEXTS["b"], 1 / 4)}


def test_tevatrons_own_preprocessor_reads_its_form(tmp_path: Path, labels: Path) -> None:
    theirs = read_by("tevatron", "datasets/preprocessor")
    _, (row, *_) = export(tmp_path, labels, "tevatron")
    tokenizer = AutoTokenizer.from_pretrained(str(resolve_model("bundled:bert-tiny").path))

    found = theirs.TrainPreProcessor(tokenizer)(row)

    (best,) = found["positives"]
    assert tokenizer.decode(best).split()[0] == "cheese" and len(found["negatives"]) == 2
    assert tokenizer.decode(found["query"]) == "what is cheese made of?"
