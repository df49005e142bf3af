"""What fields weigh that one provider refuses of its own format: those requests are fitted without being projected."""

from __future__ import annotations

from understudy.core.conversation import Conversation
from understudy.core.projection.carries import (
    COSMETIC,
    COSMETIC_FIELDS,
    FIELD_WEIGHTS,
    LOSSY,
    SAID_ANYWAY,
    SAYS_BY_BEING_THERE,
    SETTINGS,
    Carries,
)


def weight_of(name: str, asked: Conversation, carries: Carries) -> str:
    """What leaving a field out weighs. `name`: on the wire. `asked`: the request that it was left out of.

    The same as in another format: a mark for caching or accounting informs nobody, and a value that says what is so without it says
    nothing.
    """
    setting = carries.wire_names.get(name, name)
    if setting in SETTINGS:
        weight, silent = SETTINGS[setting]
        needless = setting == "parallel_tools" and not asked.tools
        return COSMETIC if needless or getattr(asked.settings, setting) == silent else weight
    first, last = name.partition(".")[0], name.rpartition(".")[2]
    if last == "cache_control" or first in COSMETIC_FIELDS or last in COSMETIC_FIELDS:
        return COSMETIC
    fields = asked.extra.fields if asked.extra is not None else {}
    held = fields.get(name)
    silent = name in fields and not held and name not in SAYS_BY_BEING_THERE
    if silent or (held is not None and held == SAID_ANYWAY.get(name)):
        return COSMETIC
    return FIELD_WEIGHTS.get(name, LOSSY)
