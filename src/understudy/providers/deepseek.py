"""DeepSeek.

Its thinking models take their own thoughts back as `reasoning_content`; `deepseek-reasoner` answers 400 to log probabilities.
With `api: responses` it is asked in Responses instead.
"""

from dataclasses import replace

from understudy.dialects import Quirks
from understudy.providers import Provider, openai_chat, openai_responses

_QUIRKS = Quirks(
    max_tokens_field="max_tokens",
    roles=(("developer", "system"),),
    cache_marks=False,
    reasoning_field="reasoning_content",
)

PROVIDER = Provider(
    title="DeepSeek",
    base_url="https://api.deepseek.com/v1",
    wires=(
        # api-docs.deepseek.com/guides/reasoning_model: "Not Supported Parameters"
        openai_chat(
            quirks=_QUIRKS, models=((r"deepseek-reasoner", replace(_QUIRKS, drop=("logprobs", "top_logprobs"))),)
        ),
        openai_responses(quirks=Quirks(seals=r"(?!gAAAA|rsn_).+"), on_request=True),
    ),
    key_env="DEEPSEEK_API_KEY",
    model="deepseek-chat",
    lacks=("stored",),
    lists="/models",
)
