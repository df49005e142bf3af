"""Thinking in its five spellings, and how seals travel.

Text stands in `reasoning_content` (DeepSeek, xAI, Z.ai, llama.cpp, Alibaba, older vLLM), in `reasoning` (Groq, Ollama,
Cerebras, OpenRouter, newer vLLM), in parts of the content (Mistral), or in `reasoning_details`: OpenRouter's list of
entries with a signature or encrypted data, which a client sends back unchanged.

- An entry that is bound to its provider becomes a sealed part whose signature is all of the entry but its words, packed as
  JSON. So it comes back unchanged even from a client of another wire format.
- What another dialect's provider sealed travels through OpenAI clients in the same list; the entry's `format` then is
  `understudy:` and the name of that dialect.
"""

from __future__ import annotations

import json
from typing import Any

from understudy.core.conversation import Reasoning
from understudy.core.value import JsonObject
from understudy.dialects._reading import words
from understudy.dialects.openai_chat.wire import NAME

SEAL = "understudy:"
FIELD = "reasoning_content"
"""Where the text is written for clients: the most widely read of the names."""

_SEALED_FIELDS = ("type", "id", "format", "signature", "data")


def read_reasoning(message: JsonObject) -> list[Reasoning]:
    """The thinking that a message holds beside its content."""
    details = message.get("reasoning_details")
    parts = [read_entry(entry) for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    parts = [part for part in parts if part.text or part.signed_by]
    text = plain_text(message)
    if text and not any(part.text for part in parts):
        parts.insert(0, Reasoning(text))
    return parts


def plain_text(message: JsonObject) -> str:
    """The thinking of a message or delta as text alone."""
    return words(message.get("reasoning_content")) or words(message.get("reasoning"))


def read_entry(entry: JsonObject) -> Reasoning:
    """One entry of `reasoning_details`."""
    text = entry_text(entry)
    signed_by = signer(entry)
    if signed_by == NAME and not is_stamped(entry):
        seal = pack(entry)
        return Reasoning(text, seal, None, NAME if seal else None)
    signature, data = words(entry.get("signature")) or None, words(entry.get("data")) or None
    return Reasoning(text, signature, data, signed_by if signature or data else None)


def entry_text(entry: JsonObject) -> str:
    """The words of an entry."""
    return words(entry.get("text")) or words(entry.get("summary"))


def is_stamped(entry: Any) -> bool:
    """Whether we wrote the entry, for a seal that is no entry of a provider."""
    form = entry.get("format") if isinstance(entry, dict) else None
    return isinstance(form, str) and form.startswith(SEAL)


def signer(entry: JsonObject) -> str:
    """Whose seal an entry may bear."""
    return str(entry["format"])[len(SEAL) :] if is_stamped(entry) else NAME


def pack(entry: JsonObject) -> str | None:
    """All of an entry but its words, if its provider must have it back."""
    fields = {name: held for name in _SEALED_FIELDS if (held := words(entry.get(name)))}
    if not fields.keys() & {"id", "signature", "data"} and fields.get("format", "unknown") == "unknown":
        return None
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def unpack(seal: str | None) -> JsonObject | None:
    """The entry that was packed; None for any other text."""
    if seal is None or not seal.startswith("{"):
        return None
    try:
        entry = json.loads(seal)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and pack(entry) == seal and not is_stamped(entry) else None


def write_reasoning(parts: list[Reasoning], field: str = FIELD) -> JsonObject:
    """The fields of a message: the text for every client, the entries only where there is more to say."""
    if not parts:
        return {}
    written: JsonObject = {field: "".join(part.text for part in parts)}
    if any(part.signed_by for part in parts):
        written["reasoning_details"] = [write_entry(part, place) for place, part in enumerate(parts)]
    return written


def write_entry(part: Reasoning, index: int, *, encrypted: bool | None = None) -> JsonObject:
    """One entry of `reasoning_details`, or in a stream a piece of one (`encrypted`: what its first piece was)."""
    own = unpack(part.signature) if part.signed_by == NAME and part.data is None else None
    if own is not None:
        if part.text:
            own["summary" if own.get("type") == "reasoning.summary" else "text"] = part.text
        return {**own, "index": index}
    encrypted = bool(part.data and not part.text) if encrypted is None else encrypted
    entry: JsonObject = {"type": "reasoning.encrypted" if encrypted else "reasoning.text"}
    if part.text or not part.data:
        entry["text"] = part.text
    if part.signature:
        entry["signature"] = part.signature
    if part.data:
        entry["data"] = part.data
    if part.signed_by is not None:
        entry["format"] = SEAL + part.signed_by
    entry["index"] = index
    return entry
