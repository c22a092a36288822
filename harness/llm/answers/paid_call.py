"""From a completion to the reply that is read out of it, and to the call that the ledger keeps; and what is left of
requests that were given up."""

from __future__ import annotations

from typing import cast

import orjson

from harness.labelling.labels.parser import Reason
from harness.labelling.prompting.prompter import NO_ANSWER, Request
from harness.labelling.strategies.strategy import ParsedResponse
from harness.ledger.calls import Call
from harness.ledger.given_up import GivenUp
from harness.llm.backend import Completion, RequestFailed
from harness.text import encodable


def missing_answer(reply: ParsedResponse) -> str | None:
    """Why a reply is no answer, or None."""
    return next((reason for reason in NO_ANSWER if reason in reply.reasons), None)


def parsed_reply(request: Request, completion: Completion) -> ParsedResponse:
    """What is read out of a completion."""
    if completion.finish == "unreadable":
        why = f" ({completion.fault})" if completion.fault else ""
        text = f"not the OpenAI protocol{why}: {completion.text[:200]!r}"
        return ParsedResponse((), "failed", ("no answer",), text=text)
    if completion.finish == "filtered":
        return ParsedResponse((), "failed", ("refused",), text=completion.text)
    return request.read(completion.text, completion.finish == "length")


def reply_given_up(request: Request, given_up: GivenUp) -> tuple[ParsedResponse, RequestFailed | None]:
    """What was made of a request that was given up, as it was then, and what failed about it."""
    if given_up.kind in ("truncated", "empty"):
        return request.read(given_up.response, given_up.kind == "truncated"), None
    failure = RequestFailed(given_up.response) if given_up.kind in ("too long", "no answer") else None
    return ParsedResponse((), "failed", (cast("Reason", given_up.kind),), text=given_up.response), failure


def paid_call(key: str, model: str, request: Request, completion: Completion) -> Call:
    """The call as the ledger keeps it."""
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
