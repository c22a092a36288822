"""Log-likelihoods out of a vLLM server of our own: the log-probabilities of the tokens of a prompt."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from harness._lazy import lazy
from harness.llm.backend import RequestFailed
from harness.llm.endpoints.lent_server import LentServer
from harness.llm.retry_rules import TransientError, failure, retrying
from harness.llm.retrying import Limits
from harness.masking import masked
from harness.teachers.likelihood._pairs import ScoreRequest, Tokens
from harness.teachers.likelihood._scorer import Scored, ScoreFailure

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")


class ServedScorer(AbstractContextManager["ServedScorer"]):
    """Scores pairs one request each, as many in flight as `limits` allows, chunk after chunk."""

    def __init__(self, server: LentServer, limits: Limits, timeout: float) -> None:
        self._server, self._limits, self._timeout = server, limits, timeout

    def __enter__(self) -> Self:
        self._server.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def run(self, requests: Iterable[ScoreRequest]) -> Iterator[Scored]:
        """The requests' scores, in their order; a pair that the server cannot score has failed alone. Raises UserError
        when the server ends, or refuses everything."""
        for request in requests:
            start = time.monotonic()
            found = asyncio.run(self._chunk(request))
            failed = {place: one for place, one in enumerate(found) if isinstance(one, ScoreFailure)}
            scores = [math.nan if isinstance(one, ScoreFailure) else one for one in found]
            yield Scored(scores, time.monotonic() - start, failed)

    async def _chunk(self, request: ScoreRequest) -> list[float | ScoreFailure]:
        slots = asyncio.Semaphore(self._limits.concurrency)
        headers = {"Authorization": f"Bearer {self._server.endpoint.key}"}
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout), headers=headers
        ) as session:

            async def score(passage: Tokens, query: Tokens) -> float | ScoreFailure:
                try:
                    async with slots:
                        found = await self._patiently(session, [*passage, *query])
                except RequestFailed as failed:
                    return ScoreFailure(failed.reason, masked(failed.message)[:500])
                try:
                    # The first token of a prompt has no probability; the others have one each.
                    return sum(
                        float(found[len(passage) + place][str(token)]["logprob"]) for place, token in enumerate(query)
                    )
                except (LookupError, TypeError, ValueError):
                    return ScoreFailure("no answer", "the server's answer lacks the probability of a token")

            return await asyncio.gather(*(score(request.passages[pair.passage], pair.query) for pair in request.pairs))

    async def _patiently(self, session: aiohttp.ClientSession, tokens: list[int]) -> list[Any]:
        try:
            async for attempt in retrying(self._limits.attempts):
                with attempt:
                    return await self._server.persist(lambda: self._asked(session, tokens))
        except TransientError as error:
            raise RequestFailed(
                f"the server failed {self._limits.attempts} times in a row; the last time: {error}"
            ) from error
        raise AssertionError("unreachable")

    async def _asked(self, session: aiohttp.ClientSession, tokens: list[int]) -> list[Any]:

        name = self._server.launch.name
        body = {"model": name, "prompt": tokens, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        try:
            async with session.post(f"{self._server.endpoint.url}/v1/completions", json=body) as response:
                text = await response.text()
                if response.status != 200:
                    raise failure(response.status, text, response.headers, name)
                return list(json.loads(text)["choices"][0]["prompt_logprobs"])
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error
