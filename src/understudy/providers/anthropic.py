"""Anthropic, at its own address.

The caller's `anthropic-version` and `anthropic-beta` go along; without one the version is 2023-06-01. Models that think as they
like (Opus from 4.7 on, and everything of the fifth generation) get an effort for a budget, and no sampling.
"""

from understudy.providers import Provider, anthropic_count_tokens, anthropic_messages
from understudy.providers._anthropic_models import MODELS

PROVIDER = Provider(
    title="Anthropic",
    base_url="https://api.anthropic.com",
    wires=(anthropic_messages(models=MODELS), anthropic_count_tokens(models=MODELS)),
    key_env="ANTHROPIC_API_KEY",
    model="claude-sonnet-4-5",
    lists="/v1/models",
)
