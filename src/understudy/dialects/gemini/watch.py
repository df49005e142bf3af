"""Answers that pass through untouched, whole or as a stream: what they used, why they stopped, whether they are answers at all."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects.gemini.stops import NO_CANDIDATE, silence, word_of
from understudy.dialects.gemini.usage import read_usage
from understudy.framing.sse import SseEvent

Raw = msgspec.Raw


class _Content(msgspec.Struct):
    parts: list[dict[str, Raw]] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finishReason: Any = None  # noqa: N815  the wire's name
    finishMessage: Any = None  # noqa: N815


class _Answer(msgspec.Struct):
    candidates: list[_Candidate] | None = None
    usageMetadata: Any = None  # noqa: N815
    modelVersion: str | None = None  # noqa: N815
    promptFeedback: Any = None  # noqa: N815
    error: Any = None


_answer = msgspec.json.Decoder(_Answer).decode
_array = msgspec.json.Decoder(list[_Answer]).decode

_EMPTY_TEXT, _NO_CALL = b'""', b"{}"
_SAYS_NOTHING = ("thought", "thoughtSignature", "partMetadata")


def speaks(candidate: _Candidate) -> bool:
    """Whether a candidate says anything: words, thoughts, a call, whatever else the API may put into a part."""
    content = candidate.content
    if content is None or not content.parts:
        return False
    for part in content.parts:
        for name, held in part.items():
            if name == "text":
                words = bytes(held)
                if words[:1] == b'"' and words != _EMPTY_TEXT:  # what is no string says nothing
                    return True
            elif name not in _SAYS_NOTHING and bytes(held) not in (_NO_CALL, b"null"):
                return True
    return False


def _blocked(answer: _Answer) -> bool:
    feedback = answer.promptFeedback
    return not answer.candidates and isinstance(feedback, dict) and bool(feedback.get("blockReason"))


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer; of a list of them, what must be known of the stream they are. Raises `BadAnswer`."""
    try:
        answers = _array(body) if body.lstrip()[:1] == b"[" else [_answer(body)]
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None
    usage: Usage | None = None
    model: str | None = None
    word: str | None = None
    told: str | None = None
    said = seen = False
    for answer in answers:
        if answer.error is not None or _blocked(answer):
            return Glance(usage=usage, failure=classify_in_band(body), model=model)
        usage = read_usage(answer.usageMetadata) or usage
        model = model or answer.modelVersion
        for candidate in answer.candidates or ():
            seen = True
            said = said or speaks(candidate)
            word = word or word_of(candidate.finishReason)
            told = candidate.finishMessage if isinstance(candidate.finishMessage, str) else told
    if all(answer.candidates is None and answer.promptFeedback is None for answer in answers):
        raise BadAnswer("the answer has no list `candidates`")
    failure = None if said else silence(word, told) if seen else NO_CANDIDATE
    return Glance(usage=usage, failure=failure, stop_native=word, model=model)


class Watcher:
    """Reads a stream of this dialect as it passes through untouched.

    The API marks no end: a stream that ends behind a finish reason is complete. One that ends without content is an answer only
    where its finish reason explains that.
    """

    __slots__ = ("failure", "has_content", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if not data or data == b"[DONE]":
            return 0
        if event.event == b"error":
            return self._fail(classify_in_band(data))
        try:
            answer = _answer(data)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"stream event: {error}") from None
        if answer.error is not None or _blocked(answer):
            return self._fail(classify_in_band(data))
        if answer.usageMetadata is not None:
            self.usage = read_usage(answer.usageMetadata) or self.usage
        bits = PROGRESS
        for candidate in answer.candidates or ():
            if speaks(candidate):
                self.has_content = True
                bits |= CONTENT
            if candidate.finishReason is not None:
                bits |= self._finish(candidate)
        return bits

    def _finish(self, candidate: _Candidate) -> int:
        word = word_of(candidate.finishReason)
        if word is None:
            return 0
        self.stop_native = word
        if self.has_content:
            return FINISH
        told = candidate.finishMessage
        failure = silence(word, told if isinstance(told, str) else None)
        if failure is not None:
            return FINISH | self._fail(failure)
        self.has_content = True  # a bound that was met: there is nothing to wait for
        return CONTENT | FINISH

    def _fail(self, failure: Failure) -> int:
        self.failure = failure
        return FAILED | PROGRESS
