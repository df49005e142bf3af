"""xAI.

It speaks Chat Completions and Responses. Reasoning text is `reasoning_content` both ways; reasoning tokens are counted beside the completion tokens, not inside. From
Grok 4 on its models answer 400 to both penalties, those that think also to `stop`, and most of them to `reasoning_effort`.
"""

from dataclasses import replace

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_responses

_QUIRKS = Quirks(
    max_tokens_field="max_tokens",
    roles=(("developer", "system"),),
    cache_marks=False,
    reasoning_field="reasoning_content",
)
_PENALTIES = ("frequency_penalty", "presence_penalty")

# docs.x.ai/docs/guides/reasoning; who takes an effort was tried model by model in NousResearch/hermes-agent#23435, and the
# penalties in miaoxworld/NativeTavern#83.
_MODELS = (
    (r"grok-3-mini.*", replace(_QUIRKS, drop=(*_PENALTIES, "stop"), efforts=("low", "high"))),
    (r"grok-4\.([3-9]|20-multi-agent)(-.*)?", replace(_QUIRKS, drop=(*_PENALTIES, "stop"))),
    (r"grok-.*non-reasoning.*", replace(_QUIRKS, drop=(*_PENALTIES, "reasoning_effort"))),
    (r"grok-(4|code).*", replace(_QUIRKS, drop=(*_PENALTIES, "reasoning_effort", "stop"))),
    (r"grok-[123](-.*)?", replace(_QUIRKS, drop=("reasoning_effort",))),
)

# Recorded: encrypted thinking that is plain base64, never OpenAI's. Kept unless told otherwise, as at OpenAI.
_RESPONSES = Quirks(
    roles=(("developer", "system"),),
    seals=r"(?!gAAAA|rsn_).+",
    translated=(("store", False), ("include", ("reasoning.encrypted_content",))),
)


def _in_responses(quirks: Quirks) -> Quirks:
    thinks = "reasoning_effort" not in quirks.drop
    return replace(_RESPONSES, drop=() if thinks else ("reasoning",), efforts=quirks.efforts)


PROVIDER = Provider(
    title="xAI",
    base_url="https://api.x.ai/v1",
    wires=(
        openai_chat(quirks=_QUIRKS, models=_MODELS),
        openai_responses(
            quirks=_RESPONSES, models=tuple((pattern, _in_responses(quirks)) for pattern, quirks in _MODELS)
        ),
    ),
    key_env="XAI_API_KEY",
    model="grok-4.3",
    lists="/models",
)
