"""LM Studio, on this machine unless `base_url` says otherwise.

Recent versions also speak Responses: `api: responses`.
"""

from understudy.providers import COMPATIBLE, Provider, openai_chat, openai_embeddings, openai_responses

PROVIDER = Provider(
    title="LM Studio",
    base_url="http://127.0.0.1:1234/v1",
    wires=(openai_chat(quirks=COMPATIBLE), openai_responses(on_request=True), openai_embeddings()),
    key_required=False,
    local=True,
    models_path="/v1/models",
    base_url_env="LM_STUDIO_BASE_URL",
)
