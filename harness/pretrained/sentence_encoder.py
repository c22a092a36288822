"""Encoders of texts as sentence-transformers loads them, for searching and for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.pretrained.adapters import merge_adapters, require_peft, supplied_by_adapter
from harness.pretrained.encoder_classes import require_encoder_class
from harness.pretrained.loading import explain_load_errors, unused_pooler
from harness.pretrained.model2vec_folder import is_model2vec, load_model2vec
from harness.pretrained.model_folder import is_cross_encoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

sentence_transformers = lazy("sentence_transformers")


def load_sentence_encoder(folder: Path, device: str, **options: Any) -> SentenceTransformer:
    """A sentence-transformers folder, a plain transformers one (mean pooling then), an adapter folder merged into its
    base, or a folder of model2vec; in float32, its weights complete. `options` go to transformers.

    Nothing is fetched or unpickled, no code out of the folder is run. Raises UserError for others, cross-encoders among
    them.
    """
    if is_cross_encoder(folder):
        raise UserError(
            f"the model in '{folder}' is a cross-encoder and embeds no single text",
            remedy="take an encoder, or use it as a ranker with architecture: cross-encoder",
        )
    require_encoder_class(folder, None)
    require_peft(folder)
    options = {"use_safetensors": True, **options}
    with explain_load_errors(folder, unused_pooler, supplied_by_adapter):
        if is_model2vec(folder):
            return load_model2vec(folder, device)
        model = sentence_transformers.SentenceTransformer(
            str(folder), device=device, model_kwargs=options, local_files_only=True
        )
        merge_adapters(model, options)
    whole: SentenceTransformer = model.float()
    return whole
