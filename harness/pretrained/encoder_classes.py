"""Encoders of sentence-transformers that give no single dense vector: a vector a token (MultiVectorEncoder), or weights
over a vocabulary (SparseEncoder)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.pretrained.adapters import merge_adapters, require_peft, supplied_by_adapter
from harness.pretrained.loading import explain_load_errors, unused_pooler
from harness.pretrained.model_folder import encoder_class, is_cross_encoder, read_json

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder, SparseEncoder
else:
    torch = lazy("torch")

sentence_transformers = lazy("sentence_transformers")
st_modules = lazy("sentence_transformers.sentence_transformer.modules")
multi_vector_modules = lazy("sentence_transformers.multi_vector_encoder.modules")

TYPES = {"MultiVectorEncoder": "late-interaction", "SparseEncoder": "splade"}
"""The type of student that takes the folders of a class."""
_GIVES = {"MultiVectorEncoder": "a vector a token", "SparseEncoder": "weights over a vocabulary"}


def require_encoder_class(folder: Path, wanted: str | None) -> None:
    """Raises UserError for a folder of another class than `wanted` (None: one that gives single dense vectors), with
    the type of student that takes it."""
    saved = encoder_class(folder)
    if saved in (None, wanted):
        return
    raise UserError(
        f"the model in '{folder}' is a {saved} of sentence-transformers, which gives {_GIVES[saved]}, and is no "
        f"{wanted or 'bi-encoder'}",
        remedy=f"as a student write retriever: {{type: {TYPES[saved]}, model: FOLDER}}; elsewhere take another encoder",
    )


def load_multi_vector_encoder(folder: Path, device: str, dimensions: int | None, **options: Any) -> MultiVectorEncoder:
    """A folder of that class as it is, or the transformer of any other encoder under a normalisation of its token
    vectors.

    With `dimensions` the latter has an orthogonal projection to so many between, drawn from torch's generator. Raises
    UserError for what is no such encoder, and for weights that the files lack.
    """
    require_encoder_class(folder, "MultiVectorEncoder")
    _refuse_cross_encoder(folder)
    options = {"use_safetensors": True, **options}
    with explain_load_errors(folder, unused_pooler, supplied_by_adapter):
        if encoder_class(folder) is not None:
            model = sentence_transformers.MultiVectorEncoder(
                str(folder), device=device, model_kwargs=options, local_files_only=True
            )
        else:
            encoder = sentence_transformers.SentenceTransformer(
                str(folder), device=device, model_kwargs=options, local_files_only=True
            )
            model = sentence_transformers.MultiVectorEncoder(
                modules=[_transformer(encoder, folder), *_token_modules(encoder[0], dimensions)],
                device=device,
                prompts=encoder.prompts,
            )
        merge_adapters(model, options)
    whole: MultiVectorEncoder = model.float()
    return whole


def load_sparse_encoder(folder: Path, device: str, **options: Any) -> SparseEncoder:
    """A folder of that class, or a masked language model of transformers (SPLADE with maxima then). Raises UserError
    for others, and for weights that the files lack."""
    require_encoder_class(folder, "SparseEncoder")
    heads = read_json(folder / "config.json").get("architectures") or ()
    if encoder_class(folder) is None and not any(str(head).endswith("ForMaskedLM") for head in heads):
        raise UserError(
            f"the model in '{folder}' is no SparseEncoder and no masked language model: weights over its vocabulary "
            "would be random numbers",
            remedy="take a folder of SparseEncoder, or one whose config.json names an architecture ...ForMaskedLM",
        )
    require_peft(folder)
    options = {"use_safetensors": True, **options}
    with explain_load_errors(folder, unused_pooler, supplied_by_adapter):
        model = sentence_transformers.SparseEncoder(
            str(folder), device=device, model_kwargs=options, local_files_only=True
        )
        merge_adapters(model, options)
    whole: SparseEncoder = model.float()
    return whole


def _refuse_cross_encoder(folder: Path) -> None:
    require_peft(folder)
    if is_cross_encoder(folder):
        message = f"the model in '{folder}' is a cross-encoder and embeds no single text"
        raise UserError(message, remedy="take an encoder")


def _transformer(encoder: Any, folder: Path) -> Any:
    if not isinstance(encoder[0], st_modules.Transformer):
        raise UserError(
            f"the model in '{folder}' begins with {type(encoder[0]).__name__}, which has no vector a token",
            remedy="take a transformer",
        )
    return encoder[0]


def _token_modules(transformer: Any, dimensions: int | None) -> list[Any]:
    """What follows the transformer: a projection where one is wanted, the mask of scored tokens, unit length."""
    ending = [multi_vector_modules.MultiVectorMask(), st_modules.Normalize(module_input_name="token_embeddings")]
    if dimensions is None:
        return ending
    projection = st_modules.Dense(
        transformer.get_embedding_dimension(),
        dimensions,
        bias=False,
        activation_function=torch.nn.Identity(),
        module_input_name="token_embeddings",
    )
    torch.nn.init.orthogonal_(projection.linear.weight)
    return [projection, *ending]
