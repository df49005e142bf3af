"""What a model is good for."""

from __future__ import annotations

from understudy.core.value import keyword_value


@keyword_value
class Profile:
    """Where there is no source a field is None, shown as unknown and never invented.

    `same_as`: a name that equal models share at whichever provider they run (`claude-sonnet-4-5`). `maker`: who trained it
    (`anthropic`). `family`: what it descends from (`claude-sonnet`). `tier`: flagship, balanced, efficient or specialised. `quality`: 0 to 1, all in all; `scores`: the same by what is
    asked of it (reasoning, coding, creativity), sorted by name.
    """

    same_as: str | None = None
    maker: str | None = None
    family: str | None = None
    tier: str | None = None
    quality: float | None = None
    scores: tuple[tuple[str, float], ...] = ()


UNKNOWN = Profile()
