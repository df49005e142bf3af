"""Groq.

It answers 400 to `logprobs`, `top_logprobs` and `logit_bias`, to more than one alternative (`n`), and, from models that do not
think, to `reasoning_effort`. In Responses it keeps nothing between requests, and does not know the fields about keeping.
"""

from dataclasses import replace

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_responses

_QUIRKS = Quirks(
    drop=("logit_bias", "logprobs", "store", "top_logprobs"),
    roles=(("developer", "system"),),
    cache_marks=False,
)

# console.groq.com/docs/reasoning: an effort is for models that think. Recorded: gpt-oss with `high`, qwen3 with `none`.
_MODELS = (
    (r"openai/gpt-oss-.*", replace(_QUIRKS, efforts=("low", "medium", "high"))),
    (r"qwen/.*", _QUIRKS),
    (r".*", replace(_QUIRKS, drop=("logit_bias", "logprobs", "reasoning_effort", "store", "top_logprobs"))),
)

# console.groq.com/docs/responses-api, "Unsupported Features"
_RESPONSES = Quirks(
    drop=("include", "prompt_cache_key", "safety_identifier", "store", "truncation"),
    roles=(("developer", "system"),),
)

PROVIDER = Provider(
    title="Groq",
    base_url="https://api.groq.com/openai/v1",
    wires=(
        openai_chat(quirks=_QUIRKS, models=_MODELS),
        openai_responses(
            quirks=_RESPONSES,
            models=(
                (r"openai/gpt-oss-.*", replace(_RESPONSES, efforts=("low", "medium", "high"))),
                (r"qwen/.*", _RESPONSES),
                (r".*", replace(_RESPONSES, drop=tuple(sorted((*_RESPONSES.drop, "reasoning"))))),
            ),
        ),
    ),
    key_env="GROQ_API_KEY",
    model="openai/gpt-oss-120b",
    lacks=("logprobs", "many", "stored"),
    lists="/models",
)
