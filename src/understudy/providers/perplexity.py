"""Perplexity's Sonar models, which search before they answer.

They offer no tools, and their streams end without `[DONE]`; the usage stands on chunks with content.
"""

from understudy.providers import COMPATIBLE, Provider, openai_chat

PROVIDER = Provider(
    title="Perplexity",
    base_url="https://api.perplexity.ai",
    wires=(openai_chat(quirks=COMPATIBLE),),
    key_env="PERPLEXITY_API_KEY",
    model="sonar",
    lacks=("tools",),
)
