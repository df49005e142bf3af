"""Azure OpenAI and Foundry. `model` is the name of your deployment.

Callers of Responses are answered in Responses, always under `/openai/v1/`. Where: `resource`, or a `base_url` such as `https://NAME.openai.azure.com`. Without `api_version` requests go to `/openai/v1/`,
with one to `/openai/deployments/DEPLOYMENT/` (under `/models`, Foundry's own path, it is only added). Claude deployments are asked
with `api: anthropic_messages`. The key is shown as `api-key`; `key: entra` signs in instead.
"""

from __future__ import annotations

import re
from typing import ClassVar

from understudy.core.value import keyword_value
from understudy.dialects import Quirks
from understudy.providers import (
    Auth,
    Provider,
    anthropic_messages,
    openai_chat,
    openai_embeddings,
    openai_responses,
    without_end,
)
from understudy.providers._anthropic_models import MODELS as CLAUDES
from understudy.providers._openai_models import BOOK, MODELS, RESPONSES_BOOK, RESPONSES_MODELS

_DEPLOYMENT = re.compile(r"(?<=/openai)/deployments/[^/]+\Z")
_OWN_PATHS = ("/openai/v1", "/openai", "/anthropic/v1", "/anthropic", "/v1", "/models")


@keyword_value
class Azure:
    """`resource`: the name of your resource. `api_version`: for the older addresses, such as `2024-10-21`.

    `serves`: the model behind the deployment, where its name does not say it: `gpt-5-mini`.
    """

    resource: str = ""
    api_version: str = ""
    serves: str = ""

    facts: ClassVar[Provider] = Provider(
        title="Azure OpenAI",
        wires=(
            openai_chat(quirks=BOOK, models=MODELS, auth=Auth.API_KEY),
            openai_responses(quirks=RESPONSES_BOOK, models=RESPONSES_MODELS, auth=Auth.API_KEY),
            openai_embeddings(quirks=Quirks(drop=("input_type",)), auth=Auth.API_KEY),
            anthropic_messages(path="/anthropic/v1/messages", models=CLAUDES, on_request=True),
        ),
        key_env="AZURE_OPENAI_API_KEY",
        base_url_env="AZURE_OPENAI_ENDPOINT",
        own_hosts=(".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"),
    )

    def __post_init__(self) -> None:
        if not all(char.isalnum() or char in "-." for text in (self.resource, self.api_version) for char in text):
            raise ValueError(
                "`resource` and `api_version` are letters, digits, dots and dashes: my-resource, 2024-10-21"
            )

    def where(self) -> str:
        return f"https://{self.resource}.openai.azure.com" if self.resource else ""

    def path(self, base: str, path: str) -> str:
        root = without_end(_DEPLOYMENT.sub("", base), _OWN_PATHS)
        if path.startswith("/anthropic/"):
            return root + path
        if base.endswith("/models") and path != "/responses":
            return self._dated(base + path)
        if not self.api_version or path == "/responses":
            return f"{root}/openai/v1{path}"
        return self._dated(f"{root}/openai/deployments/{{model}}{path}")

    def _dated(self, path: str) -> str:
        return f"{path}?api-version={self.api_version}" if self.api_version else path

    def known_as(self, model: str) -> str:
        return self.serves or model


PROVIDER = Azure
