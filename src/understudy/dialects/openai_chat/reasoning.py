"""Thinking in its five spellings, and how seals of other providers travel through OpenAI clients.

Text stands in `reasoning_content` (DeepSeek, xAI, Z.ai, llama.cpp, Alibaba, older vLLM), in `reasoning` (Groq, Ollama,
Cerebras, OpenRouter, newer vLLM), in parts of the content (Mistral), or in `reasoning_details`: OpenRouter's list of
entries with a signature or encrypted data, which a client sends back unchanged. That list also carries what another
dialect's provider sealed; its `format` then is `understudy:` and the name of the dialect.
"""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Extra, Reasoning
from understudy.core.value import JsonObject
from understudy.dialects.openai_chat.wire import NAME, own, words

SEAL = "understudy:"


def read_reasoning(message: JsonObject) -> list[Reasoning]:
    """The thinking that a message holds beside its content."""
    details = message.get("reasoning_details")
    text = words(message.get("reasoning_content")) or words(message.get("reasoning"))
    parts = [read_entry(entry) for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    parts = [part for part in parts if part.text or part.signature or part.data]
    if text and not any(part.text for part in parts):
        parts.insert(0, Reasoning(text))
    return parts


def read_entry(entry: JsonObject) -> Reasoning:
    """One entry of `reasoning_details`."""
    text = words(entry.get("text")) or words(entry.get("summary"))
    signature, data = words(entry.get("signature")) or None, words(entry.get("data")) or None
    signed_by, extra = origin(entry)
    return Reasoning(text, signature, data, signed_by if signature or data else None, extra)


def origin(entry: JsonObject) -> tuple[str, Extra | None]:
    """Whose seal an entry may bear, and what else of it has to go back as it came."""
    form = entry.get("format")
    if isinstance(form, str) and form.startswith(SEAL):
        return form[len(SEAL) :], None
    fields = {name: entry[name] for name in ("type", "id", "format") if words(entry.get(name))}
    if fields.get("format", "unknown") == "unknown" and "id" not in fields and fields.get("type") in _PLAIN_TYPES:
        return NAME, None
    sealed = bool(words(entry.get("data"))) and not (words(entry.get("text")) or words(entry.get("summary")))
    return NAME, Extra(NAME, {"type": "reasoning.encrypted" if sealed else "reasoning.text", **fields})


_PLAIN_TYPES = (None, "reasoning.text", "reasoning.encrypted")


def is_bare(part: Reasoning) -> bool:
    """Whether a part is text alone."""
    return part.signed_by is None and part.extra is None


def write_reasoning(parts: list[Reasoning], field: str = "reasoning_content") -> JsonObject:
    """The fields of a message: the text for every client, the entries only where there is more to say."""
    if not parts:
        return {}
    written: JsonObject = {field: "".join(part.text for part in parts)}
    if not all(map(is_bare, parts)):
        written["reasoning_details"] = [write_entry(part, place, entry_type(part)) for place, part in enumerate(parts)]
    return written


def entry_type(part: Reasoning) -> str:
    """What kind of entry a part is."""
    return words(own(part.extra).get("type")) or (
        "reasoning.encrypted" if part.data and not part.text else "reasoning.text"
    )


def write_entry(part: Reasoning, index: int, kind: str) -> JsonObject:
    """One entry of `reasoning_details`, or in a stream a piece of one."""
    entry: JsonObject = {**own(part.extra), "type": kind}
    if part.signed_by is not None and part.signed_by != NAME:
        entry["format"] = SEAL + part.signed_by
    if part.text or not part.data:
        entry["summary" if kind == "reasoning.summary" else "text"] = part.text
    if part.signature:
        entry["signature"] = part.signature
    if part.data:
        entry["data"] = part.data
    entry["index"] = index
    return entry


def sealed_elsewhere(entry: Any) -> bool:
    """Whether an entry of `reasoning_details` means nothing to a provider that speaks this dialect."""
    form = entry.get("format") if isinstance(entry, dict) else None
    return isinstance(form, str) and form.startswith(SEAL)
