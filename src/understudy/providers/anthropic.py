"""Anthropic, at its own address.

The caller's `anthropic-version` and `anthropic-beta` go along; without one the version is 2023-06-01.
"""

from understudy.providers import Provider, anthropic_count_tokens, anthropic_messages

PROVIDER = Provider(
    title="Anthropic",
    base_url="https://api.anthropic.com",
    wires=(anthropic_messages(), anthropic_count_tokens()),
    key_env="ANTHROPIC_API_KEY",
    model="claude-sonnet-4-5",
)
