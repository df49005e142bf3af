"""`POST /v1/feedback`: how good an answer was, by the id that came with it in `x-understudy-decision`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from understudy.engine.router import Engine

PATH = "/v1/feedback"


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """`{"decision": "d3f...-2a", "score": 0.9}`. `score`: 0 (useless) to 1 (perfect)."""

    decision: str
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]


_read = msgspec.json.Decoder(Feedback).decode


def take(engine: Engine, body: bytes, principal: str) -> bytes:
    """Take a score in; the answer's body. Raises `ValueError` with what is wrong with it.

    `known`: whether this worker still holds the decision, and it was this principal's. With several workers the one that is asked need not be the one
    that answered; the score is an event all the same.
    """
    try:
        said = _read(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f'send {{"decision": "...", "score": 0 to 1}}: {error}') from None
    known = engine.rate(said.decision, said.score, principal)
    return msgspec.json.encode({"decision": said.decision, "known": known})
