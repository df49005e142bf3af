"""Fireworks AI."""

from understudy.providers import COMPATIBLE, Provider, openai_chat

PROVIDER = Provider(
    title="Fireworks AI",
    base_url="https://api.fireworks.ai/inference/v1",
    wires=(openai_chat(quirks=COMPATIBLE),),
    key_env="FIREWORKS_API_KEY",
)
