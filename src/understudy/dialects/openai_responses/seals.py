"""Reasoning items: what is shown of a thought, and the seal that its provider wants back.

The API's own seal is `encrypted_content`, with the item's id beside it; both return unchanged, even through a client of another
format: the id is the part's `signature`, the encrypted thinking its `data`. What another dialect's provider sealed travels through
Responses clients in `encrypted_content`, too, packed up and marked `understudy:` and that dialect's name. Encrypted thinking of the
one never goes to the other.

Words stand in `summary` (OpenAI, xAI) or in `content` (open models: DeepSeek, Groq, OpenRouter); where they are no single summary,
the part keeps their `shape`. An item without a seal is words alone.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from typing import Any

import msgspec

from understudy.core.conversation import Reasoning
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode, words
from understudy.dialects.openai_responses.wire import NAME, made_id, own, real_id, rest

SEAL = "understudy:"
APART = "\n\n"
"""What stands between two parts of a summary when they are told as one text."""

_packed = msgspec.json.Decoder(tuple[str | None, str | None]).decode


def packed(part: Reasoning) -> str | None:
    """The `encrypted_content` of a thought; None when it bears no seal."""
    if part.signed_by is None or (part.signature is None and part.data is None):
        return None
    if part.signed_by == NAME and part.data and not part.data.startswith(SEAL):
        return part.data
    return announced(part.signed_by) + urlsafe_b64encode(encode((part.signature, part.data))).decode()


def announced(signed_by: str) -> str:
    """The `encrypted_content` of a thought that begins in a stream: whose seal is going to follow."""
    return f"{SEAL}{signed_by}:"


def signer(found: Any) -> str:
    """The dialect whose seal an `encrypted_content` is, or announces."""
    if isinstance(found, str) and found.startswith(SEAL):
        return found.removeprefix(SEAL).partition(":")[0] or NAME
    return NAME


def is_foreign(found: Any) -> bool:
    """Whether no provider of this API can read it: we packed it up."""
    return isinstance(found, str) and found.startswith(SEAL)


def _unpacked(found: str) -> tuple[str | None, str | None] | None:
    """Signature and encrypted thinking; None where it holds none."""
    try:
        return _packed(urlsafe_b64decode(found.removeprefix(SEAL).partition(":")[2]))
    except (BadBase64, ValueError, msgspec.DecodeError):
        return None


def read_reasoning(item: JsonObject) -> Reasoning:
    """A reasoning item."""
    fields = {name: held for name, held in item.items() if name not in {"type", "status"}}
    id_ = real_id(fields.pop("id", None))
    summary, content = fields.pop("summary", None) or [], fields.pop("content", None) or []
    sealed = words(fields.pop("encrypted_content", None))
    text = shown(summary, content)
    if content or summary != _summary(text):
        fields["shape"] = {"summary": summary, "content": content}
    if sealed.startswith(SEAL):
        signature, data = _unpacked(sealed) or (None, None)
        return Reasoning(text, signature, data, signer(sealed) if signature or data else None, rest(fields))
    if sealed:
        return Reasoning(text, id_, sealed, NAME, rest(fields))
    return Reasoning(text, extra=rest(fields | {"id": id_}))


def shown(summary: Any, content: Any) -> str:
    """The words of an item: its summary, else what the model thought."""
    for parts in (summary, content):
        said = [words(part.get("text")) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        if any(said):
            return APART.join(said)
    return ""


def _summary(text: str) -> list[JsonObject]:
    return [{"type": "summary_text", "text": text}] if text else []


def write_reasoning(part: Reasoning, made: str | None = None) -> JsonObject:
    """A reasoning item. `made`: the id that it gets where the provider gave none, in answers."""
    others = dict(own(part.extra))
    shape = others.pop("shape", {})
    summary, content = shape.get("summary"), shape.get("content")
    if not shape or shown(summary, content) != part.text:
        summary, content = _summary(part.text), None
    sealed = packed(part)
    id_ = part.signature if sealed is not None and sealed == part.data else others.pop("id", None)
    written: JsonObject = {"type": "reasoning"}
    if id_ or made:
        written["id"] = id_ or made
    written["summary"] = summary
    if content:
        written["content"] = content
    if sealed is not None:
        written["encrypted_content"] = sealed
    return written | others


def thought_id(*about: object) -> str:
    """The id of a reasoning item that no provider named."""
    return made_id("rs", *about)
