"""The most that a request may cost."""

from __future__ import annotations

import math
import random

import pytest

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.labelling.strategies.strategy import AnswerFormat, ParsedResponse
from harness.llm.backend import Completion
from harness.llm.pricing.tariff import Tariff


def tariff(known: bool = True) -> Tariff:
    """A token of input costs 1, one of output 1000; answers have room for 5 tokens."""
    return Tariff(
        "m", lambda asked, given: asked + 1000.0 * given, lambda _: 5, lambda texts: ([7] * len(texts), False), known
    )


def request(text: str) -> Request:
    return Request((("user", text),), AnswerFormat(), 5, lambda text, cut: ParsedResponse((), "ok", text=text))


DRAW = random.Random(0)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(str(DRAW.randrange(10**7)) for _ in range(200)),
        "\n".join(",".join(str(DRAW.randrange(99)) for _ in range(9)) for _ in range(50)),
        "検索エンジン" * 100,
        "".join(DRAW.choice("abcXYZ019+/") for _ in range(2000)),
        "".join(DRAW.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(2000)),
        "half \ud83d" * 10 + "{}[]();" * 100,
    ],
)
def test_digits_tables_hashes_and_other_scripts_are_reserved_a_token_a_byte(text: str) -> None:
    assert tariff().most(request(text)) >= len(text.encode("utf-8", "surrogatepass")) + 5000


def test_prose_is_reserved_more_than_any_tokenizer_takes_and_less_than_its_bytes() -> None:
    text = "The quick brown fox jumps over the lazy dog, which is what foxes do. " * 20
    assert 0.56 * len(text) <= tariff().most(request(text)) - 5000 < 0.7 * len(text)


def test_tokens_beyond_the_reserve_are_priced_by_kind() -> None:
    asked = request("short")
    most_in = tariff().most(asked) - 5000
    assert tariff().overrun(asked, Completion("x", input_tokens=1, output_tokens=12)) == 7000, "not set against input"
    assert tariff().overrun(asked, Completion("x", input_tokens=int(most_in) + 3, output_tokens=5)) == 3
    assert tariff().overrun(asked, Completion("x", input_tokens=1, output_tokens=5)) == 0


def test_what_was_not_counted_is_priced_by_an_estimate() -> None:
    counted = Completion("x", input_tokens=3, output_tokens=2, usd=9.0)
    assert tariff().settled(request("text"), counted) is counted
    found = tariff().settled(request("text"), Completion("x", output_tokens=2, estimated=True))
    assert (found.input_tokens, found.usd) == (7, 2007.0)


def test_an_unknown_price_is_refused_under_a_limit_only() -> None:
    tariff(False).check(math.inf)
    tariff().check(1.0)
    with pytest.raises(UserError, match="price of 'm' is not known"):
        tariff(False).check(1.0)
