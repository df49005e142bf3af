"""Rules about turns that several formats share, for their `request_rules`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from understudy.core.conversation import Conversation, Message, Role, Text
from understudy.core.projection import LOSSY, Loss

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
    """In a conversation of system turns alone the last becomes a user's: the API wants somebody to answer to."""
    messages = conversation.messages
    if not messages or any(message.role is not Role.SYSTEM for message in messages):
        return conversation, ()
    last = messages[-1]
    if not all(isinstance(part, Text) for part in last.parts):
        return conversation, ()
    spoken = (*messages[:-1], replace(last, role=Role.USER))
    return replace(conversation, messages=spoken), (Loss("messages.role", LOSSY),)
