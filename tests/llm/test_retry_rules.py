"""What a refusal means: wait a while, or stop; by codes, headers and delays, not by the prose around them."""

from __future__ import annotations

import json

import pytest

from harness.llm.backend import FatalProviderError
from harness.llm.retry_rules import TransientError, delay_in, failure


def body(message: str, **error: object) -> str:
    return json.dumps({"error": {"message": message, **error}})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (body("Limit: 3 / min. Please try again in 20s. Add a payment method: see account/billing."), 20),
        (body("You exceeded your current quota, check your billing. Please retry in 26.2s."), 26.2),
        (body("quota", details=[{"@type": "RetryInfo", "retryDelay": "31s"}]), 31),
        (body("Try again in 1m30s, or see billing"), 90),
        (body("Please try again in 350ms (billing)"), 0.35),
        (body("Please retry after 2 minutes. billing"), 120),
        (body("billing", quotaId="GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), None),
        (body("You exceeded your current quota, please check your plan and billing", code="rate_limit_exceeded"), None),
    ],
)
def test_a_limit_for_a_while_is_waited_out_whatever_the_prose_says(text: str, seconds: float | None) -> None:
    found = failure(429, text, {}, "m")

    assert isinstance(found, TransientError) and found.overload
    assert found.retry_after == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("status", "text", "headers"),
    [
        (429, body("You exceeded your current quota, please check your plan", code="insufficient_quota"), {}),
        (429, body("Try again in 20s", code="insufficient_quota"), {"Retry-After": "1"}),
        (402, body("Payment required. Try again in 5s."), {}),
        (429, body("Your credit balance is too low"), {}),
        (403, body("billing is not set up"), {}),
    ],
)
def test_an_empty_account_stops(status: int, text: str, headers: dict[str, str]) -> None:
    found = failure(status, text, headers, "m")

    assert isinstance(found, FatalProviderError) and "used up" in str(found)


def test_the_header_counts_before_the_body_and_hours_are_not_waited_for() -> None:
    soon = failure(429, body("try again in 50s"), {"Retry-After": "2"}, "m")
    late = failure(429, body("Please try again in 60m"), {}, "m")

    assert isinstance(soon, TransientError) and soon.retry_after == 2
    assert isinstance(late, FatalProviderError) and "60 minutes" in str(late)
    assert delay_in("no number anywhere, try again later") is None
