"""Repositories of a hub on this machine: revisions, forms of weights, and what counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType

import pytest
from huggingface_hub import constants

from harness.errors import UserError
from harness.models import resolve_model

CONFIG, WEIGHTS = b'{"model_type": "bert"}', b"weights"
WHOLE = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "vocab.txt": b"a"}
BESIDE = {
    "README.md": b"about",
    "pytorch_model.bin": b"pickle",
    "onnx/model.onnx": b"graph",
    "onnx/config.json": b'{"of": "another runtime"}',
    "model.Q4_K_M.gguf": b"quantised",
    "trainer_state.json": b'{"log": 1}',
}
QUANTISED = {"config.json": CONFIG, **{f"m.{one}.gguf": one.encode() for one in ("F16", "Q2_K", "Q4_K_M", "Q8_0")}}
REPOSITORIES = {
    "o/whole": {"main": WHOLE, "v2": WHOLE | {"model.safetensors": b"newer"}, "refs/pr/1": WHOLE | {"vocab.txt": b"b"}},
    "o/more": {"main": WHOLE | BESIDE},
    "o/pickled": {"main": {"config.json": CONFIG, "pytorch_model.bin": b"pickle"}},
    "o/quantised": {"main": QUANTISED},
    "o/odd": {"main": {"config.json": CONFIG, "b.IQ1.gguf": b"1", "a.IQ2.gguf": b"2"}},
}


def commit(repository: str, revision: str) -> str:
    return hashlib.sha1(f"{repository} {revision}".encode()).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's HTTP as listing and fetching need."""

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = [part.replace("%2F", "/") for part in self.path.partition("?")[0].strip("/").split("/")]
        api = parts[:2] == ["api", "models"]
        repository, rest = ("/".join(parts[2:4]), parts[4:]) if api else ("/".join(parts[:2]), parts[2:])
        wanted = rest[1] if len(rest) > 1 else "main"
        revisions = REPOSITORIES.get(repository, {})
        name = next((one for one in revisions if wanted in (one, commit(repository, one))), None)
        if name is None:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound" if revisions else "RepoNotFound"})
            return
        files, sha = revisions[name], commit(repository, name)
        if not api:
            held = files["/".join(rest[2:])]
            self._send(200, held, {"ETag": f'"{hashlib.sha1(held).hexdigest()}"', "X-Repo-Commit": sha})
        elif rest and rest[0] == "tree":
            tree = [{"type": "file", "path": file, "size": len(held), "oid": "0"} for file, held in files.items()]
            self._send(200, json.dumps(tree).encode())
        else:
            siblings = [{"rfilename": file} for file in files]
            self._send(200, json.dumps({"id": repository, "sha": sha, "siblings": siblings}).encode())

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", place)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", place + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    yield
    server.shutdown()
    server.server_close()


def held(name: str) -> set[str]:
    folder = resolve_model(name).path
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_revision_stands_behind_the_name() -> None:
    for revision, weights in (("", WEIGHTS), ("@v2", b"newer"), (f"@{commit('o/whole', 'v2')}", b"newer")):
        assert (resolve_model(f"o/whole{revision}").path / "model.safetensors").read_bytes() == weights
    assert (resolve_model("o/whole@refs/pr/1").path / "vocab.txt").read_bytes() == b"b"
    assert len({resolve_model(f"o/whole{one}").identity for one in ("", "@v2", "@refs/pr/1")}) == 3
    with pytest.raises(UserError, match="o/whole@v9") as caught:
        resolve_model("o/whole@v9")
    assert "check the name and the revision" in str(caught.value)


def test_what_does_not_count_is_neither_fetched_nor_hashed() -> None:
    assert held("o/more") == set(WHOLE)
    model, plain = resolve_model("o/more"), resolve_model("o/whole")
    for file, content in BESIDE.items():
        # Another program fetched the rest into the same folder.
        (model.path / file).parent.mkdir(exist_ok=True)
        (model.path / file).write_bytes(content)
    assert model.identity == plain.identity


def test_pickles_alone_are_said_to_be_the_reason() -> None:
    with pytest.raises(
        UserError, match=r"repository 'o/pickled' holds its weights as pytorch_model\.bin only"
    ) as caught:
        resolve_model("o/pickled")
    assert "safetensors" in str(caught.value)


def test_a_folder_with_pickles_alone_says_so_too(tmp_path: Path) -> None:
    for file, content in REPOSITORIES["o/pickled"]["main"].items():
        (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=r"holds its weights as pytorch_model\.bin only"):
        resolve_model(str(tmp_path))


@pytest.mark.parametrize(("name", "gguf"), [("o/quantised", "m.Q4_K_M.gguf"), ("o/odd", "a.IQ2.gguf")])
def test_of_several_quantisations_one_is_taken(name: str, gguf: str) -> None:
    assert held(name) == {"config.json", gguf}
    assert resolve_model(name).gguf == gguf


def test_what_was_fetched_serves_without_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [resolve_model(name) for name in ("o/whole", "o/more", "o/quantised", "o/whole@v2")]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert [resolve_model(model.name) for model in before] == before
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    # A hub that cannot be reached, as on a train.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert resolve_model("o/whole") == before[0]
