"""vLLM inside this process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.answers.provider_reasons import prompt_reason
from harness.llm.backend import Completion, RequestFailed
from harness.llm.retry_rules import SHORTER


class VLLMEngine:
    """``vllm.LLM`` with `options`; `body` gives a request's parameters as the server's protocol has them."""

    def __init__(self, options: Mapping[str, Any], body: Callable[[Request], dict[str, Any]], remedy: str) -> None:
        try:
            from vllm import LLM
        except ImportError as error:
            raise UserError(f"vLLM does not import here: {error}", key="mode", remedy=remedy) from error
        self._body = body
        try:
            self._llm = LLM(**options)
        except (RuntimeError, ValueError, OSError) as error:
            raise UserError(f"vLLM does not start: {error}", remedy="its own messages above say more") from error

    def close(self) -> None:
        # Versions differ in where this is; its process ends with the object too.
        with contextlib.suppress(AttributeError):
            self._llm.llm_engine.engine_core.shutdown()
        del self._llm

    def complete(self, requests: list[Request]) -> list[Completion]:
        start = time.monotonic()
        bodies = [self._body(request) for request in requests]
        messages = [[{"role": role, "content": content} for role, content in request.messages] for request in requests]
        template = bodies[0].get("chat_template_kwargs")
        try:
            outputs = self._llm.chat(
                messages, [_sampling(body) for body in bodies], use_tqdm=False, chat_template_kwargs=template
            )
        except ValueError as error:
            # A prompt that is longer than the model's context.
            if (reason := prompt_reason(400, str(error))) is None:
                raise
            raise RequestFailed(f"vLLM refuses: {error}", remedy=SHORTER, reason=reason) from error
        seconds = (time.monotonic() - start) / len(requests)
        return [_completion(output, seconds) for output in outputs]


def _sampling(body: Mapping[str, Any]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    held = body.get("structured_outputs")
    return SamplingParams(
        temperature=body["temperature"],
        top_p=body["top_p"],
        seed=body.get("seed"),
        max_tokens=body["max_tokens"],
        structured_outputs=StructuredOutputsParams(**held) if held else None,
        extra_args=body.get("vllm_xargs"),
    )


def _completion(output: Any, seconds: float) -> Completion:
    (said,) = output.outputs
    finish: Literal["stop", "length"] = "length" if said.finish_reason == "length" else "stop"
    return Completion(
        text=said.text,
        finish=finish,
        input_tokens=len(output.prompt_token_ids),
        cached_tokens=output.num_cached_tokens or 0,
        output_tokens=len(said.token_ids),
        seconds=seconds,
    )
