"""Groq.

It answers 400 to `logprobs`, `top_logprobs` and `logit_bias`, and to more than one alternative (`n`).
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat

PROVIDER = Provider(
    title="Groq",
    base_url="https://api.groq.com/openai/v1",
    wires=(
        openai_chat(
            quirks=Quirks(
                drop=("logit_bias", "logprobs", "store", "top_logprobs"),
                roles=(("developer", "system"),),
                cache_marks=False,
            )
        ),
    ),
    key_env="GROQ_API_KEY",
    model="openai/gpt-oss-120b",
    lacks=("logprobs", "many"),
)
