"""Folders of SparseEncoder and MultiVectorEncoder are what they are: refused as bi-encoders, with the type that takes
them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import MultiVectorEncoder, SparseEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sparse_encoder.modules import SpladePooling
from transformers import BertForMaskedLM, BertModel

from harness.errors import UserError
from harness.retrieval.encode import load_encoder
from harness.students.multi_vector import MultiVectorStudent
from harness.students.query_side import QueryEncoder
from harness.students.ranker import load_ranker
from harness.students.retriever import BiEncoder
from harness.students.sparse_student import SparseStudent
from tests.pretrained.conftest import bert_config, save
from tests.pretrained.test_loading import changed

pytestmark = pytest.mark.models

DENSE: dict[str, Callable[[Path], Any]] = {
    "to search": lambda folder: load_encoder(folder, 32),
    "to train": BiEncoder.load,
    "to train the query side": QueryEncoder.load,
    "as a ranker": load_ranker,
    "under a projection": lambda folder: load_ranker(folder, "projection"),
}


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked language model as transformers saves it."""
    torch.manual_seed(0)
    return save(BertForMaskedLM(bert_config()), tmp_path_factory.mktemp("masked"))


@pytest.fixture(scope="module")
def sparse(masked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sparse")
    modules = [Transformer(str(masked), transformer_task="fill-mask"), SpladePooling()]
    SparseEncoder(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="module")
def multi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    plain = save(BertModel(bert_config()), tmp_path_factory.mktemp("plain"))
    head = Dense(16, 8, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    modules = [Transformer(str(plain)), head, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    folder = tmp_path_factory.mktemp("multi")
    MultiVectorEncoder(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


@pytest.mark.parametrize("load", DENSE.values(), ids=DENSE)
@pytest.mark.parametrize(
    ("kind", "words", "remedy"),
    [
        ("sparse", "SparseEncoder .* gives weights over a vocabulary, and is no bi-encoder", "type: splade"),
        ("multi", "MultiVectorEncoder .* gives a vector a token, and is no bi-encoder", "type: late-interaction"),
    ],
)
def test_a_dense_retriever_is_none_of_them(
    load: Callable[[Path], Any], kind: str, words: str, remedy: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    with pytest.raises(UserError, match=words) as caught:
        load(folder)
    assert str(folder) in str(caught.value) and caught.match(remedy)


@pytest.mark.parametrize("kind", ["sparse", "multi"])
def test_the_modules_tell_where_the_config_does_not(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = changed(request.getfixturevalue(kind), tmp_path / "older", lambda held: held)
    config = folder / "config_sentence_transformers.json"
    held = json.loads(config.read_text())
    del held["model_type"]
    config.write_text(json.dumps(held))
    with pytest.raises(UserError, match="is no bi-encoder"):
        BiEncoder.load(folder)


def test_one_type_takes_no_folder_of_the_other(sparse: Path, multi: Path) -> None:
    with pytest.raises(UserError, match="is no MultiVectorEncoder") as caught:
        MultiVectorStudent.load(sparse)
    assert caught.match("type: splade")
    with pytest.raises(UserError, match="is no SparseEncoder") as caught:
        SparseStudent.load(multi)
    assert caught.match("type: late-interaction")


def test_weights_that_are_not_there_are_not_drawn(masked: Path, sparse: Path, multi: Path, tmp_path: Path) -> None:
    def half(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: one for name, one in held.items() if "layer.1." not in name}

    loaders: dict[str, tuple[Path, Callable[[Path], Any]]] = {
        "masked": (masked, SparseStudent.load),
        "sparse": (sparse, SparseStudent.load),
        "multi": (multi, MultiVectorStudent.load),
    }
    for name, (folder, load) in loaders.items():
        load(folder)
        with pytest.raises(UserError, match=r"lack 16 weights of Bert"):
            load(changed(folder, tmp_path / name, half))


def test_an_encoder_has_no_weights_over_a_vocabulary(encoder: Path, masked: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no SparseEncoder and no masked language model"):
        SparseStudent.load(encoder)

    def headless(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: one for name, one in held.items() if not name.startswith("cls.predictions.transform")}

    with pytest.raises(UserError, match=r"lack \d+ weights of BertForMaskedLM \(cls\.predictions\.transform"):
        SparseStudent.load(changed(masked, tmp_path / "headless", headless))


def test_a_cross_encoder_has_no_vector_a_token(tmp_path: Path) -> None:
    from transformers import BertForSequenceClassification

    folder = save(BertForSequenceClassification(bert_config(num_labels=1)), tmp_path / "ranker")
    with pytest.raises(UserError, match="cross-encoder and embeds no single text"):
        MultiVectorStudent.load(folder)
