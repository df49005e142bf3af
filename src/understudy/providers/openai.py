"""OpenAI, at its own address.

Its reasoning models refuse `max_tokens`, and every model takes `max_completion_tokens`; cache marks are not part of its
format. What a model refuses besides (sampling while it thinks, efforts that it does not know) is dropped, and reported.
Callers of Responses are answered in Responses, everybody else through Chat Completions unless `api: responses` says otherwise.
"""

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_embeddings, openai_input_tokens, openai_responses
from understudy.providers._openai_models import BOOK, MODELS, RESPONSES_BOOK, RESPONSES_MODELS

_PASS_ON = (b"openai-*", b"x-client-request-id")

PROVIDER = Provider(
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    wires=(
        openai_chat(quirks=BOOK, models=MODELS, pass_on=_PASS_ON),
        openai_responses(quirks=RESPONSES_BOOK, models=RESPONSES_MODELS, pass_on=_PASS_ON),
        openai_input_tokens(models=RESPONSES_MODELS, pass_on=_PASS_ON),
        openai_embeddings(quirks=Quirks(drop=("input_type",)), pass_on=_PASS_ON),
    ),
    key_env="OPENAI_API_KEY",
    model="gpt-5.1",
    lists="/models",
)
