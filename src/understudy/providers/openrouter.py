"""OpenRouter.

It takes cache marks and hands them to the providers behind it; without a `model` of your own it chooses one (`openrouter/auto`).
In Responses it keeps nothing between requests.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_embeddings, openai_responses

PROVIDER = Provider(
    title="OpenRouter",
    base_url="https://openrouter.ai/api/v1",
    wires=(
        openai_chat(
            quirks=Quirks(max_tokens_field="max_tokens", reasoning_field="reasoning"),
            pass_on=(b"http-referer", b"x-title"),
        ),
        openai_responses(pass_on=(b"http-referer", b"x-title")),
        openai_embeddings(pass_on=(b"http-referer", b"x-title")),
    ),
    key_env="OPENROUTER_API_KEY",
    model="openrouter/auto",
    lacks=("stored",),
    lists="/models",
)
