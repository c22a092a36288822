"""The teacher that methods are checked with which have text written: it repeats a passage's first words, and may
fail."""

from __future__ import annotations

import hashlib
from contextlib import AbstractAsyncContextManager
from typing import Self

from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion
from harness.llm.chat_teacher import ChatSettings, ChatTeacher
from harness.plugin_checks.stub_teacher import EVERY
from harness.stage import digest

WORDS = 6


class StubWriterSettings(ChatSettings):
    """How it answers."""

    failing: bool = False
    skipped: int = 0
    """Words of a passage that it passes over."""


class StubWriter(ChatTeacher):
    """Orders by a hash where it is shown a list; where it is asked for a query, repeats words of the passage."""

    name = "contracts-writer"
    summary = "the writing teacher of the contract checks: repeats a passage's first words"
    teacher_type = "simulated"
    settings: StubWriterSettings

    @property
    def model(self) -> str:
        return self.name

    @property
    def weights(self) -> str:
        return digest([self.name, self.settings.failing, self.settings.skipped])

    def open(self) -> AbstractAsyncContextManager[Backend]:
        return StubBackend(self.settings)


class StubBackend(Backend):
    """What completes its requests."""

    concurrency = attempts = 1

    def __init__(self, settings: StubWriterSettings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Nothing to close."""

    async def complete(self, request: Request) -> Completion:
        text = request.messages[-1][1]
        if self._settings.failing and _hash(text) % EVERY == 0:
            return Completion("")
        said = _ranked(text, request.answer.permutation) if request.answer.permutation else self._query(text)
        return Completion(said, input_tokens=len(text.split()), output_tokens=len(said.split()))

    def _query(self, text: str) -> str:
        words = text.partition("Passage: ")[2].split("\n\n")[0].split()
        return " ".join(words[self._settings.skipped :][:WORDS])


def _ranked(text: str, count: int) -> str:
    return " > ".join(
        f"[{number}]" for number in sorted(range(1, count + 1), key=lambda number: _hash(f"{number} {text}"))
    )


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
