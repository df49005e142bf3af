"""What generateContent can carry, and the rules of its API that data cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import (
    Conversation,
    Format,
    Message,
    Part,
    ReasoningSettings,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.projection import LOSSY, Carries, Loss, settled_stop
from understudy.dialects._turns import results_first
from understudy.dialects.gemini.schema import fitted
from understudy.dialects.gemini.seals import in_place
from understudy.dialects.gemini.stops import FOLDS, is_spoken_for
from understudy.dialects.gemini.wire import NAME

Ruled = tuple[Conversation, tuple[Loss, ...]]


def functions_first(conversation: Conversation) -> Ruled:
    """All functions are declared in one tool; the tools that Google runs stand behind it."""
    tools = conversation.tools
    ordered = tuple(sorted(tools, key=lambda tool: not isinstance(tool, Tool)))
    return (conversation if ordered == tools else replace(conversation, tools=ordered)), ()


def results_in_their_words(conversation: Conversation) -> Ruled:
    """A function response is one object with the name of its function: texts become one, and the name is the call's."""
    messages = conversation.messages
    if not any(message.role is Role.TOOL for message in messages):
        return conversation, ()
    names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}

    def settled(part: Part) -> Part:
        if not isinstance(part, ToolResult):
            return part
        said = "\n".join(inner.text for inner in part.parts if isinstance(inner, Text))
        others = tuple(inner for inner in part.parts if not isinstance(inner, Text))
        return replace(
            part,
            parts=(*((Text(said),) if said else ()), *others),
            is_error=part.is_error or None,
            name=names.get(part.call_id) or part.name or part.call_id,
        )

    said = tuple(
        replace(message, parts=tuple(map(settled, message.parts))) if message.role is Role.TOOL else message
        for message in messages
    )
    return replace(conversation, messages=said), ()


def someone_speaks(conversation: Conversation) -> Ruled:
    """A conversation of a system turn alone becomes a user's: the API wants at least one content."""
    messages = conversation.messages
    if len(messages) != 1 or messages[0].role is not Role.SYSTEM:
        return conversation, ()
    return replace(conversation, messages=(replace(messages[0], role=Role.USER),)), (Loss("messages.role", LOSSY),)


def signatures_beside_their_parts(conversation: Conversation) -> Ruled:
    """Each signature on the part that bore it, whatever order the caller's format made of the turn."""
    settled: list[Message] = []
    losses: tuple[Loss, ...] = ()
    for message in conversation.messages:
        parts, lost = in_place(message.parts) if message.role is Role.ASSISTANT else (message.parts, False)
        if lost:
            losses = (Loss("messages.reasoning", LOSSY),)
        if parts or message.extra is not None:
            settled.append(message if parts is message.parts else replace(message, parts=parts))
    return replace(conversation, messages=tuple(settled)), losses


def schemas_the_api_takes(conversation: Conversation) -> Ruled:
    """Schemas without the keywords that the API does not compile."""
    losses: dict[str, None] = {}
    format_ = conversation.settings.format
    if isinstance(format_, Format) and format_.schema is not None:
        schema = fitted(format_.schema, "response_format", losses)
        if schema != format_.schema:
            conversation = _with(conversation, format=replace(format_, schema=schema))
    tools = tuple(
        replace(tool, parameters=fitted(tool.parameters, "tools.parameters", losses))
        if isinstance(tool, Tool) and tool.parameters is not None
        else tool
        for tool in conversation.tools
    )
    if tools != conversation.tools:
        conversation = replace(conversation, tools=tools)
    return conversation, tuple(Loss(name, LOSSY) for name in losses)


def thinking_in_one_word(conversation: Conversation) -> Ruled:
    """A level, a budget, all or nothing: the API takes one of them. A budget says more than a level."""
    asked = conversation.settings.reasoning
    if asked is None:
        return conversation, ()
    effort, budget, mode, display = asked.effort, asked.budget_tokens, asked.mode, asked.display
    losses: tuple[Loss, ...] = ()
    if mode == "enabled" and display is None:
        display = "summarized"  # who turns thinking on in another format is shown it there
    if display not in {None, "summarized", "omitted"}:
        display = None
    if mode == "disabled" or effort == "none" or (budget is not None and budget <= 0):
        effort, budget, mode = None, None, "disabled"
    elif budget is not None:
        losses = () if effort is None else (Loss("reasoning.effort", LOSSY),)
        effort, mode = None, None
    elif effort is not None:
        mode = None
    elif mode is not None:
        mode = "adaptive"
    settled = ReasoningSettings(effort, budget, mode, display)
    return _with(conversation, reasoning=None if settled == ReasoningSettings() else settled), losses


def choices_in_its_words(conversation: Conversation) -> Ruled:
    """One tool out of one is a named tool: the API writes both alike."""
    choice = conversation.settings.tool_choice
    if choice is None or choice.mode != "required" or len(choice.names) != 1:
        return conversation, ()
    return _with(conversation, tool_choice=ToolChoice("named", choice.names)), ()


def _with(conversation: Conversation, **settings: Any) -> Conversation:
    held: Settings = replace(conversation.settings, **settings)
    return replace(conversation, settings=held)


# Answers


def candidates_in_its_words(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """Signatures beside their parts, and reasons for stopping in the API's words."""
    return replace(answer, choices=tuple(map(_in_its_words, answer.choices))), ()


def _in_its_words(choice: Choice) -> Choice:
    parts, _ = in_place(choice.parts)
    stop, native = choice.stop, choice.stop_native
    if stop is not None:
        stop = settled_stop(FOLDS.get(stop, stop), parts)
    if native is not None and (stop is None or not is_spoken_for(native, stop, parts)):
        native = None  # another provider's word, or one that says what the reason says
    return replace(choice, parts=parts, stop=stop, stop_native=native)


REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.USER: ("audio", "document", "image", "text", "video"),
        Role.ASSISTANT: ("reasoning", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={
        "document": ("inline", "remote", "stored"),
        "image": ("inline", "remote", "stored"),
        "video": ("inline", "remote", "stored"),
    },
    media_types={
        "document": (
            "application/json", "application/pdf", "text/css", "text/csv", "text/html", "text/javascript", "text/markdown",
            "text/plain", "text/rtf", "text/xml",
        ),
        "image": ("image/heic", "image/heif", "image/jpeg", "image/png", "image/webp"),
        "video": (
            "video/3gpp", "video/avi", "video/mov", "video/mp4", "video/mpeg", "video/mpg", "video/quicktime", "video/webm",
            "video/wmv", "video/x-flv",
        ),
    },
    fields={"tool_result": ("is_error", "name")},
    moves_result_media=True,
    unsigned_reasoning=True,
    tool_ids=r"(?s:.+)",
    tool_names=r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}",
    settings=(
        "format", "frequency_penalty", "max_tokens", "n", "presence_penalty", "reasoning", "seed", "stop", "temperature",
        "tool_choice", "top_k", "top_p",
    ),
    wire_names={
        "candidateCount": "n",
        "frequencyPenalty": "frequency_penalty",
        "maxOutputTokens": "max_tokens",
        "presencePenalty": "presence_penalty",
        "stopSequences": "stop",
        "thinkingConfig": "reasoning",
        "toolConfig": "tool_choice",
        "topK": "top_k",
        "topP": "top_p",
    },
    renames={Role.DEVELOPER: Role.SYSTEM},
    late_system="user",
    merges=(Role.ASSISTANT, Role.SYSTEM, Role.USER),
    tool_choices=("auto", "named", "none", "required"),
    tool_subsets=True,
    formats=("json_object", "json_schema", "text"),
    reasoning=("budget_tokens", "display", "effort", "mode"),
    efforts=("minimal", "low", "medium", "high"),
    maxima={"seed": 2**31 - 1, "temperature": 2},
    lengths={"stop": 5},
    request_rules=(
        signatures_beside_their_parts,
        results_in_their_words,
        results_first,
        someone_speaks,
        functions_first,
        schemas_the_api_takes,
        thinking_in_one_word,
        choices_in_its_words,
    ),
)  # fmt: skip

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="keep",
    joins=("reasoning", "text"),
    bare_texts=True,
    stop_native=True,
    usage_folds={"cache_write_1h": "input", "cache_write_5m": "input"},
    answer_rules=(candidates_in_its_words,),
)
