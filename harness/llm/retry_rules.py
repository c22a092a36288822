"""Which failures of a provider pass by waiting, which never do, and how long to wait."""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Mapping
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from harness.llm.answers.provider_reasons import FailureReason, account_remedy, is_out_of_money, prompt_reason
from harness.llm.backend import FatalProviderError, RequestFailed
from harness.masking import masked

_FIRST, _LONGEST = 0.5, 60.0
"""Seconds of the first and of the longest wait between attempts."""
_PATIENCE = 600.0
"""Seconds that a provider may ask to wait; who asks for more has no quota left for today."""
_PASSING = frozenset({408, 409, 425, 429, 498, 499, 500, 502, 503, 504, 520, 521, 522, 524, 529})
_EMPTY = re.compile(r"\binsufficient_quota\b")
"""A code that says that the account is empty, whatever the prose around it."""
_BILLING = re.compile(r"credit balance|billing", re.IGNORECASE)
_OF_A_DAY = re.compile(r"PerDay|per[ _-]day\b|\b[RT]PD\b", re.IGNORECASE)
"""Words for a quota that comes back tomorrow."""
_QUOTA_OF_A_DAY = re.compile(r"""quotaId\\?["']\s{0,3}:\s{0,3}\\?["'][^"']{0,120}PerDay""")
"""Of Google, which asks to wait for some seconds nevertheless."""
_A_WHILE = re.compile(
    r"rate_limit_exceeded|per[ _-]?(?:second|minute|min)\b|per(?:second|minute)|\b[RT]PM\b", re.IGNORECASE
)
"""Words for a limit that is over in a while."""
_DELAY = re.compile(r'"?retryDelay"?\s{0,3}:\s{0,3}"?(\d+(?:\.\d+)?)s')
_AGAIN = re.compile(
    r"(?:try again|retry)(?: again)? (?:in|after) (?:(?P<m>\d+)\s?m(?!s)(?:in(?:ute)?s?)?\s?)?"
    r"(?:(?P<s>\d+(?:\.\d+)?)\s?(?P<unit>ms|s)(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE,
)


class TransientError(Exception):
    """A failure that may not happen again. `retry_after`: seconds the provider asked to wait; `overload`: it asked for
    fewer requests; `remedy`: what helps where it does happen again; `may_be_billed`: the request may have been
    answered, and the answer was lost on the way."""

    def __init__(
        self,
        message: str,
        retry_after: float | None = None,
        overload: bool = False,
        remedy: str | None = None,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.overload = overload
        self.remedy = remedy
        self.may_be_billed = may_be_billed


SHORTER = "lower ask.max_passage_words or candidates.depth"
"""What helps where a prompt does not fit."""


def failure(
    status: int, body: str, headers: Mapping[str, str], model: str
) -> TransientError | FatalProviderError | RequestFailed:
    """What an HTTP status other than 200 with this `body` means, with the provider's own message, without secrets.

    A limit for a while is waited out, whatever the prose says of billing; only an empty account stops. What is about
    this prompt fails this request alone.
    """
    text = provider_words(body)
    said = masked(text.strip())[:500] or "no message"
    asked = retry_after(headers)
    asked = delay_in(body) if asked is None else asked
    passes = asked is not None or _A_WHILE.search(body) is not None
    spent = is_out_of_money(text) or _BILLING.search(text) is not None
    empty = _EMPTY.search(body) is not None or (spent and not passes)
    if status == 402 or (status in (403, 429) and empty):
        return FatalProviderError(
            f"the provider of '{model}' says that the money or quota is used up: {said}",
            remedy="top up the account, then run again",
        )
    if status == 429 and (_QUOTA_OF_A_DAY.search(body) or (asked is None and _OF_A_DAY.search(text))):
        return FatalProviderError(
            f"the provider of '{model}' says that the quota of the day is used up: {said}",
            remedy="run again tomorrow, or raise the quota: what was answered is kept",
        )
    if reason := prompt_reason(status, text):
        return _refusal(status, said, model, reason)
    if status in _PASSING and asked is not None and asked > _PATIENCE:
        return FatalProviderError(
            f"the provider of '{model}' asks to wait {asked / 60:.0f} minutes: {said}",
            remedy="run again then: what was answered is kept",
        )
    if status in _PASSING or status >= 500:
        return TransientError(f"{status}: {said}", asked, overload=status in (429, 503, 529))
    remedy = _REMEDIES.get(status) or account_remedy(text)
    if status in (400, 422) and remedy is None:
        return _refusal(status, said, model, "no answer")
    return FatalProviderError(f"the provider of '{model}' refuses ({status}): {said}", remedy=remedy)


_REMEDIES = {
    401: "check the API key in the environment (harness doctor shows which are set)",
    403: "check that the API key may use this model",
    404: "check the model's name and api_base",
}


def _refusal(status: int, words: str, model: str, reason: FailureReason) -> RequestFailed:
    remedy = SHORTER if reason == "too long" else None
    return RequestFailed(f"the provider of '{model}' refuses ({status}): {words}", remedy=remedy, reason=reason)


def provider_words(body: str) -> str:
    """The provider's own words out of an error's body, with its code."""
    try:
        return _words_in(json.loads(body)) or body
    except (ValueError, RecursionError):
        return body


def _words_in(found: Any) -> str:
    """The words in the JSON of an error, whatever they are wrapped in."""
    while isinstance(found, list) and found:
        found = found[0]
    error = found.get("error") or found if isinstance(found, dict) else found
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    named = [error[key] for key in _WORDS if error.get(key)]
    return " ".join(_words_in(one) if isinstance(one, dict) else str(one) for one in named)


_WORDS = ("message", "detail", "msg", "code", "type")
"""Keys of an error that say something, whichever provider it is of."""


def delay_in(body: str) -> float | None:
    """Seconds to wait as the body of an error says: ``retryDelay``, or "try again in 1m30s"; None where it does not."""
    if delay := _DELAY.search(body):
        return float(delay[1])
    for again in _AGAIN.finditer(body):
        if again["m"] or again["s"]:
            seconds = float(again["s"] or 0) / (1000 if (again["unit"] or "").lower() == "ms" else 1)
            return 60.0 * float(again["m"] or 0) + seconds
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``Retry-After`` (seconds or a date)."""
    low = {key.lower(): value for key, value in headers.items()}
    try:
        if "retry-after-ms" in low:
            return max(0.0, float(low["retry-after-ms"]) / 1000)
        return max(0.0, float(low["retry-after"])) if "retry-after" in low else None
    except ValueError:
        when = email.utils.parsedate_tz(low.get("retry-after", ""))
        return max(0.0, email.utils.mktime_tz(when) - time.time()) if when else None


def retrying(attempts: int) -> AsyncRetrying:
    """Tries again on `TransientError`, after what the provider asks for and a wait that doubles up to a minute, with
    jitter."""
    return AsyncRetrying(
        retry=retry_if_exception_type(TransientError), stop=stop_after_attempt(attempts), wait=_wait, reraise=True
    )


def backoff(attempt: int) -> float:
    """Seconds to wait after the failed attempt of this number, from 1."""
    # Full jitter: those that failed together must not come back together.
    return random.uniform(0, min(_LONGEST, _FIRST * 2 ** (attempt - 1)))


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TransientError) else None
    return (asked or 0.0) + backoff(state.attempt_number)
