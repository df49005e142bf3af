"""Asks each target for a word, to see whether address, key and model are right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

from understudy.config import Configuration
from understudy.config.discovered import chosen
from understudy.config.secrets import CredentialUnavailable, Vault
from understudy.core.conversation import Conversation, Message, Role, Settings, Text
from understudy.core.embedding import Texts
from understudy.core.failure import Failure, FailureKind
from understudy.core.request import Operation
from understudy.core.target import Target
from understudy.core.value import keyword_value
from understudy.dialects import BadAnswer, Format
from understudy.engine.crossing import CROSSINGS
from understudy.engine.discovery import ask_models
from understudy.engine.snapshot import Upstream
from understudy.ports import HttpClient, HttpRequest, TransportFailure
from understudy.transport.classify import classify
from understudy.wiring import make_client, make_dialects, make_keeper, make_vault

ANSWER_S = 30.0
CONNECT_S = 5.0
LOADING_S = 120.0
"""How long our own model servers may take to load their models."""

MAX_TOKENS = 16
"""As few as every model accepts."""


@keyword_value
class Probe:
    """What one target did. `ms`: from asking to its answer. `failure`: None when it answered.

    `models`: what its server says it has, () where servers do not say.
    """

    target: str
    ms: float
    failure: Failure | None
    models: tuple[str, ...] = ()


async def probe(configuration: Configuration) -> tuple[Probe, ...]:
    """Ask every target that is reached over the network, all at once; costs a few tokens each.

    Model servers of our own are started for it.
    """
    client = make_client(configuration)
    keeper = make_keeper(configuration, client)
    dialects = make_dialects()
    vault = make_vault(configuration, http=client)
    asked = [Upstream(target, vault, dialects) for target in configuration.targets.values() if target.dialects]
    try:
        if keeper is not None:
            keeper.start()
            with suppress(TimeoutError):
                await asyncio.wait_for(keeper.settled(), LOADING_S)
        return tuple(await asyncio.gather(*(_ask(client, one, dialects, vault) for one in asked)))
    finally:
        await client.close()
        if keeper is not None:
            await keeper.close()


async def _ask(client: HttpClient, upstream: Upstream, dialects: Mapping[str, Format], vault: Vault) -> Probe:
    target = upstream.target
    models = await ask_models(client, upstream)
    if not target.model and models:
        target = chosen(target, models)
    started_s = time.monotonic()
    failure = _NO_MODEL
    if target.model:
        failure = await _failure(client, dialects[target.dialects[0]], Upstream(target, vault, dialects))
    ms = round((time.monotonic() - started_s) * 1000, 1)
    return Probe(target=target.name, ms=ms, failure=failure, models=models)


_NO_MODEL: Failure | None = Failure(
    FailureKind.UNAVAILABLE, "its server tells no models; start it, or give the target a `model`"
)


def _question(target: Target) -> Conversation | Texts:
    if target.offers(Operation.EMBED):
        return Texts(model=target.model, inputs=("hello",))
    return Conversation(
        model=target.model,
        messages=(Message(Role.USER, (Text("Say hello."),)),),
        settings=Settings(max_tokens=MAX_TOKENS),
    )


async def _failure(client: HttpClient, dialect: Format, upstream: Upstream) -> Failure | None:
    target = upstream.target
    projected, _ = CROSSINGS[dialect.operation].project(_question(target), upstream.carries[dialect.name])
    try:
        if target.key is not None:
            await upstream.renew(asyncio.get_running_loop().time())
        where, headers = upstream.way(dialect.name, ())
        body = dialect.render_request(projected, where.quirks)
        if upstream.signer is not None:
            headers += upstream.signer.sign("POST", where.origin, where.path, headers, body, unix_s=time.time())
        request = HttpRequest(method="POST", origin=where.origin, path=where.path, headers=headers, body=body)
        until_s = asyncio.get_running_loop().time() + ANSWER_S
        answer = await client.send(request, connect_s=CONNECT_S, until_s=until_s)
    except TransportFailure as trouble:
        return Failure(trouble.kind, trouble.message)
    except CredentialUnavailable as trouble:
        return Failure(FailureKind.CREDENTIAL_UNAVAILABLE, str(trouble))
    if not 200 <= answer.status < 300:
        known = classify(answer.status, answer.headers, answer.body, now_unix_s=time.time())
        return known or Failure(FailureKind.MALFORMED, f"unexpected status {answer.status}", status=answer.status)
    try:
        failure = dialect.glance(answer.body).failure
    except BadAnswer as trouble:
        return Failure(FailureKind.MALFORMED, str(trouble), status=answer.status)
    # A thinking model may have spent so few tokens before its first word: it answered.
    return None if failure is None or failure.kind is FailureKind.EMPTY else failure
