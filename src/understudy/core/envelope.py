"""Reads what a provider says about its error: one parser for every envelope, which never assumes JSON.

Seen in traffic, and read here:

| who | shape |
|---|---|
| OpenAI and compatibles, Groq | `{"error": {"message", "type", "param", "code"}}`; Groq adds `failed_generation`, which is not read |
| Responses, in a stream | `{"type": "error", "code", "message"}`, `{"type": "response.failed", "response": {"error": {...}}}` |
| Anthropic | `{"type": "error", "error": {"type", "message"}, "request_id"}`; from its edge without the outer type |
| Google | `{"error": {"code": 429, "status", "message", "details": [...]}}`, in an array from stream endpoints, or as JSON text inside `message` |
| Google, in a 200 | `{"promptFeedback": {"blockReason"}}` and no candidates |
| Azure | the same as OpenAI with `innererror`, a `code` that is a status as text, or `{"statusCode", "message"}` from its gateway |
| Mistral, vLLM | flat `{"object": "error", "message", "type", "code"}`; `message` may be an object |
| FastAPI servers | `{"detail": "..."}`, `{"detail": [{"loc", "msg", "type"}]}` |
| Ollama, Hugging Face | `{"error": "..."}`, `{"error": [...], "error_type", "estimated_time"}` |
| xAI | `{"code": "a sentence", "error": "another"}` |
| Bedrock | `{"message"}` with the class in `x-amzn-errortype`, `{"Output": {"__type"}}`, `{"throttlingException": {"message"}}` |
| OpenRouter | `{"error": {"code": 429, "message", "metadata": {"raw": "<the upstream's envelope>", "headers"}}}`, also inside a chunk or a choice |
| problem documents | `{"type", "title", "status", "detail"}`; Apigee `{"fault": {"faultstring", "detail": {"errorcode"}}}`; OAuth `error_description` |
| edges | HTML, plain text, nothing |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from understudy.core.value import keyword_value

JSON_BYTES_MAX = 1024 * 1024
"""A longer body is no error envelope: it is read as text, from its beginning."""

_TEXT_CHARS_MAX = 4000
_DEPTH_MAX = 8
_ITEMS_MAX = 32
_WORDS_MAX = 64


@keyword_value
class Envelope:
    """What an error says, whatever it was wrapped in.

    `texts`: its sentences, outermost first, none twice. `code`: the provider's own word for it, the most telling one, as it
    was spelled. `words`: all such words (codes, types, statuses, reasons, exception names) in lower case without
    punctuation, so that `RATE_LIMIT_EXCEEDED`, `rateLimitExceeded` and `rate_limit_exceeded` are one. `status`: the HTTP
    status that the body itself claims. `waits`: spans of time until a retry makes sense, as (text or number, unit in
    seconds for a bare number). `quotas`: names of exhausted quotas. `headers`: header lines quoted in the body, lower case.
    `html`: an edge answered, not the API.
    """

    texts: tuple[str, ...] = ()
    code: str | None = None
    words: tuple[str, ...] = ()
    status: int | None = None
    waits: tuple[tuple[str | float, float], ...] = ()
    quotas: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    html: bool = False

    @property
    def text(self) -> str:
        """Its sentences in one line."""
        return self.texts[0] if len(self.texts) == 1 else "; ".join(self.texts)


def read_envelope(body: bytes | str, exception: str = "") -> Envelope:
    """What an error body says. `exception`: the class that came in a header (Bedrock's `x-amzn-errortype`)."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    found = _Found()
    if exception:
        found.word(exception.partition(":")[0])
    stripped = text.strip("\ufeff \t\r\n\0")
    if stripped[:1] in {"{", "[", '"'} and len(stripped) <= JSON_BYTES_MAX:
        value = _json(stripped)
        if value is not None:
            _gather(value, found, 0)
            return found.envelope()
    if stripped[:1] == "<":
        found.html = True
        stripped = _html_text(stripped[:_TEXT_CHARS_MAX])
    elif stripped[:_TEXT_CHARS_MAX].count("\ufffd") * 10 > len(stripped[:_TEXT_CHARS_MAX]):
        stripped = f"{len(body)} unreadable bytes"
    found.text(stripped)
    return found.envelope()


def envelope_of(payload: object) -> Envelope:
    """What a decoded error object says, or a whole event or body that holds one. Bytes and text are parsed first."""
    if isinstance(payload, (bytes, str)):
        return read_envelope(payload)
    found = _Found()
    _gather(payload, found, 0)
    return found.envelope()


@lru_cache(maxsize=1024)
def plain_word(code: str) -> str:
    """A code without punctuation, case, namespace (`com.amazon#Word`) or address (`Word:http://...`)."""
    return _PUNCTUATION.sub("", code.partition(":")[0].rpartition("#")[2]).lower()


_PUNCTUATION = re.compile(r"[\W_]+", re.ASCII)


class _Found:
    """Collects what the walk through an envelope finds."""

    __slots__ = ("code", "headers", "html", "quotas", "status", "texts", "waits", "words")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.code: str | None = None
        self.words: list[str] = []
        self.status: int | None = None
        self.waits: list[tuple[str | float, float]] = []
        self.quotas: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.html = False

    def envelope(self) -> Envelope:
        return Envelope(
            texts=tuple(self.texts),
            code=self.code,
            words=tuple(self.words),
            status=self.status,
            waits=tuple(self.waits),
            quotas=tuple(self.quotas),
            headers=tuple(self.headers),
            html=self.html,
        )

    def text(self, text: str) -> None:
        text = _sound(" ".join(text[:_TEXT_CHARS_MAX].split()))
        if text and text not in self.texts and len(self.texts) < _ITEMS_MAX:
            self.texts.append(text)

    def word(self, code: str) -> None:
        plain = plain_word(code)
        if plain and len(self.words) < _WORDS_MAX:
            self.words.append(plain)
            # The first word is the most telling one, but "error" and "invalid_request_error" tell nothing beside another.
            if self.code is None or plain_word(self.code) in _VAGUE:
                self.code = _sound(code[:100])


def _sound(text: str) -> str:
    """Text that can be encoded again: JSON may hold half a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_VAGUE = {
    "aboutblank",
    "apierror",
    "badrequesterror",
    "error",
    "failedprecondition",
    "invalidargument",
    "invalidrequesterror",
    "responsefailed",
    "unknownerror",
    "validationexception",
}


# What a member of an envelope means, by its name. The order is the order of reading: the most telling code first.


def _code(value: Any, found: _Found, _depth: int) -> None:
    """A code: a word, or an HTTP status as number or text."""
    if isinstance(value, str) and len(value) == 3 and value.isdecimal():
        value = int(value)
    if isinstance(value, str):
        found.word(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        if 400 <= value <= 599:
            found.status = found.status or value
        elif 0 <= value < 1_000_000:
            found.word(str(value))


def _sentence(value: Any, found: _Found, depth: int) -> None:
    """A message: a sentence, an envelope of its own as an object or as JSON text, or a list of either."""
    if isinstance(value, str):
        nested = _json(value) if value.lstrip()[:1] in {"{", "["} else None
        if nested is None:
            found.text(value)
        else:
            _gather(nested, found, depth + 1)
    else:
        _gather(value, found, depth + 1)


def _error(value: Any, found: _Found, depth: int) -> None:
    """`error`: an envelope, a sentence (Ollama, xAI) or a word (OAuth)."""
    _sentence(value, found, depth)
    if isinstance(value, str) and _WORD.fullmatch(value):
        found.word(value)


_WORD = re.compile(r"[a-z_]{3,60}")


def _inner(value: Any, found: _Found, depth: int) -> None:
    """An object or list that holds more of the same."""
    if isinstance(value, (dict, list)):
        _gather(value, found, depth + 1)


def _response(value: Any, found: _Found, depth: int) -> None:
    """The whole answer inside `response.failed`: only its error is about the error."""
    if isinstance(value, dict):
        _inner(value.get("error"), found, depth)


def _choices(value: Any, found: _Found, depth: int) -> None:
    """OpenRouter may put the error into a choice."""
    if isinstance(value, list):
        for item in value[:_ITEMS_MAX]:
            _response(item, found, depth)


def _metadata(value: Any, found: _Found, depth: int) -> None:
    """What an aggregator adds: the upstream's own envelope as text, and the headers that would have come with it."""
    if not isinstance(value, dict):
        return
    _sentence(value.get("raw"), found, depth)
    _code(value.get("error_type"), found, depth)
    headers = value.get("headers")
    if isinstance(headers, dict):
        pairs = list(headers.items())[:_ITEMS_MAX]
        found.headers += [(str(name).lower(), str(line)) for name, line in pairs]


def _block(value: Any, found: _Found, _depth: int) -> None:
    """Google's reason for not even trying."""
    if isinstance(value, str):
        found.word("prompt_blocked")
        found.text(f"the prompt was blocked: {value}")


def _quota(value: Any, found: _Found, _depth: int) -> None:
    if isinstance(value, str) and len(found.quotas) < _ITEMS_MAX:
        found.quotas.append(value)


def _wait(unit_s: float) -> Callable[[Any, _Found, int], None]:
    def read(value: Any, found: _Found, _depth: int) -> None:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and len(found.waits) < _ITEMS_MAX:
            found.waits.append((value, unit_s))

    return read


_READERS: tuple[tuple[str, Callable[[Any, _Found, int], None]], ...] = (
    ("__type", _code),
    ("code", _code),
    ("reason", _code),
    ("error_code", _code),
    ("errorCode", _code),
    ("errorcode", _code),
    ("error_type", _code),
    ("errorType", _code),
    ("type", _code),
    ("status", _code),
    ("statusCode", _code),
    ("status_code", _code),
    ("raw_status_code", _code),
    ("http_status", _code),
    ("error", _error),
    ("message", _sentence),
    ("Message", _sentence),
    ("msg", _sentence),
    ("title", _sentence),
    ("detail", _sentence),
    ("error_description", _sentence),
    ("error_message", _sentence),
    ("errorMessage", _sentence),
    ("faultstring", _sentence),
    ("innererror", _inner),
    ("inner_error", _inner),
    ("errors", _inner),
    ("details", _inner),
    ("violations", _inner),
    ("fault", _inner),
    ("Output", _inner),
    ("promptFeedback", _inner),
    ("blockReason", _block),
    ("metadata", _metadata),
    ("response", _response),
    ("choices", _choices),
    ("quotaId", _quota),
    ("retryDelay", _wait(1.0)),
    ("retry_after", _wait(1.0)),
    ("retryAfter", _wait(1.0)),
    ("retry_after_seconds", _wait(1.0)),
    ("retry_after_ms", _wait(0.001)),
    ("estimated_time", _wait(1.0)),
)
_MEMBERS = {name: (rank, name, read) for rank, (name, read) in enumerate(_READERS)}


def _gather(node: Any, found: _Found, depth: int) -> None:
    if depth > _DEPTH_MAX:
        return
    if isinstance(node, str):
        found.text(node)
    elif isinstance(node, list):
        for item in node[:_ITEMS_MAX]:
            _gather(item, found, depth + 1)
    elif isinstance(node, dict):
        if "msg" in node and isinstance(node.get("loc"), list):
            found.text(f"{'.'.join(map(str, node['loc']))}: {node['msg']}")  # which field a strict server refused
            return
        known = [member for name in node if (member := _MEMBERS.get(name))]
        known.sort()  # by rank: no two are equal
        for _, name, read in known:
            read(node[name], found, depth)
        if len(node) == 1:
            name, value = next(iter(node.items()))
            if name.endswith("Exception") and isinstance(value, dict):
                found.word(name)
                _gather(value, found, depth + 1)


def _json(text: str) -> Any:
    """The decoded value; None when it is no JSON (or null, which says as little)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_TAG = re.compile(r"<[^<>]*>")
_HEADLINES = (re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE), re.compile(r"<h1[^<>]*>([^<]*)", re.IGNORECASE))
_SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)


def _html_text(page: str) -> str:
    """The headline of a page, else its words."""
    for headline in _HEADLINES:
        found = headline.search(page)
        if found and found[1].strip():
            return found[1].strip()
    return _TAG.sub(" ", _SCRIPT.sub(" ", page)).strip() or "an HTML page"
