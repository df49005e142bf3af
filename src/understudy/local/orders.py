"""What the keeper tells a model server, and what it hears: one line of JSON down, then lines of JSON up."""

from __future__ import annotations

import msgspec


class Orders(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The one line down.

    `target`: whose server it is, for messages. `folder`: of the model. `secret`: what every request must show, another one for each life. `context_tokens`: None for what
    the model says, within reason. `threads`: None for the library's own choice. `queue`: how many requests may wait.
    """

    target: str
    folder: str
    secret: str = ""
    context_tokens: int | None = None
    threads: int | None = None
    queue: int = 8


class Ready(msgspec.Struct, tag_field="what", tag="ready"):
    """It answers on this port of loopback."""

    port: int


class Failed(msgspec.Struct, tag_field="what", tag="failed"):
    """It cannot serve, and ends. `final`: another start would end the same way."""

    why: str
    final: bool


News = Ready | Failed

encode = msgspec.json.Encoder().encode
read_orders = msgspec.json.Decoder(Orders).decode
read_news = msgspec.json.Decoder(News).decode
