"""Rules about turns that several formats share, for their `request_rules`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from understudy.core.conversation import Conversation, Message, Part, Role, Text, ToolCall, ToolResult
from understudy.core.projection import LOSSY, Loss, replaced_id

Ruled = tuple[Conversation, tuple[Loss, ...]]


def results_first(conversation: Conversation) -> Ruled:
    """Tool results stand before the words of their user turn: the API looks for them right behind the calls."""
    messages = conversation.messages
    if not any(left.role is Role.USER and right.role is Role.TOOL for left, right in pairwise(messages)):
        return conversation, ()
    ordered: list[Message] = []
    turn: list[Message] = []
    for message in messages:
        if message.role in {Role.USER, Role.TOOL} and message.extra is None:
            turn.append(message)
        else:
            ordered += [*_turn_in_order(turn), message]
            turn = []
    ordered += _turn_in_order(turn)
    return replace(conversation, messages=tuple(ordered)), ()


def _turn_in_order(turn: list[Message]) -> list[Message]:
    gathered = []
    for role in (Role.TOOL, Role.USER):
        parts = tuple(part for message in turn if message.role is role for part in message.parts)
        if parts:
            gathered.append(Message(role, parts))
    return gathered


def ids_of_their_own(conversation: Conversation) -> Ruled:
    """No two calls have the same id ("`tool_use` ids must be unique"): several servers begin anew in every turn."""
    spoken = [message.parts for message in conversation.messages if message.role is Role.ASSISTANT]
    said = [part.id for parts in spoken for part in parts if isinstance(part, ToolCall)]
    if len(dict.fromkeys(said)) == len(said):
        return conversation, ()
    uses: Counter[str] = Counter()
    waiting: dict[str, list[str]] = {}  # by the id that both have: calls of the latest turn whose results come next

    def settled(part: Part) -> Part:
        if isinstance(part, ToolCall):
            uses[part.id] += 1
            id_ = part.id if uses[part.id] == 1 else replaced_id(f"{part.id} {uses[part.id]}", _ID_CHARS)
            waiting.setdefault(part.id, []).append(id_)
            return replace(part, id=id_)
        if isinstance(part, ToolResult) and waiting.get(part.call_id):
            return replace(part, call_id=waiting[part.call_id].pop(0))
        return part

    messages: list[Message] = []
    for message in conversation.messages:
        if any(isinstance(part, ToolCall) for part in message.parts):
            waiting.clear()
        messages.append(replace(message, parts=tuple(map(settled, message.parts))))
    return replace(conversation, messages=tuple(messages)), ()


_ID_CHARS = 24


def someone_speaks(conversation: Conversation) -> Ruled:
    """In a conversation of system turns alone the last becomes a user's: the API wants somebody to answer to."""
    messages = conversation.messages
    if not messages or any(message.role is not Role.SYSTEM for message in messages):
        return conversation, ()
    last = messages[-1]
    if not all(isinstance(part, Text) for part in last.parts):
        return conversation, ()
    spoken = (*messages[:-1], replace(last, role=Role.USER))
    return replace(conversation, messages=spoken), (Loss("messages.role", LOSSY),)
