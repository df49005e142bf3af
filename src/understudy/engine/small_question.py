"""The smallest thing that a target can be asked, and what came of it: for probes, and for `check --probe`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from understudy.config.secrets import CredentialUnavailable
from understudy.core.conversation import Conversation, Message, Role, Settings, Text
from understudy.core.embedding import Texts
from understudy.core.failure import Failure, FailureKind
from understudy.core.request import Operation
from understudy.core.target import Target
from understudy.core.usage import Usage
from understudy.core.value import value
from understudy.dialects import BadAnswer, Format
from understudy.engine.crossing import CROSSINGS
from understudy.engine.snapshot import Upstream
from understudy.ports import HttpClient, HttpRequest, TransportFailure
from understudy.providers import listing
from understudy.transport.classify import classify

CONNECT_S = 5.0
MAX_TOKENS = 16
"""As few as every model accepts."""


@value
class Told:
    """What a target did with it. `failure`: None when it answered. `sent`: it may have been acted on, and billed."""

    failure: Failure | None
    sent: bool = False
    status: int | None = None
    usage: Usage | None = None


def question(target: Target) -> Conversation | Texts:
    """Something that every model can answer."""
    if target.offers(Operation.EMBED):
        return Texts(model=target.model, inputs=("hello",))
    return Conversation(
        model=target.model,
        messages=(Message(Role.USER, (Text("Say hello."),)),),
        settings=Settings(max_tokens=MAX_TOKENS),
    )


async def ask(
    client: HttpClient,
    upstream: Upstream,
    dialects: Mapping[str, Format],
    *,
    now_s: float,
    until_s: float,
    wall_s: Callable[[], float] = time.time,
) -> Told:
    """Ask for a word. `until_s`: loop time by which all of it must be here."""
    dialect = dialects[upstream.preferred]
    projected, _, _ = CROSSINGS[dialect.operation].project(question(upstream.target), upstream.carries[dialect.name])
    try:
        if now_s >= upstream.fresh_until_s:
            await upstream.renew(now_s)
        where, headers = upstream.way(dialect.name, ())
        body = dialect.render_request(projected, where.quirks)
        headers += upstream.signed(where, where.path, headers, body, wall_s())
        request = HttpRequest(method="POST", origin=where.origin, path=where.path, headers=headers, body=body)
        answer = await client.send(request, connect_s=CONNECT_S, until_s=until_s)
    except TransportFailure as trouble:
        return Told(Failure(trouble.kind, trouble.message), trouble.sent)
    except CredentialUnavailable as trouble:
        return Told(Failure(FailureKind.CREDENTIAL_UNAVAILABLE, str(trouble)))
    status = answer.status
    if not 200 <= status < 300:
        now_unix_s = wall_s()
        known = classify(status, answer.headers, answer.body, now_unix_s=now_unix_s)
        if known is not None and known.kind is FailureKind.AUTH:
            upstream.doubt(answer.headers, now_unix_s)
        return Told(known or _unexpected(status), True, status)
    try:
        glance = dialect.glance(answer.body)
    except BadAnswer as trouble:
        return Told(Failure(FailureKind.MALFORMED, str(trouble), status=status), True, status)
    failure = glance.failure
    if failure is not None and failure.kind is FailureKind.EMPTY:
        failure = None  # a thinking model may have spent so few tokens before its first word: it answered
    return Told(failure, True, status, glance.usage)


async def look(
    client: HttpClient,
    upstream: Upstream,
    *,
    now_s: float,
    until_s: float,
    wall_s: Callable[[], float] = time.time,
) -> Told:
    """Ask for its list of models, which is free. Any answer that is no error will do. Raises `LookupError` where there is none."""
    path = listing(upstream.target)
    if path is None:
        raise LookupError(f"{upstream.target.name} lists no models")
    try:
        if now_s >= upstream.fresh_until_s:
            await upstream.renew(now_s)
        where, headers = upstream.way(upstream.preferred, ())
        request = HttpRequest(method="GET", origin=where.origin, path=path, headers=headers, body=b"")
        answer = await client.send(request, connect_s=CONNECT_S, until_s=until_s)
    except TransportFailure as trouble:
        return Told(Failure(trouble.kind, trouble.message))
    except CredentialUnavailable as trouble:
        return Told(Failure(FailureKind.CREDENTIAL_UNAVAILABLE, str(trouble)))
    if 200 <= answer.status < 300:
        return Told(None, True, answer.status)
    known = classify(answer.status, answer.headers, answer.body, now_unix_s=wall_s())
    return Told(known or _unexpected(answer.status), True, answer.status)


def _unexpected(status: int) -> Failure:
    return Failure(FailureKind.MALFORMED, f"unexpected status {status}", status=status)
