"""``python -m benchmarks.server SECONDS``: an OpenAI chat server that answers every request with one permutation after
a fixed latency.

It shares the machine with what is measured, so it does as little as it can: it reads no prompt and knows one answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _response(passages: int) -> bytes:
    said = " > ".join(f"[{number}]" for number in range(passages, 0, -1))
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
    usage = {"prompt_tokens": 3000, "completion_tokens": 100, "total_tokens": 3100}
    body = json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Connection(asyncio.Protocol):
    """One client connection; requests on it follow one another."""

    def __init__(self, latency: float, response: bytes) -> None:
        self._latency, self._response = latency, response
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        length = _LENGTH.search(self._got, 0, head) if head >= 0 else None
        if length and len(self._got) >= head + 4 + int(length[1]):
            self._got = b""
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, self._response)


async def _serve(latency: float, passages: int) -> None:
    response = _response(passages)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(latency, response), "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), 20))
