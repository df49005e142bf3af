"""Names the failure that a provider's error means: from codes, sentences and statuses to a row of the failure table.

Read in this order, and the first that knows the answer gives it:

1. *Telling sentences.* A few sentences say more than the code beside them: an empty wallet, a request no window can hold.
2. *Codes.* What a provider wrote for machines outranks its status (an invalid key is a 400 at Google) and its prose.
3. *Sentences*, each only beside the statuses where it is believed: a status that was really sent outranks a phrase.
4. *Statuses.*
5. *Vague codes* (`api_error`, `invalid_request_error`): only where no status came, inside a stream or a 200.
"""

from __future__ import annotations

import re

from understudy.core.envelope import Envelope, envelope_of, plain_word
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates, Then
from understudy.core.masking import mask_secrets
from understudy.core.span import SPAN_S_MAX, span_s, spoken_span_s
from understudy.core.symptoms import (
    BROKEN,
    CODES,
    INVALID,
    LIMIT_SCOPES,
    LIMITED,
    PLACE_BLOCKED,
    SENTENCES,
    STATUSES,
    TELLING,
    UNREADABLE,
    UNSUPPORTED,
    VAGUE_CODES,
    Diagnosis,
)

MESSAGE_CHARS_MAX = 300

DAILY_QUOTA_REST_S = 600.0
"""The least rest after a spent daily quota: the delay that Google sends with it belongs to another window."""

_Ranked = dict[str, tuple[int, Diagnosis]]


def _ranked(codes: tuple[tuple[Diagnosis, str], ...]) -> _Ranked:
    return {
        plain_word(word): (rank, diagnosis) for rank, (diagnosis, words) in enumerate(codes) for word in words.split()
    }


_CODES = _ranked(CODES)
_VAGUE_CODES = _ranked(VAGUE_CODES)
_TELLING_AT = {status: tuple(s for s in TELLING if status in s.at) for status in (0, *range(400, 600))}
_SENTENCES_AT = {status: tuple(s for s in SENTENCES if status in s.at) for status in (0, *range(400, 600))}


def diagnose(said: Envelope, status: int) -> Diagnosis:
    """What an error means. `status`: the HTTP status, 0 when none came with it (inside a stream or a 200).

    An unknown 4xx is INVALID_REQUEST: the provider blames the request, and repeating it gets the same. An unknown 5xx, and
    an error that says nothing at all, is SERVER_ERROR: it may pass. Anything that is neither an error nor a success (a
    redirect, an interim answer, a status of two digits) is MALFORMED: no API of ours answers so.
    """
    status = status or said.status or 0
    if status and not 400 <= status <= 599:
        return UNREADABLE
    found = _named(said, status)
    if said.html and found.scope is None and found.kind in _AT_THE_EDGE:
        return _AT_THE_EDGE[found.kind]
    return _limit(said) if found is LIMITED else found


def _named(said: Envelope, status: int) -> Diagnosis:
    text = _QUOTED.sub("", said.text).lower()
    for sentence in _TELLING_AT[status]:
        if sentence.fits(text):
            return sentence.diagnosis
    if known := _first(_CODES, said.words):
        return known
    for sentence in _SENTENCES_AT[status]:
        if sentence.fits(text):
            return sentence.diagnosis
    if status:
        return STATUSES.get(status) or (INVALID if status < 500 else BROKEN)
    return _first(_VAGUE_CODES, said.words) or BROKEN


def _first(codes: _Ranked, words: tuple[str, ...]) -> Diagnosis | None:
    """What the highest-ranking of the words means."""
    best: tuple[int, Diagnosis] | None = None
    for word in words:
        known = codes.get(word)
        if known and (best is None or known[0] < best[0]):
            best = known
    return best and best[1]


# What stands in quotes is a name or the caller's own words: a role called "api key not valid" must not rest the key.
_QUOTED = re.compile(r"(?<!\w)(?P<mark>['\"`])(?:(?!(?P=mark)).){1,200}(?P=mark)(?!\w)", re.ASCII)

_AT_THE_EDGE: dict[FailureKind, Diagnosis] = {
    # A page instead of an envelope: the provider's edge speaks, and it speaks for everything behind it.
    FailureKind.PERMISSION: PLACE_BLOCKED,
    FailureKind.RATE_LIMIT: Diagnosis(FailureKind.RATE_LIMIT, Implicates.PROVIDER),
    # What an edge refuses the API never saw; it is not the caller's mistake by the provider's word.
    FailureKind.INVALID_REQUEST: UNSUPPORTED,
}


def _limit(said: Envelope) -> Diagnosis:
    """Whose limit it is: a whole address's, the whole account's, everybody's, or (the table) this account's for this model."""
    if said.quotas:
        course = Then.ELSEWHERE if _is_daily(said) else None
        scope = None if any("PerModel" in quota for quota in said.quotas) else Implicates.KEY
        return Diagnosis(FailureKind.RATE_LIMIT, scope, course)
    text = said.text.lower()
    for sentence in LIMIT_SCOPES:
        if sentence.fits(text):
            return sentence.diagnosis
    return LIMITED


def _is_daily(said: Envelope) -> bool:
    return any("PerDay" in quota for quota in said.quotas)


def wait_in_body_s(said: Envelope) -> float | None:
    """The longest wait that the error itself asks for, in seconds, at most `SPAN_S_MAX`; None when it asks for none."""
    waits = [] if (spoken := spoken_span_s(said.text)) is None else [spoken]
    for span, unit_s in said.waits:
        if isinstance(span, str):
            seconds = span_s(span)
            if seconds is None and _NUMBER.fullmatch(span):
                seconds = float(span) * unit_s
            waits += [] if seconds is None else [seconds]
        elif 0 <= span < 1e12:
            waits.append(span * unit_s)
    if waits and _is_daily(said):
        waits.append(DAILY_QUOTA_REST_S)
    return min(max(waits), SPAN_S_MAX) if waits else None


_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")


def useful_hint_s(kind: FailureKind, wait_s: float | None) -> float | None:
    """A wait as the hint of a failure: None where waiting does not help, or where the wait says nothing.

    Nothing says "now" (a point in the past, `retry-after-ms: 0`): the failure itself contradicts it. Beside an empty wallet
    a short wait is routine and means nothing either; "you regain access on the first of the month" does.
    """
    if wait_s is None or kind not in _WAITING_HELPS or wait_s <= 0:
        return None
    return None if kind is FailureKind.INSUFFICIENT_QUOTA and wait_s < TABLE[kind].cool_down_s else wait_s


_WAITING_HELPS = {
    FailureKind.RATE_LIMIT,
    FailureKind.OVERLOADED,
    FailureKind.UNAVAILABLE,
    FailureKind.SERVER_ERROR,
    FailureKind.INSUFFICIENT_QUOTA,
}


def readable(said: Envelope, status: int) -> str:
    """The error as a sentence for people: short, and without secrets."""
    text = mask_secrets(said.text[: 2 * MESSAGE_CHARS_MAX])
    if not text:
        text = f"{said.code} without a message" if said.code else "an error without a message"
        if status:
            text = f"HTTP {status}: {text}"
    return text if len(text) <= MESSAGE_CHARS_MAX else text[: MESSAGE_CHARS_MAX - 3].rstrip() + "..."


def classify_in_band(payload: object) -> Failure:
    """The failure that an error inside a stream or a 200 body means: an error object, or a whole event or body with one.

    For what a dialect already knows to be an error; it always names one. Hints that need a clock (points in time) are left.
    """
    said = envelope_of(payload)
    diagnosis = diagnose(said, 0)
    return Failure(
        diagnosis.kind,
        readable(said, 0),
        status=said.status,
        code=said.code,
        retry_after_s=useful_hint_s(diagnosis.kind, wait_in_body_s(said)),
        scope=diagnosis.scope,
        course=diagnosis.course,
    )
