"""Reads more of a request for those routes that go by more than its needs."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.prompts.asked import last_words
from understudy.core.prompts.traits import traits
from understudy.core.request import Needs
from understudy.dialects import BadBody, Format, converses


def with_traits(needs: Needs, body: bytes, dialect: Format) -> Needs:
    """What is needed, with the traits of the last user turn; without them where it cannot be read, which others will tell."""
    if not converses(dialect):
        return needs
    try:
        asked = dialect.parse_request(body)
    except BadBody:
        return needs
    return replace(needs, traits=traits(last_words(asked)))
