"""No weight is invented: what the files of a model lack is an error that names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel

from harness.errors import UserError
from harness.retrieval.encode import load_encoder
from harness.students.cross_encoder import CrossRanker
from harness.students.query_side import QueryEncoder
from harness.students.ranker import load_ranker
from harness.students.retriever import BiEncoder
from tests.pretrained.conftest import bert_config, save

pytestmark = pytest.mark.models

LOADERS: dict[str, Callable[[Path], Any]] = {
    "to search": lambda folder: load_encoder(folder, 32),
    "to train": BiEncoder.load,
    "to train the query side": QueryEncoder.load,
    "as a cross-encoder": lambda folder: load_ranker(folder, "cross-encoder"),
    "under a projection": lambda folder: load_ranker(folder, "projection"),
}
Weights = dict[str, torch.Tensor]
CHANGES: dict[str, tuple[Callable[[Weights], Weights], str, str]] = {
    "half a save": (
        lambda held: {name: one for name, one in held.items() if "layer.1." not in name},
        r"lack 16 weights of Bert\w+ \((bert\.)?encoder\.layer\.1\.attention",
        "save the whole model anew",
    ),
    "one weight": (
        lambda held: {name: one for name, one in held.items() if name != "embeddings.word_embeddings.weight"},
        r"lack 1 weights of Bert\w+ \((bert\.)?embeddings\.word_embeddings\.weight\)",
        "save the whole model anew",
    ),
    "another prefix": (
        lambda held: {f"module.encoder.{name}": one for name, one in held.items()},
        r"hold 39 that it does not know \(module\.encoder\.embeddings",
        r"take 'module\.encoder\.' off",
    ),
    "another shape": (
        lambda held: held | {"encoder.layer.0.output.dense.bias": torch.zeros(3)},
        r"does not load|lack 1 weights",
        "",
    ),
}


def changed(folder: Path, out: Path, change: Callable[[Weights], Weights]) -> Path:
    """A copy of `folder` whose weights are changed."""
    shutil.copytree(folder, out)
    save_file(change(load_file(folder / "model.safetensors")), out / "model.safetensors", {"format": "pt"})
    return out


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
@pytest.mark.parametrize(("change", "message", "remedy"), CHANGES.values(), ids=CHANGES)
def test_a_model_that_lacks_weights_is_refused_by_name(
    load: Callable[[Path], Any],
    change: Callable[[Weights], Weights],
    message: str,
    remedy: str,
    encoder: Path,
    tmp_path: Path,
) -> None:
    folder = changed(encoder, tmp_path / "changed", change)
    with pytest.raises(UserError, match=message) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert caught.match(remedy)


def test_a_pooler_that_goes_unused_may_be_absent(encoder: Path, tmp_path: Path) -> None:
    folder = changed(
        encoder,
        tmp_path / "changed",
        lambda held: {name: one for name, one in held.items() if not name.startswith("pooler")},
    )
    whole, lacking = BiEncoder.load(encoder).model, BiEncoder.load(folder).model
    torch.testing.assert_close(
        whole.encode(["a wing"], convert_to_tensor=True), lacking.encode(["a wing"], convert_to_tensor=True)
    )


def test_a_language_model_head_or_none_becomes_a_fresh_head(tmp_path: Path) -> None:
    for name, model in (("masked", BertForMaskedLM(bert_config())), ("plain", BertModel(bert_config()))):
        ranker = load_ranker(save(model, tmp_path / name), "cross-encoder")
        assert isinstance(ranker, CrossRanker) and ranker.model.num_labels == 1


def test_a_trained_cross_encoder_gets_no_fresh_head(tmp_path: Path) -> None:
    folder = save(BertForSequenceClassification(bert_config(num_labels=1)), tmp_path / "whole")
    headless = changed(
        folder,
        tmp_path / "headless",
        lambda held: {name: one for name, one in held.items() if not name.startswith("classifier")},
    )
    load_ranker(folder)
    with pytest.raises(UserError, match=r"lack 2 weights of BertForSequenceClassification \(classifier\.bias"):
        load_ranker(headless)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json", "modules.json"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_file_that_is_cut_off_is_named(file: str, share: float, encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(encoder, folder)
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(whole[: int(len(whole) * share)])
    for load in (LOADERS["to search"], LOADERS["to train"], LOADERS["as a cross-encoder"]):
        with pytest.raises(UserError) as caught:
            load(folder)
        assert str(folder) in str(caught.value) and file in str(caught.value)
        assert "save the model anew" in str(caught.value)


def test_a_part_of_a_sharded_model_that_is_missing_is_named(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sharded"
    shutil.copytree(encoder, folder)
    BertModel.from_pretrained(encoder).save_pretrained(folder, max_shard_size="100KB")
    (folder / "model.safetensors").unlink()
    first = sorted(folder.glob("model-00001-of-*.safetensors"))[0]
    first.unlink()
    with pytest.raises(UserError, match=first.name):
        BiEncoder.load(folder)


def test_code_that_comes_with_a_model_is_the_reason(encoder: Path, tmp_path: Path) -> None:
    """By the model's own config, and by a module of sentence-transformers."""
    own, module = tmp_path / "own", tmp_path / "module"
    for folder in (own, module):
        shutil.copytree(encoder, folder)
    config = json.loads((own / "config.json").read_text())
    config |= {"model_type": "new-bert", "auto_map": {"AutoConfig": "configuration.NewConfig"}}
    (own / "config.json").write_text(json.dumps(config))
    (own / "configuration.py").write_text("raise SystemExit('code of the folder was run')")
    modules = json.loads((module / "modules.json").read_text())
    modules[0]["type"] = "custom_st.Transformer"
    (module / "modules.json").write_text(json.dumps(modules))
    for folder, code in ((own, "configuration.NewConfig"), (module, "custom_st.Transformer")):
        for load in LOADERS.values():
            with pytest.raises(UserError, match=f"needs code of its own .*{code}") as caught:
                load(folder)
            assert "architecture transformers" in str(caught.value)


def test_the_library_is_as_before_afterwards(encoder: Path, tmp_path: Path) -> None:
    before = transformers.PreTrainedModel.__dict__["from_pretrained"]
    BiEncoder.load(encoder)
    with pytest.raises(UserError):
        BiEncoder.load(tmp_path)
    assert transformers.PreTrainedModel.__dict__["from_pretrained"] is before


def test_a_cross_encoder_is_no_retriever(tmp_path: Path) -> None:
    folder = save(BertForSequenceClassification(bert_config(num_labels=1)), tmp_path)
    for load in (LOADERS["to search"], LOADERS["to train"]):
        with pytest.raises(UserError, match="is a cross-encoder and embeds no single text"):
            load(folder)


def test_half_precision_checkpoints_are_read_in_float32(encoder: Path, tmp_path: Path) -> None:
    half = changed(encoder, tmp_path / "half", lambda held: {name: one.half() for name, one in held.items()})
    config = json.loads((half / "config.json").read_text()) | {"dtype": "float16"}
    (half / "config.json").write_text(json.dumps(config))
    for loaded in (load_encoder(half, 32, "fp32").model, BiEncoder.load(half).model):
        assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}
