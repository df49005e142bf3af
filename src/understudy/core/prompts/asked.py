"""The words of a request's last user turn."""

from __future__ import annotations

from understudy.core.conversation import Conversation, Role, Text


def last_words(conversation: Conversation) -> str:
    """The text of the last user message, "" where there is none."""
    for message in reversed(conversation.messages):
        if message.role is Role.USER:
            return "\n".join(part.text for part in message.parts if isinstance(part, Text))
    return ""
