"""Requests in flight: workers ask what the ledger does not hold, within the limit of what may be paid."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import orjson

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.prompting.prompter import NO_ANSWER, Request
from harness.labelling.strategies.strategy import ParsedResponse
from harness.ledger.calls import Call, Usage
from harness.ledger.given_up import GivenUp
from harness.ledger.ledger import Ledger
from harness.ledger.reservations import Reservations
from harness.llm.answers.failure_guard import FailureGuard
from harness.llm.backend import Backend, Completion, RequestFailed
from harness.llm.pricing.tariff import Tariff
from harness.llm.retry_rules import backoff
from harness.llm.task_state import TaskState
from harness.llm.wire.answer_tally import AnswerTally
from harness.masking import Mask
from harness.text import encodable

_RAMP, _STEP = 0.12, 0.003
"""Seconds over which the first requests start, and most seconds between two: those that start together come back
together, and then each waits until all others are dealt with. Providers do not like bursts either.
"""
_EMPTY = 3
"""How often a request is sent whose answer comes back empty."""


@dataclass
class InFlight:
    """One opening of a backend: workers take waiting tasks and ask what is missing; `finished` gets each task's number
    and ranking.

    When one fails, the requests in flight are let finish, since they are paid for; no new one starts.
    """

    model: str
    key: Callable[[Request], str]
    """Names a request in the ledger."""
    open: Callable[[], AbstractAsyncContextManager[Backend]]
    tariff: Tariff
    """What requests may cost, and did."""
    answered: Callable[[Ledger], None]
    """Called for each new answer."""
    asks: int
    """How often a request that brings no answer at all is sent; an empty answer at least three times."""
    misses: dict[str, ParsedResponse]
    """Replies that were no answer, by key; filled here."""
    ledger: Ledger
    finished: Callable[[int, Ranking], None]
    tally: AnswerTally
    guard: FailureGuard
    """Stops all where too many queries fail."""

    def __post_init__(self) -> None:
        self._error: Exception | None = None
        self._stopped = False
        self._mask = Mask({})
        self._given_up: dict[str, GivenUp] = {}
        self._failures: dict[str, RequestFailed] = {}
        self._flying: dict[str, asyncio.Task[ParsedResponse]] = {}

    async def finish(self, waiting: Iterator[tuple[int, TaskState]]) -> None:
        """Complete every task. Raises what the first failing request raised."""
        # What is in memory now stays there; walking over it again and again would hold all requests up.
        gc.freeze()
        try:
            async with self.open() as backend:
                # Only now is it known which key and which address are used.
                self._mask = Mask()
                self._reservations = Reservations(self.ledger, self._check, backend.resumable)
                backend.unanswered = self._again
                pause = min(_RAMP / backend.concurrency, _STEP)
                await asyncio.gather(
                    *(self._guarded(waiting, backend, number * pause) for number in range(backend.concurrency))
                )
        finally:
            gc.unfreeze()
            self._give_up()
        if self._error is not None:
            raise self._error

    def _give_up(self) -> None:
        """Have the ledger know what was given up, unless that is why everything stopped: then it may be asked anew."""
        if self._stopped:
            for key in self._given_up:
                self.misses.pop(key, None)
        else:
            self.ledger.put_given_up(list(self._given_up.values()))

    async def _guarded(self, waiting: Iterator[tuple[int, TaskState]], backend: Backend, pause: float) -> None:
        try:
            await asyncio.sleep(pause)
            # Tasks are taken one by one, so that no more prompts are in memory than requests in flight and a chunk
            # ahead.
            for number, one in waiting:
                ranking = await self._ranked(one, backend)
                if ranking is None:
                    return
                self.finished(number, ranking)
                if (stop := self.guard.settle(one.failure)) is not None:
                    self._stopped, self._error = True, self._error or stop
                    return
        except Exception as error:
            self._error = self._error or error

    async def _ranked(self, one: TaskState, backend: Backend) -> Ranking | None:
        """The task's ranking, or None once an error has stopped everything."""
        while one.ranking is None and self._error is None:
            missing = [number for number in range(len(one.requests)) if number not in one.replies]
            await asyncio.gather(*(self._ask(one, number, backend) for number in missing))
            if len(one.replies) == len(one.requests):
                one.advance([one.replies[number] for number in range(len(one.requests))])
        return one.ranking

    async def _ask(self, one: TaskState, number: int, backend: Backend) -> None:
        request = one.requests[number]
        key = self.key(request)
        try:
            if (reply := self._known(key, request)) is None:
                # Two tasks may ask the same at the same time.
                if key not in self._flying:
                    self._flying[key] = asyncio.create_task(self._paid(key, request, backend))
                    self._flying[key].add_done_callback(lambda _: self._flying.pop(key))
                reply = await self._flying[key]
            one.replies[number] = reply
            if key in self._failures:
                one.failures.append(self._failures[key])
        except Exception as error:
            self._error = self._error or error

    def _known(self, key: str, request: Request) -> ParsedResponse | None:
        """What was found out since the replay: by another task, or by another process."""
        if key in self.misses:
            return self.misses[key]
        answer = self.ledger.get(key)
        if answer is None:
            return None
        self.tally.add_cached(request.messages, answer.input_tokens)
        return request.read(answer.response, False)

    async def _paid(self, key: str, request: Request, backend: Backend) -> ParsedResponse:
        asked, usage = 0, Usage()
        while True:
            reply, completion = await self._once(key, request._replace(resent=asked), backend)
            asked += completion is not None
            is_held = completion is None and key not in self._failures
            if (missing := _missing(reply)) is None or is_held:
                return reply
            usage += Usage.of([_call(key, self.model, request, completion)] if completion is not None else [])
            if key in self._failures or asked >= self._tries(missing, backend):
                if missing == "no answer" and key not in self._failures:
                    self._failures[key] = RequestFailed(reply.text)
                self.misses[key] = reply
                self._given_up[key] = GivenUp(key, missing, reply.text, usage)
                return reply
            if missing == "no answer":
                await asyncio.sleep(backoff(asked))

    def _tries(self, missing: str, backend: Backend) -> int:
        """How often a request is sent whose replies are `missing`."""
        return {"empty": max(self.asks, _EMPTY), "no answer": backend.attempts}.get(missing, self.asks)

    async def _once(self, key: str, request: Request, backend: Backend) -> tuple[ParsedResponse, Completion | None]:
        """The reply, and what was paid for it, if anything."""
        claim = await self._reservations.claim(key, self.tariff.most(request), self.model)
        if claim.response is not None:
            self.tally.add_cached(request.messages, claim.response.input_tokens)
            return request.read(claim.response.response, False), None
        may_be_billed = True
        try:
            completion = self._settled(request, await backend.complete(request))
            reply = self._keep(key, request, completion)
            self._note(request, completion, reply)
            return reply, completion
        except RequestFailed as failed:
            may_be_billed = False
            return self._failed(key, request, failed)
        except UserError:
            # The provider said no, or each answer that was lost is accounted for already.
            may_be_billed = backend.resumable
            raise
        finally:
            self._reservations.end(key, unconfirmed=may_be_billed)

    def _note(self, request: Request, completion: Completion, reply: ParsedResponse) -> None:
        try:
            self.tally.add(request.messages, completion.input_tokens, completion.output_tokens, _missing(reply))
        except UserError:
            # All answers are of no use, which is not these queries' fault.
            self._stopped = True
            raise

    def _failed(self, key: str, request: Request, failed: RequestFailed) -> tuple[ParsedResponse, Completion | None]:
        failed.message = self._mask(failed.message)
        self._failures[key] = failed
        completion = self._settled(request, failed.completion) if failed.completion is not None else None
        if completion is not None:
            overrun = self.tariff.overrun(request, completion)
            self.ledger.put_miss(_call(key, self.model, request, completion), "no answer", overrun)
            self._reservations.settled(key)
        return ParsedResponse((), "failed", (failed.reason,), text=failed.message), completion

    def _settled(self, request: Request, completion: Completion) -> Completion:
        """A completion with its price, and without secrets, which a server may echo."""
        completion = self.tariff.settled(request, completion)
        known = self._mask.known
        return replace(
            completion,
            text=known(completion.text),
            provider_id=known(completion.provider_id),
            served=known(completion.served),
            fingerprint=known(completion.fingerprint),
        )

    async def _again(self, request: Request) -> None:
        await self._reservations.again(self.key(request), self.tariff.most(request), self.model)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _keep(self, key: str, request: Request, completion: Completion) -> ParsedResponse:
        """Pay; the answer that then stands in the ledger is what everybody reads."""
        reply, overrun = _read(request, completion), self.tariff.overrun(request, completion)
        call = _call(key, self.model, request, completion)
        if (missing := _missing(reply)) is None:
            standing = self.ledger.put(call, overrun)
            self.answered(self.ledger)
            self.misses.pop(key, None)
            reply = reply if standing.response == call.response else request.read(standing.response, False)
        else:
            self.ledger.put_miss(call, missing, overrun)
            self.misses[key] = reply
        self._reservations.settled(key)
        return reply


def _missing(reply: ParsedResponse) -> str | None:
    """Why a reply is no answer, or None."""
    return next((reason for reason in NO_ANSWER if reason in reply.reasons), None)


def _read(request: Request, completion: Completion) -> ParsedResponse:
    if completion.finish == "unreadable":
        why = f" ({completion.fault})" if completion.fault else ""
        text = f"not the OpenAI protocol{why}: {completion.text[:200]!r}"
        return ParsedResponse((), "failed", ("no answer",), text=text)
    if completion.finish == "filtered":
        return ParsedResponse((), "failed", ("refused",), text=completion.text)
    return request.read(completion.text, completion.finish == "length")


def _call(key: str, model: str, request: Request, completion: Completion) -> Call:
    messages = [{"role": role, "content": encodable(content)} for role, content in request.messages]
    asked = {"messages": messages} | ({"repeat": request.repeat} if request.repeat else {})
    return Call(
        key=key,
        model=model,
        request=orjson.dumps(asked).decode(),
        response=completion.text,
        input_tokens=completion.input_tokens,
        cached_tokens=completion.cached_tokens,
        output_tokens=completion.output_tokens,
        reasoning_tokens=completion.reasoning_tokens,
        usd=completion.usd,
        seconds=completion.seconds,
        provider_id=completion.provider_id,
        served=completion.served,
        fingerprint=completion.fingerprint,
        estimated=completion.estimated,
    )
