"""OpenAI, at its own address.

Its reasoning models refuse `max_tokens`, and every model takes `max_completion_tokens`; cache marks are not part of its format.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_embeddings

PROVIDER = Provider(
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    wires=(
        openai_chat(
            quirks=Quirks(max_tokens_field="max_completion_tokens", cache_marks=False),
            pass_on=(b"openai-*", b"x-client-request-id"),
        ),
        openai_embeddings(quirks=Quirks(drop=("input_type",)), pass_on=(b"openai-*", b"x-client-request-id")),
    ),
    key_env="OPENAI_API_KEY",
    model="gpt-5.1",
)
