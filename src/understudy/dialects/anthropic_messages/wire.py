"""What every piece of the Messages codec needs: its own fields, and reversible escapes.

Three things that other wire formats may say cannot be said here: tool call ids with other letters than
`[a-zA-Z0-9_-]`, tool arguments that are no object, and reasoning signed by another provider. Each has a stateless escape
that reads back as what it was, so a conversation may cross this format and return.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from typing import Any

import msgspec

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode

NAME = "anthropic_messages"


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    fields.pop("type", None)
    left = {key: found for key, found in fields.items() if found is not None}
    return Extra(NAME, left) if left else None


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == NAME else {}


# Tool call ids

_PLAIN_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
_ESCAPED_ID = "usid_"


def write_id(call_id: str) -> str:
    """The id as the API accepts it."""
    if _is_plain(call_id):
        return call_id
    return _ESCAPED_ID + urlsafe_b64encode(call_id.encode()).decode().rstrip("=")


def read_id(call_id: str) -> str:
    """The id that `write_id` was given; any other id as it stands."""
    if not call_id.startswith(_ESCAPED_ID):
        return call_id
    packed = call_id[len(_ESCAPED_ID) :]
    try:
        original = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (BadBase64, UnicodeDecodeError, ValueError):
        return call_id  # somebody else's id that happens to begin like ours
    return call_id if _is_plain(original) or write_id(original) != call_id else original


def _is_plain(call_id: str) -> bool:
    return _PLAIN_ID.match(call_id) is not None and not call_id.startswith(_ESCAPED_ID)


# Tool arguments

_WRAPPED = "INVALID_JSON"  # as the documentation of fine-grained tool streaming wraps a broken input


def write_arguments(arguments: Any) -> JsonObject:
    """The arguments as the object that the API insists on."""
    if isinstance(arguments, dict) and arguments.keys() != {_WRAPPED}:
        return arguments
    return {_WRAPPED: arguments}


def read_arguments(found: Any) -> Any:
    """The arguments that `write_arguments` was given; `{}` for none."""
    if found is None:
        return {}
    if isinstance(found, dict) and found.keys() == {_WRAPPED}:
        inner = found[_WRAPPED]
        if not isinstance(inner, dict) or inner.keys() == {_WRAPPED}:
            return inner
    return found


# Seals over reasoning. Thinking that another provider sealed goes to the caller with that seal inside the signature, marked
# with the dialect it belongs to, and comes back with the caller's next turn.

SEAL = "understudy:"


def write_seal(signature: str | None, data: str | None, signed_by: str | None) -> str:
    """What stands in the `signature` of a thinking block; `""` without any."""
    if data is None and (not signature or signed_by in {None, NAME} or signature.startswith(SEAL)):
        return signature or ""
    packed = urlsafe_b64encode(encode((signature, data))).decode()
    return f"{SEAL}{signed_by or NAME}:{packed}"


def read_seal(text: str) -> tuple[str | None, str | None, str | None]:
    """The signature, the encrypted thinking, and the dialect whose providers understand them."""
    if not text:
        return None, None, None
    if text.startswith(SEAL):
        signed_by, _, packed = text[len(SEAL) :].partition(":")
        if not packed:
            return None, None, None  # announced at the start of a stream, and never given
        try:
            signature, data = _decode_seal(urlsafe_b64decode(packed))
        except (ValueError, msgspec.DecodeError):
            return text, None, NAME  # not of our making
        return signature, data, signed_by
    return text, None, NAME


def announce_seal(signed_by: str | None) -> str:
    """What stands in the `signature` of a thinking block that begins: whose seal is going to replace it."""
    return "" if signed_by in {None, NAME} else f"{SEAL}{signed_by}:"


def announced(signature: str) -> str:
    """The dialect that `announce_seal` was given; this one when nothing was announced."""
    return signature[len(SEAL) :].partition(":")[0] if signature.startswith(SEAL) else NAME


_decode_seal = msgspec.json.Decoder(tuple[str | None, str | None]).decode
