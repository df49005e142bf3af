"""Token counts: `usageMetadata` to disjoint classes, and back.

`promptTokenCount` includes what was read from a cache, `candidatesTokenCount` does not include the thoughts, and what Google's own
tools gave the model to read stands beside both; `totalTokenCount` is the sum of all four (480 of 480 recorded answers that count).
"""

from __future__ import annotations

from typing import Any

from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import COUNT_MAX
from understudy.dialects.gemini.wire import camelled

_AUDIO = ("AUDIO", 4)
"""The modality by name, and as Google numbers it."""

COUNTS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
    "promptTokensDetails",
    "candidatesTokensDetails",
    "cacheTokensDetails",
    "toolUsePromptTokensDetails",
)


def read_usage(found: Any) -> Usage | None:
    """The token counts; None when there are none. One that is no natural number, or larger than its whole, marks them as estimated."""
    if not isinstance(found, dict):
        return None
    fields = camelled(found)
    if fields.get("promptTokenCount") is None and fields.get("totalTokenCount") is None:
        return None
    sound = True

    def count(value: Any) -> int:
        nonlocal sound
        if value is None:
            return 0
        if type(value) is int and 0 <= value <= COUNT_MAX:
            return value
        sound = False
        return 0

    def heard(name: str) -> int:
        details = fields.get(name)
        entries = [camelled(entry) for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
        return sum(count(entry.get("tokenCount")) for entry in entries if entry.get("modality") in _AUDIO)

    prompt, cached = count(fields.get("promptTokenCount")), count(fields.get("cachedContentTokenCount"))
    written, thought = count(fields.get("candidatesTokenCount")), count(fields.get("thoughtsTokenCount"))
    if cached > prompt:
        sound, cached = False, 0
    # sound that was read from the cache is counted there
    audio_in = max(0, min(heard("promptTokensDetails") - heard("cacheTokensDetails"), prompt - cached))
    audio_out = min(heard("candidatesTokensDetails"), written)
    return Usage(
        input=prompt - cached - audio_in + count(fields.get("toolUsePromptTokenCount")),
        cache_read=cached,
        output=written - audio_out,
        reasoning=thought,
        audio_in=audio_in,
        audio_out=audio_out,
        estimated=not sound,
    )


def usage_extra(found: Any) -> JsonObject:
    """What `usageMetadata` says beside the counts that we read."""
    if not isinstance(found, dict):
        return {}
    return {name: held for name, held in camelled(found).items() if name not in COUNTS and held is not None}


def write_usage(usage: Usage) -> JsonObject:
    """A `usageMetadata`."""
    written: JsonObject = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": usage.output + usage.audio_out,
        "totalTokenCount": usage.total,
    }
    if usage.reasoning:
        written["thoughtsTokenCount"] = usage.reasoning
    if usage.cache_read:
        written["cachedContentTokenCount"] = usage.cache_read
    if usage.audio_in:
        written["promptTokensDetails"] = _by_modality(usage.prompt - usage.audio_in, usage.audio_in)
    if usage.audio_out:
        written["candidatesTokensDetails"] = _by_modality(usage.output, usage.audio_out)
    return written


def _by_modality(text: int, audio: int) -> list[JsonObject]:
    return [
        *([{"modality": "TEXT", "tokenCount": text}] if text else []),
        {"modality": "AUDIO", "tokenCount": audio},
    ]
