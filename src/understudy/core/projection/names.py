"""Gives tools names that a wire format takes, and their callers' own back in the answer: nobody but the model sees others.

A name that fits stays as it is. Another keeps what it can of its letters and ends in a digest of itself, so that it is the same in
every turn of a conversation, at every worker, and no other tool's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from understudy.core.answer import Answer, PartBegin, StreamEvent
from understudy.core.conversation import Conversation, Message, OpaqueTool, Part, Role, Tool, ToolCall, ToolResult
from understudy.core.projection.carries import Carries

Names = Mapping[str, str]
"""A tool's name as it was sent -> the caller's own, where the two differ."""

AS_THEY_ARE: Names = {}

CHARS_MAX = 64
"""Of a name in the place of another: the most that every format takes."""

_CALLING = (Role.ASSISTANT, Role.TOOL)
_DIGEST_CHARS = 8
_NOT_EVERYWHERE = re.compile(r"[^a-zA-Z0-9_]+")


def with_tool_names(conversation: Conversation, carries: Carries) -> tuple[Conversation, Names]:
    """The same with tool names that the format takes, wherever tools are named, and the way back."""
    said = _said(conversation)
    if not said or carries.tool_names is None:
        return conversation, AS_THEY_ARE
    fits = re.compile(carries.tool_names).fullmatch
    strange = sorted([name for name in said if not fits(name)])
    if not strange:
        return conversation, AS_THEY_ARE
    new: dict[str, str] = {}
    for name in strange:
        new[name] = free = _free(name, said)
        said[free] = None
    return _renamed(conversation, new), {sent: own for own, sent in new.items()}


def _said(conversation: Conversation) -> dict[str, None]:
    """Every name of a tool in a request."""
    said: dict[str, None] = {}
    for tool in conversation.tools:
        if isinstance(tool, Tool):
            said[tool.name] = None
    choice = conversation.settings.tool_choice
    if choice is not None:
        said |= dict.fromkeys(choice.names)
    for message in conversation.messages:
        if message.role not in _CALLING:
            continue
        for part in message.parts:
            if isinstance(part, ToolCall | ToolResult) and part.name is not None:
                said[part.name] = None
    return said


def _free(name: str, taken: Mapping[str, None]) -> str:
    """A name made of another that nobody has."""
    stem = _NOT_EVERYWHERE.sub("_", name).strip("_")
    if not stem or stem[0].isdigit():  # several formats want a letter in front
        stem = f"tool_{stem}" if stem else "tool"
    stem = stem[: CHARS_MAX - _DIGEST_CHARS - 1]
    written, round_ = name, 0
    while (free := f"{stem}_{_digest(written)}") in taken:
        round_ += 1
        written = f"{name} {round_}"
    return free


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]


def _renamed(conversation: Conversation, new: Mapping[str, str]) -> Conversation:
    def of_part(part: Part) -> Part:
        if isinstance(part, ToolCall | ToolResult) and part.name is not None and part.name in new:
            return replace(part, name=new[part.name])
        return part

    def of_tool(tool: Tool | OpaqueTool) -> Tool | OpaqueTool:
        return replace(tool, name=new[tool.name]) if isinstance(tool, Tool) and tool.name in new else tool

    settings = conversation.settings
    choice = settings.tool_choice
    if choice is not None and choice.names:
        choice = replace(choice, names=tuple(new.get(name, name) for name in choice.names))
        settings = replace(settings, tool_choice=choice)
    return replace(
        conversation,
        messages=tuple(
            Message(message.role, tuple(map(of_part, message.parts)), message.extra)
            for message in conversation.messages
        ),
        tools=tuple(map(of_tool, conversation.tools)),
        settings=settings,
    )


# The way back


def own_names(answer: Answer, names: Names) -> Answer:
    """A whole answer with the caller's own names of tools."""
    if not names:
        return answer

    def of_part(part: Part) -> Part:
        return replace(part, name=names[part.name]) if isinstance(part, ToolCall) and part.name in names else part

    choices = tuple(replace(choice, parts=tuple(map(of_part, choice.parts))) for choice in answer.choices)
    return replace(answer, choices=choices)


def own_name(event: StreamEvent, names: Names) -> StreamEvent:
    """An event of a stream with the caller's own name of the tool that it calls: a name comes whole, with its part's beginning."""
    if not isinstance(event, PartBegin) or not isinstance(event.part, ToolCall) or event.part.name not in names:
        return event
    return replace(event, part=replace(event.part, name=names[event.part.name]))
