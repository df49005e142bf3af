"""Every limit and time of the transport, with its default."""

from __future__ import annotations

from understudy.core.value import keyword_value

KIB = 1024
MIB = 1024 * KIB


@keyword_value
class ClientSettings:
    """Bounds on what the client holds and how long it keeps it.

    `connections_max`: per origin; further requests wait for one, within their connect time. `idle_max`, `idle_s`: how
    many unused connections are kept for the next request, and how long. `life_s`: age at which a connection is not
    used again, so that changed DNS answers are followed. `answer_max_bytes`: a whole answer, after decompression.
    `head_max_bytes`: status line and headers. `unread_max_bytes`: a stream's received and unread bytes, above which
    reading from its socket stops. `sweep_s`: how late a timeout may be noticed. `dns_fresh_s`: age at which a DNS answer
    is asked for again; `dns_stale_s`: age up to which it stands in while the resolver fails. `stagger_s`: head start of
    one address before the next is tried beside it (RFC 8305).
    """

    connections_max: int = 1024
    idle_max: int = 256
    idle_s: float = 45.0
    life_s: float = 600.0
    answer_max_bytes: int = 64 * MIB
    head_max_bytes: int = 64 * KIB
    unread_max_bytes: int = 64 * KIB
    sweep_s: float = 0.1
    dns_fresh_s: float = 30.0
    dns_stale_s: float = 600.0
    stagger_s: float = 0.25


@keyword_value
class ServerSettings:
    """Bounds on what clients may ask the server to hold, and for how long.

    `connections_max`: per worker; one more is answered 503. `head_max_bytes`, `fields_max`: request line and headers
    (431). `body_max_bytes`: one request's body (413). `bodies_max_bytes`: all bodies that are held at once (503).
    `pipeline_max`: requests parsed ahead of the one being answered; the rest is dropped with the connection.
    `head_s`: from a request's first byte to the end of its headers (408). `body_s` and `body_bytes_per_s`: a body must be
    complete within `body_s` plus its bytes so far at that rate (408). `idle_s`: between requests. `stall_s`: how long a
    client may take no byte of what waits for it. `linger_s`: how long input is still read and dropped after a refusal,
    so that the client can read it before a reset arrives. `farewell_s`: time for the last words of answers that a drain
    cut. `sweep_s`: how late a time limit may be noticed.
    """

    connections_max: int = 10_000
    head_max_bytes: int = 64 * KIB
    fields_max: int = 128
    body_max_bytes: int = 32 * MIB
    bodies_max_bytes: int = 64 * MIB
    pipeline_max: int = 16
    head_s: float = 10.0
    body_s: float = 60.0
    body_bytes_per_s: float = 16.0 * KIB
    idle_s: float = 75.0
    stall_s: float = 60.0
    linger_s: float = 2.0
    farewell_s: float = 1.0
    sweep_s: float = 0.25
