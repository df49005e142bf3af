"""Any server that speaks Chat Completions; `base_url` says where, and ends in `/v1` nearly everywhere.

With `api: anthropic_messages` it is asked in Messages instead, at `/messages` under the same address; with `api: responses` in
Responses, at `/responses`.
"""

from understudy.providers import (
    COMPATIBLE,
    Auth,
    Provider,
    anthropic_messages,
    openai_chat,
    openai_embeddings,
    openai_responses,
)

PROVIDER = Provider(
    title="Any OpenAI-compatible server",
    wires=(
        openai_chat(quirks=COMPATIBLE),
        anthropic_messages(path="/messages", auth=Auth.BEARER, on_request=True),
        openai_responses(on_request=True),
        openai_embeddings(),
    ),
    key_required=False,
    lists="/models",
)
