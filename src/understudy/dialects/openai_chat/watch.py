"""Answers that pass through untouched, whole or as a stream: what they used, why they stopped, whether they are answers at all."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, HIDE, PROGRESS, BadAnswer, Glance
from understudy.dialects._openai import decode
from understudy.dialects._reading import COUNT_MAX, Unreadable, encode
from understudy.dialects.openai_chat.answer import grouped_usage
from understudy.dialects.openai_chat.wire import read_usage
from understudy.framing.sse import SseEvent


class _Said(msgspec.Struct):
    """A message or a delta, as far as it tells content from none."""

    content: Any = None
    tool_calls: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    function_call: Any = None
    reasoning_details: Any = None
    audio: Any = None
    images: Any = None


_Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]


class _Inside(msgspec.Struct):
    cached_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None


class _Outside(msgspec.Struct):
    reasoning_tokens: _Count | None = None
    audio_tokens: _Count | None = None


class _Counts(msgspec.Struct):
    """A `usage` as OpenAI writes it; any other is read at leisure."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: _Count
    prompt_tokens_details: _Inside | None = None
    completion_tokens_details: _Outside | None = None
    prompt_cache_hit_tokens: Any = None
    cached_tokens: Any = None
    num_cached_tokens: Any = None
    cache_creation_input_tokens: Any = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    error: Any = None
    object: Any = None


class _Plain(_Completion):
    usage: _Counts | None = None
    timings: msgspec.UnsetType = msgspec.UNSET  # llama.cpp counts its cache there: not plain


class _Odd(_Completion):
    usage: Any = None
    x_groq: Any = None
    timings: Any = None


_plain = msgspec.json.Decoder(_Plain).decode
_odd = msgspec.json.Decoder(_Odd).decode


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    answer: _Completion
    try:
        answer = plain = _plain(body)
        usage = None if plain.usage is None else _plain_usage(plain.usage)
        if usage is None:
            answer = odd = _odd(body)
            usage = _odd_usage(odd)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        try:
            answer = odd = _odd(encode(decode(body)))
        except (Unreadable, msgspec.ValidationError):
            raise BadAnswer(f"the answer cannot be read: {error}") from None
        usage = _odd_usage(odd)
    choices = answer.choices
    if not choices:
        if answer.error is not None or answer.object == "error":
            return Glance(usage=usage, failure=classify_in_band(body), model=answer.model)
        if choices is None:
            raise BadAnswer("the answer is no chat completion: it has no list `choices`")
        return Glance(usage=usage, failure=_NO_CHOICE, model=answer.model)
    word: str | None = None
    said = False
    for choice in choices:
        said = said or speaks(choice.message or choice.delta)
        if word is None and isinstance(choice.finish_reason, str):
            word = choice.finish_reason
    failure = None
    if not said:
        failure = silence(word) if answer.error is None else classify_in_band(body)
    return Glance(usage, failure, word, answer.model)


def _odd_usage(answer: _Odd) -> Usage | None:
    return read_usage(answer.usage or grouped_usage({"x_groq": answer.x_groq}), answer.timings)


def _plain_usage(counts: _Counts) -> Usage | None:
    """The usage when every count is where OpenAI puts it and the sums are right; else None."""
    inside, outside = counts.prompt_tokens_details, counts.completion_tokens_details
    if (
        counts.prompt_cache_hit_tokens
        or counts.cached_tokens
        or counts.num_cached_tokens
        or counts.cache_creation_input_tokens
        or counts.total_tokens != counts.prompt_tokens + counts.completion_tokens
    ):
        return None
    cached = heard = thought = spoken = 0
    if inside is not None:
        if inside.cache_write_tokens:
            return None
        cached, heard = inside.cached_tokens or 0, inside.audio_tokens or 0
    if outside is not None:
        thought, spoken = outside.reasoning_tokens or 0, outside.audio_tokens or 0
    read, written = counts.prompt_tokens - cached - heard, counts.completion_tokens - thought - spoken
    if read < 0 or written < 0:
        return None
    return Usage(
        read, cached, 0, 0, written, thought, heard, spoken
    )  # in the order of its fields: every request makes one


def speaks(said: _Said | None) -> bool:
    """Whether a message or delta says anything: words, thoughts, a refusal, a call, sound, a picture."""
    if said is None:
        return False
    content = said.content
    if content and (content.__class__ is str or _listed_words(content)):
        return True
    return bool(
        said.tool_calls
        or said.reasoning_content
        or said.reasoning
        or said.refusal
        or said.images
        or (said.function_call and _has_words(said.function_call))
        or (said.audio and _sounds(said.audio))
        or (said.reasoning_details and _listed_words(said.reasoning_details))
    )


def _listed_words(parts: Any) -> bool:
    return isinstance(parts, list) and any(map(_has_words, parts))


def _sounds(audio: Any) -> bool:
    return isinstance(audio, dict) and bool(audio.get("data") or audio.get("transcript"))


_NO_WORDS = ("type", "index", "format", "id")


def _has_words(part: Any) -> bool:
    """Whether an entry of a list holds more than its type and place."""
    if not isinstance(part, dict):
        return bool(part)
    return any(held not in (None, "", []) for name, held in part.items() if name not in _NO_WORDS)


_NO_CHOICE = Failure(FailureKind.EMPTY, "the answer has no choices")
_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
_FILTERED = Failure(FailureKind.CONTENT_FILTER, "the provider's content filter left nothing of the answer")


def silence(word: str | None) -> Failure | None:
    """What an answer without content means. One that met its bound is an answer: the bound was the caller's."""
    if word == "content_filter":
        return _FILTERED
    return None if word in {"length", "max_tokens", "model_length"} else _EMPTY


# Streams


class _Piece(msgspec.Struct):
    delta: _Said | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Piece] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    x_groq: Any = None
    timings: Any = None


_chunk = msgspec.json.Decoder(_Chunk).decode
_DONE = b"[DONE]"


class Watcher:
    """Reads a stream of this dialect as it passes through untouched.

    Some providers leave `[DONE]` out: a stream that ends after FINISH is complete. One that ends without content is no
    answer: at the end mark `failure` says so; where there is none, `silence(stop_native)` does.
    """

    __slots__ = ("_hide_usage", "failure", "has_content", "stop_native", "usage")

    def __init__(self, *, hide_usage: bool) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None
        self._hide_usage = hide_usage

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if data is None:
            return 0
        try:
            chunk = _chunk(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return self._see_other(event, data.strip(), error)
        choices = chunk.choices
        if choices and len(choices) == 1 and chunk.usage is None and chunk.error is None and not event.event:
            piece = choices[0]
            delta = piece.delta
            # nearly every event
            if piece.finish_reason is None and delta is not None and delta.content and delta.content.__class__ is str:
                self.has_content = True
                return CONTENT | PROGRESS
        return self._see_chunk(chunk, event)

    def _see_chunk(self, chunk: _Chunk, event: SseEvent) -> int:
        usage = chunk.usage or grouped_usage({"x_groq": chunk.x_groq})
        if usage is not None:
            self.usage = read_usage(usage, chunk.timings) or self.usage
        choices = chunk.choices
        if chunk.error is not None or event.event == b"error" or (choices is None and chunk.object == "error"):
            return self._fail(event.data)
        if not choices:
            return PROGRESS | HIDE if self._hide_usage and usage is not None else PROGRESS
        bits = PROGRESS
        for piece in choices:
            if speaks(piece.delta):
                self.has_content = True
                bits |= CONTENT
            word = piece.finish_reason
            if isinstance(word, str) and word:
                self.stop_native = word
                bits |= FINISH
        return bits

    def _see_other(self, event: SseEvent, data: bytes, error: Exception) -> int:
        """The end mark, an error that is no JSON, or JSON that needs mending."""
        if data == _DONE:
            self.failure = None if self.has_content else silence(self.stop_native)
            # the mark stands for a finish reason that some providers forget
            return END | FINISH | PROGRESS if self.failure is None else END | FAILED | PROGRESS
        if event.event == b"error":
            return self._fail(data)
        if not data:
            return 0
        try:
            chunk = msgspec.convert(decode(data), _Chunk)
        except (Unreadable, msgspec.ValidationError):
            raise BadAnswer(f"stream event: {error}") from None
        return self._see_chunk(chunk, event)

    def _fail(self, payload: object) -> int:
        self.failure = classify_in_band(payload)
        return FAILED | PROGRESS
