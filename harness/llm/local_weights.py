"""Causal language models on disk: a GGUF file becomes a folder of safetensors once, which loads in a second from then
on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.device import device
from harness.errors import UserError
from harness.files import build_once, cache_home
from harness.models import ModelFiles
from harness.pretrained.loading import explain_load_errors

if TYPE_CHECKING:
    import tokenizers
    import torch
    from tokenizers import Tokenizer
else:
    torch = lazy("torch")
    tokenizers = lazy("tokenizers")


transformers = lazy("transformers")
transformers_utils = lazy("transformers.utils")

PLAIN = "eager"
"""The attention implementation that every model has, in a form of its own."""
UNKNOWN = ("softcap", "s_aux")
"""Options of an attention that none of ours has."""


def causal_folder(model: ModelFiles) -> Path:
    """A folder with the model that ``AutoModelForCausalLM`` loads quickly: its own, or for a GGUF a float32 copy in the
    user's cache.

    The copy is named by the GGUF's content. Raises UserError when transformers cannot read the file.
    """
    if model.gguf is None:
        return model.path
    place = cache_home() / "dequantised" / model.identity
    build_once(place, partial(_dequantise, model))
    return place


def _dequantise(model: ModelFiles, out: Path) -> None:
    transformers_utils.logging.disable_progress_bar()
    with explain_load_errors(model.path):
        try:
            loaded = transformers.AutoModelForCausalLM.from_pretrained(
                model.path, gguf_file=model.gguf, dtype=torch.float32
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(model.path, gguf_file=model.gguf)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"'{model.name}' cannot be read as a language model: {error}", file=model.path / str(model.gguf)
            ) from error
    # A model that came from a GGUF refuses to be saved; a fresh one with the same weights does not.
    config = loaded.config
    del config.quantization_config
    fresh = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(loaded.state_dict())
    fresh.save_pretrained(out)
    tokenizer.save_pretrained(out)


def load_causal(folder: Path, precision: str, attention: str) -> Any:
    """The model, which nothing can train, on the accelerator where there is one. `attention` names its implementation.

    Raises UserError for what is no such model, and for weights that the files lack.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    with explain_load_errors(folder):
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, attn_implementation=attention, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise UserError(f"no causal language model: {error}", file=folder) from error
    return model.eval().requires_grad_(False).to(device())


def in_words(error: Exception) -> str:
    """One line about what a model's own code raised."""
    # Beside the folder's name there would be no room for what was raised.
    error = error.__cause__ if isinstance(error, UserError) and isinstance(error.__cause__, Exception) else error
    message = error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return " ".join(message.split())[:120]


def load_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """The model's tokenizer without truncation or padding. Raises UserError when it has none."""
    file = folder / "tokenizer.json"
    tokenizer = tokenizers.Tokenizer.from_file(str(file)) if file.is_file() else _converted(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _converted(folder: Path) -> Tokenizer:
    try:
        return transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer  # type: ignore[no-any-return]
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"the model has no tokenizer that can be used: {error}", file=folder) from error
