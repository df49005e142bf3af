"""Carries bytes: a lean HTTP/1.1 server for the data plane and a keep-alive client towards the providers.

Wire parsing is llhttp (`httptools`); sockets are asyncio transports and protocols (`uvloop` when installed). Everything
above this package sees only the seam in `understudy.ports`.

    server     listening, limits over all connections, drain    client     `send` and `stream`, a stale connection replaced
    inbound    one client's connection, its requests in order   pool       keep-alive connections to one origin
    request    bytes to requests, and what is refused           outbound   one connection to a provider
    exchange   one request and the way to answer it             stream     an answer that is read as it comes
    wire       heads as bytes, refused when they would split    dial       DNS, TCP, proxy, TLS: a connected socket
    settings   every limit and time with its default            dns, proxy, tls, inflate   what their names say
    relay      server and client back to back: the floor that the benchmark measures
    classify   what came back: a Failure, or none               hints      when to come back, as providers spell it
"""
