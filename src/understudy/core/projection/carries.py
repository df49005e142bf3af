"""What a wire format can carry, as data: one `Carries` for its requests, one for its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from understudy.core.answer import Answer, Stop
from understudy.core.conversation import (
    Audio,
    Conversation,
    Document,
    Format,
    Image,
    Inline,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Stored,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)
from understudy.core.value import keyword_value, value

COSMETIC = "cosmetic"
LOSSY = "lossy"
ESSENTIAL = "essential"


@value
class Loss:
    """Something that did not survive.

    `name`: where it stood, as a caller would write it, without indices (`messages.cache_control`, `top_k`).
    `weight`: `cosmetic` (nothing that steers or informs: a name, an id), `lossy` (the answer may differ: strict mode
    refuses) or `essential` (the request makes no sense without it: always refused).
    """

    name: str
    weight: str


RequestRule = Callable[[Conversation], tuple[Conversation, tuple[Loss, ...]]]
AnswerRule = Callable[[Answer], tuple[Answer, tuple[Loss, ...]]]


@keyword_value
class Carries:
    """What one dialect can express, in requests or in answers. What is not named here does not survive.

    Parts go by their kind: text, refusal, image, document, audio, video, reasoning, tool_call, tool_result (a node's class in
    snake case); sources are inline, remote, stored, plain. An `Opaque`, `Extra` or `Stored` survives in its own dialect alone.
    """

    dialect: str

    # Parts, in requests and answers
    parts: Mapping[str, tuple[str, ...]]
    """Role -> the kinds of part it may hold. Answers: the role `assistant` alone."""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind of media -> where it may come from. A plain document that cannot be one becomes text."""
    media_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind of media -> the media types of its inline bytes; a kind that is absent takes any."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Node -> which of its optional fields in `FIELDS` survive. Nodes: image, document, tool_result, tool, format."""
    cache: tuple[str, ...] = ()
    """Which nodes may bear a cache mark: kinds of part, and tool."""
    result_parts: tuple[str, ...] = ("text",)
    """The kinds of part inside a tool result."""
    moves_result_media: bool = False
    """Whether media that a tool result cannot hold goes to a user turn behind it (else it is lost)."""
    unsigned_reasoning: bool = False
    """Whether thinking that nobody sealed survives."""
    foreign_reasoning: str = "drop"
    """What becomes of thinking that another dialect sealed: drop it, `unseal` it (the text stays) or `keep` it whole."""
    order: tuple[tuple[str, ...], ...] = ()
    """How the format groups an assistant's parts; () keeps the order of the wire.

    An opaque part goes by its own kind where a group names it, else it counts as text.
    """
    joins: tuple[str, ...] = ()
    """Kinds of an assistant's parts whose neighbours become one: text, refusal, reasoning (unsealed only)."""
    bare_texts: bool = False
    """Whether texts and thoughts are nothing but words: no fields that only the dialect itself knows."""
    blank_texts: bool = True
    """Whether a text may be white space alone."""
    object_arguments: bool = False
    """Whether tool arguments must be a JSON object; anything else is wrapped as `{"INVALID_JSON": ...}`."""
    tool_ids: str | None = None
    """A regular expression for the whole of a tool call's id; others are replaced, in call and result alike."""
    tool_id_length: int = 24
    """The length of a replaced id, in hexadecimal digits."""
    tool_names: str | None = None
    """A regular expression for the whole of a tool's name; others are replaced in the request, and put back in the answer."""

    # Requests
    settings: tuple[str, ...] = ()
    """The names in `Settings` that survive."""
    wire_names: Mapping[str, str] = field(default_factory=dict)
    """Field on the wire -> the name in `Settings`, where the two differ (`narrowed` reads it)."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Role -> the role that speaks instead."""
    late_system: str = "system"
    """The role of a system turn that stands behind another role's."""
    merges: tuple[str, ...] = ()
    """Roles whose neighbouring messages become one. (Those of role tool always do.)"""
    tool_choices: tuple[str, ...] = ()
    """The modes of `ToolChoice`. One that is missing falls back: named -> required -> auto."""
    choice_names_max: int = 1
    """How many tools a named choice may name."""
    tool_subsets: bool = False
    """Whether `auto` and `required` may be narrowed to some of the tools."""
    parallel_needs_choice: bool = False
    """Whether `parallel_tools` lives inside the tool choice, which then is `auto` at least."""
    server_tools: bool = True
    """Whether tools that the provider runs may be offered."""
    needs_parameters: bool = False
    """Whether a tool without parameters must say so with an empty schema."""
    formats: tuple[str, ...] = ()
    """The kinds of `Format`."""
    format_name: str | None = None
    """The name that a schema gets which has none, where one is required."""
    reasoning: tuple[str, ...] = ()
    """Which fields of `ReasoningSettings` survive; effort and budget become each other when only one does."""
    efforts: tuple[str, ...] = ()
    """The effort names, weakest first; another one becomes the nearest."""
    maxima: Mapping[str, float] = field(default_factory=dict)
    """Setting -> its largest value."""
    lengths: Mapping[str, int] = field(default_factory=dict)
    """Setting -> how many entries it may have."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Setting -> its value when the caller gave none, where one is required."""
    usage_switch: bool = False
    """Whether a stream must be asked for its usage: it then always is."""
    request_rules: tuple[RequestRule, ...] = ()
    """Run last, in order. Each must be idempotent."""

    # Answers
    choices_max: int | None = None
    """How many alternatives an answer may hold; None: any number."""
    stops: Mapping[Stop, Stop] = field(default_factory=dict)
    """Reason for stopping -> the one that stands for it; the first one's word becomes `stop_native`."""
    stop_native: bool = False
    stop_sequence: bool = False
    created: bool = False
    usage_folds: Mapping[str, str] = field(default_factory=dict)
    """Token class -> the neighbour it is counted with."""
    usage_required: bool = False
    answer_rules: tuple[AnswerRule, ...] = ()
    """Run last, in order. Each must be idempotent."""


KINDS: dict[type, str] = {
    Text: "text",
    Refusal: "refusal",
    Image: "image",
    Document: "document",
    Audio: "audio",
    Video: "video",
    Reasoning: "reasoning",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
}
SOURCES: dict[type, str] = {Inline: "inline", Remote: "remote", Stored: "stored", Plain: "plain"}

# Node -> optional field -> (what losing it weighs, the value that says no more than its absence).
FIELDS: dict[str, dict[str, tuple[str, Any]]] = {
    "image": {"detail": (LOSSY, "auto")},
    "document": {"title": (COSMETIC, None), "context": (LOSSY, None), "citations": (LOSSY, False)},
    "tool_result": {"is_error": (LOSSY, False), "name": (COSMETIC, None)},
    "tool": {"strict": (LOSSY, False)},
    # A provider that takes a schema at all holds the model to it, named and strict or not.
    "format": {"name": (COSMETIC, None), "strict": (COSMETIC, False), "description": (LOSSY, None)},
}

# Setting -> (what losing it weighs, the value that says no more than its absence).
SETTINGS: dict[str, tuple[str, Any]] = {
    "max_tokens": (LOSSY, None),
    "temperature": (LOSSY, None),
    "top_p": (LOSSY, 1),
    "top_k": (LOSSY, None),
    "stop": (LOSSY, ()),
    "seed": (LOSSY, None),
    "n": (ESSENTIAL, 1),
    "frequency_penalty": (LOSSY, 0),
    "presence_penalty": (LOSSY, 0),
    "logit_bias": (LOSSY, {}),
    "logprobs": (ESSENTIAL, False),
    "top_logprobs": (LOSSY, 0),
    "user": (COSMETIC, None),
    "tool_choice": (LOSSY, ToolChoice("auto")),
    "parallel_tools": (LOSSY, True),
    "format": (LOSSY, Format("text")),
    "reasoning": (LOSSY, ReasoningSettings()),
}

MEDIA_TYPES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
"""Media types by names that are no names of theirs, and that some providers take all the same."""

LOST_PART = {"text": LOSSY, "refusal": LOSSY, "reasoning": LOSSY, "opaque": LOSSY}  # any other kind is essential

# Fields known to one dialect alone that neither steer nor inform: marks for accounting, caching, transport.
COSMETIC_FIELDS = (
    "annotations",
    "caller",
    "citations",
    "container",
    "content_filter_results",
    "context_management",
    "createTime",
    "displayName",
    "eager_input_streaming",
    "format",
    "generationId",
    "id",
    "include",
    "index",
    "item",
    "kv_transfer_params",
    "labels",
    "metadata",
    "metrics",
    "mimeType",
    "name",
    "native_finish_reason",
    "object",
    "obfuscation",
    "prompt_cache_breakpoint",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "prompt_filter_results",
    "provider",
    "provider_metadata",
    "request_id",
    "routed_experts",
    "safety_identifier",
    "seed",
    "service_tier",
    "shape",
    "status",
    "stop_details",
    "stop_reason",
    "store",
    "stream_options",
    "system_fingerprint",
    "time_info",
    "timings",
    "token_ids",
    "type",
    "usage",
    "usage_breakdown",
    "x_groq",
)

# Without these the answer is no answer at all: sound where sound was asked for, a conversation that begins in a provider's cache.
# Nor is it that answer where the request goes on from what one provider holds, or is to be answered later.
FIELD_WEIGHTS = {
    "background": ESSENTIAL,
    "conversation": ESSENTIAL,
    "modalities": ESSENTIAL,
    "previous_response_id": ESSENTIAL,
    "prompt": ESSENTIAL,
    "cachedContent": ESSENTIAL,
    "generationConfig.responseLogprobs": ESSENTIAL,
    "generationConfig.responseModalities": ESSENTIAL,
}

# Fields known to one dialect alone -> the value that says what is so without them. (Nothing and no are told nearly always so.)
SAID_ANYWAY: dict[str, Any] = {
    "text": {"verbosity": "medium"},
    "truncation": "disabled",
    "verbosity": "medium",
}
SAYS_BY_BEING_THERE = ("web_search_options",)
"""Fields that ask for something even when they are empty."""

# Thinking tokens that an effort stands for, at least (weakest first). Providers publish no such table; the steps follow the
# documented smallest budget (1024) and the share of the answer that OpenAI-compatible gateways give to each name.
EFFORT_BUDGETS = (
    ("minimal", 1024),
    ("low", 2048),
    ("medium", 8192),
    ("high", 16384),
    ("xhigh", 32768),
    ("max", 65536),
)
EFFORTS = ("none", *(name for name, _ in EFFORT_BUDGETS))
