"""Where a run was made: hardware, system, library versions, state of the source; as ir_metadata's platform and
implementation."""

from __future__ import annotations

import os
import platform as system
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from harness._version import __version__
from harness.device import cpu_model
from harness.published.card_section import Free

LIBRARIES = (
    "accelerate",
    "bm25s",
    "faiss-cpu",
    "gguf",
    "ir-datasets",
    "litellm",
    "numpy",
    "pyarrow",
    "pyserini",
    "ray",
    "scipy",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
    "vllm",
)
TOOLKITS = ("bm25s", "faiss-cpu", "pyserini", "sentence-transformers")
"""Of these the retrieval toolkits."""


@cache
def platform() -> Free:
    """ir_metadata's platform of this process; the GPU is named when torch is loaded already."""
    return {
        "hardware": {"cpu": _cpu(), "ram": _memory(), **_gpu()},
        "operating system": {
            "kernel": f"{system.system()} {system.release().partition('-')[0]}",
            "distribution": _distribution(),
        },
        "software": {
            "libraries": {"python": [f"python=={system.python_version()}", *_libraries(LIBRARIES)]},
            "retrieval toolkit": [*_libraries(TOOLKITS)],
        },
    }


@cache
def implementation(command: str = "") -> Free:
    """ir_metadata's implementation: `command` as people would type it, and the commit of the harness where it runs from
    a checkout."""
    source: Free = {"lang": ["python"], "package": f"distil-harness=={__version__}", **_git()}
    return {"executable": {"cmd": command}, "source": source} if command else {"source": source}


def _cpu() -> Free:
    mode = f"{sys.maxsize.bit_length() + 1}-bit"
    return {
        "model": cpu_model(),
        "architecture": system.machine(),
        "operation mode": mode,
        "number of cores": os.cpu_count(),
    }


def _memory() -> str:

    return f"{round(psutil.virtual_memory().total / 1e9)} GB"


def _gpu() -> Free:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    about = torch.cuda.get_device_properties(0)
    memory = f"{round(about.total_memory / 1e9)} GB"
    return {
        "gpu": {
            "model": about.name,
            "architecture": f"sm_{about.major}{about.minor}",
            "ram": memory,
            "count": torch.cuda.device_count(),
        }
    }


def _distribution() -> str:
    try:
        return system.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return system.platform()


def _libraries(names: tuple[str, ...]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return found


def _git() -> Free:
    commit = _git_says("rev-parse", "HEAD")
    if not commit:
        return {}
    repository = public_address(_git_says("config", "--get", "remote.origin.url"))
    known = {"repository": repository} if repository else {}
    return {
        **known,
        "commit": commit,
        "changed since": bool(_git_says("status", "--porcelain", "--untracked-files=no")),
    }


def public_address(remote: str) -> str:
    """The address of a repository for others, without names and passwords; empty for one that is on this machine."""
    if "://" not in remote:
        host, colon, path = remote.rpartition("@")[2].partition(":")
        remote = f"https://{host}/{path}" if colon and "/" not in host else ""
    parts = urlsplit(remote)
    if parts.scheme not in ("https", "http", "ssh", "git") or not parts.hostname or "." not in parts.hostname:
        return ""
    return f"https://{parts.hostname}{parts.path.removesuffix('.git')}"


def _git_says(*arguments: str) -> str:
    """What git answers in the harness's own checkout; empty where there is none."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
