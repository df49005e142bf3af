"""DeepSeek.

Its thinking models take their own thoughts back as `reasoning_content`; `deepseek-reasoner` answers 400 to log probabilities.
"""

from dataclasses import replace

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat

_QUIRKS = Quirks(
    max_tokens_field="max_tokens",
    roles=(("developer", "system"),),
    cache_marks=False,
    reasoning_field="reasoning_content",
)

PROVIDER = Provider(
    title="DeepSeek",
    base_url="https://api.deepseek.com/v1",
    wires=(
        # api-docs.deepseek.com/guides/reasoning_model: "Not Supported Parameters"
        openai_chat(
            quirks=_QUIRKS, models=((r"deepseek-reasoner", replace(_QUIRKS, drop=("logprobs", "top_logprobs"))),)
        ),
    ),
    key_env="DEEPSEEK_API_KEY",
    model="deepseek-chat",
)
