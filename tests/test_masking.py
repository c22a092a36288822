"""Secrets are masked however they are written; other text stays."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.masking import MASK, Mask, masked, register_address, register_secret

SECRET = 'k3y/with "odd" characters+'


@given(before=st.text(), after=st.text())
def test_a_secret_of_the_environment_is_found_in_any_text(before: str, after: str) -> None:
    mask = Mask({"SOME_API_KEY": SECRET})
    for form in (SECRET, quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode()):
        assert form not in mask(f"{before}{form}{after}")


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "OPENAI_API_KEY_2", "MY_APIKEY"]
)
def test_variables_with_telling_names_hold_secrets(name: str) -> None:
    assert Mask({name: "abcdefgh1234"}).known("say abcdefgh1234 again") == f"say {MASK} again"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PATH", "/usr/bin:/bin"), ("SSH_KEY", "/home/me/.ssh/id"), ("VLLM_API_KEY", "lm-studio"), ("API_KEY", "EMPTY")],
)
def test_paths_words_and_placeholders_are_none(name: str, value: str) -> None:
    assert Mask({name: value})(f"say {value} again") == f"say {value} again"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456789",
        "see https://me:pass@host/v1",
        "key sk-abcdefghijklmnopqrstuv is wrong",
        "GET /v1?key=AbCdEf123456&x=1",
    ],
)
def test_what_looks_like_a_secret_is_masked_unknown(text: str) -> None:
    assert MASK in masked(text) and not any(part in masked(text) for part in ("abcdef", "me:pass", "AbCdEf"))


def test_registered_values_and_passwords_of_addresses_are_known() -> None:
    register_secret("from-elsewhere-42")
    register_address("https://someone:p%40ssw0rd9@host/v1")
    assert masked("from-elsewhere-42 p@ssw0rd9 p%40ssw0rd9") == f"{MASK} {MASK} {MASK}"


@pytest.mark.parametrize("text", ["the bearer of news", "basic research", "ask https://host/v1?page=12", "[2] > [1]"])
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text
