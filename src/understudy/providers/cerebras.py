"""Cerebras Inference.

It answers 400 to both penalties, `logit_bias`, `parallel_tool_calls` and `service_tier`; it knows no developer role.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat

PROVIDER = Provider(
    title="Cerebras",
    base_url="https://api.cerebras.ai/v1",
    wires=(
        openai_chat(
            quirks=Quirks(
                max_tokens_field="max_completion_tokens",
                drop=("frequency_penalty", "logit_bias", "parallel_tool_calls", "presence_penalty", "service_tier"),
                roles=(("developer", "system"),),
                cache_marks=False,
                reasoning_field="reasoning",
            )
        ),
    ),
    key_env="CEREBRAS_API_KEY",
    model="gpt-oss-120b",
    lists="/models",
)
