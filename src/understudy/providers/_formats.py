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

# In every format. Some edges refuse a request that does not say who asks.
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"user-agent", b"understudy/" + __version__.encode()),
)
_TRACE = (b"traceparent", b"tracestate")

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
    """One wire format: what its makers say of it, beside what holds in every one."""

    book: Wire

    def __call__(self, *, pass_on: tuple[bytes, ...] = (), **differences: Unpack[Differences]) -> Wire:
        """The same at one provider. `pass_on`: headers of the caller's that go along beside the usual ones."""
        return replace(
            self.book,
            headers=(*_HEADERS, *self.book.headers),
            pass_on=(*_TRACE, *self.book.pass_on, *pass_on),
            **differences,
        )


_VERSION: tuple[Header, ...] = ((b"anthropic-version", b"2023-06-01"),)
_PASS_ON = (b"anthropic-beta", b"anthropic-version")
_LACKS = ("audio", "logprobs", "many", "stored", "video")
_GOOGLE = "/v1beta/models/{model}"

# Under a `base_url` that ends in `/v1`
openai_chat = Format(
    Wire(dialect="openai_chat", path="/chat/completions", lacks_in_translation=("logprobs", "stored", "video"))
)
openai_responses = Format(Wire(dialect="openai_responses", path="/responses", lacks_in_translation=_LACKS))
openai_input_tokens = Format(
    Wire(dialect="openai_input_tokens", path="/responses/input_tokens", operation=Operation.COUNT)
)
openai_embeddings = Format(Wire(dialect="openai_embeddings", path="/embeddings", operation=Operation.EMBED))

# Under one that ends before the version
anthropic_messages = Format(
    Wire(
        dialect="anthropic_messages",
        path="/v1/messages",
        auth=Auth.X_API_KEY,
        headers=_VERSION,
        pass_on=_PASS_ON,
        lacks_in_translation=_LACKS,
    )
)
anthropic_count_tokens = Format(
    Wire(
        dialect="anthropic_count_tokens",
        path="/v1/messages/count_tokens",
        auth=Auth.X_API_KEY,
        headers=_VERSION,
        pass_on=_PASS_ON,
        operation=Operation.COUNT,
    )
)
generate_content = Format(
    Wire(
        dialect="gemini",
        path=f"{_GOOGLE}:generateContent",
        stream_path=f"{_GOOGLE}:streamGenerateContent?alt=sse",
        auth=Auth.X_GOOG_API_KEY,
        lacks_in_translation=("logprobs", "stored"),
    )
)
gemini_embeddings = Format(
    Wire(
        dialect="gemini_embeddings",
        path=f"{_GOOGLE}:batchEmbedContents",
        auth=Auth.X_GOOG_API_KEY,
        operation=Operation.EMBED,
    )
)
cohere_chat = Format(Wire(dialect="cohere_chat", path="/v2/chat", lacks_in_translation=_LACKS))
cohere_embed = Format(Wire(dialect="cohere_embed", path="/v2/embed", operation=Operation.EMBED))

# Under one that ends before `/model`
bedrock_converse = Format(
    Wire(
        dialect="bedrock_converse",
        path="/model/{model}/converse",
        stream_path="/model/{model}/converse-stream",
        auth=Auth.SIGV4,
        lacks_in_translation=("logprobs", "many", "stored"),
    )
)

# Beside the `/v1` that it may end in
ollama_chat = Format(Wire(dialect="ollama_chat", path="/api/chat", lacks_in_translation=_LACKS, unversioned=True))
