"""Google Gemini, in its own format; its endpoint for OpenAI clients is a second one.

Models before Gemini 3 think by a budget of tokens, the others by a level; the aliases that move on (`gemini-flash-latest`) get a budget,
which both take. A call in the history that no Gemini model signed passes with the signature that Google documents for that.

At the endpoint for OpenAI clients, it answers 400 to fields that it does not know: `store`, `seed`, both penalties and log probabilities are
dropped, and reported.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, gemini_embeddings, generate_content, openai_chat, openai_embeddings

# Levels by model: ai.google.dev/gemini-api/docs/thinking. Neither of them can be kept from thinking.
_LEVELS = ("low", "medium", "high")

PROVIDER = Provider(
    title="Google Gemini",
    base_url="https://generativelanguage.googleapis.com",
    wires=(
        generate_content(
            quirks=Quirks(budgets=True),
            models=(
                (r"gemini-3-pro.*", Quirks(adaptive=True, efforts=("low", "high"))),
                (r"gemini-3[^/]*-pro.*", Quirks(adaptive=True, efforts=_LEVELS)),
                (r"gemini-3.*", Quirks(adaptive=True, efforts=("minimal", *_LEVELS))),
            ),
        ),
        openai_chat(
            path="/v1beta/openai/chat/completions",
            quirks=Quirks(
                max_tokens_field="max_tokens",
                drop=(
                    "frequency_penalty", "logit_bias", "logprobs", "metadata", "presence_penalty", "prompt_cache_key",
                    "safety_identifier", "seed", "service_tier", "store", "top_logprobs", "verbosity",
                ),
                roles=(("developer", "system"),),
                cache_marks=False,
            ),
        ),
        openai_embeddings(path="/v1beta/openai/embeddings", quirks=Quirks(drop=("input_type",))),
        gemini_embeddings(),
    ),
    key_env="GEMINI_API_KEY",
    model="gemini-flash-latest",
    also_at=("/v1beta/openai",),
    model_prefix="models/",
    lists="/v1beta/models/{model}",
)  # fmt: skip
