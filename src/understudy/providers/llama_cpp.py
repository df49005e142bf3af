"""llama.cpp's `llama-server`, on this machine unless `base_url` says otherwise.

Recent versions also speak Messages (`api: anthropic_messages`) and Responses (`api: responses`).
"""

from understudy.dialects import Quirks
from understudy.providers import Auth, Provider, anthropic_messages, openai_chat, openai_embeddings, openai_responses

PROVIDER = Provider(
    title="llama.cpp",
    base_url="http://127.0.0.1:8080/v1",
    wires=(
        openai_chat(
            quirks=Quirks(
                max_tokens_field="max_tokens",
                roles=(("developer", "system"),),
                cache_marks=False,
                reasoning_field="reasoning_content",
            )
        ),
        anthropic_messages(path="/messages", auth=Auth.BEARER, on_request=True),
        openai_responses(on_request=True),
        openai_embeddings(),
    ),
    key_required=False,
    local=True,
    models_path="/v1/models",
    base_url_env="LLAMA_CPP_BASE_URL",
)
