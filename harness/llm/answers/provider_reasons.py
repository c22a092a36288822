"""What a provider's refusal is about, by its own words: this prompt, or the account.

The words are those of OpenAI, Azure, Anthropic, Gemini, Mistral, DeepSeek, Groq, OpenRouter, Bedrock, Qwen, Zhipu,
Moonshot, xAI, LiteLLM's proxy, vLLM, SGLang, TGI, llama.cpp and Ollama. What is quoted at length out of the prompt does
not count.
"""

from __future__ import annotations

import re
from typing import Literal

FailureReason = Literal["too long", "refused", "no answer"]
"""Why a request has no answer and will have none: the prompt does not fit, the provider does not want to answer it, or
nothing that is an answer comes back."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_QUOTED = _any(r"\"[^\"\n]{60,}\"", r"'[^'\n]{60,}'", r"`[^`\n]{60,}`")
_TOO_LONG = _any(
    r"context[_ ](?:length|window|size|limit)",
    r"string_above_max_length|max_model_len|request_too_large|request[_ ](?:entity )?too[_ ]large",
    r"maximum (?:context|input|prompt|sequence)",
    r"(?:prompt|input|request|message|payload|content)s? (?:is|are|was|were) too (?:long|large)",
    r"too (?:many (?:input |prompt )?tokens|long|large for)",
    r"reduce the length|fewer (?:input )?tokens|less than \d+ (?:input )?tokens",
    r"exceed(?:s|ed)? (?:the )?(?:\w+ ){0,4}(?:token|input|context|length)",
    r"inputs?\W{0,2} tokens \+|range of (?:input|prompt) length|超长|过长|超出.{0,12}(?:长度|上下文)",
    r"token (?:count|limit)[^.]{0,80}exceed|length[^.]{0,40}exceed",
    r"(?:prompt|input)[^.]{0,60}longer than",
)
_REFUSED = _any(
    r"content[_ -]?(?:filter|management|policy|moderation|safety|inspection)|content exists risk",
    r"responsible ?ai|data_inspection_failed|inappropriate|moderation|flagged|prohibited|invalid_prompt",
    r"(?:safety|usage) (?:system|settings|polic|guidelines|reasons)",
    r"sensitive (?:content|information|words?)",
    r"(?:blocked|rejected)[^.]{0,60}(?:safety|polic|content|prompt)",
    r"(?:prompt|input|request)[^.]{0,40}(?:blocked|filtered)|敏感|不安全|违规",
)
_FLAGGED = _any("moderation", "flagged", "content[_ ](?:filter|policy|management)", "usage guidelines", "safety_check")
"""Words with which a 403 is about what was asked and not about who asks."""
_TOO_LARGE = _any("request too large", "too large for")
_MONEY = _any(
    r"insufficient[_ ](?:quota|balance|funds|credits?)|billing_(?:hard_limit_reached|not_active)",
    r"exceeded your current quota|credit balance is too low|payment required",
    r"account in good standing|\barrear|overdue balance",
    r"(?:used|exhausted) (?:up )?all (?:of )?(?:your |the )?(?:available )?credits",
    r"(?:monthly|your) spending limit|API usage limits",
    r"budget (?:has been )?exceeded|budget_exceeded|余额不足|欠费|充值",
)
_KEY = _any(
    r"api[ _]key (?:is )?(?:not valid|invalid|expired|missing)|api_key_invalid|invalid[_ ]api[_ ]key",
    r"incorrect api key|authentication[_ ]?(?:error|fail)|unauthenticated",
    r"organization (?:has been )?(?:disabled|restricted)",
)
_MODEL = _any(
    r"model_(?:not_found|decommissioned|not_available)|invalid[_ ]model|unknown model|model not (?:found|exist)",
    r"model\W[^.]{0,80}(?:does not exist|not exist|not found|has been (?:decommissioned|deprecated))",
    r"model\W[^.]{0,80}is not (?:available|supported)|not a valid model",
)


def prompt_reason(status: int, words: str) -> FailureReason | None:
    """Why the provider does not answer this prompt, where the HTTP `status` and its `words` say that it is the
    prompt."""
    clear = _QUOTED.sub("", words)
    if status in (400, 413, 422) or status >= 500:
        if status == 413 or _TOO_LONG.search(clear):
            return "too long"
        return "refused" if status < 500 and _REFUSED.search(clear) else None
    if status == 429:
        # The request alone takes more than a minute's limit, so waiting does not help.
        return "too long" if _TOO_LARGE.search(clear) else None
    return "refused" if status == 451 or (status == 403 and _FLAGGED.search(clear)) else None


def is_out_of_money(words: str) -> bool:
    """Whether `words` say that the account is empty, or that its owner lets it spend no more."""
    return _MONEY.search(_QUOTED.sub("", words)) is not None


def account_remedy(words: str) -> str | None:
    """What to do where `words` with an HTTP 400 are about the account or the model, not about the prompt; else
    None."""
    clear = _QUOTED.sub("", words)
    if is_out_of_money(words):
        return "top up the account, then run again"
    if _KEY.search(clear):
        return "check the API key in the environment (harness doctor shows which are set)"
    return "check the model's name and api_base" if _MODEL.search(clear) else None
