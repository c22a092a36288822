"""What teachers share whose model is on this machine: its weights as identity, its tokenizer for exact counts, guided
answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from pydantic import Field

from harness._lazy import lazy
from harness.device import Resources
from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.labelling.prompting.text_cut import CountTokens
from harness.llm.chat_teacher import ChatSettings, ChatTeacher
from harness.llm.local_weights import causal_folder
from harness.models import ModelFiles, model_memory, resolve_model

transformers = lazy("transformers")

_POSITIONS = "max_position_embeddings"


class LocalSettings(ChatSettings):
    """Which model, and how it is held to well-formed answers."""

    model: str = Field("bundled:smollm2-135m", description="chat model: bundled:NAME, a folder, or a Hugging Face id")
    guided: bool = Field(
        False, description="only well-formed answers can be written: a permutation, or one of the choices"
    )
    template: dict[str, Any] = Field(
        {}, description="values for the model's chat template, e.g. {enable_thinking: false}"
    )


class LocalChat(ChatTeacher):
    """A chat model whose files are here."""

    settings: LocalSettings

    def __init__(self, settings: LocalSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._base = base

    @property
    def model(self) -> str:
        return self.settings.model

    @cached_property
    def files(self) -> ModelFiles:
        """The model's files."""
        return resolve_model(self.settings.model, self._base)

    @property
    def weights(self) -> str:
        return self.files.identity

    @property
    def writes_permutations(self) -> bool:
        return bool(self.settings.guided)

    @property
    def resources(self) -> Resources:
        # Two keep out of each other's way on a GPU; on CPUs memory decides.
        return Resources(memory=model_memory(self.files, 1), gpu=1.0)

    def sampling(self) -> dict[str, object]:
        own = {"guided": self.settings.guided, "template": self.settings.template}
        return super().sampling() | {key: value for key, value in own.items() if value}

    @cached_property
    def tokenizer(self) -> Any:
        """The model's, from transformers. Raises UserError when it has no chat template."""
        folder = causal_folder(self.files)
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise UserError(f"the model has no tokenizer that can be used: {error}", file=folder) from error
        if not tokenizer.chat_template:
            raise UserError(
                f"'{self.model}' has no chat template",
                key="model",
                remedy="use a model that was trained to chat (instruct)",
            )
        return tokenizer

    @property
    def own_tokens(self) -> CountTokens | None:
        return lambda text: len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    @property
    def context_limit(self) -> int | None:
        found = getattr(transformers.AutoConfig.from_pretrained(causal_folder(self.files)), _POSITIONS, None)
        return found if isinstance(found, int) else None

    def prompt(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """The tokens that the model is given. Raises UserError when its template refuses the messages."""
        turns = [{"role": role, "content": content} for role, content in messages]
        try:
            found = self.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_dict=False, **self.settings.template
            )
        except TemplateError as error:
            raise UserError(
                f"the chat template of '{self.model}' refuses the messages: {error}",
                remedy="use a prompt (ask.prompt) without `system`",
            ) from error
        return list(found)

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        return [len(self.prompt(self._messages(text))) for text in texts], True

    def _messages(self, text: str) -> list[tuple[str, str]]:
        """The messages that `text` was joined from: every request of a teacher has the same system prompt."""
        system = self.asking.prompt.system
        if system and text.startswith(f"{system}\n"):
            return [("system", system), ("user", text[len(system) + 1 :])]
        return [("user", text)]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """As the OpenAI protocol has them."""
        return [{"role": role, "content": content} for role, content in request.messages]
