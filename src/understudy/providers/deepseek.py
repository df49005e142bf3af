"""DeepSeek.

Its thinking models take their own thoughts back as `reasoning_content`.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat

PROVIDER = Provider(
    title="DeepSeek",
    base_url="https://api.deepseek.com/v1",
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
    key_env="DEEPSEEK_API_KEY",
    model="deepseek-chat",
)
