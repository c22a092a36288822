"""Requests in flight: workers ask what the ledger does not hold, within the limit of what may be paid."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from harness.errors import UserError
from harness.labelling.labels.failure_guard import FailureGuard
from harness.labelling.labels.ranking import Ranking
from harness.labelling.prompting.prompter import Request
from harness.labelling.strategies.strategy import ParsedResponse
from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import Call, Usage
from harness.ledger.given_up import GivenUp
from harness.ledger.reservations import Reservations
from harness.llm.answers.paid_call import missing_answer, paid_call, parsed_reply, reply_given_up
from harness.llm.backend import Backend, Completion, RequestFailed
from harness.llm.pricing.tariff import Tariff
from harness.llm.retry_rules import backoff
from harness.llm.task_state import TaskState
from harness.llm.wire.answer_tally import AnswerTally
from harness.masking import Mask

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
    answered: Callable[[CallLedger], None]
    """Called for each new answer."""
    asks: int
    """How often a request that brings no answer at all is sent; an empty answer at least three times."""
    misses: dict[str, ParsedResponse]
    """Replies that were no answer, by key; filled here."""
    ledger: CallLedger
    finished: Callable[[int, Ranking], None]
    tally: AnswerTally
    guard: FailureGuard
    """Stops all where too many queries fail."""

    def __post_init__(self) -> None:
        self._error: Exception | None = None
        self._stopped = False
        self._mask = Mask({})
        self._given_up: dict[str, GivenUp] = {}
        self._spent: defaultdict[str, Usage] = defaultdict(Usage)
        self._failures: dict[str, RequestFailed] = {}
        self._flying: dict[str, asyncio.Task[ParsedResponse]] = {}
        self._sent: set[int] = set()

    async def finish(self, waiting: Iterator[tuple[int, TaskState]]) -> None:
        """Complete every task. Raises what the first failing request raised."""
        # What is in memory now stays there; walking over it again and again would hold all requests up.
        gc.freeze()
        try:
            async with self.open() as backend:
                # Only now is it known which key and which address are used.
                self._mask = Mask()
                self._reservations = Reservations(self.ledger, self._check, backend.resumable)
                backend.unanswered, backend.starting = self._again, self._start
                pause, workers = min(_RAMP / backend.concurrency, _STEP), backend.concurrency + backend.ahead
                await asyncio.gather(*(self._guarded(waiting, backend, number * pause) for number in range(workers)))
        finally:
            gc.unfreeze()
            self._withdraw()
        if self._error is not None:
            raise self._error

    def _withdraw(self) -> None:
        """What was given up may be asked anew where that is why everything stopped."""
        if self._stopped:
            self.ledger.withdraw_given_up(self._given_up)
            for key in self._given_up:
                self.misses.pop(key, None)

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
            if len(missing) == 1:
                await self._ask(one, missing[0], backend)
            else:
                await asyncio.gather(*(self._ask(one, number, backend) for number in missing))
            if len(one.replies) == len(one.requests):
                one.advance([one.replies[number] for number in range(len(one.requests))])
        return one.ranking

    async def _ask(self, one: TaskState, number: int, backend: Backend) -> None:
        request = one.requests[number]
        key = self.key(request)
        try:
            if (reply := self.misses.get(key)) is None:
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

    async def _paid(self, key: str, request: Request, backend: Backend) -> ParsedResponse:
        """The reply to a request, which is sent again while that may help. Its claim stays meanwhile, so that no other
        process sends it too."""
        most = self.tariff.most(request)
        while True:
            try:
                claim = await self._reservations.claim(key, most, self.model, holding=request.resent > 0)
            except UserError:
                self._reservations.end(key)
                raise
            if claim.given_up is not None:
                return self._given_up_elsewhere(request, claim.given_up)
            if claim.response is not None:
                self.tally.add_cached(request.messages, claim.response.input_tokens)
                return request.read(claim.response.response, False)
            reply, again = await self._once(key, request, backend)
            if not again:
                return reply
            request = request._replace(resent=request.resent + 1)
            if missing_answer(reply) == "no answer":
                await asyncio.sleep(backoff(request.resent))

    def _given_up_elsewhere(self, request: Request, found: GivenUp) -> ParsedResponse:
        reply, failure = reply_given_up(request, found)
        if failure is not None:
            self._failures[found.key] = failure
        return reply

    def _tries(self, missing: str, backend: Backend) -> int:
        """How often a request is sent whose replies are `missing`."""
        return {"empty": max(self.asks, _EMPTY), "no answer": backend.attempts}.get(missing, self.asks)

    async def _once(self, key: str, request: Request, backend: Backend) -> tuple[ParsedResponse, bool]:
        """The reply to a claimed request, and whether it is to be sent again."""
        may_be_billed, again, gives_up = True, False, None
        try:
            completion = self._settled(request, await backend.complete(request))
            reply, again = self._keep(key, request, completion, backend)
            self._note(request, completion, reply)
            return reply, again
        except RequestFailed as failed:
            may_be_billed = False
            reply = self._failed(key, request, failed)
            gives_up = self._given_up[key]
            return reply, False
        except UserError as error:
            # The provider said no, or each answer that was lost is accounted for already. Whoever waits for the slot
            # is to know before it starts.
            self._error = self._error or error
            may_be_billed, again = backend.resumable, False
            raise
        finally:
            if not again:
                # What is still waiting for a slot, when all is interrupted, was not sent.
                was_sent = not backend.ahead or id(request) in self._sent
                self._reservations.end(key, unconfirmed=may_be_billed and was_sent, gives_up=gives_up)
            self._sent.discard(id(request))

    def _note(self, request: Request, completion: Completion, reply: ParsedResponse) -> None:
        try:
            missing = missing_answer(reply)
            self.tally.add(request.messages, completion.input_tokens, completion.output_tokens, missing)
        except UserError:
            # All answers are of no use, which is not these queries' fault.
            self._stopped = True
            raise

    def _failed(self, key: str, request: Request, failed: RequestFailed) -> ParsedResponse:
        failed.message = self._mask(failed.message)
        self._failures[key] = failed
        reply = ParsedResponse((), "failed", (failed.reason,), text=failed.message)
        completion = self._settled(request, failed.completion) if failed.completion is not None else None
        call = None if completion is None else paid_call(key, self.model, request, completion)
        self._gives_up(key, failed.reason, reply, [call] if call is not None else [])
        if completion is not None and call is not None:
            overrun = self.tariff.overrun(request, completion)
            self.ledger.put_miss(call, "no answer", overrun, gives_up=self._given_up[key])
            self._reservations.settled(key)
        return reply

    def _gives_up(self, key: str, missing: str, reply: ParsedResponse, calls: list[Call]) -> GivenUp:
        """What the ledger is to know of a request that has no answer; `calls` were paid for it by now."""
        self.misses[key] = reply
        self._given_up[key] = GivenUp(key, missing, reply.text, self._spent.pop(key, Usage()) + Usage.of(calls))
        return self._given_up[key]

    def _settled(self, request: Request, completion: Completion) -> Completion:
        """A completion with its price, and without secrets, which a server may echo."""
        completion = self.tariff.settled(request, completion)
        known = self._mask.known
        return replace(
            completion,
            text=known(completion.text),
            fault=self._mask(completion.fault),
            provider_id=known(completion.provider_id),
            served=known(completion.served),
            fingerprint=known(completion.fingerprint),
        )

    async def _again(self, request: Request) -> None:
        await self._reservations.again(self.key(request), self.tariff.most(request), self.model)

    def _start(self, request: Request) -> None:
        self._check()
        self._sent.add(id(request))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _keep(
        self, key: str, request: Request, completion: Completion, backend: Backend
    ) -> tuple[ParsedResponse, bool]:
        """Pay; the answer that then stands in the ledger is what everybody reads. Also whether to send it again."""
        reply, overrun = parsed_reply(request, completion), self.tariff.overrun(request, completion)
        call = paid_call(key, self.model, request, completion)
        if (missing := missing_answer(reply)) is None:
            standing = self.ledger.put(call, overrun)
            self._reservations.settled(key)
            self.answered(self.ledger)
            return reply if standing.response == call.response else request.read(standing.response, False), False
        if request.resent + 1 < self._tries(missing, backend):
            self.ledger.put_miss(call, missing, overrun, asks_again=True)
            self._spent[key] += Usage.of([call])
            return reply, True
        if missing == "no answer":
            self._failures[key] = RequestFailed(reply.text)
        self.ledger.put_miss(call, missing, overrun, gives_up=self._gives_up(key, missing, reply, [call]))
        self._reservations.settled(key)
        return reply, False
