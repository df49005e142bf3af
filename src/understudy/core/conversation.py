"""The intermediate form of a request: what every wire format can be read into and written from.

N codecs meet here instead of N x N translators. The form holds what at least two wire formats share; what only one of
them knows stays beside it as `Extra` (fields of a known node) or `Opaque` (a whole node), marked with the dialect it came
from, so that it returns unchanged within that dialect and is reported as dropped everywhere else.

Canonical shape, which every parser produces:

- system and developer turns are messages in place, not a field of their own;
- tool results are messages of role `tool`, neighbours gathered into one;
- an assistant message holds its parts in the order of the wire; a format that groups them (reasoning, text, tool calls)
  says so in its `Carries`;
- a content string is one `Text` part; an absent or null field is an absent value, never a default;
- tool arguments are the decoded JSON value, `{}` when empty; text that is no JSON stays a `str`.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from understudy.core.value import JsonObject, keyword_value, value


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@value
class Extra:
    """Fields of a node that only its own dialect knows."""

    dialect: str
    fields: JsonObject


# Where media comes from


@value
class Inline:
    """The bytes themselves. `data`: base64 text."""

    media_type: str
    data: str


@value
class Remote:
    """An address that the provider fetches."""

    url: str


@value
class Stored:
    """A file that the provider holds: means nothing to another one."""

    dialect: str
    id: str


@value
class Plain:
    """A document given as text."""

    text: str


Source = Inline | Remote | Stored | Plain


# Parts of a message. `cache`: the caller's cache mark (`{"type": "ephemeral", ...}`), None without one.


@value
class Text:
    """Words. `extra` holds citations and annotations, whose shapes no two formats share."""

    text: str
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class Refusal:
    """The model's own words for not answering."""

    text: str


@value
class Image:
    """A picture. `detail`: how closely to look, as OpenAI names it."""

    source: Source
    detail: str | None = None
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class Document:
    """A file to read, such as a PDF. `title`: its name. `context`: words about it that are not to be cited."""

    source: Source
    title: str | None = None
    context: str | None = None
    citations: bool | None = None
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class Audio:
    """Sound. `format`: wav, mp3, ..."""

    data: str
    format: str
    extra: Extra | None = None


@value
class Video:
    """Moving pictures."""

    source: Source
    extra: Extra | None = None


@value
class Reasoning:
    """What the model thought.

    `text`: as far as it is shown. `signature`: the provider's seal over it. `data`: encrypted or redacted thinking.
    `signed_by`: the dialect whose providers understand signature and data; None when there is neither. A signed part goes
    back whole or not at all.
    """

    text: str
    signature: str | None = None
    data: str | None = None
    signed_by: str | None = None
    extra: Extra | None = None


@value
class ToolCall:
    """The model asks for a tool. `arguments`: decoded JSON, or the `str` that was no JSON."""

    id: str
    name: str
    arguments: Any
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class ToolResult:
    """What a tool gave back. `parts`: text and media. `is_error`: None when the wire did not say."""

    call_id: str
    parts: tuple[Part, ...]
    is_error: bool | None = None
    name: str | None = None
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class Opaque:
    """A part that only its own dialect knows. `kind`: its type there, for reports."""

    dialect: str
    kind: str
    value: Any


Part = Text | Refusal | Image | Document | Audio | Video | Reasoning | ToolCall | ToolResult | Opaque


@value
class Message:
    """One turn, or a piece of one."""

    role: Role
    parts: tuple[Part, ...]
    extra: Extra | None = None


@value
class Tool:
    """A function that the caller offers. `parameters`: JSON Schema, None when the tool takes nothing."""

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache: JsonObject | None = None
    extra: Extra | None = None


@value
class OpaqueTool:
    """A tool that the provider runs itself (web search, code execution): only its own dialect knows it."""

    dialect: str
    kind: str
    value: Any


@value
class ToolChoice:
    """Which tools may or must be called. `mode`: auto, none, required or named (then `names` holds the one, or more)."""

    mode: str
    names: tuple[str, ...] = ()


@value
class Format:
    """The shape of the answer. `kind`: text, json_object or json_schema."""

    kind: str
    schema: JsonObject | None = None
    name: str | None = None
    strict: bool | None = None
    description: str | None = None


@value
class ReasoningSettings:
    """How much to think.

    `effort`: none, minimal, low, medium, high, xhigh, max. `budget_tokens`: its bound in tokens. `mode`: enabled,
    disabled, adaptive. `display`: how it is shown (summarized, omitted).
    """

    effort: str | None = None
    budget_tokens: int | None = None
    mode: str | None = None
    display: str | None = None


@keyword_value
class Settings:
    """Everything that steers sampling and shape; None where the caller said nothing.

    `user`: the caller's name for the end user (OpenAI `user`, Anthropic `metadata.user_id`). `stop`: () when absent.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: JsonObject | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    user: str | None = None
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    format: Format | None = None
    reasoning: ReasoningSettings | None = None


@keyword_value
class Conversation:
    """A whole request. `include_usage`: a streaming caller wants the usage at the end (None: its dialect's default)."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool | OpaqueTool, ...] = ()
    settings: Settings = field(default_factory=Settings)
    stream: bool = False
    include_usage: bool | None = None
    extra: Extra | None = None
