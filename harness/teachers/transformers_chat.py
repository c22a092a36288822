"""A chat model through transformers, in this process: for small models, and for answers that depend on nothing but
their question."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from harness._lazy import lazy
from harness.device import current_numerics
from harness.errors import UserError
from harness.labelling.labels.failure_guard import TRANSPORT
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion, RequestFailed
from harness.llm.batched_engine import Batched
from harness.llm.local_model import LocalChat, LocalSettings
from harness.llm.local_weights import causal_folder, load_causal
from harness.llm.permutation import Choices, Guide, Machine, Permutation, vocabulary
from harness.numerics.numerics_class import Numerics, Precision

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


transformers = lazy("transformers")


class TransformersSettings(LocalSettings):
    """Which model and how it is run."""

    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto is what is faster on this machine")
    batch: int = Field(
        1,
        ge=1,
        description="requests completed together while nothing is sampled; above 1 an answer may depend on its "
        "neighbours by rounding",
        json_schema_extra=TRANSPORT,
    )


class Transformers(LocalChat):
    """Generates with ``AutoModelForCausalLM``, one request at a time unless told otherwise.

    Padding moves logits by their last bits, which can turn a close decision. So with `batch` above 1 the ledger keeps
    answers apart from those of requests on their own.
    """

    name = "transformers"
    summary = "local chat model through transformers, one request at a time"
    source = "https://huggingface.co/docs/transformers"
    settings: TransformersSettings

    def __init__(self, settings: TransformersSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self.computed_in: Numerics = current_numerics().at(settings.precision)

    def sampling(self) -> dict[str, object]:
        return (
            super().sampling()
            | {"precision": self.computed_in.teacher_mark}
            | ({"batched": True} if self.batch > 1 else {})
        )

    @property
    def precision(self) -> Precision:
        """'fp32' or 'bf16'."""
        return self.computed_in.precision

    @property
    def batch(self) -> int:
        """Requests completed together; sampled ones draw from a generator of their own, so each is alone."""
        return self.settings.batch if self.settings.temperature == 0 else 1

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return Batched(lambda: Generation(self), self.batch)


class Generation:
    """The loaded model of a teacher."""

    def __init__(self, teacher: Transformers) -> None:

        self._teacher, self._tokenizer = teacher, teacher.tokenizer
        self._model = load_causal(causal_folder(teacher.files), teacher.precision, "sdpa")
        self._ends = _ends(self._model.generation_config.eos_token_id, self._tokenizer.eos_token_id)
        self._room = getattr(self._model.config, "max_position_embeddings", None)
        self._guides: dict[Machine, Guide] = {}

    def close(self) -> None:
        del self._model

    def complete(self, requests: list[Request]) -> list[Completion]:
        """Raises RequestFailed when a prompt does not fit."""

        start = time.monotonic()
        prompts = [self._prompt(request) for request in requests]
        width = max(map(len, prompts))
        pad = min(self._ends)
        tokens = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self._seed(requests[0]))
            found = self._model.generate(
                input_ids=tokens.to(self._model.device),
                attention_mask=mask.to(self._model.device),
                generation_config=self._config(max(map(self._teacher.room, requests)), pad),
                prefix_allowed_tokens_fn=self._allowed(requests, width),
            )
        seconds = (time.monotonic() - start) / len(requests)
        return [
            self._completion(request, prompt, row[width:].tolist(), seconds)
            for request, prompt, row in zip(requests, prompts, found, strict=True)
        ]

    def _prompt(self, request: Request) -> list[int]:
        prompt, room = self._teacher.prompt(request.messages), self._teacher.room(request)
        if self._room is not None and len(prompt) + room > self._room:
            raise RequestFailed(
                f"a prompt of {len(prompt)} tokens and {room} for the answer do not fit the {self._room} of "
                f"'{self._teacher.model}'",
                remedy="lower ask.max_passage_words or candidates.depth, or ask in windows (sliding, blocks)",
                reason="too long",
            )
        return prompt

    def _seed(self, request: Request) -> int:
        asked = json.dumps([self._teacher.settings.sampling_seed, request.messages, request.repeat])
        return int.from_bytes(hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 1

    def _config(self, room: int, pad: int) -> Any:

        settings = self._teacher.settings
        # The model's own generation settings (penalties, top_k) would change answers without a trace in the key.
        self._model.generation_config = transformers.GenerationConfig()
        sampled = {"do_sample": True, "temperature": settings.temperature, "top_k": 0, "top_p": settings.top_p or 1.0}
        return transformers.GenerationConfig(
            max_new_tokens=room,
            eos_token_id=sorted(self._ends),
            pad_token_id=pad,
            **(sampled if settings.temperature else {}),
        )

    def _allowed(self, requests: list[Request], width: int) -> Callable[[int, Tensor], list[int]] | None:
        if not self._teacher.settings.guided:
            return None
        guides = [self._guide(request) for request in requests]
        return lambda row, tokens: guides[row].allowed(tokens[width:].tolist())

    def _guide(self, request: Request) -> Guide:
        answer = request.answer
        machine: Machine = Choices(answer.choices) if answer.choices else Permutation(answer.permutation)
        if machine not in self._guides:
            try:
                self._guides[machine] = Guide(machine, self._words)
            except ValueError as error:
                raise UserError(
                    f"'{self._teacher.model}' cannot be guided: {error}", key="guided", remedy="set guided: false"
                ) from error
        return self._guides[machine]

    @cached_property
    def _words(self) -> Any:
        return vocabulary(self._tokenizer, self._ends)

    def _completion(self, request: Request, prompt: list[int], answered: list[int], seconds: float) -> Completion:
        answered = answered[: self._teacher.room(request)]
        end = next((place for place, token in enumerate(answered) if token in self._ends), None)
        said = answered[:end]
        return Completion(
            text=self._tokenizer.decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False),
            finish="length" if end is None else "stop",
            input_tokens=len(prompt),
            output_tokens=len(said) + (end is not None),
            seconds=seconds,
        )


def _ends(*tokens: int | list[int] | None) -> frozenset[int]:
    """Tokens that end an answer, from wherever they are named."""
    return frozenset(
        token for some in tokens if some is not None for token in (some if isinstance(some, list) else [some])
    )
