"""What Chat Completions can carry, as OpenAI's own API takes it; `Quirks` say where a compatible server differs."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Conversation, Document, Inline, Message, Part, Role
from understudy.core.projection import Carries, Loss, settled_stop
from understudy.dialects.openai_chat.content import CUSTOM_CALL
from understudy.dialects.openai_chat.wire import FOLDS, NAME, fold_stop, refuses, write_stop


def documents_have_names(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """A document's bytes need a file name."""

    def named(part: Part) -> Part:
        if isinstance(part, Document) and isinstance(part.source, Inline) and part.title is None:
            return replace(part, title="document.pdf")
        return part

    if not any(isinstance(part, Document) for message in conversation.messages for part in message.parts):
        return conversation, ()
    messages = tuple(
        Message(message.role, tuple(named(part) for part in message.parts), message.extra)
        for message in conversation.messages
    )
    return replace(conversation, messages=messages), ()


def stops_in_its_words(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """A refusal without a refusal's text is a filtered answer; a native word that repeats the finish reason says nothing."""
    return replace(answer, choices=tuple(map(_in_its_words, answer.choices))), ()


def _in_its_words(choice: Choice) -> Choice:
    if choice.stop is None:
        return choice
    refused = refuses(choice.parts)
    stop, _ = fold_stop(choice.stop, choice.stop_native, refused=refused)
    word, native = write_stop(choice.stop, choice.stop_native, refused=refused)
    if word == "stop":
        stop = settled_stop(Stop.END, choice.parts) or stop  # the word alone says no more
    return replace(choice, stop=stop, stop_native=native)


_ORDER = (("reasoning",), ("text",), ("refusal",), (CUSTOM_CALL, "tool_call"))

REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.DEVELOPER: ("text",),
        Role.USER: ("audio", "document", "image", "text"),
        Role.ASSISTANT: ("refusal", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={"document": ("inline", "stored"), "image": ("inline", "remote")},
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
    cache=("document", "image", "text", "tool", "tool_call", "tool_result"),
    moves_result_media=True,
    order=_ORDER,
    joins=("refusal", "text"),
    tool_ids=r"(?s:.+)",
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
    settings=(
        "format",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "n",
        "parallel_tools",
        "presence_penalty",
        "reasoning",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "user",
    ),
    wire_names={
        "parallel_tool_calls": "parallel_tools",
        "reasoning_effort": "reasoning",
        "response_format": "format",
    },
    tool_choices=("auto", "named", "none", "required"),
    tool_subsets=True,
    formats=("json_object", "json_schema", "text"),
    format_name="answer",
    reasoning=("effort",),
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    maxima={"temperature": 2},
    lengths={"stop": 4},
    usage_switch=True,
    request_rules=(documents_have_names,),
)

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "refusal", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="keep",
    order=_ORDER,
    joins=("reasoning", "refusal", "text"),
    bare_texts=True,
    stops=FOLDS,
    stop_native=True,
    created=True,
    usage_folds={"cache_write_1h": "cache_write_5m"},
    answer_rules=(stops_in_its_words,),
)
