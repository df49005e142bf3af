"""Thought signatures: what the model wants back unchanged, on the very part that bore it.

A signature stands on a text or on a function call (`thoughtSignature`), seldom on a thought. In the intermediate form it is a
thought of its own, sealed and without words, so that it crosses clients of other formats as every other seal does; a word in
front of it says what it belongs to, for some formats group the parts of a turn and lose their order:

| signature | belongs to | stands |
|---|---|---|
| `call0:...` | the first function call of the turn (`call1:` the second) | directly before it |
| `text:...` | a text, or an empty one that the model sent for its sake | directly behind it |
| anything else | a thought, with or without words | in it |

The other way round, thinking that another dialect's provider sealed goes to a Gemini client as a thought whose signature is that
seal, packed up and marked, in base64 because clients read the field as bytes.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from dataclasses import replace

import msgspec

from understudy.core.conversation import Part, Reasoning, Text, ToolCall
from understudy.dialects._reading import encode
from understudy.dialects.gemini.wire import NAME

UNSIGNED = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""`skip_thought_signature_validator`: stands where a call of another model bears no signature, which Gemini 3 refuses.

Source: ai.google.dev/gemini-api/docs/thought-signatures, and recordings of Gemini 2.0 and 3 that were answered.
"""

_ANCHORED = re.compile(r"(?:call(?P<call>\d{1,4})|text):(?P<signature>.+)\Z", re.DOTALL)
_MARK = b"understudy:"
_MARKED = "dW5kZXJzdHVkeT"  # what base64 makes of the mark, as far as it does not depend on what follows
_packed = msgspec.json.Decoder(tuple[str | None, str | None]).decode


# Anchors


def call_seal(signature: str, place: int) -> Reasoning:
    """The signature of the turn's function call number `place`."""
    return Reasoning("", f"call{place}:{signature}", None, NAME)


def text_seal(signature: str) -> Reasoning:
    """The signature of a text."""
    return Reasoning("", f"text:{signature}", None, NAME)


def anchor(part: Part) -> tuple[str, int, str] | None:
    """What a seal belongs to (`call` or `text`), the number of the call, and the signature; None for any other part."""
    if not isinstance(part, Reasoning) or part.signed_by != NAME or part.text or part.data or not part.signature:
        return None
    found = _ANCHORED.match(part.signature)
    if found is None:
        return None
    place = found["call"]
    return ("text", 0, found["signature"]) if place is None else ("call", int(place), found["signature"])


def in_place(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], bool]:
    """A turn with every seal beside its part again, and whether one was left over and had to go.

    A format that groups parts gives back thoughts first: a run of seals then belongs to the calls behind it, by their numbers.
    """
    seals = [anchor(part) for part in parts]
    if not any(seals):
        return parts, False
    calls = [place for place, part in enumerate(parts) if isinstance(part, ToolCall)]
    texts = [place for place, part in enumerate(parts) if isinstance(part, Text)]
    before: dict[int, Reasoning] = {}
    behind: dict[int, list[Part]] = {}
    lost = False
    for place, seal in enumerate(seals):
        if seal is None:
            continue
        kind, number, signature = seal
        if kind == "text":
            home = texts[-1] if texts and place < texts[0] else place
            behind.setdefault(home, []).append(text_seal(signature))
            continue
        call = _call_of(place, number, seals, calls)
        if call is None or call in before:
            lost = True
        else:
            before[call] = call_seal(signature, calls.index(call))
    settled: list[Part] = []
    for place, part in enumerate(parts):
        if place in before:
            settled.append(before[place])
        if seals[place] is None:
            settled.append(part)
        settled += behind.get(place, ())
    return tuple(settled), lost


def _call_of(place: int, number: int, seals: list[tuple[str, int, str] | None], calls: list[int]) -> int | None:
    """The call that a seal belongs to: the one behind it, or out of a run of seals the one of its number."""
    following = [call for call in calls if call > place]
    if not following:  # a stream may sign a call that it has begun to tell
        return calls[number] if number < len(calls) else None
    alone = (place == 0 or seals[place - 1] is None) and following[0] == place + 1
    if alone:
        return following[0]
    return following[min(number, len(following) - 1)]


# Seals of others


def packed(part: Reasoning) -> str | None:
    """What stands in the `thoughtSignature` of a thought; None when it bears no seal."""
    if part.signed_by is None or (part.signature is None and part.data is None):
        return None
    if part.signed_by == NAME and part.data is None and part.signature and not _reserved(part.signature):
        return part.signature
    return _wrapped(part.signed_by, encode((part.signature, part.data)))


def announced(signed_by: str) -> str:
    """What stands in the `thoughtSignature` of a thought that begins in a stream: whose seal is going to follow."""
    return _wrapped(signed_by, b"")


def unpacked(signature: str) -> tuple[str | None, str | None, str, bool]:
    """Signature, encrypted thinking, the dialect whose providers understand them, and whether it only announces these."""
    if signature.startswith(_MARKED):
        try:
            text = urlsafe_b64decode(signature.translate(_URL_SAFE) + "=" * (-len(signature) % 4))
            _, signed_by, payload = text.split(b":", 2)
            if not payload:
                return None, None, signed_by.decode(), True
            held, data = _packed(payload)
        except (BadBase64, ValueError, msgspec.DecodeError):
            return signature, None, NAME, False  # not of our making
        return held, data, signed_by.decode(), False
    return signature, None, NAME, False


def is_foreign(signature: object) -> bool:
    """Whether a signature is a seal that Gemini itself cannot read."""
    if not isinstance(signature, str) or not signature.startswith(_MARKED):
        return False
    return unpacked(signature) != (signature, None, NAME, False)


_URL_SAFE = str.maketrans("+/", "-_")


def _reserved(signature: str) -> bool:
    return signature.startswith(_MARKED) or signature == UNSIGNED


def _wrapped(signed_by: str, payload: bytes) -> str:
    return urlsafe_b64encode(_MARK + signed_by.encode() + b":" + payload).decode()


# Thoughts that came in the chunks of a stream


def gathered(parts: list[Part], announcements: dict[int, str]) -> list[Part]:
    """The parts of a turn, thoughts that a stream cut into pieces put together again.

    `announcements`: place of a part -> the dialect whose seal it announced. The pieces end with that seal.
    """
    if not announcements:
        return parts
    whole: list[Part] = []
    awaited: str | None = None
    for place, part in enumerate(parts):
        last = whole[-1] if whole else None
        if place in announcements:
            awaited = announcements[place]
        elif awaited is not None and isinstance(part, Reasoning) and part.signed_by in {None, awaited}:
            assert isinstance(last, Reasoning)  # the announcement, or what it has grown to
            whole[-1] = replace(part, text=last.text + part.text, extra=part.extra or last.extra)
            if part.signed_by is not None:
                awaited = None
            continue
        else:
            awaited = None
        whole.append(part)
    return [part for part in whole if not isinstance(part, Reasoning) or part.text or part.signed_by]
