"""What providers and servers say when they do not answer, in their own words: wait, stop, or go on without this
query."""

from __future__ import annotations

import json

import pytest

from harness.llm.backend import FatalProviderError
from harness.llm.retry_rules import TransientError, failure

WAIT, STOP, LONG, REFUSED, NONE = "wait", "stop", "too long", "refused", "no answer"


def said(message: str, code: object = None, **more: object) -> str:
    """OpenAI's form of an error."""
    return json.dumps({"error": {"message": message, "code": code, **more}})


Words = tuple[int, str | dict[str, object] | list[object], str]
SAID: dict[str, Words] = {
    "openai tpm ms": (
        429,
        said(
            "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used "
            "29800, Requested 500. Please try again in 600ms. Visit "
            "https://platform.openai.com/account/rate-limits to learn more.",
            "rate_limit_exceeded",
            type="tokens",
        ),
        WAIT,
    ),
    "openai rpd": (
        429,
        said(
            "Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200, Requested 1. "
            "Please try again in 7m12s.",
            "rate_limit_exceeded",
        ),
        WAIT,
    ),
    "anthropic no header": (
        429,
        {
            "type": "error",
            "error": {
                "type": "rate_limit_error",
                "message": (
                    "Number of request tokens has exceeded your per-minute rate limit "
                    "(https://docs.claude.com/en/api/rate-limits); see the response headers for current usage."
                ),
            },
        },
        WAIT,
    ),
    "anthropic overloaded": (
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        WAIT,
    ),
    "anthropic credit": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": (
                    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to "
                    "upgrade or purchase credits."
                ),
            },
        },
        STOP,
    ),
    "anthropic api usage limits": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": (
                    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at "
                    "00:00 UTC."
                ),
            },
        },
        STOP,
    ),
    "azure": (
        429,
        {
            "error": {
                "code": "429",
                "message": (
                    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 "
                    "have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 24 "
                    "seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further "
                    "increase the default rate limit."
                ),
            }
        },
        WAIT,
    ),
    "azure token rate": (
        429,
        {
            "error": {
                "code": "429",
                "message": (
                    "Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your "
                    "current AIServices S0 pricing tier. Please retry after 1 minute. To increase your default rate "
                    "limit..."
                ),
            }
        },
        WAIT,
    ),
    "gemini min": (
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": (
                        "You exceeded your current quota, please check your plan and billing details. For more "
                        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. \n* "
                        "Quota exceeded for metric: "
                        "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10\nPlease "
                        "retry in 33.4s."
                    ),
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [
                        {
                            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                            "violations": [
                                {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "10"}
                            ],
                        },
                        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"},
                    ],
                }
            }
        ],
        WAIT,
    ),
    "gemini day": (
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [
                        {
                            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                            "violations": [
                                {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}
                            ],
                        },
                        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33s"},
                    ],
                }
            }
        ],
        STOP,
    ),
    "vertex": (
        429,
        {
            "error": {
                "code": 429,
                "message": (
                    "Resource exhausted. Please try again later. Please refer to "
                    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
                ),
                "status": "RESOURCE_EXHAUSTED",
            }
        },
        WAIT,
    ),
    "groq day": (
        429,
        said(
            "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99000, Requested "
            "3000. Please try again in 28m48s. Need more tokens? Upgrade at "
            "https://console.groq.com/settings/billing",
            "rate_limit_exceeded",
        ),
        STOP,
    ),
    "together": (
        429,
        said(
            "You have reached the rate limit specific to this model. The maximum rate limit for this model "
            "is 0.6 queries and 100000 tokens per minute. This limit differs from the general rate limits "
            "published at Together AI rate limits documentation.",
            "model_rate_limit",
        ),
        WAIT,
    ),
    "together credit": (
        402,
        said("Credit limit exceeded, please navigate to https://api.together.ai/settings/billing to upgrade."),
        STOP,
    ),
    "openrouter credit": (
        402,
        said(
            "This request requires more credits, or fewer max_tokens. You requested up to 8000 tokens, but "
            "can only afford 300.",
            402,
        ),
        STOP,
    ),
    "openrouter free day": (
        429,
        said(
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
            429,
            metadata={
                "headers": {
                    "X-RateLimit-Limit": "50",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": "1741305600000",
                }
            },
        ),
        STOP,
    ),
    "openrouter free min": (429, said("Rate limit exceeded: free-models-per-min. ", 429), WAIT),
    "xai credits": (
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": (
                "Your team 1234 has either used all available credits or reached its monthly spending limit. To "
                "continue making API requests, please purchase more credits or raise your spending limit."
            ),
        },
        STOP,
    ),
    "xai credits 429": (
        429,
        {
            "code": "Some resource has been exhausted",
            "error": (
                "Your team 1234 has either used all available credits or reached its monthly spending limit. To "
                "continue making API requests, please purchase more credits or raise your spending limit."
            ),
        },
        STOP,
    ),
    "moonshot": (
        429,
        said(
            "Your account org-x<ak-x> is suspended, please check your plan and billing details",
            type="exceeded_current_quota_error",
        ),
        STOP,
    ),
    "moonshot rpm": (
        429,
        said("Your account reached max request: 3, please try again after 1 seconds", type="rate_limit_reached_error"),
        WAIT,
    ),
    "zhipu": (429, said("余额不足或无可用资源包,请充值。", "1113"), STOP),
    "zhipu en": (429, said("Insufficient balance or no resource package. Please recharge.", "1113"), STOP),
    "zhipu concurrency": (429, said("您当前使用该API的并发数过高，请降低并发", "1302"), WAIT),
    "qwen arrears": (
        400,
        said("Access denied, please make sure your account is in good standing.", "Arrearage", type="Arrearage"),
        STOP,
    ),
    "qwen throttle": (429, said("Requests rate limit exceeded, please try again later.", "limit_requests"), WAIT),
    "qwen quota": (
        429,
        said("Allocated quota exceeded, please increase your quota limit.", "insufficient_quota"),
        STOP,
    ),
    "volc overdue": (
        403,
        said(
            "The request failed because your account has an overdue balance.", "AccountOverdueError", type="Forbidden"
        ),
        STOP,
    ),
    "mistral": (
        429,
        {
            "object": "error",
            "message": "Requests rate limit exceeded",
            "type": "rate_limited",
            "param": None,
            "code": "1300",
        },
        WAIT,
    ),
    "mistral tier": (
        429,
        {
            "object": "error",
            "message": "Service tier capacity exceeded for this model.",
            "type": "service_tier_capacity_exceeded",
            "param": None,
            "code": "3505",
        },
        WAIT,
    ),
    "mistral monthly": (401, {"message": "Unauthorized", "request_id": "1"}, STOP),
    "cohere trial": (
        429,
        {
            "message": (
                "You are using a Trial key, which is limited to 10 API calls / minute. You can continue to use "
                "the Trial key for free or upgrade to a Production key with higher rate limits at "
                "'https://dashboard.cohere.com/api-keys'. Contact us on 'https://discord.gg/XW44jPfYJu' or "
                "email us at support@cohere.com with any questions"
            )
        },
        WAIT,
    ),
    "deepseek": (402, said("Insufficient Balance", "invalid_request_error"), STOP),
    "deepinfra": (
        402,
        {"detail": {"error": "inference prohibited, please enter a payment method in Dashboard/Billing"}},
        STOP,
    ),
    "fireworks": (
        412,
        {
            "error": {
                "object": "error",
                "type": "invalid_request_error",
                "message": (
                    "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay "
                    "past invoices. Please go to https://fireworks.ai/account/billing for more information."
                ),
            }
        },
        STOP,
    ),
    "hf router": (
        402,
        {
            "error": (
                "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to "
                "get 20x more monthly included credits."
            )
        },
        STOP,
    ),
    "nvidia": (429, {"status": 429, "title": "Too Many Requests"}, WAIT),
    "nginx 503": (503, "<html><head><title>503 Service Temporarily Unavailable</title></head></html>", WAIT),
    "cf 524": (524, "error code: 524", WAIT),
    "cf 520": (520, "", WAIT),
    "cf 530": (530, "error code: 1033", WAIT),
    "hf loading": (503, {"error": "Model x is currently loading", "estimated_time": 20.0}, WAIT),
    "github models wait body": (
        429,
        said(
            "Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 34 seconds before retrying.",
            "RateLimitReached",
        ),
        WAIT,
    ),
    "bedrock throttle": (429, {"message": "Too many tokens, please wait before trying again."}, WAIT),
    "bedrock too many tokens per day": (
        429,
        {"message": "Too many tokens per day, please wait before trying again."},
        STOP,
    ),
    "litellm proxy budget": (
        400,
        said("Budget has been exceeded! Current cost: 11.2, Max budget: 10.0", 400, type="budget_exceeded"),
        STOP,
    ),
    "litellm proxy budget 429": (
        429,
        said("Budget has been exceeded! Current cost: 11.2, Max budget: 10.0", type="budget_exceeded"),
        STOP,
    ),
    "openai hard limit": (
        400,
        said("Billing hard limit has been reached", "billing_hard_limit_reached", type="invalid_request_error"),
        STOP,
    ),
    "openai deactivated": (
        403,
        said("Your account is not active, please check your billing details on our website.", "billing_not_active"),
        STOP,
    ),
    "openai region": (
        403,
        said("Country, region, or territory not supported", "unsupported_country_region_territory"),
        STOP,
    ),
    "ollama model": (404, {"error": 'model "llama9" not found, try pulling it first'}, STOP),
    "vllm long": (
        400,
        {
            "object": "error",
            "message": (
                "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 "
                "in the messages, 100 in the completion). Please reduce the length of the messages or "
                "completion."
            ),
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        LONG,
    ),
    "vllm new long": (
        400,
        {
            "error": {
                "message": (
                    "'max_tokens' or 'max_completion_tokens' is too large: 192. This model's maximum context length "
                    "is 2048 tokens and your request has 2000 input tokens (192 > 2048 - 2000)."
                ),
                "type": "BadRequestError",
                "code": 400,
            }
        },
        LONG,
    ),
    "sglang": (
        400,
        {
            "object": "error",
            "message": (
                "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested "
                "a total of 5000 tokens"
            ),
            "type": "BadRequestError",
            "code": 400,
        },
        LONG,
    ),
    "sglang2": (
        400,
        {
            "object": "error",
            "message": "The input (5003 tokens) is longer than the model's context length (4096 tokens).",
            "type": "BadRequestError",
            "code": 400,
        },
        LONG,
    ),
    "llamacpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "request (5034 tokens) exceeds the available context size (4096 tokens), try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5034,
                "n_ctx": 4096,
            }
        },
        LONG,
    ),
    "lmstudio": (
        400,
        {
            "error": (
                "Trying to keep the first 5034 tokens when context the overflows. However, the model is loaded "
                "with context length of only 4096 tokens, which is not enough."
            )
        },
        LONG,
    ),
    "tgi": (
        422,
        {
            "error": (
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 "
                "`inputs` tokens and 72 `max_new_tokens`"
            ),
            "error_type": "validation",
        },
        LONG,
    ),
    "gemini long": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count exceeds the maximum number of tokens allowed 1048576.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        LONG,
    ),
    "mistral long": (
        400,
        {
            "object": "error",
            "message": (
                "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
            ),
            "type": "invalid_request_prompt",
            "code": "3051",
        },
        LONG,
    ),
    "cohere long": (
        400,
        {
            "message": (
                "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5200. Try "
                "using a shorter prompt"
            )
        },
        LONG,
    ),
    "groq reduce": (
        413,
        said(
            "Request too large for model `llama` in organization `o` on tokens per minute (TPM): Limit "
            "6000, Requested 9000, please reduce your message size and try again. Need more tokens? Upgrade "
            "at https://console.groq.com/settings/billing",
            "rate_limit_exceeded",
        ),
        LONG,
    ),
    "groq length": (
        400,
        said("Please reduce the length of the messages or completion.", "context_length_exceeded"),
        LONG,
    ),
    "bedrock long": (400, {"message": "Input is too long for requested model."}, LONG),
    "bedrock long2": (
        400,
        {"message": "The model returned the following errors: prompt is too long: 208000 tokens > 200000 maximum"},
        LONG,
    ),
    "xai long": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        },
        LONG,
    ),
    "together long": (
        422,
        said("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000"),
        LONG,
    ),
    "qwen long": (400, said("Range of input length should be [1, 30720]", "invalid_parameter_error"), LONG),
    "zhipu long": (400, said("Prompt 超长", "1261"), LONG),
    "moonshot long": (
        400,
        said("Invalid request: Your request exceeded model token limit: 8192", type="invalid_request_error"),
        LONG,
    ),
    "deepinfra, too long": (
        400,
        {"detail": {"error": "Requested input length 40000 exceeds maximum input length 32768"}},
        LONG,
    ),
    "string above": (
        400,
        said(
            "Invalid 'messages[1].content': string too long. Expected a string with maximum length 1048576, "
            "but got a string with length 2000000 instead.",
            "string_above_max_length",
        ),
        LONG,
    ),
    "databricks": (
        400,
        {"error_code": "BAD_REQUEST", "message": '{"detail":"Requested tokens (9000) exceed context window of 8192"}'},
        LONG,
    ),
    "azure filter": (
        400,
        {
            "error": {
                "message": (
                    "The response was filtered due to the prompt triggering Azure OpenAI's content management "
                    "policy. Please modify your prompt and retry."
                ),
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        REFUSED,
    ),
    "openai policy": (
        400,
        said("This request has been flagged for potentially high-risk cyber activity.", "invalid_prompt"),
        REFUSED,
    ),
    "qwen inspection": (400, said("Output data may contain inappropriate content.", "data_inspection_failed"), REFUSED),
    "zhipu sensitive": (
        400,
        said(
            "系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语，感谢您的配合。",
            "1301",
            contentFilter=[{"level": 1, "role": "user"}],
        ),
        REFUSED,
    ),
    "moonshot risk": (
        400,
        said("The request was rejected because it was considered high risk", "content_filter", type="content_filter"),
        REFUSED,
    ),
    "volc sensitive": (
        400,
        said(
            "The request failed because the input text may contain sensitive information.",
            "InputTextSensitiveContentDetected",
        ),
        REFUSED,
    ),
    "anthropic refuse": (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
        },
        REFUSED,
    ),
    "openrouter mod": (
        403,
        said(
            'meta-llama requires moderation on OpenInference. Your input was flagged for "harassment". No '
            "credits were charged.",
            403,
            metadata={"reasons": ["harassment"], "flagged_input": "..."},
        ),
        REFUSED,
    ),
    "xai safety": (
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO",
        },
        REFUSED,
    ),
    "nebius/unknown 400": (400, "Bad Request", NONE),
    "json parse": (400, said("We could not parse the JSON body of your request."), NONE),
    "groq json_validate": (
        400,
        said(
            "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
            "json_validate_failed",
        ),
        NONE,
    ),
    "groq tool_use": (400, said("Failed to call a function. Please adjust your prompt.", "tool_use_failed"), NONE),
    "405": (405, "Method Not Allowed", STOP),
    "407": (407, "Proxy Authentication Required", STOP),
    "308": (308, "", STOP),
}


@pytest.mark.parametrize("case", SAID)
def test_what_a_provider_says_is_done(case: str) -> None:
    status, body, expected = SAID[case]

    found = failure(status, body if isinstance(body, str) else json.dumps(body), {}, "m")

    told = (
        WAIT if isinstance(found, TransientError) else STOP if isinstance(found, FatalProviderError) else found.reason
    )
    assert told == expected


def test_words_are_found_in_whatever_they_are_wrapped_in() -> None:
    nested = "[" * 3 + json.dumps({"detail": {"error": {"msg": "so it is"}}}) + "]" * 3
    deep = '{"message":' * 900 + '"x"' + "}" * 900

    assert "so it is" in str(failure(503, nested, {}, "m"))
    assert isinstance(failure(503, deep, {}, "m"), TransientError)
