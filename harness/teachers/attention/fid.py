"""Fusion-in-Decoder: a T5 reader encodes each passage with the question alone, and its decoder looks at all of them at
once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness._lazy import lazy
from harness.device import Resources, current_numerics, device
from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import Call, call_key
from harness.llm.local_weights import load_tokenizer
from harness.models import model_memory, resolve_model
from harness.numerics.numerics_class import Numerics
from harness.plugins import Settings
from harness.pretrained.loading import explain_load_errors
from harness.progress import Progress
from harness.stage import digest
from harness.teachers.likelihood._ranking import by_score

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch import Tensor
else:
    torch = lazy("torch")


transformers = lazy("transformers")

_VERSION = 1
"""Rises when the same request would get another score."""


class FiDSettings(Settings):
    """Which reader, and how much it reads."""

    model: str = Field(description="a T5 reader, best one trained as Fusion-in-Decoder: a folder, or a Hugging Face id")
    max_tokens: int = Field(200, ge=8, description="tokens of a question with one passage")


class FiD(Teacher):
    """Orders by cross-attention: what the decoder's softmax is taken of when it writes the first token of an answer,
    mean over a passage's tokens, heads and layers (Izacard & Grave, ICLR 2021). The answer itself is not shown. One
    call a query.
    """

    name = "fid"
    summary = "local T5 reader (Fusion-in-Decoder): how much its first answer token attends to each passage"
    source = "Izacard & Grave, arXiv 2012.04584; arXiv 2007.01282"
    box = "white"
    gives = ("order", "cross-attention")
    settings: FiDSettings

    def __init__(self, settings: FiDSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._model = resolve_model(settings.model, base)
        self.computed_in: Numerics = current_numerics().at("fp32")

    @property
    def resources(self) -> Resources:
        return Resources(memory=model_memory(self._model, 1), gpu=1.0)

    @property
    def identity(self) -> str:
        mark = self.computed_in.teacher_mark
        numerics = [] if mark == "fp32" else [mark]
        return digest([self.name, _VERSION, self._model.identity, self.settings.max_tokens, *numerics])

    def details(self) -> dict[str, Any]:
        return {"weights": self._model.identity}

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        keys = [self._key(task) for task in tasks]
        held = ledger.held(keys)
        waiting = [(key, task) for key, task in dict(zip(keys, tasks, strict=True)).items() if key not in held]
        reader = self._load() if waiting else None
        for number, (key, task) in enumerate(waiting, 1):
            ledger.put_many([self._ask(reader, key, task)])
            progress(number, len(waiting), "queries")
        answers = ledger.get_many(keys)
        for key, task in zip(keys, tasks, strict=True):
            yield by_score(task, json.loads(answers[key].response)["attention"])

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
        waiting = {self._key(task): task for task in tasks}
        missing = waiting.keys() - ledger.held(waiting)
        tokens = sum(len(ids) for key in missing for ids in self._tokens(waiting[key]))
        return Cost(calls=len(missing), input_tokens=tokens)

    def guess(self, queries: int, depth: int) -> Cost:
        return Cost(queries, queries * depth * self.settings.max_tokens, exact=False)

    def _key(self, task: Task) -> str:
        return call_key(self.identity, self._texts(task))

    def _texts(self, task: Task) -> list[str]:
        return [reader_text(task.text, candidate.text) for candidate in task.candidates]

    def _tokens(self, task: Task) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch(self._texts(task))]

    @cached_property
    def _tokenizer(self) -> Tokenizer:

        tokenizer = load_tokenizer(self._model.path)
        tokenizer.enable_truncation(self.settings.max_tokens)
        return tokenizer

    def _load(self) -> Any:
        return load_reader(self._model.path).eval()

    def _ask(self, model: Any, key: str, task: Task) -> Call:
        begun = time.monotonic()
        tokens = self._tokens(task)
        scores = cross_attention(model, tokens)
        return Call(
            key=key,
            model=self._model.name,
            request=json.dumps(self._texts(task), ensure_ascii=False),
            response=json.dumps({"attention": scores}),
            input_tokens=sum(map(len, tokens)),
            output_tokens=1,
            seconds=time.monotonic() - begun,
        )


def load_reader(folder: Path) -> Any:
    """The T5 in `folder`, in float32, on the device in use. Raises UserError where there is none."""
    with explain_load_errors(folder):
        try:
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, use_safetensors=True)
        except (OSError, ValueError) as error:
            remedy = "give a folder with a T5 model"
            raise UserError(f"no encoder-decoder: {error}", file=folder, remedy=remedy) from error
    if model.config.model_type != "t5":
        raise UserError(f"the reader is a {model.config.model_type}, not a T5", file=folder, remedy="give a T5 model")
    return model.float().to(device())


def cross_attention(model: Any, passages: Sequence[Sequence[int]]) -> list[float]:
    """For each passage (with the question, as token ids) the mean over tokens, layers and heads of q.k at the first
    decoded token.

    T5 neither scales q.k nor adds a position bias in cross-attention, so that is what its softmax is taken of.
    """

    layers = [block.layer[1].EncDecAttention for block in model.decoder.block]
    with torch.inference_mode(), Projections(layers) as seen:
        hidden, mask = encode_passages(model, passages)
        start = torch.tensor([[model.config.decoder_start_token_id]], device=model.device)
        model.decoder(
            start,
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask.flatten()[None],
            use_cache=False,
        )
    heads = layers[0].n_heads
    total = sum(_products(query, key, heads) for query, key in seen.pairs)
    assert isinstance(total, torch.Tensor)
    mean = (total / (len(layers) * heads)).view(mask.shape).masked_fill(~mask, 0.0)
    return (mean.sum(1) / mask.sum(1)).tolist()  # type: ignore[no-any-return]


def encode_passages(model: Any, passages: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """What a decoder sees of passages that are encoded one by one: states (1, passages x tokens, width), and which of
    them are tokens, (passages, tokens)."""
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(tokens) for tokens in passages], batch_first=True, padding_value=model.config.pad_token_id
    )
    mask = (torch.arange(ids.shape[1]) < torch.tensor([len(tokens) for tokens in passages])[:, None]).to(model.device)
    hidden = model.encoder(ids.to(model.device), attention_mask=mask).last_hidden_state
    return hidden.flatten(0, 1)[None], mask


def reader_text(question: str, passage: str) -> str:
    """A passage with its question, as the released readers have it."""
    return f"question: {question} context: {passage}"


def _products(query: Tensor, key: Tensor, heads: int) -> Tensor:
    """(tokens,): q.k summed over heads, from (1, 1, width) and (1, tokens, width)."""
    return (query.view(1, heads, -1) * key.view(key.shape[1], heads, -1)).sum((1, 2))


class Projections:
    """Within its context, keeps the outputs of every layer's query and key projections."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self._layers = layers
        self._projections: list[list[Tensor]] = [[], []]
        self._hooks: list[Any] = []

    def __enter__(self) -> Projections:
        for layer in self._layers:
            for outputs, part in zip(self._projections, (layer.q, layer.k), strict=True):
                self._hooks.append(
                    part.register_forward_hook(lambda module, given, out, outputs=outputs: outputs.append(out))
                )
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    @property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """Queries and keys, layer by layer."""
        return list(zip(*self._projections, strict=True))
