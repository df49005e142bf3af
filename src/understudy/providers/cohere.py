"""Cohere, in its own format; its endpoint for OpenAI clients is a second one, which callers of Chat Completions reach untouched.

That endpoint knows no alternatives, no sound and no biases, and not whether tools may be called in parallel
(docs.cohere.com/docs/compatibility-api, "Unsupported parameters"): those fields are dropped, and reported. So is `thinking` for the
models before Command A Reasoning, Cohere's first one that thinks (docs.cohere.com/docs/reasoning).
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, cohere_chat, cohere_embed, openai_chat

PROVIDER = Provider(
    title="Cohere",
    base_url="https://api.cohere.com",
    wires=(
        cohere_chat(models=((r"command-(a-03-2025|a-(translate|vision)-.*|light.*|r.*)|command", Quirks(drop=("thinking",))),)),
        openai_chat(
            path="/compatibility/v1/chat/completions",
            unversioned=True,
            quirks=Quirks(
                max_tokens_field="max_tokens",
                drop=(
                    "audio", "logit_bias", "metadata", "modalities", "parallel_tool_calls", "prediction", "service_tier",
                    "store", "top_logprobs",
                ),
                roles=(("developer", "system"),),
                cache_marks=False,
            ),
        ),
        cohere_embed(),
    ),
    key_env="CO_API_KEY",
    model="command-a-03-2025",
    lacks=("audio", "many", "video"),
    also_at=("/compatibility/v1",),
    lists="/v1/models",
)  # fmt: skip
