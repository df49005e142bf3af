"""What Converse can carry, and the rules of its API that data cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import (
    Conversation,
    Document,
    Extra,
    Image,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from understudy.core.projection import COSMETIC, LOSSY, Carries, Loss
from understudy.core.value import JsonObject
from understudy.dialects._claude import schemas_claude_takes
from understudy.dialects._turns import ids_of_their_own, results_first, someone_speaks
from understudy.dialects.bedrock_converse.answer import FOLDS
from understudy.dialects.bedrock_converse.wire import DOCUMENTS, IMAGES, NAME, VIDEOS, own

Ruled = tuple[Conversation, tuple[Loss, ...]]


def _with_parts(conversation: Conversation, settled: Callable[[Message], tuple[Part, ...]]) -> Conversation:
    """The conversation with other parts in its turns; turns that are left without any go."""
    messages = tuple(
        replace(message, parts=parts)
        for message in conversation.messages
        if (parts := settled(message)) or message.extra is not None
    )
    return conversation if messages == conversation.messages else replace(conversation, messages=messages)


# Turns and their parts


def one_seal_each(conversation: Conversation) -> Ruled:
    """A thought is signed or encrypted, never both."""
    losses: dict[str, None] = {}
    fitted = _with_parts(conversation, lambda message: _unsealed(message.parts, losses))
    return fitted, tuple(Loss(name, LOSSY) for name in losses)


def _unsealed(parts: tuple[Part, ...], losses: dict[str, None]) -> tuple[Part, ...]:
    if not any(isinstance(part, Reasoning) and part.data is not None for part in parts):
        return parts
    kept: list[Part] = []
    for part in parts:
        if not isinstance(part, Reasoning) or part.data is None:
            kept.append(part)
            continue
        if part.signature is not None:
            kept.append(replace(part, data=None))
        elif part.text:
            losses["messages.reasoning"] = None  # words without a signature of their own
        kept.append(Reasoning("", None, part.data, part.signed_by))
    return tuple(kept)


def marks_as_cache_points(conversation: Conversation) -> Ruled:
    """A cache point stands between the blocks of a turn, and knows but how long it lives."""
    messages = conversation.messages
    tools = tuple(
        replace(tool, cache=_mark(tool.cache)) if isinstance(tool, Tool) and tool.cache is not None else tool
        for tool in conversation.tools
    )
    if tools != conversation.tools:
        conversation = replace(conversation, tools=tools)
    if not any(_bears_mark(part) for message in messages for part in message.parts):
        return conversation, ()
    return _with_parts(conversation, lambda message: tuple(map(_marked, message.parts))), ()


def _bears_mark(part: Part) -> bool:
    marked = getattr(part, "cache", None) is not None
    return marked or (isinstance(part, ToolResult) and any(map(_bears_mark, part.parts)))


def _marked(part: Part) -> Part:
    if isinstance(part, ToolResult):
        inner = next((one.cache for one in part.parts if isinstance(one, Document | Image | Text) and one.cache), None)
        parts = tuple(
            replace(one, cache=None) if isinstance(one, Document | Image | Text) else one for one in part.parts
        )
        return replace(part, parts=parts, cache=_mark(part.cache or inner))
    if isinstance(part, Document | Image | Text | ToolCall) and part.cache is not None:
        return replace(part, cache=_mark(part.cache))
    return part


def _mark(mark: JsonObject | None) -> JsonObject | None:
    if mark is None:
        return None
    life = {"ttl": mark["ttl"]} if mark.get("ttl") in ("5m", "1h") else {}
    return {"type": "ephemeral", **life}


_NAME_CHARS_MAX = 200
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 \-()\[\]]+|(?<= ) +")


def documents_with_names(conversation: Conversation) -> Ruled:
    """Each document has a name, of letters, digits, single spaces, hyphens and brackets, and no two have the same."""
    if not any(_holds_document(part) for message in conversation.messages for part in message.parts):
        return conversation, ()
    taken: dict[str, None] = {}
    losses: dict[str, None] = {}

    def named(part: Part) -> Part:
        if isinstance(part, ToolResult):
            return replace(part, parts=tuple(map(named, part.parts)))
        if not isinstance(part, Document):
            return part
        name = _free(part.title or "", taken)
        taken[name] = None
        if part.title not in {None, name}:
            losses["messages.document.title"] = None
        return replace(part, title=name)

    fitted = _with_parts(conversation, lambda message: tuple(map(named, message.parts)))
    return fitted, tuple(Loss(name, COSMETIC) for name in losses)


def words_beside_documents(conversation: Conversation) -> Ruled:
    """A turn with documents has words, too (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html): their names."""

    def worded(message: Message) -> tuple[Part, ...]:
        names = [part.title or "" for part in message.parts if isinstance(part, Document)]
        if not names or any(isinstance(part, Text) for part in message.parts):
            return message.parts
        return (*message.parts, Text(", ".join(names)))

    return _with_parts(conversation, worded), ()


def _holds_document(part: Part) -> bool:
    return isinstance(part, Document) or (isinstance(part, ToolResult) and any(map(_holds_document, part.parts)))


def _free(title: str, taken: dict[str, None]) -> str:
    """The title as a name that nobody has yet."""
    name = _NOT_IN_NAMES.sub("-", title)[:_NAME_CHARS_MAX].strip() or "document"
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name[: _NAME_CHARS_MAX - 8]} ({number})"
    return free


# Tools


def tools_that_may_be_called(conversation: Conversation) -> Ruled:
    """That no tool may be called cannot be said: without tools none is.

    But turns that call tools want to see them declared; then all that can be done is to force none.
    """
    settings = conversation.settings
    choice = settings.tool_choice
    if choice is None or choice.mode != "none":
        return conversation, ()
    settings = replace(settings, tool_choice=None)
    if _names_called(conversation) is None:
        return replace(conversation, tools=(), settings=settings), ()
    return replace(conversation, settings=settings), (Loss("tool_choice", LOSSY),)


def tools_for_their_calls(conversation: Conversation) -> Ruled:
    """Turns that call tools want to see them declared ("The toolConfig field must be defined when using toolUse and toolResult content blocks.")."""
    names = None if conversation.tools else _names_called(conversation)
    if names is None:
        return conversation, ()
    tools = tuple(Tool(name, None, {"type": "object", "properties": {}}) for name in names or ("unknown",))
    return replace(conversation, tools=tools), (Loss("tools", COSMETIC),)


def _names_called(conversation: Conversation) -> tuple[str, ...] | None:
    """The names of the tools in the calls so far; None where nothing was called, and nothing came back."""
    parts = [part for message in conversation.messages for part in message.parts]
    if not any(isinstance(part, ToolCall | ToolResult) for part in parts):
        return None
    return tuple(dict.fromkeys(part.name for part in parts if isinstance(part, ToolCall)))


def descriptions_with_words(conversation: Conversation) -> Ruled:
    """A tool says something about itself or nothing."""
    tools = tuple(
        replace(tool, description=None)
        if isinstance(tool, Tool) and tool.description is not None and not tool.description.strip()
        else tool
        for tool in conversation.tools
    )
    return (conversation if tools == conversation.tools else replace(conversation, tools=tools)), ()


# Answers


def one_message(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """There is exactly one message, nameless, and it holds every field."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    fields = {**own(answer.extra), **own(choice.extra)}
    losses: dict[str, None] = {}
    parts = _unsealed(choice.parts, losses)
    settled = replace(choice, parts=parts, extra=Extra(NAME, fields) if fields else None)
    told = replace(answer, id="", model="", choices=(settled,), extra=None)
    return told, tuple(Loss(name.replace("messages", "content"), LOSSY) for name in losses)


REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.USER: ("audio", "document", "image", "text", "video"),
        Role.ASSISTANT: ("reasoning", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={
        "document": ("inline", "plain", "stored"),
        "image": ("inline", "stored"),
        "video": ("inline", "stored"),
    },
    media_types={
        "document": tuple(sorted(DOCUMENTS.values())),
        "image": tuple(sorted(IMAGES.values())),
        "video": tuple(sorted(VIDEOS.values())),
    },
    fields={
        "document": ("citations", "context", "title"),
        "format": ("description", "name"),
        "tool": ("strict",),
        "tool_result": ("is_error",),
    },
    cache=("document", "image", "text", "tool", "tool_call", "tool_result"),
    result_parts=("document", "image", "text", "video"),
    moves_result_media=True,
    blank_texts=False,
    object_arguments=True,
    tool_ids=r"[a-zA-Z0-9_.:-]{1,64}",
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
    settings=("format", "max_tokens", "reasoning", "stop", "temperature", "tool_choice", "top_k", "top_p"),
    wire_names={
        "maxTokens": "max_tokens",
        "outputConfig": "format",
        "stopSequences": "stop",
        "thinking": "reasoning",
        "toolChoice": "tool_choice",
        "topP": "top_p",
    },
    renames={Role.DEVELOPER: Role.SYSTEM},
    late_system="user",
    merges=(Role.ASSISTANT, Role.SYSTEM, Role.USER),
    tool_choices=("auto", "named", "none", "required"),
    needs_parameters=True,
    formats=("json_schema",),
    reasoning=("budget_tokens", "display", "effort", "mode"),
    maxima={"temperature": 1},
    lengths={"stop": 2500},
    request_rules=(
        one_seal_each,
        ids_of_their_own,
        results_first,
        someone_speaks,
        marks_as_cache_points,
        documents_with_names,
        words_beside_documents,
        tools_that_may_be_called,
        tools_for_their_calls,
        descriptions_with_words,
        schemas_claude_takes,
    ),
)

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="unseal",
    bare_texts=True,
    object_arguments=True,
    choices_max=1,
    stops=FOLDS,
    usage_folds={"audio_in": "input", "audio_out": "output", "reasoning": "output"},
    usage_required=True,
    answer_rules=(one_message,),
)
