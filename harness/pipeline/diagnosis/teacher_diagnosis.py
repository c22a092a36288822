"""The checks of one teacher: its key, its server, its model, its price, its context, and one tiny question to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.doctor import Check, check
from harness.errors import UserError, did_you_mean
from harness.labelling.labels.teacher import Candidate, Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.ledger.views import MeteredLedger
from harness.llm.chat_teacher import ChatTeacher
from harness.llm.openai_backend import OpenAIBackend
from harness.llm.retry_rules import TransientError
from harness.llm.wire.served_models import ServedModel
from harness.masking import masked
from harness.progress import silent
from harness.text import clock, plain

_PATIENCE = 60.0
"""Seconds that the tiny question may take."""
_MILLION = 1_000_000
_PASSAGES = (
    "Copper conducts electricity well, which is why most cables are made of it.",
    "The Seine rises in Burgundy, flows through Paris and reaches the sea at Le Havre.",
    "A sourdough loaf rises slowly and keeps for days.",
)


@dataclass
class TeacherDiagnosis:
    """A teacher as the sweep calls it; `prompt_tokens` are about those of the longest prompt that it will be given."""

    name: str
    teacher: Teacher
    base: Path
    """Where relative paths of its settings start."""
    ledger: CallLedger
    prompt_tokens: int

    def checks(self) -> Iterator[Check]:
        """In the order in which things can go wrong; what rests on something that did is left out."""
        if (fault := self.teacher.unready()) is not None:
            yield self._failed("ready", fault)
            return
        if not isinstance(self.teacher, ChatTeacher):
            yield self._check("ready", True, f"{self.teacher.name}: asks nobody")
            return
        yield self._check("ready", True, f"{self.teacher.name}, {self.teacher.model}")
        models: list[ServedModel] | None = None
        if (backend := self._server(self.teacher)) is not None:
            try:
                models = asyncio.run(_served(backend))
            except (UserError, TransientError) as error:
                yield self._failed("address", _unreached(backend, error))
                return
            yield self._check("address", True, f"{backend.url} answers")
        question = self._question(self.teacher)
        if backend is not None and models:
            yield self._served(backend.model, [model.name for model in models], question["ok"])
        yield self._price(self.teacher)
        yield self._context(self.teacher, models)
        yield question

    def _server(self, teacher: ChatTeacher) -> OpenAIBackend | None:
        """What asks its server, where that runs already and can be asked for its models."""
        backend = None if teacher.is_started_for_asking else teacher.open()
        return backend if isinstance(backend, OpenAIBackend) and not backend.is_azure else None

    def _served(self, model: str, names: list[str], is_answered: bool) -> Check:
        """Servers of one model answer to any name; what is not listed is wrong only where nothing is answered."""
        listed = plain(", ".join(names))
        if model in names or f"{model}:latest" in names or f"models/{model}" in names:
            return self._check("model", True, f"'{model}' is served")
        if is_answered:
            return self._check("model", True, f"'{model}' is answered to; what the server lists is {listed}")
        return self._check("model", False, f"'{model}' is not served", did_you_mean(model, names, f"It lists {listed}"))

    def _price(self, teacher: ChatTeacher) -> Check:
        if not teacher.priced:
            remedy = "give the teacher a price: {input: USD, output: USD} per million tokens, or 0 for both"
            return self._check("price", False, f"the price of '{teacher.model}' is not known", remedy)
        given, out = teacher.usd(_MILLION, 0), teacher.usd(0, _MILLION)
        detail = f"{given:g} USD in, {out:g} USD out per million tokens" if given or out else "costs nothing"
        return self._check("price", True, detail)

    def _context(self, teacher: ChatTeacher, models: list[ServedModel] | None) -> Check:
        served = {model.name: model.context for model in models or ()}
        limit = served.get(teacher.model.partition("/")[2]) or served.get(teacher.model) or teacher.context_limit
        longest = f"the longest prompt has about {self.prompt_tokens:,} tokens"
        if limit is None:
            return self._check("context", True, f"{longest}; how many fit is not known")
        remedy = "lower ask.max_passage_words or candidates.depth, or ask in windows (ask: sliding)"
        return self._check("context", self.prompt_tokens < limit, f"{longest}, {limit:,} fit", remedy)

    def _question(self, teacher: ChatTeacher) -> Check:
        asked = self._patient(teacher)
        # The same words were answered before; what is to be seen is whether they are now.
        query = f"Which river flows through Paris? (question {uuid4().hex[:8]})"
        task = Task("doctor", query, tuple(Candidate(str(n), text) for n, text in enumerate(_PASSAGES)))
        meter, start = MeteredLedger(self.ledger), time.monotonic()
        try:
            (ranking,) = asked.label([task], meter, silent)
        except UserError as error:
            return self._failed("question", error)
        except Exception as error:
            return self._check("question", False, plain(f"{type(error).__name__}: {error}", 300))
        used, seconds = meter.paid, clock(time.monotonic() - start)
        cost = f"{used.input_tokens} + {used.output_tokens} tokens, {used.usd:.6f} USD, {seconds}"
        if ranking.verdict in ("ok", "repaired"):
            started = "; what runs it was started for that" if teacher.is_started_for_asking else ""
            return self._check("question", True, f"answered in the asked form ({ranking.verdict}; {cost}){started}")
        said = plain(ranking.raw, 120)
        remedy = "raise max_tokens if the answer was cut; another way of asking (ask) may suit the model better"
        return self._check("question", False, f"{ranking.verdict}: {ranking.reason}; it said: {said} ({cost})", remedy)

    def _patient(self, teacher: ChatTeacher) -> ChatTeacher:
        """The teacher with fewer tries and less patience."""
        settings = teacher.settings
        changes: dict[str, Any] = {"attempts": 1, "batch": False, "concurrency": 1}
        if (timeout := getattr(settings, "timeout", None)) is not None:
            changes["timeout"] = min(timeout, _PATIENCE)
        own = {name: value for name, value in changes.items() if isinstance(getattr(settings, name, None), type(value))}
        return type(teacher)(settings.model_copy(update=own), self.base)

    def _check(self, what: str, ok: bool, detail: str, remedy: str = "") -> Check:
        # A server may call its models as it likes, and an exception may hold anything.
        return check(f"{self.name}: {what}", ok, masked(detail), masked(remedy))

    def _failed(self, what: str, error: UserError) -> Check:
        return self._check(what, False, error.summary, error.remedy or "")


async def _served(backend: OpenAIBackend) -> list[ServedModel] | None:
    async with backend:
        return await backend.served()


def _unreached(backend: OpenAIBackend, error: Exception) -> UserError:
    if isinstance(error, UserError):
        return error
    return UserError(
        f"no server answers at {backend.url}: {error}",
        remedy="start it, or check api_base, and HTTP_PROXY and NO_PROXY in the environment",
    )
