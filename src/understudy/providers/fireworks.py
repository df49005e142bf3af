"""Fireworks AI."""

from understudy.providers import COMPATIBLE, Provider, openai_chat, openai_embeddings

PROVIDER = Provider(
    title="Fireworks AI",
    base_url="https://api.fireworks.ai/inference/v1",
    wires=(openai_chat(quirks=COMPATIBLE), openai_embeddings()),
    key_env="FIREWORKS_API_KEY",
    lists="/models",
)
