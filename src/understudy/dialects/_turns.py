"""Rules about turns that several formats share, for their `request_rules`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from understudy.core.conversation import Conversation, Message, Role, Text
from understudy.core.projection import COSMETIC, LOSSY, Loss

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


def someone_speaks(conversation: Conversation) -> Ruled:
    """A conversation of system turns alone becomes a user's turn: the API wants at least one message."""
    messages = conversation.messages
    if len(messages) != 1 or messages[0].role is not Role.SYSTEM:
        return conversation, ()
    only = messages[0]
    if not all(isinstance(part, Text) for part in only.parts):
        return conversation, ()
    return replace(conversation, messages=(replace(only, role=Role.USER),)), (Loss("messages.role", LOSSY),)


def words_to_read(conversation: Conversation) -> Ruled:
    """Texts of white space alone are left out: the API refuses them, and they say nothing."""
    if not any(_blank(part) for message in conversation.messages for part in message.parts):
        return conversation, ()
    kept: list[Message] = []
    for message in conversation.messages:
        parts = tuple(part for part in message.parts if not _blank(part))
        if parts or message.extra is not None:
            joins = kept and kept[-1].role is message.role and kept[-1].extra is None and message.extra is None
            if joins:
                kept[-1] = replace(message, parts=kept[-1].parts + parts)
            else:
                kept.append(replace(message, parts=parts))
    return replace(conversation, messages=tuple(kept)), (Loss("messages.text", COSMETIC),)


def _blank(part: Any) -> bool:
    return isinstance(part, Text) and not part.text.strip() and part.extra is None
