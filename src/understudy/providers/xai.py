"""xAI.

Reasoning text is `reasoning_content` both ways; reasoning tokens are counted beside the completion tokens, not inside.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat

PROVIDER = Provider(
    title="xAI",
    base_url="https://api.x.ai/v1",
    wires=(
        openai_chat(
            quirks=Quirks(
                max_tokens_field="max_tokens",
                roles=(("developer", "system"),),
                cache_marks=False,
                reasoning_field="reasoning_content",
            )
        ),
    ),
    key_env="XAI_API_KEY",
    model="grok-4.3",
)
