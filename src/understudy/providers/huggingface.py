"""Hugging Face's router: it chooses among the providers that serve a model.

`model` is the model's repository; `:fastest`, `:cheapest` or a provider's name behind it chooses. A `base_url` such as
`https://router.huggingface.co/together/v1` names the provider, too.
"""

from understudy.providers import COMPATIBLE, Provider, openai_chat

PROVIDER = Provider(
    title="Hugging Face",
    base_url="https://router.huggingface.co/v1",
    wires=(openai_chat(quirks=COMPATIBLE),),
    key_env="HF_TOKEN",
    lists="/models",
)
