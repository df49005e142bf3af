"""Every wire format as its makers describe it. A provider calls one with what it does otherwise: `openai_chat(path=...)`."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, Unpack

from understudy import __version__
from understudy.core.request import Operation
from understudy.core.value import value
from understudy.dialects import Quirks
from understudy.ports import Header
from understudy.providers._facts import Auth, ModelQuirks, Wire

# Some edges refuse a request that does not say who asks.
_ALWAYS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"user-agent", b"understudy/" + __version__.encode()),
)
_TRACE = (b"traceparent", b"tracestate")
_ANTHROPIC = (*_ALWAYS, (b"anthropic-version", b"2023-06-01"))
_ANTHROPIC_TRACE = (*_TRACE, b"anthropic-beta", b"anthropic-version")

# Servers of the OpenAI family that predate its `developer` role and `max_completion_tokens`, which is all of them but OpenAI.
COMPATIBLE = Quirks(max_tokens_field="max_tokens", roles=(("developer", "system"),), cache_marks=False)


class Differences(TypedDict, total=False):
    """Fields of a `Wire` in which a provider differs from the book."""

    path: str
    stream_path: str
    auth: Auth
    quirks: Quirks
    models: ModelQuirks
    on_request: bool
    unversioned: bool
    speaks_for: str


@value
class Format:
    """One wire format by the book."""

    book: Wire

    def __call__(self, *, pass_on: tuple[bytes, ...] = (), **differences: Unpack[Differences]) -> Wire:
        """The same at one provider. `pass_on`: headers of the caller's that go along beside the usual ones."""
        return replace(self.book, pass_on=(*self.book.pass_on, *pass_on), **differences)


# Under a `base_url` that ends in `/v1`

openai_chat = Format(
    Wire(
        dialect="openai_chat",
        path="/chat/completions",
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("logprobs", "stored", "video"),
    )
)
openai_responses = Format(
    Wire(
        dialect="openai_responses",
        path="/responses",
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )
)
openai_input_tokens = Format(
    Wire(
        dialect="openai_input_tokens",
        path="/responses/input_tokens",
        headers=_ALWAYS,
        pass_on=_TRACE,
        operation=Operation.COUNT,
    )
)
openai_embeddings = Format(
    Wire(
        dialect="openai_embeddings",
        path="/embeddings",
        headers=_ALWAYS,
        pass_on=_TRACE,
        operation=Operation.EMBED,
    )
)

# Under one that ends before the version, or before `/model`

anthropic_messages = Format(
    Wire(
        dialect="anthropic_messages",
        path="/v1/messages",
        auth=Auth.X_API_KEY,
        headers=_ANTHROPIC,
        pass_on=_ANTHROPIC_TRACE,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )
)
anthropic_count_tokens = Format(
    Wire(
        dialect="anthropic_count_tokens",
        path="/v1/messages/count_tokens",
        auth=Auth.X_API_KEY,
        headers=_ANTHROPIC,
        pass_on=_ANTHROPIC_TRACE,
        operation=Operation.COUNT,
    )
)
generate_content = Format(
    Wire(
        dialect="gemini",
        path="/v1beta/models/{model}:generateContent",
        stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
        auth=Auth.X_GOOG_API_KEY,
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("logprobs", "stored"),
    )
)
gemini_embeddings = Format(
    Wire(
        dialect="gemini_embeddings",
        path="/v1beta/models/{model}:batchEmbedContents",
        auth=Auth.X_GOOG_API_KEY,
        headers=_ALWAYS,
        pass_on=_TRACE,
        operation=Operation.EMBED,
    )
)
cohere_chat = Format(
    Wire(
        dialect="cohere_chat",
        path="/v2/chat",
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )
)
cohere_embed = Format(
    Wire(
        dialect="cohere_embed",
        path="/v2/embed",
        headers=_ALWAYS,
        pass_on=_TRACE,
        operation=Operation.EMBED,
    )
)
bedrock_converse = Format(
    Wire(
        dialect="bedrock_converse",
        path="/model/{model}/converse",
        stream_path="/model/{model}/converse-stream",
        auth=Auth.SIGV4,
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("logprobs", "many", "stored"),
    )
)

# Beside the `/v1` that it may end in

ollama_chat = Format(
    Wire(
        dialect="ollama_chat",
        path="/api/chat",
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
        unversioned=True,
    )
)
