"""Mistral AI.

It answers 422 to every field that it does not know (`max_completion_tokens`, `store`, `stream_options`, ...), and sends the
usage of a stream without being asked. Ids of tool calls are nine letters and digits there, and `seed` is `random_seed`; its
models think hard or not at all (recorded: `reasoning_effort` high and none).
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_embeddings

# docs.mistral.ai/api. Anything else is a 422, also where it is null: what OpenAI's own client gives back of an answer
# (`refusal`, `annotations`, ...), another provider's thoughts (charmbracelet/crush#1590), the name of a user.
_TURNS = (
    ("assistant", ("role", "content", "tool_calls", "prefix")),
    ("system", ("role", "content")),
    ("tool", ("role", "content", "tool_call_id", "name")),
    ("user", ("role", "content")),
)

PROVIDER = Provider(
    title="Mistral AI",
    base_url="https://api.mistral.ai/v1",
    wires=(
        openai_chat(
            quirks=Quirks(
                max_tokens_field="max_tokens",
                drop=(
                    "audio", "logit_bias", "logprobs", "modalities", "safety_identifier", "service_tier", "store",
                    "stream_options", "top_logprobs", "user", "verbosity", "web_search_options",
                ),
                roles=(("developer", "system"),),
                ask_usage=False,
                cache_marks=False,
                names=(("seed", "random_seed"),),
                # "Tool call id was ... but must be a-z, A-Z, 0-9, with a length of 9": langchain-ai/langchain#24668
                tool_ids=(r"[a-zA-Z0-9]{9}", 9),
                efforts=("none", "high"),
                turns=_TURNS,
            )
        ),
        openai_embeddings(quirks=Quirks(drop=("input_type", "user"))),
    ),
    key_env="MISTRAL_API_KEY",
    model="mistral-medium-latest",
    lists="/models",
)  # fmt: skip
