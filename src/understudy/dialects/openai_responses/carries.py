"""What Responses can carry, as OpenAI's own API takes it, and the rules of that API that data cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import (
    Conversation,
    Document,
    Extra,
    Inline,
    Message,
    Part,
    ReasoningSettings,
    Refusal,
    Role,
    Settings,
    Tool,
    ToolResult,
)
from understudy.core.projection import LOSSY, Carries, Loss, settled_stop
from understudy.dialects.openai_responses.wire import FOLDS, NAME, own

Ruled = tuple[Conversation, tuple[Loss, ...]]

MAX_TOKENS_MIN = 16
"""The API refuses a smaller `max_output_tokens`."""


def documents_have_names(conversation: Conversation) -> Ruled:
    """A document's bytes need a file name, also in a tool's output."""
    messages = tuple(
        Message(message.role, tuple(map(_named, message.parts)), message.extra) for message in conversation.messages
    )
    return (conversation if messages == conversation.messages else replace(conversation, messages=messages)), ()


def _named(part: Part) -> Part:
    if isinstance(part, ToolResult) and any(isinstance(inner, Document) for inner in part.parts):
        return replace(part, parts=tuple(map(_named, part.parts)))
    if isinstance(part, Document) and isinstance(part.source, Inline) and part.title is None:
        return replace(part, title="document.pdf")
    return part


def tools_say_whether_strict(conversation: Conversation) -> Ruled:
    """Here a function is strict unless it says otherwise; everywhere else it is the other way round."""
    if not any(isinstance(tool, Tool) and tool.strict is None for tool in conversation.tools):
        return conversation, ()
    tools = tuple(
        replace(tool, strict=False) if isinstance(tool, Tool) and tool.strict is None else tool
        for tool in conversation.tools
    )
    return replace(conversation, tools=tools), ()


def settings_in_its_words(conversation: Conversation) -> Ruled:
    """Thinking is shown as a summary or not at all, and log probabilities are asked for or not mentioned."""
    settings = conversation.settings
    asked = settings.reasoning
    if asked is not None and asked.display not in {None, "summarized"}:
        asked = replace(asked, display=None)
        asked = None if asked == ReasoningSettings() else asked
    changed = replace(settings, reasoning=asked, logprobs=settings.logprobs or None)
    return (conversation if changed == settings else replace(conversation, settings=changed)), ()


def room_for_a_few_words(conversation: Conversation) -> Ruled:
    """A bound below the API's smallest becomes that."""
    bound = conversation.settings.max_tokens
    if bound is None or bound >= MAX_TOKENS_MIN:
        return conversation, ()
    return _with(conversation, max_tokens=MAX_TOKENS_MIN), (Loss("max_tokens", LOSSY),)


def _with(conversation: Conversation, **settings: Any) -> Conversation:
    held: Settings = replace(conversation.settings, **settings)
    return replace(conversation, settings=held)


# Answers


def one_response(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """A response is answer and choice at once, and says why it ended by its status: what it holds tells the rest."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    stop = choice.stop
    if stop is Stop.REFUSAL and not any(isinstance(part, Refusal) for part in choice.parts):
        stop = Stop.CONTENT_FILTER
    elif stop in {Stop.END, Stop.REFUSAL, Stop.TOOL_CALLS}:
        stop = settled_stop(Stop.END, choice.parts)
    fields = {**own(choice.extra), **own(answer.extra)}
    settled = replace(choice, stop=stop, extra=None)
    return replace(answer, choices=(settled,), extra=Extra(NAME, fields) if fields else None), ()


_MEDIA = ("inline", "remote", "stored")

REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.DEVELOPER: ("text",),
        Role.USER: ("document", "image", "text"),
        Role.ASSISTANT: ("reasoning", "refusal", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={"document": _MEDIA, "image": _MEDIA},
    media_types={
        "document": ("application/pdf",),
        "image": ("image/gif", "image/jpeg", "image/png", "image/webp"),
    },
    fields={
        "document": ("title",),
        "format": ("description", "name", "strict"),
        "image": ("detail",),
        "tool": ("strict",),
    },
    result_parts=("document", "image", "text"),
    tool_ids=r"(?s:.{1,64})",
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
    settings=(
        "format",
        "logprobs",
        "max_tokens",
        "parallel_tools",
        "reasoning",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "user",
    ),
    wire_names={
        "max_output_tokens": "max_tokens",
        "parallel_tool_calls": "parallel_tools",
        "text": "format",
    },
    merges=(Role.ASSISTANT,),
    tool_choices=("auto", "named", "none", "required"),
    tool_subsets=True,
    needs_parameters=True,
    formats=("json_object", "json_schema", "text"),
    format_name="answer",
    reasoning=("display", "effort"),
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    maxima={"temperature": 2},
    request_rules=(
        documents_have_names,
        tools_say_whether_strict,
        settings_in_its_words,
        room_for_a_few_words,
    ),
)

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "refusal", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="keep",
    choices_max=1,
    stops=FOLDS,
    created=True,
    usage_folds={"audio_in": "input", "audio_out": "output", "cache_write_1h": "cache_write_5m"},
    answer_rules=(one_response,),
)
