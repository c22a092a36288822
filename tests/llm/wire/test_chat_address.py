"""Addresses of servers: what is none is refused with the right form, and never raises anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.llm.wire.chat_address import ChatAddress


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("localhost:8000/v1", "write http://localhost:8000/v1"),
        ("//host/v1", "write http://host/v1"),
        ("ftp://host/v1", "write http://HOST:PORT/v1"),
        ("http:// host/v1", "write http://HOST:PORT/v1"),
        ("http://", "write http://HOST:PORT/v1"),
        ("http://host:99999/v1", "write http://HOST:PORT/v1"),
        ("http://host:port/v1", "write http://HOST:PORT/v1"),
        ("http://[::1/v1", "write http://HOST:PORT/v1"),
        ("", "write http://HOST:PORT/v1"),
    ],
)
def test_what_is_no_address_is_refused_with_one(address: str, remedy: str) -> None:
    with pytest.raises(UserError, match="is no address of a server") as caught:
        ChatAddress.of(address)
    assert (caught.value.key, caught.value.remedy) == ("api_base", remedy)


@pytest.mark.parametrize("start", ["", "//", "ftp://", "http:// ", "http://host/v1/models?x=http://"])
def test_a_password_in_a_wrong_address_is_not_told(start: str) -> None:
    with pytest.raises(UserError) as caught:
        ChatAddress.of(f"{start}user:pass-word-1@host/v1/models")
    assert "pass-word-1" not in f"{caught.value} {caught.value.remedy}"


@given(st.text(max_size=30) | st.text(max_size=20).map(lambda text: f"http://{text}"))
def test_whatever_is_written_becomes_an_address_or_is_refused(address: str) -> None:
    try:
        found = ChatAddress.of(address)
    except UserError:
        return
    assert found.chat.startswith(("http://", "https://")) and "/chat/completions" in found.chat
