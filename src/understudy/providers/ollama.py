"""Ollama, on this machine unless `base_url` says otherwise, with or without its `/v1`.

Callers of other formats than OpenAI's are translated into its own, which says more than its endpoint for OpenAI clients: `top_k`,
thinking on or off, and above all that a prompt longer than the model's window is to be refused. That endpoint, which callers of
Chat Completions reach untouched, cuts such a prompt without a word (`truncate` and `shift` of the server's api/types.go, since
0.12.6); it takes `max_tokens` and ignores `max_completion_tokens`. `api: ollama_chat` takes everybody through the first. Recent
versions also speak Messages (`api: anthropic_messages`) and Responses (`api: responses`).

How hard to think is told to gpt-oss only. Other models that think do so or do not: servers up to 0.12 at least answer 400 to a level
(`think value "medium" is not supported for this model`, ollama/ollama#12561).
"""

from __future__ import annotations

from dataclasses import replace

from understudy.core.conversation import Conversation, ReasoningSettings
from understudy.core.projection import LOSSY, Loss
from understudy.dialects import Quirks
from understudy.providers import (
    Auth,
    Provider,
    anthropic_messages,
    ollama_chat,
    openai_chat,
    openai_embeddings,
    openai_responses,
)


def thinking_on_or_off(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """A level is thinking that is on."""
    asked = conversation.settings.reasoning
    if asked is None or asked.effort is None:
        return conversation, ()
    settings = replace(conversation.settings, reasoning=ReasoningSettings(mode="enabled"))
    return replace(conversation, settings=settings), (Loss("reasoning.effort", LOSSY),)


PROVIDER = Provider(
    title="Ollama",
    base_url="http://127.0.0.1:11434/v1",
    wires=(
        ollama_chat(quirks=Quirks(rules=(thinking_on_or_off,)), models=((r"(.*/)?gpt-oss.*", Quirks()),)),
        openai_chat(
            path="/v1/chat/completions",
            quirks=Quirks(
                max_tokens_field="max_tokens",
                roles=(("developer", "system"),),
                cache_marks=False,
                reasoning_field="reasoning",
            ),
        ),
        anthropic_messages(path="/v1/messages", auth=Auth.BEARER, on_request=True),
        openai_responses(path="/v1/responses", on_request=True),
        openai_embeddings(path="/v1/embeddings"),
    ),
    key_required=False,
    local=True,
    also_at=("/api",),
    models_path="/api/tags",
)
