"""A teacher that answers in text: its settings, its requests' keys, its plan. Subclasses say which model and how it is
reached."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.config import JsonDict

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.labelling.prompting.prompter import Prompter, Request
from harness.labelling.prompting.prompting_settings import OnFailure, OnMalformed, PromptingSettings
from harness.llm.backend import Backend
from harness.llm.scheduler import Scheduler
from harness.plugins import Settings
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.ledger import Ledger
    from harness.progress import Progress

TRANSPORT: JsonDict = {"transport": True}
"""Marks settings that cannot change an answer."""
_WORD = 1.4
"""Tokens of an English word, roughly; only for guesses before any text is known."""


class ChatSettings(Settings):
    """How the model is asked and how it answers."""

    ask: PromptingSettings = Field(
        PromptingSettings(), description="way of asking, prompt, order of presentation, repeats"
    )
    on_malformed: OnMalformed = Field(OnMalformed(), description="what becomes of answers that are not as asked")
    on_failure: OnFailure = Field(
        OnFailure(), description="how many queries may stay without an answer", json_schema_extra=TRANSPORT
    )
    temperature: float = Field(0.0, ge=0, description="0 takes the most probable token")
    top_p: float | None = Field(None, gt=0, le=1, description="nucleus sampling; the provider's default when left out")
    sampling_seed: int | None = Field(None, description="seed sent to providers that take one")
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="most tokens of an answer, thinking included; by default what a well-formed answer takes",
    )


class ChatTeacher(Teacher):
    """Asks a language model in words. Every request is one call in the ledger, keyed by model, messages, sampling and
    repeat."""

    gives = ("order", "text")
    settings: ChatSettings

    def __init__(self, settings: ChatSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self.asking = Prompter(settings.ask, settings.on_malformed, base)

    @property
    @abstractmethod
    def model(self) -> str:
        """The model's name, for people and statistics."""

    @property
    @abstractmethod
    def weights(self) -> str:
        """What tells this model from every other: a content hash, or name and revision where only the provider
        knows."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Backend]:
        """What completes requests. Called only when something must be asked."""

    def sampling(self) -> dict[str, object]:
        """What can change an answer beside model and messages."""
        return {
            "temperature": self.settings.temperature,
            "top_p": self.settings.top_p,
            "seed": self.settings.sampling_seed,
        }

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        """Tokens of each text, and whether that is the model's own count or an estimate (four characters a token)."""
        return [len(text) // 4 + 1 for text in texts], False

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost; local models cost nothing."""
        return 0.0

    @property
    def priced(self) -> bool:
        """Whether `usd` knows the price."""
        return True

    @cached_property
    def costs(self) -> bool:
        """Whether a call costs anything."""
        return self.usd(1_000_000, 1_000_000) > 0

    @property
    def writes_permutations(self) -> bool:
        """Whether its answers are held to well-formed ones, so that nothing has to be read out of prose."""
        return False

    def room(self, request: Request) -> int:
        """Most tokens of the answer."""
        return self.settings.max_tokens or request.max_tokens

    @property
    def identity(self) -> str:
        # What is held to permutations reads the same whatever reads it.
        parser = [] if self.writes_permutations or not self.asking.parser else [{"parser": self.asking.parser}]
        return digest([self.name, self._voice, self.settings.max_tokens, self.asking.identity, *parser])

    @cached_property
    def _voice(self) -> str:
        return digest([self.weights, self.sampling()])

    def key(self, request: Request) -> str:
        """The request's key in the ledger: sha256 over model, sampling, room for the answer, messages and repeat."""
        found = hashlib.sha256(f"{self._voice} {self.room(request)} {request.repeat}".encode())
        for role, content in request.messages:
            found.update(f"\0{role} {len(content)}\0".encode())
            found.update(content.encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        if ledger.left() < math.inf and not self.priced:
            raise UserError(
                f"the price of '{self.model}' is not known, so the cost limit cannot be kept",
                remedy="give the teacher a price: {input: USD, output: USD} per million tokens, or leave the limit out",
            )
        return self._driver.label(tasks, ledger, progress)

    @cached_property
    def _driver(self) -> Scheduler:
        asks, tolerate = 1 + self.settings.on_malformed.reask, self.settings.on_failure.tolerate
        return Scheduler(self.asking, self.model, self.key, self.open, self._most, asks, tolerate)

    def _most(self, request: Request) -> float:
        if not self.costs:
            return 0.0
        # No usual tokenizer makes more tokens than one for every two bytes, in any script.
        size = sum(len(content.encode("utf-8", "surrogatepass")) for _, content in request.messages)
        return self.usd(size // 2, self.room(request))

    def estimate(self, tasks: Sequence[Task], ledger: Ledger) -> Cost:
        """Exact input tokens of what is asked next; questions that depend on answers not there yet are taken to be as
        long."""
        seen: set[str] = set()
        total = Cost()
        for one in self._driver.replay(tasks, ledger):
            missing = (
                [request for number, request in enumerate(one.requests) if number not in one.replies]
                if one.ranking is None
                else []
            )
            new = {key: request for request in missing if (key := self.key(request)) not in seen}
            seen.update(new)
            total += self._cost(
                list(new.values()), max(0, self.asking.calls(len(one.task.candidates)) - len(one.requests))
            )
        return total

    def _cost(self, requests: Sequence[Request], later: int) -> Cost:
        """What `requests` cost, and as many `later` ones of the same length."""
        if not requests:
            return Cost()
        counts, exact = self.count_tokens(
            ["\n".join(content for _, content in request.messages) for request in requests]
        )
        scale = 1 + later / len(requests)
        tokens, answers = round(sum(counts) * scale), round(sum(self.room(request) for request in requests) * scale)
        return Cost(len(requests) + later, tokens, answers, self.usd(tokens, answers), exact and not later, self.priced)

    def guess(self, queries: int, depth: int) -> Cost:
        calls = queries * self.asking.calls(depth)
        shown = self.asking.strategy.most_presented(depth)
        tokens = calls * round(_WORD * (self.settings.ask.max_passage_words * shown + 80))
        answers = calls * (self.settings.max_tokens or self.asking.strategy.answer_tokens(shown))
        return Cost(calls, tokens, answers, self.usd(tokens, answers), exact=False, priced=self.priced)
