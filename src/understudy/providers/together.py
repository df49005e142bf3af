"""Together AI."""

from understudy.providers import COMPATIBLE, Provider, openai_chat, openai_embeddings

PROVIDER = Provider(
    title="Together AI",
    base_url="https://api.together.xyz/v1",
    wires=(openai_chat(quirks=COMPATIBLE), openai_embeddings()),
    key_env="TOGETHER_API_KEY",
    lists="/models",
)
