"""A teacher that answers in text: its settings, its requests' keys, its plan. Subclasses say which model and how it is
reached."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.device import Resources
from harness.errors import UserError
from harness.labelling.labels.failure_guard import TRANSPORT, OnFailure
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.labelling.prompting.prompter import Prompter, Request
from harness.labelling.prompting.prompting_settings import OnMalformed, PromptingSettings
from harness.labelling.prompting.text_cut import CountTokens
from harness.llm.backend import Backend
from harness.llm.pricing.tariff import Tariff
from harness.llm.scheduler import Scheduler
from harness.llm.task_state import TaskState
from harness.llm.wire.accepted_parameters import AcceptedParameters
from harness.plugins import Settings
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress

_RESENT = 1_000
"""What a question adds to its seed each time that it is sent again; re-asking, which is another question, adds one."""
ONE_NAME = (
    "give the teacher a revision of its own (revision: NAME) if it is another model; if the same one moved, write the "
    'revision that it had (revision: "" where it had none)'
)
"""What to do about two servers that call a model by one name."""
_WORD = 1.4
"""Tokens of an English word, roughly; only for guesses before any text is known."""


def seed_of(request: Request, sampling_seed: int | None) -> int | None:
    """The seed for `request`: another one each time that the same is asked; None for a first question without one."""
    again = request.repeat + _RESENT * request.resent
    return None if sampling_seed is None and not again else (sampling_seed or 0) + again


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
        self.asking = Prompter(settings.ask, settings.on_malformed, base, self.own_tokens)
        self._prompts: dict[str, int] = {}
        self._noted: Path | None = None
        self._address = ""

    @property
    @abstractmethod
    def model(self) -> str:
        """The model's name, for people and statistics."""

    @property
    def resources(self) -> Resources:
        # It waits for a provider, whose name comes first in that of the model.
        return Resources(cpu=0, memory=0.25, slots=(self.model.partition("/")[0],))

    @property
    @abstractmethod
    def weights(self) -> str:
        """What tells this model from every other: a content hash, or a provider's name and revision."""

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

    @property
    def own_tokens(self) -> CountTokens | None:
        """Tokens of a text by the model's own tokenizer, where that is here whenever the model is; what cannot be
        counted on every machine must not decide what a prompt is."""
        return None

    def count_tokens(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        """Tokens of each text, and whether that is the model's own count or an estimate (four characters a token)."""
        return [len(text) // 4 + 1 for text in texts], False

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost; local models cost nothing."""
        return 0.0

    def most_usd(self, input_tokens: int, output_tokens: int) -> float:
        """The most that so many tokens may cost."""
        return self.usd(input_tokens, output_tokens)

    @property
    def priced(self) -> bool:
        """Whether `usd` knows the price."""
        return True

    @property
    def writes_permutations(self) -> bool:
        """Whether its answers are held to well-formed ones, so that nothing has to be read out of prose."""
        return False

    def room(self, request: Request) -> int:
        """Most tokens of the answer, as the request's key has it: one that was not cut is the same with more room."""
        return self.settings.max_tokens or request.max_tokens

    @property
    def thinking_tokens(self) -> int:
        """Tokens that the model may think before it answers; 0 where nothing is known of that."""
        return 0

    def output_limit(self, request: Request) -> int:
        """Most tokens of the answer with all that is thought, as the model is told."""
        return self.settings.max_tokens or request.max_tokens + self.thinking_tokens

    def details(self) -> dict[str, Any]:
        return {"weights": self.weights, "prompt": self.asking.prompt.details()}

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
        found = hashlib.sha256(f"{self._voice} {self.room(request)} {request.repeat}{self._address}".encode())
        for role, content in request.messages:
            found.update(f"\0{role} {len(content)}\0".encode())
            found.update(content.encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    @cached_property
    def accepted(self) -> AcceptedParameters:
        """What the server is known to take of a request, where a server is asked."""
        return AcceptedParameters()

    @property
    def asked_at(self) -> tuple[str, str] | None:
        """What the model goes by (`weights`) and the address that is asked; None for a model on this machine, and where
        a `revision` is given, which says that it is one model wherever it is asked."""
        return None

    @property
    def is_named(self) -> bool:
        """Whether its name says which model it is, so that its answers are the same at another address."""
        return True

    def facts(self) -> dict[str, Any]:
        """How the labels were asked for: under ``prompts`` how many texts were cut and defused, and how many of the
        calls' prompts the server cut; under ``parameters``, in words, what became of those that it does not take; and
        whether the ``price`` is unknown."""
        described = self.parameters_described()
        tally = self._driver.tally
        prompts = {**self._prompts, "calls": tally.calls, "cut_by_server": tally.prompts_cut}
        price = {} if self.priced else {"price": "unknown"}
        return {"prompts": prompts} | ({"parameters": described} if described else {}) | price

    def parameters_described(self) -> dict[str, str]:
        """In words, what became of parameters that went another way than the settings say, by name."""
        return self.accepted.described()

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        self._address = self._second_address(ledger)
        rankings = list(self._driver.label(tasks, ledger, progress))
        # Not before: texts are cut as they are asked about, while requests are in flight, and nothing waits for it.
        self._prompts = self.asking.cut_counts(tasks)
        yield from rankings

    def _second_address(self, ledger: CallLedger) -> str:
        """The address that is asked, where answers under the model's name are from another one: they are another
        teacher's then, and the ledger keeps the two apart. Empty elsewhere."""
        if self.asked_at is None or self.is_named:
            return ""
        weights, address = self.asked_at
        return address if ledger.server(weights) not in (None, address) else ""

    def _answered(self, ledger: CallLedger) -> None:
        if self.is_named or self._address or self._noted == ledger.path or self.asked_at is None:
            return
        weights, address = self.asked_at
        ledger.note_server(weights, address)
        self._noted = ledger.path
        if self._second_address(ledger):
            raise UserError(
                f"another server answers as '{self.model}' at the same time", key="revision", remedy=ONE_NAME
            )

    @cached_property
    def _driver(self) -> Scheduler:
        tariff = Tariff(self.model, self.usd, self.most_output, self.count_tokens, self.priced, self.most_usd)
        asks, tolerate = 1 + self.settings.on_malformed.reask, self.settings.on_failure.tolerate
        return Scheduler(self.asking, self.model, self.key, self.open, tariff, self._answered, asks, tolerate)

    def most_output(self, request: Request) -> int:
        """Most tokens that the answer to a request may be billed for."""
        return self.output_limit(request)

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
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
        tokens, answers = round(sum(counts) * scale), round(sum(map(self.output_limit, requests)) * scale)
        return Cost(len(requests) + later, tokens, answers, self.usd(tokens, answers), exact and not later, self.priced)

    @property
    def context_limit(self) -> int | None:
        """Most tokens of a prompt, where that is known beforehand."""
        return None

    @property
    def is_started_for_asking(self) -> bool:
        """Whether a server, or something as slow, is started for the first question."""
        return False

    def longest_prompt(self, tasks: Sequence[Task], depth: int) -> int:
        """About how many tokens the longest first question about any of `tasks` has; a guess for `depth` candidates
        where there are none."""
        prompts = (
            "\n".join(content for _, content in request.messages)
            for task in tasks
            for request in TaskState(task, self.asking.session(task)).first()
        )
        longest = max(prompts, key=len, default=None)
        if longest is not None:
            return self.count_tokens([longest])[0][0]
        found = self.guess(1, depth)
        return found.input_tokens // max(1, found.calls)

    def guess(self, queries: int, depth: int) -> Cost:
        calls = queries * self.asking.calls(depth)
        shown = self.asking.strategy.most_presented(depth)
        tokens = calls * round(_WORD * (self.settings.ask.max_passage_words * shown + 80))
        answers = calls * (self.settings.max_tokens or self.asking.strategy.answer_tokens(shown) + self.thinking_tokens)
        return Cost(calls, tokens, answers, self.usd(tokens, answers), exact=False, priced=self.priced)
