"""What Ollama's chat can carry, and the rules of its API that data cannot say."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import (
    Conversation,
    Extra,
    Image,
    Inline,
    Message,
    Opaque,
    Part,
    Reasoning,
    ReasoningSettings,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from understudy.core.projection import COSMETIC, LOSSY, Carries, Loss, settled_stop
from understudy.dialects.ollama_chat.pictures import MEDIA_TYPES, type_of
from understudy.dialects.ollama_chat.wire import NAME, answer_id, folded, own, write_moment

Ruled = tuple[Conversation, tuple[Loss, ...]]
_Lost = dict[Loss, None]

BETWEEN_TEXTS = "\n"
"""What stands between texts that become one."""


def turns_in_its_words(conversation: Conversation) -> Ruled:
    """A turn is one string with its pictures beside it: texts become one, pictures stand first, a result bears its call's name."""
    lost: _Lost = {}
    names: dict[str, str] = {}
    settled: list[Message] = []
    for message in conversation.messages:
        names |= {part.id: part.name for part in message.parts if isinstance(part, ToolCall)}
        parts = _arranged(_bare(message.parts, "messages", lost), message.role, names, lost)
        if not parts and message.extra is None:
            continue
        last = settled[-1] if settled else None
        if last is not None and last.role is message.role is Role.TOOL:
            settled[-1] = Message(Role.TOOL, last.parts + parts)
        else:
            settled.append(message if parts == message.parts else replace(message, parts=parts))
    return replace(conversation, messages=tuple(settled)), tuple(lost)


def _bare(parts: tuple[Part, ...], where: str, lost: _Lost) -> list[Part]:
    """Parts without what the format has no place for: it knows neither parts of its own nor seals."""
    kept: list[Part] = []
    for part in parts:
        if isinstance(part, Opaque):
            lost[Loss(f"{where}.{part.kind}", LOSSY)] = None
        elif isinstance(part, Reasoning) and part.signed_by is not None:
            lost[Loss(f"{where}.reasoning.signature", COSMETIC)] = None
            kept += [Reasoning(part.text)] if part.text else []
        elif isinstance(part, Image) and isinstance(part.source, Inline):
            if part.extra is not None:
                lost[Loss(f"{where}.image", LOSSY)] = None
            kept.append(Image(Inline(type_of(part.source.data), part.source.data)))
        else:
            kept.append(part)
    return kept


def _arranged(parts: list[Part], role: Role, names: dict[str, str], lost: _Lost) -> tuple[Part, ...]:
    if role is Role.TOOL:
        return tuple(_result(part, names, lost) for part in parts if isinstance(part, ToolResult))
    if role is Role.ASSISTANT:
        return _spoken(parts)
    pictures: tuple[Part, ...] = tuple(part for part in parts if isinstance(part, Image))
    return pictures + _one_text(parts, BETWEEN_TEXTS)


def _one_text(parts: list[Part], between: str) -> tuple[Part, ...]:
    text = between.join(part.text for part in parts if isinstance(part, Text))
    return (Text(text),) if text else ()


def _spoken(parts: list[Part]) -> tuple[Part, ...]:
    """What a model said, in the order of the format: all thoughts, all words, the calls."""
    thoughts = "".join(part.text for part in parts if isinstance(part, Reasoning))
    thought: tuple[Part, ...] = (Reasoning(thoughts),) if thoughts else ()
    return (*thought, *_one_text(parts, ""), *(part for part in parts if isinstance(part, ToolCall)))


def _result(part: ToolResult, names: dict[str, str], lost: _Lost) -> ToolResult:
    said = _one_text(_bare(part.parts, "messages", lost), BETWEEN_TEXTS)
    return replace(part, parts=said, name=names.get(part.call_id) or part.name or None)


def thinking_in_one_word(conversation: Conversation) -> Ruled:
    """A level, on, or off. To think as it likes is what a model does that was told nothing."""
    asked = conversation.settings.reasoning
    if asked is None:
        return conversation, ()
    settled: ReasoningSettings | None
    if asked.mode == "disabled" or asked.effort == "none":
        settled = ReasoningSettings(mode="disabled")
    elif asked.effort is not None:
        settled = ReasoningSettings(effort=asked.effort)
    else:
        settled = ReasoningSettings(mode="enabled") if asked.mode == "enabled" else None
    return replace(conversation, settings=replace(conversation.settings, reasoning=settled)), ()


def no_tools_where_none_may_be_called(conversation: Conversation) -> Ruled:
    """The API cannot be told to call nothing; a model that is offered nothing calls nothing."""
    choice = conversation.settings.tool_choice
    if choice is None:
        return conversation, ()
    return replace(conversation, tools=(), settings=replace(conversation.settings, tool_choice=None)), ()


# Answers


def answers_in_its_words(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """One message, one reason, and an id made of its moment; what is beside the message belongs to the choice."""
    lost: _Lost = {}
    moment = write_moment(answer.created)
    beside = dict(own(answer.extra))
    choices = []
    for choice in answer.choices:
        parts = _spoken(_bare(choice.parts, "content", lost))
        stop = None if choice.stop is None else settled_stop(folded(choice.stop), parts)
        fields = {**beside, **own(choice.extra)}
        choices.append(Choice(parts=parts, stop=stop, extra=Extra(NAME, fields) if fields else None))
    id_ = answer_id(moment, answer.model)
    if id_ != answer.id:
        lost[Loss("id", COSMETIC)] = None
    return replace(answer, id=id_, choices=tuple(choices), extra=None), tuple(lost)


REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.USER: ("image", "text"),
        Role.ASSISTANT: ("reasoning", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={"image": ("inline",)},
    media_types={"image": MEDIA_TYPES},
    fields={"tool_result": ("name",)},
    moves_result_media=True,
    unsigned_reasoning=True,
    bare_texts=True,
    object_arguments=True,
    tool_ids=r"(?s:.+)",
    settings=(
        "format", "frequency_penalty", "max_tokens", "presence_penalty", "reasoning", "seed", "stop", "temperature",
        "tool_choice", "top_k", "top_p",
    ),
    wire_names={"think": "reasoning"},
    renames={Role.DEVELOPER: Role.SYSTEM},
    tool_choices=("none",),
    server_tools=False,
    needs_parameters=True,
    formats=("json_object", "json_schema"),
    reasoning=("effort", "mode"),
    efforts=("none", "low", "medium", "high"),
    request_rules=(turns_in_its_words, thinking_in_one_word, no_tools_where_none_may_be_called),
)  # fmt: skip

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="unseal",
    bare_texts=True,
    object_arguments=True,
    tool_ids=r"(?s:.+)",
    choices_max=1,
    created=True,
    usage_folds={
        "audio_in": "input",
        "audio_out": "output",
        "cache_write_1h": "input",
        "cache_write_5m": "input",
        "reasoning": "output",
    },
    answer_rules=(answers_in_its_words,),
)
