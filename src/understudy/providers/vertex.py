"""Google Vertex AI: Claude models in Anthropic's format, and every model that is written `publisher/model` in OpenAI's.

Where: `project` and `location`, or a `base_url` that ends in `/projects/PROJECT/locations/LOCATION`. Its credential is a token that lasts an
hour: `key: gcp`, which is the default, finds a service account as Google's own libraries do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from understudy.core.value import keyword_value
from understudy.dialects import Quirks
from understudy.providers import COMPATIBLE, Auth, Provider, anthropic_messages, openai_chat
from understudy.providers._anthropic_models import BOOK, MODELS

_CLAUDE = anthropic_messages(
    path="/publishers/anthropic/models/{model}:rawPredict",
    auth=Auth.BEARER,
)
_GLOBAL = "global"
_PLACES = ("eu", "us")
"""Of several regions: addressed otherwise than one region is (as in Anthropic's own client for Vertex)."""


def _on_vertex(quirks: Quirks) -> Quirks:
    """The address names the model, and the body the version (recordings of vertexai_anthropic)."""
    return replace(
        quirks, drop=("model", *quirks.drop), fields=(("anthropic_version", "vertex-2023-10-16"), *quirks.fields)
    )


@keyword_value
class Vertex:
    """`project`: the name or number of your project. `location`: `global`, `eu`, `us`, or a region such as `europe-west4`."""

    project: str = ""
    location: str = _GLOBAL

    facts: ClassVar[Provider] = Provider(
        title="Google Vertex AI",
        wires=(
            replace(
                _CLAUDE,
                stream_path="/publishers/anthropic/models/{model}:streamRawPredict",
                headers=tuple(header for header in _CLAUDE.headers if header[0] != b"anthropic-version"),
                pass_on=tuple(name for name in _CLAUDE.pass_on if name != b"anthropic-version"),
                quirks=_on_vertex(BOOK),
                models=tuple((pattern, _on_vertex(quirks)) for pattern, quirks in MODELS),
                speaks_for=r"claude-.*",
            ),
            replace(
                openai_chat(path="/endpoints/openapi/chat/completions", quirks=COMPATIBLE),
                speaks_for=r"[^/]+/.+",
            ),
        ),
        key="gcp",
        own_hosts=("aiplatform.googleapis.com", *(f"aiplatform.{place}.rep.googleapis.com" for place in _PLACES)),
    )

    def __post_init__(self) -> None:
        if not all(char.isalnum() or char in "-.:" for text in (self.project, self.location) for char in text):
            raise ValueError("`project` and `location` are letters, digits and dashes: my-project, europe-west4")

    def where(self) -> str:
        if not self.project:
            return ""
        host = f"{self.location}-aiplatform.googleapis.com"
        if self.location == _GLOBAL:
            host = "aiplatform.googleapis.com"
        elif self.location in _PLACES:
            host = f"aiplatform.{self.location}.rep.googleapis.com"
        return f"https://{host}/v1/projects/{self.project}/locations/{self.location}"

    def path(self, base: str, path: str) -> str:
        return base + path

    def known_as(self, model: str) -> str:
        return model


PROVIDER = Vertex
