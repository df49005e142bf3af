"""What is known of a request before anything is chosen for it."""

from __future__ import annotations

from enum import StrEnum

from understudy.core.catalogue.task import Task
from understudy.core.value import value


class Operation(StrEnum):
    """What is done with a model. Every wire format belongs to one; nothing crosses from one to another."""

    CHAT = "chat"  # a conversation goes on
    EMBED = "embed"  # texts become vectors
    COUNT = "count"  # how many tokens a conversation would be: nothing is generated, nothing is paid for


@value
class Needs:
    """What a request asks of a target, read off its body in one pass.

    `model`: as the caller named it (a route, a target, provider/model). `tokens_in`: estimated from the size of the text.
    `max_tokens`: the caller's bound on the answer, None without one. `n`: alternatives asked for. `features`: names out of
    `FEATURES`, sorted. `plain`: the messages are known to hold nothing that only some servers of the format take. `operation`:
    what is to be done with it. `task`: what it is about; None where no rule and no strategy asked. `traits`: of the last user turn, see
    `core.prompts.traits`; () where the route does not go by them.
    """

    model: str
    stream: bool = False
    include_usage: bool | None = None
    tokens_in: int = 0
    max_tokens: int | None = None
    n: int = 1
    features: tuple[str, ...] = ()
    plain: bool = False
    operation: Operation = Operation.CHAT
    task: Task | None = None
    traits: tuple[float, ...] = ()


FEATURES = (
    "audio",  # sound in the messages
    "documents",  # files in the messages
    "images",  # pictures in the messages
    "json_schema",  # an answer in a given shape
    "logprobs",
    "many",  # n > 1
    "reasoning",  # explicit thinking settings
    "stored",  # state or files that one provider holds
    "tools",
    "video",
)


@value
class Call:
    """One request as it came: its needs, and the bytes for whoever speaks the same dialect.

    `headers`: the allow-listed ones, lower-case. `deadline_s`: how long the caller will wait, None for the policy's.
    `labels`: the caller's own marks. `principal`: who asks. `session`: what keeps a conversation on one target. `complexity`: how hard it
    is, as the caller says. `seen`: the headers that rules look at; they go no further.
    """

    dialect: str
    needs: Needs
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    principal: str = ""
    deadline_s: float | None = None
    session: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    route: str | None = None
    strategy: str | None = None
    complexity: str | None = None
    seen: tuple[tuple[str, str], ...] = ()
