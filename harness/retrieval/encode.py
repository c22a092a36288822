"""Texts to embeddings with a sentence-transformers folder: tokenised once, sorted by length in tokens, batched by a
token budget."""

from __future__ import annotations

import copy
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.device import best_dtype, device, devices
from harness.errors import UserError
from harness.numerics.numerics_class import Precision
from harness.pretrained.sentence_encoder import load_sentence_encoder
from harness.retrieval.token_ids import Tokenise, cached_token_ids, token_ids_folder

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from harness.collections.collection import Texts
    from harness.progress import Progress
else:
    torch = lazy("torch")


st_modules = lazy("sentence_transformers.sentence_transformer.modules")
st_normalize = lazy("sentence_transformers.base.modules.normalize")

Task = Literal["query", "document"]

_BATCH_TOKENS = {"cpu": 4096, "cuda": 65_536}
"""Tokens of a batch, padding counted, by device: enough to fill its arithmetic units, few enough for its caches or
memory."""
_CHUNK_TOKENS = 1_000_000
"""Tokens in memory at once (some 100 bytes each while they are made): texts are tokenised and sorted in chunks of this
size."""
_PROMPTS: dict[Task, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage", "corpus")}
"""Names of a checkpoint's prompts, first found first taken, as ``encode_query`` and ``encode_document`` of
sentence-transformers look."""


class Encoder(NamedTuple):
    """A loaded checkpoint, made ready for `encode`: in bfloat16 its transformers have such weights, what follows them
    is float32."""

    model: SentenceTransformer
    precision: Precision
    max_length: int
    """Tokens of a text that are read."""
    copies: tuple[SentenceTransformer, ...] = ()
    """The same model on further devices."""

    @property
    def similarity(self) -> str:
        """'cosine' or 'dot', as the checkpoint says; 'dot' also where it makes unit vectors. Other similarities raise
        UserError."""

        name = str(self.model.similarity_fn_name)
        if name not in ("cosine", "dot"):
            raise UserError(
                f"the model compares by '{name}'; search knows cosine and dot",
                remedy="set similarity_fn_name in its config",
            )
        unit = isinstance(self.model[-1], st_normalize.Normalize) and self.model.truncate_dim is None
        return "dot" if unit else name


def load_encoder(path: Path, max_length: int, precision: Precision | None = None) -> Encoder:
    """Load a folder that ``SentenceTransformer(path)`` loads, to read at most `max_length` tokens of a text (or the
    model's own limit).

    Static embeddings always run in float32. Without `precision`, what is faster on this machine. Nothing is fetched or
    unpickled, no code out of the folder is run. Raises UserError when the folder does not load.
    """

    model = load_sentence_encoder(path, str(device()))
    static, limit = _cut_texts(model, max_length)
    chosen: Precision = "fp32" if static else precision or best_dtype()
    if chosen == "bf16":
        _narrow(model)
    model.eval()
    return Encoder(model, chosen, limit, tuple(copy.deepcopy(model).to(place) for place in devices()[1:]))


def _cut_texts(model: SentenceTransformer, max_length: int) -> tuple[bool, int]:
    """Let every way into the model read `max_length` tokens at most; whether all of them are static, and what is read
    at most."""

    heads = (
        [route[0] for route in model[0].sub_modules.values()] if isinstance(model[0], st_modules.Router) else [model[0]]
    )
    limits = []
    for head in heads:
        limit = (
            max_length
            if isinstance(head, st_modules.StaticEmbedding)
            else min(max_length, head.max_seq_length or max_length)
        )
        if isinstance(head, st_modules.StaticEmbedding):
            head.tokenizer.enable_truncation(limit)
        else:
            head.max_seq_length = limit
        limits.append(limit)
    return all(isinstance(head, st_modules.StaticEmbedding) for head in heads), max(limits)


def _narrow(model: SentenceTransformer) -> None:
    """Transformers in bfloat16, their outputs in float32: means over tokens need its digits."""

    def widened(module: torch.nn.Module, given: Any, features: dict[str, Any]) -> None:
        for name, value in features.items():
            if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:
                features[name] = value.float()

    for part in model.modules():
        if isinstance(part, st_modules.Transformer):
            part.to(torch.bfloat16)
            part.register_forward_hook(widened)


def encode(
    encoder: Encoder,
    texts: Texts | Sequence[str],
    task: Task = "document",
    out: Path | None = None,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> np.ndarray:
    """Embeddings (N, D) float32 in the order of `texts`, pooled, normalised and prompted as the checkpoint's own files
    say.

    With `out` they go to that .npy file in float16, memory-mapped, and no more than a chunk of tokens is held. Equal
    input gives equal bits on one machine: what a batch holds depends on the texts alone. With `cache`, a folder, token
    ids for static encoders are kept there. Raises UserError for embeddings that are no finite numbers.
    """
    rows = _store((len(texts), int(encoder.model.get_embedding_dimension() or 0)), out)
    size, done = max(1, _CHUNK_TOKENS // encoder.max_length), 0
    with _tokeniser(encoder, texts, task, cache) as tokenise:
        for start in range(0, len(texts), size):
            stop = min(start + size, len(texts))
            for places, vectors in _chunk(encoder, tokenise(start, stop), stop - start, task):
                rows[start + places] = _checked(vectors, rows.dtype)
                done += len(places)
                if progress:
                    progress(done, len(texts), "texts")
    return rows


def _tokeniser(
    encoder: Encoder, texts: Texts | Sequence[str], task: Task, cache: Path | None
) -> AbstractContextManager[Tokenise]:
    """What the model reads of the texts at positions start to stop."""
    model, prompt = encoder.model, _prompt(encoder.model, task)

    def tokenise(start: int, stop: int) -> dict[str, Any]:
        chunk = list(texts[start:stop]) if isinstance(texts, Sequence) else texts.slice_texts(start, stop)
        features: dict[str, Any] = model.preprocess(chunk, prompt=prompt, task=task)
        return features

    if cache is None or isinstance(texts, Sequence) or not isinstance(model[0], st_modules.StaticEmbedding):
        return nullcontext(tokenise)
    return cached_token_ids(token_ids_folder(cache, model[0].tokenizer.to_str(), texts.identity, prompt), tokenise)


def _store(shape: tuple[int, int], out: Path | None) -> np.ndarray:
    if out is None:
        return np.empty(shape, dtype=np.float32)
    return np.lib.format.open_memmap(out, mode="w+", dtype=np.float16, shape=shape)


def _checked(vectors: np.ndarray, cached: np.dtype[np.floating]) -> np.ndarray:
    # Written so that NaN does not pass either.
    if not np.abs(vectors).max(initial=0) <= np.finfo(cached).max:
        raise UserError(
            f"the model gives embeddings with no finite numbers in {cached}",
            remedy="its training has diverged: lower the rate",
        )
    return vectors


def _prompt(model: SentenceTransformer, task: Task) -> str | None:
    for name in (*_PROMPTS[task], model.default_prompt_name):
        if name in model.prompts:
            return str(model.prompts[name])
    return None


def _chunk(
    encoder: Encoder, features: dict[str, Any], size: int, task: Task
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places (B,) among `size` tokenised texts and their embeddings (B, D), batch by batch, in the order in which
    devices finish them."""
    model = encoder.model
    batches = _batches(features, size, _BATCH_TOKENS[model.device.type])
    if not encoder.copies:
        for places, batch in batches:
            yield places, _embedded(model, batch, task)
        return
    free: queue.SimpleQueue[SentenceTransformer] = queue.SimpleQueue()
    for one in (model, *encoder.copies):
        free.put(one)

    def on_a_free_one(places: np.ndarray, batch: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        taken = free.get()
        try:
            return places, _embedded(taken, batch, task)
        finally:
            free.put(taken)

    with ThreadPoolExecutor(1 + len(encoder.copies)) as pool:
        for ended in as_completed([pool.submit(on_a_free_one, *one) for one in batches]):
            yield ended.result()


def _embedded(model: SentenceTransformer, batch: dict[str, Any], task: Task) -> np.ndarray:

    with torch.inference_mode():
        moved = {
            name: value.to(model.device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()
        }
        vectors: np.ndarray = (
            model(moved, task=task)["sentence_embedding"][:, : model.truncate_dim].float().cpu().numpy()
        )
    return vectors


def _batches(features: dict[str, Any], size: int, budget: int) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Rows of tokenised texts, longest first, cut to their longest and as many as the token budget holds."""
    mask = features.get("attention_mask")
    if mask is None:
        # Static embeddings: texts are laid end to end, without padding.
        yield np.arange(size), features
        return
    lengths = mask.sum(1).numpy()
    order = np.argsort(-lengths, kind="stable")
    left = bool(mask[:, -1].all()) and not bool(mask[:, 0].all())
    while len(order):
        width = max(1, int(lengths[order[0]]))
        places, order = np.split(order, [max(1, budget // width)])
        columns = slice(-width, None) if left else slice(width)
        yield places, {name: _cut(value, size, places, columns) for name, value in features.items()}


def _cut(value: Any, size: int, places: np.ndarray, columns: slice) -> Any:
    if not hasattr(value, "shape") or not value.shape or value.shape[0] != size:
        return value
    return value[places][:, columns] if value.ndim > 1 else value[places]
