"""Amazon's request signatures, version 4: which headers show that a request comes from who holds a key. Pure.

The rules: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Every service but S3 wants the path
percent-encoded once more than it is sent, so a colon that travels as `%3A` is signed as `%253A`.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable
from urllib.parse import quote

from understudy.core.value import keyword_value
from understudy.ports import Header, Origin

ALGORITHM = "AWS4-HMAC-SHA256"
_USUAL_PORTS = {"http": 80, "https": 443}

# Somebody between us and the service may change these, or they are about the connection.
_UNSIGNED = frozenset((b"authorization", b"connection", b"expect", b"traceparent", b"tracestate", b"user-agent"))


@keyword_value
class Scope:
    """What a signature is good for: one service in one region."""

    region: str
    service: str


class Signer:
    """Signs requests with one key. `session_token`: beside keys that last for a while, "" without.

    The key of a day is derived once.
    """

    __slots__ = ("_access_key", "_day", "_day_key", "_scope", "_secret", "_session_token")

    def __init__(self, scope: Scope, access_key: str, secret: str, session_token: str = "") -> None:
        self._scope = scope
        self._access_key = access_key
        self._secret = secret
        self._session_token = session_token
        self._day = ""
        self._day_key = b""

    def __repr__(self) -> str:
        return f"<Signer for {self._scope.service} in {self._scope.region}>"

    def sign(
        self, method: str, origin: Origin, path: str, headers: Iterable[Header], body: bytes, *, unix_s: float
    ) -> tuple[Header, ...]:
        """The headers to add to a request. `path`: as it is sent, with its query. `headers`: lower-case names, each at most once."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(unix_s))
        own: list[Header] = [(b"x-amz-date", moment.encode())]
        if self._session_token:
            own.append((b"x-amz-security-token", self._session_token.encode()))
        signed = [(b"host", _host(origin)), *own, *(header for header in headers if header[0] not in _UNSIGNED)]
        signed.sort()
        names = b";".join([name for name, _ in signed]).decode()
        scope = f"{moment[:8]}/{self._scope.region}/{self._scope.service}/aws4_request"
        request = canonical_request(method, path, signed, names, body)
        told = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
        signature = hmac.new(self._key(moment[:8]), told.encode(), hashlib.sha256).hexdigest()
        shown = f"{ALGORITHM} Credential={self._access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return (*own, (b"authorization", shown.encode()))

    def _key(self, day: str) -> bytes:
        """The key of a day, such as 20150830."""
        if day != self._day:
            key = ("AWS4" + self._secret).encode()
            for word in (day, self._scope.region, self._scope.service, "aws4_request"):
                key = hmac.digest(key, word.encode(), "sha256")
            self._day, self._day_key = day, key
        return self._day_key


def canonical_request(method: str, path: str, signed: Iterable[Header], names: str, body: bytes) -> bytes:
    """A request in the one form in which both sides hash it. `signed`: the headers that count, sorted; `names`: theirs."""
    where, _, query = path.partition("?")
    lines = [
        method.encode(),
        quote(_plain(where), safe="/-_.~").encode(),
        _canonical_query(query).encode(),
        *(name + b":" + b" ".join(text.split()) for name, text in signed),
        b"",
        names.encode(),
        hashlib.sha256(body).hexdigest().encode(),
    ]
    return b"\n".join(lines)


def _plain(path: str) -> str:
    """A path without what means nothing in it: empty segments, `.` and `..`."""
    if "//" not in path and "/." not in path:
        return path or "/"
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    return f"/{'/'.join(kept)}{'/' if kept and path.endswith('/') else ''}"


def _canonical_query(query: str) -> str:
    """Sorted by name, then by value; what has no value gets an empty one."""
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&")) if query else ()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _host(origin: Origin) -> bytes:
    """The `host` header that the client is going to send."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return (host if _USUAL_PORTS[origin.scheme] == origin.port else f"{host}:{origin.port}").encode()
