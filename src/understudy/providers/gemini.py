"""Google Gemini, through its endpoint for OpenAI clients.

It answers 400 to fields that it does not know: `store`, `seed`, both penalties and log probabilities are dropped, and reported.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_embeddings

PROVIDER = Provider(
    title="Google Gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    wires=(
        openai_chat(
            quirks=Quirks(
                max_tokens_field="max_tokens",
                drop=(
                    "frequency_penalty", "logit_bias", "logprobs", "metadata", "presence_penalty", "prompt_cache_key",
                    "safety_identifier", "seed", "service_tier", "store", "top_logprobs", "verbosity",
                ),
                roles=(("developer", "system"),),
                cache_marks=False,
            )
        ),
        openai_embeddings(quirks=Quirks(drop=("input_type",))),
    ),
    key_env="GEMINI_API_KEY",
    model="gemini-flash-latest",
)  # fmt: skip
