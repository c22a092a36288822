"""Runs inside vLLM: holds answers to a permutation, which vLLM's own structured outputs cannot do for more than a few
passages."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from transformers import AutoTokenizer
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from .permutation import Guide, Permutation, vocabulary


class Guided(AdapterLogitsProcessor):  # type: ignore[misc]
    """Requests that carry ``permutation: n`` among their extra arguments are answered by a permutation of 1 to n."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        model = vllm_config.model_config
        self._tokenizer = AutoTokenizer.from_pretrained(model.tokenizer, revision=model.tokenizer_revision)
        self._guide = lru_cache(64)(self._processor)

    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: Any) -> Any:
        count = (params.extra_args or {}).get("permutation")
        if not count:
            return None
        guide = self._guide(int(count), frozenset(params.all_stop_token_ids) | {self._tokenizer.eos_token_id})

        def held(answered: list[int], logits: torch.Tensor) -> torch.Tensor:
            allowed = torch.tensor(guide.allowed(answered), device=logits.device)
            return torch.full_like(logits, float("-inf")).index_copy_(0, allowed, logits[allowed])

        return held

    def _processor(self, count: int, ends: frozenset[int]) -> Guide:
        return Guide(Permutation(count), vocabulary(self._tokenizer, ends))
