"""`harness doctor FILE` against servers that answer, and some that do not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.ledger.ledger import Ledger
from tests.baselines.small import write_collection
from tests.calling import call
from tests.llm.habits import Answer, Asked, answering, good, refuses
from tests.llm.test_server_process import fake, left, mark
from tests.teachers.conftest import tiny

__all__ = ["fake", "mark", "tiny"]
pytestmark = pytest.mark.models
PRICE = {"input": 1.0, "output": 2.0}
NAMED = [{"id": "test", "max_model_len": 8192}]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)


@pytest.fixture
def tiny_copy(tiny: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny, tmp_path / "model")
    return tmp_path / "model"


def sweep(home: Path, **teachers: dict[str, Any]) -> Path:
    write_collection(home / "data")
    file = home / "sweep.yaml"
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}},
        "candidates": {"engine": "bm25s", "depth": 4, "training_queries": ["train"]},
        "teachers": teachers,
        "methods": ["direct"],
        "budgets": [4],
        "evaluate": {"metrics": ["nDCG@10"]},
    }
    file.write_text(yaml.safe_dump(content))
    return file


def api(address: str, **settings: Any) -> dict[str, Any]:
    return {"kind": "litellm", "model": "openai/test", "api_base": address, "price": PRICE, **settings}


def checked(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """Exit code and the checks by name."""
    code = call(monkeypatch, "doctor", str(file), "--workspace", str(file.parent / "workspace"), "--json")
    return code, {row["name"]: row for row in json.loads(capsys.readouterr().out)["checks"]}


def test_a_teacher_that_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(good, NAMED) as server:
        file = sweep(tmp_path, gpt=api(f"{server.url}/v1"))
        code, checks = checked(file, monkeypatch, capsys)
        assert checked(file, monkeypatch, capsys)[0] == code == 0

    assert list(checks) == [f"gpt: {what}" for what in ("ready", "address", "model", "price", "context", "question")]
    assert checks["gpt: price"]["detail"] == "1 USD in, 2 USD out per million tokens"
    assert "8,192 fit" in checks["gpt: context"]["detail"]
    assert len(server.asked) == 2, "a new question each time"
    assert len(Ledger(tmp_path / "workspace" / "ledger.sqlite")) == 2, "what was paid is in the ledger"


def test_a_password_in_an_address_is_seen_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def echo(asked: Asked) -> Answer:
        return refuses("who is someone:pass-w0rd with sk-not-a-key?", status=401)

    with answering(echo, NAMED) as server:
        address = f"{server.url}/v1".replace("://", "://someone:pass-w0rd@")
        code, checks = checked(sweep(tmp_path, gpt=api(address)), monkeypatch, capsys)

    assert code == 1 and checks["gpt: address"]["ok"] and not checks["gpt: question"]["ok"]
    assert not any(secret in json.dumps(checks) for secret in ("pass-w0rd", "sk-not-a-key"))


def prose(asked: Asked) -> Answer:
    status, body = good(asked)
    body["choices"][0]["message"]["content"] = "All of them are interesting."
    return status, body


@pytest.mark.parametrize(
    ("answer", "models", "settings", "failed", "words"),
    [
        (prose, NAMED, {}, "question", "All of them are interesting"),
        (lambda asked: refuses("no such model", status=404), [{"id": "tset"}], {}, "model", "tset"),
        (good, [{"id": "test", "max_model_len": 300}], {}, "context", "max_passage_words"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    answer: Any,
    models: Any,
    settings: dict[str, Any],
    failed: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with answering(answer, models) as server:
        code, checks = checked(sweep(tmp_path, gpt=api(f"{server.url}/v1", **settings)), monkeypatch, capsys)

    row = checks[f"gpt: {failed}"]
    assert (code, row["ok"]) == (1, False)
    assert words in row["detail"] + row["remedy"]
    assert all(row["ok"] or row["remedy"] for row in checks.values())


def test_a_server_that_is_not_there_and_a_key_that_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = {"kind": "litellm", "model": "mistral/mistral-small-latest"}
    file = sweep(tmp_path, here=api("http://127.0.0.1:9/v1"), there=absent)
    code, checks = checked(file, monkeypatch, capsys)

    assert code == 1
    assert not checks["here: address"]["ok"] and "127.0.0.1:9" in checks["here: address"]["detail"]
    assert "MISTRAL_API_KEY" in checks["there: ready"]["detail"]
    assert "here: question" not in checks

    assert call(monkeypatch, "plan", str(file), "--workspace", str(tmp_path / "workspace"), "--json") == 0
    assert "MISTRAL_API_KEY" in " ".join(json.loads(capsys.readouterr().out)["notices"])


def test_a_local_model_is_asked_too(
    tiny_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny_copy / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }} {% endfor %}")
    file = sweep(tmp_path, own={"kind": "transformers", "model": str(tiny_copy), "guided": True})
    _, checks = checked(file, monkeypatch, capsys)

    assert list(checks) == [f"own: {what}" for what in ("ready", "price", "context", "question")]
    assert checks["own: price"]["detail"] == "costs nothing"
    assert "answered in the asked form" in checks["own: question"]["detail"]


def test_a_vllm_of_ones_own_is_started_and_asked_one_question(
    tiny_copy: Path,
    fake: Path,
    mark: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = {"kind": "vllm", "model": str(tiny_copy), "command": str(fake), "startup_timeout": 60}
    code, checks = checked(sweep(tmp_path, own=own), monkeypatch, capsys)
    assert code == 0 and checks["own: question"]["ok"], checks
    assert "answered in the asked form (ok" in checks["own: question"]["detail"]
    assert "started for that" in checks["own: question"]["detail"] and left(mark) == []

    monkeypatch.setenv("FAKE", "dies")
    code, checks = checked(tmp_path / "sweep.yaml", monkeypatch, capsys)
    assert code == 1 and "no memory for that" in checks["own: question"]["detail"]


def test_a_vllm_that_is_not_installed_says_what_to_do(
    tiny_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"kind": "vllm", "model": str(tiny_copy), "command": "no-such-vllm"}
    code, checks = checked(sweep(tmp_path, own=own), monkeypatch, capsys)
    assert code == 1 and list(checks) == ["own: ready"]
    assert "there is no command 'no-such-vllm'" in checks["own: ready"]["detail"] and checks["own: ready"]["remedy"]
