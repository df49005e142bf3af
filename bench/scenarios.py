"""What is measured and what it may cost: every scenario is a row of `SCENARIOS`, every row compares two cells.

A cell is a program under a load, written `program:load`. Cells shared by several rows are measured once a round.
"""

from dataclasses import dataclass
from enum import Enum

from bench.traffic import chat_request, messages_request

PLAIN_BYTES = 950
STREAM_GAP_US = 10_000  # as in findings: one event per read; closer together they would coalesce and flatter a program
FIRST_CHUNK_GAP_US = 250  # the stream is only drained, so it may be quick


class Measure(Enum):
    """What a cell's figure is. The first word is its unit."""

    CPU = "us of CPU per request"
    FIRST_CONTENT = "ms to the first content"
    RESIDENT = "MB resident"


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of request.

    `model` in the body names the gateway's route; a relay finds its way by `relay_path` and ignores the body.
    `reaches` is what the upstream must have counted at least once for each answered request.
    """

    body: bytes
    relay_path: str
    reaches: tuple[str, ...]
    gateway_path: str = "/v1/chat/completions"
    measure: Measure = Measure.CPU
    stream: bool = False


CHAT = "/v1/chat/completions"
LOADS = {
    "plain": Load(chat_request("plain", PLAIN_BYTES), f"/answer{CHAT}", ("answer",)),
    "body-10k": Load(chat_request("plain", 10_240), f"/answer{CHAT}", ("answer",)),
    "stream": Load(
        chat_request("stream", PLAIN_BYTES, stream=True), f"/stream/{STREAM_GAP_US}{CHAT}", ("stream",), stream=True
    ),
    "failover": Load(chat_request("failover", PLAIN_BYTES), f"/answer{CHAT}", ("fail", "answer")),
    "translation": Load(
        messages_request("plain", PLAIN_BYTES), f"/answer{CHAT}", ("answer",), gateway_path="/v1/messages"
    ),
    "tls": Load(chat_request("tls", PLAIN_BYTES), f"/tls{CHAT}", ()),
    "first-chunk": Load(
        chat_request("first-chunk", PLAIN_BYTES, stream=True),
        f"/stream/{FIRST_CHUNK_GAP_US}{CHAT}",
        ("stream",),
        measure=Measure.FIRST_CONTENT,
        stream=True,
    ),
    "refused": Load(chat_request("refused", PLAIN_BYTES), f"/answer{CHAT}", ("answer",), measure=Measure.FIRST_CONTENT),
    "memory": Load(chat_request("plain", PLAIN_BYTES), f"/answer{CHAT}", ("answer",), measure=Measure.RESIDENT),
}


@dataclass(frozen=True, slots=True)
class Cell:
    program: str
    load: str

    @property
    def name(self) -> str:
        return f"{self.program}:{self.load}"


class Compare(Enum):
    """How a row's figure comes from its cells, as the rows below write it."""

    RATIO = "/"
    DIFFERENCE = "-"
    VALUE = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`aim` is what we want, `never_above` what `--check` refuses to exceed; None: told for information."""

    name: str
    says: str
    compare: Compare
    cells: tuple[Cell, ...]
    aim: float | None
    never_above: float | None

    @property
    def unit(self) -> str:
        unit = LOADS[self.cells[0].load].measure.value.split()[0]
        return {Compare.RATIO: "x", Compare.DIFFERENCE: f"{unit} more", Compare.VALUE: unit}[self.compare]


def row(name: str, says: str, formula: str, aim: float | None, never_above: float | None) -> Scenario:
    """`formula` is a cell, or two cells with `/` (a ratio) or `-` (a difference) between them."""
    first, *rest = formula.split()
    cells = [Cell(*text.split(":")) for text in (first, *rest[1:])]
    return Scenario(name, says, Compare(rest[0] if rest else ""), tuple(cells), aim, never_above)


# fmt: off
SCENARIOS = (
    #                                                                                                         aim, never above
    row("noise", "nginx against a second nginx: what the harness cannot tell apart", "twin:plain / nginx:plain", None, None),
    row("floor", "our server and client, merely relaying", "relay:plain / nginx:plain", None, 2.5),
    row("everything", "all of the router, above the floor", "understudy:plain - relay:plain", None, 25),
    row("plain", "a 0.95 KB request, a 1 KB answer", "understudy:plain / nginx:plain", 3, 4),
    row("body-10k", "a 10 KB request, a 1 KB answer", "understudy:body-10k / nginx:body-10k", 3, 4),
    row("stream-floor", "the floor, streaming", "relay:stream / nginx:stream", None, None),
    row("stream", "64 streams of 50 chunks, 10 ms apart", "understudy:stream / nginx:stream", 2, 3),
    row("failover", "the primary fails with 500, the secondary answers", "understudy:failover / understudy:plain", None, 2),
    row("translation", "Messages in, Chat Completions upstream", "understudy:translation / understudy:plain", None, None),
    row("tls-floor", "the floor, TLS to the upstream", "relay-tls:tls / nginx:tls", None, 2.5),
    row("tls-everything", "all of the router, above the TLS floor", "understudy:tls - relay-tls:tls", None, 25),
    row("tls", "a plain request, TLS to the upstream", "understudy:tls / nginx:tls", 3, 4),
    row("first-chunk", "time to a stream's first content, one at a time", "understudy:first-chunk - direct:first-chunk", None, 0.4),
    row("first-chunk-nginx", "the same through nginx, for comparison", "nginx:first-chunk - direct:first-chunk", None, None),
    row("refused", "the primary's port is closed, the secondary answers", "understudy:refused - direct:refused", None, 5),
    row("memory", "the worker after 100,000 requests (--quick: 20,000)", "understudy:memory", None, 80),
)
# fmt: on
