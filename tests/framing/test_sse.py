"""Server-sent events: what comes out never depends on how the bytes were cut, and costs no more than their number.

The reference is a parser written line by line after the standard's own words, for whole inputs only.
"""

from __future__ import annotations

import re
import time
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import read_recordings
from understudy.framing import sse
from understudy.framing.sse import EventTooLarge, SseEvent, SseParser, write_event

MIXED = (
    b"\xef\xbb\xbf: hello\n\n"
    b'event: message_start\r\ndata: {"a": 1}\r\n\r\n'
    b"data: one\ndata: two\ndata:\ndata:  three\n\n"
    b"data: cr\r\r"
    b"\n\n\n"
    b"id: 7\nretry: 10\ndata\n\n"
    b"event: ping\n\n"
    b"data: lf then cr\n\rdata: cr then crlf\r\r\n"
    b"data: caf\xc3\xa9 \xf0\x9f\x8e\xad\n\n"
    b":\n\n"
    b"data: [DONE]\n\n"
)  # fmt: skip


def plain(events: list[SseEvent]) -> list[tuple[bytes, bytes | None]]:
    return [(event.event, event.data) for event in events]


def by_the_standard(stream: bytes) -> list[tuple[bytes, bytes | None]]:
    """Whole input, line by line; like the parser it also tells of events without data, which the standard drops."""
    found: list[tuple[bytes, bytes | None]] = []
    name, lines, touched = b"", [], False
    for line in re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        if not line:
            if touched:
                found.append((name, b"\n".join(lines) if lines else None))
            name, lines, touched = b"", [], False
            continue
        touched = True
        field, _, content = line.partition(b":")
        content = content.removeprefix(b" ")
        if field == b"data":
            lines.append(content)
        elif field == b"event":
            name = content
    return found


def fed(*pieces: bytes) -> list[SseEvent]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.flush()


def test_every_kind_of_line_end_comment_and_field_is_read():
    assert plain(fed(MIXED)) == [
        (b"", None),
        (b"message_start", b'{"a": 1}'),
        (b"", b"one\ntwo\n\n three"),
        (b"", b"cr"),
        (b"", b""),
        (b"ping", None),
        (b"", b"lf then cr"),
        (b"", b"cr then crlf"),
        (b"", b"caf\xc3\xa9 \xf0\x9f\x8e\xad"),
        (b"", None),
        (b"", b"[DONE]"),
    ]


def test_it_reads_as_the_standard_does():
    assert plain(fed(MIXED)) == by_the_standard(MIXED)


def test_a_cut_at_any_byte_changes_nothing():
    whole = fed(MIXED)
    for cut in range(len(MIXED) + 1):
        assert fed(MIXED[:cut], MIXED[cut:]) == whole, cut


def test_cuts_at_any_two_bytes_change_nothing():
    whole = fed(MIXED[:120])
    for first in range(121):
        for second in range(first, 121):
            assert fed(MIXED[:first], MIXED[first:second], MIXED[second:120]) == whole, (first, second)


def test_byte_by_byte_changes_nothing():
    assert fed(*(MIXED[i : i + 1] for i in range(len(MIXED)))) == fed(MIXED)


STREAMS = st.lists(
    st.sampled_from(
        [
            b"data: x",
            b"data:y",
            b"event: e",
            b": c",
            b"data",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b"\xef\xbb\xbf",
            b"\xc3\xa9",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(STREAMS, st.data())
def test_any_stream_reads_the_same_however_it_is_cut(stream: bytes, data: st.DataObject):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert fed(*pieces) == fed(stream)


@given(STREAMS)
def test_any_stream_reads_as_the_standard_says(stream: bytes):
    stream += b"\n\n"
    assert plain(fed(stream)) == by_the_standard(stream)


@given(STREAMS)
def test_all_bytes_but_blank_lines_are_in_some_event(stream: bytes):
    stream += b"\n\n"
    raw = b"".join(event.raw for event in fed(stream))
    assert re.sub(rb"[\r\n]", b"", raw) == re.sub(rb"[\r\n]", b"", stream.removeprefix(b"\xef\xbb\xbf"))


@given(STREAMS)
def test_the_raw_bytes_of_an_event_are_that_event(stream: bytes):
    for event in fed(stream + b"\n\n"):
        again = fed(b":\n\n", event.raw)  # not at the beginning, where a byte order mark would count
        assert again[1:] == [event]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_an_event_is_given_as_soon_as_its_blank_line_is_there(line_end: bytes):
    parser = SseParser()
    assert parser.feed(b"data: a" + line_end) == []
    assert [event.data for event in parser.feed(line_end)] == [b"a"]
    assert parser.feed(b"") == []


def test_a_lone_carriage_return_waits_for_its_line_feed():
    parser = SseParser()
    assert parser.feed(b"data: a\r\n\r") == []
    assert parser.feed(b"\ndata: b\r\n\r\n") == [
        SseEvent(b"data: a\r\n\r\n", b"", b"a"),
        SseEvent(b"data: b\r\n\r\n", b"", b"b"),
    ]


def test_several_events_in_one_read_come_in_order():
    assert [event.data for event in SseParser().feed(b"data: 1\n\ndata: 2\n\nevent: x\ndata: 3\n\ndata: 4")] == [
        b"1",
        b"2",
        b"3",
    ]


def test_a_cut_stream_gives_no_half_event():
    parser = SseParser()
    assert parser.feed(b'data: {"a":1}\n\ndata: {"b') == [SseEvent(b'data: {"a":1}\n\n', b"", b'{"a":1}')]


@pytest.mark.parametrize(
    ("rest", "events"),
    [
        (b"data: last", [SseEvent(b"data: last\n\n", b"", b"last")]),
        (b"data: last\n", [SseEvent(b"data: last\n\n", b"", b"last")]),
        (b"event: x\r\ndata: last\r\n", [SseEvent(b"event: x\r\ndata: last\n\n", b"x", b"last")]),
        (b"data: a\r\r", [SseEvent(b"data: a\r\r", b"", b"a")]),
        (b"data: a\r\rdata: b", [SseEvent(b"data: a\r\r", b"", b"a"), SseEvent(b"data: b\n\n", b"", b"b")]),
        (b": only a comment", []),
        (b"\n", []),
        (b"\xef", []),
        (b"\xef\xbb\xbf", []),
        (b"", []),
    ],
)
def test_at_the_end_a_last_event_needs_no_blank_line(rest: bytes, events: list[SseEvent]):
    assert fed(rest) == events
    assert fed(*(rest[i : i + 1] for i in range(len(rest)))) == events


def test_a_byte_order_mark_counts_at_the_beginning_only():
    assert [event.data for event in fed(b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n")] == [
        b"a",
        None,
        b"c",
    ]


# Bounds


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", 50)
    return 50


def outcome(pieces: list[bytes]) -> tuple[list[bytes | None], bool]:
    parser = SseParser()
    got: list[bytes | None] = []
    try:
        for piece in pieces:
            got += [event.data for event in parser.feed(piece)]
        got += [event.data for event in parser.flush()]
    except EventTooLarge:
        return got, True
    return got, False


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("excess", [-1, 0, 1, 2, 30])
def test_one_event_may_be_so_large_and_no_larger(small: int, excess: int, line_end: bytes):
    blank = line_end * 2
    large = b"data: " + b"x" * (small + excess - 6 - len(blank)) + blank
    stream = b"data: before\n\n" + large + b"data: after\n\n"
    whole = outcome([stream])
    assert whole[1] is (excess > 0)
    assert whole[0][0] == b"before"
    assert len(whole[0]) == (1 if excess > 0 else 3)
    for size in (1, 2, 7, 20):
        assert outcome([stream[i : i + size] for i in range(0, len(stream), size)]) == whole


def test_an_event_that_never_ends_is_too_large(small: int):
    parser = SseParser()
    parser.feed(b"data: ok\n\n")
    with pytest.raises(EventTooLarge):
        for _ in range(small + 1):
            parser.feed(b"x")


def test_once_too_large_it_stays_so(small: int):
    parser = SseParser()
    assert [event.data for event in parser.feed(b"data: a\n\n" + b"x" * (small + 1))] == [b"a"]
    for _ in range(2):
        with pytest.raises(EventTooLarge):
            parser.feed(b"y")
    with pytest.raises(EventTooLarge):
        parser.flush()


def test_one_read_that_is_one_event_is_bounded_too(small: int):
    parser = SseParser()
    parser.feed(b"data: a\n\n")
    assert len(parser.feed(b"data: " + b"x" * (small - 8) + b"\n\n")) == 1
    with pytest.raises(EventTooLarge):
        parser.feed(b"data: " + b"x" * (small - 7) + b"\n\n")


@pytest.mark.parametrize("piece", [1024, 64])
def test_a_huge_event_in_small_pieces_costs_its_length(piece: int):
    def seconds(length: int) -> float:
        event = b"data: " + b"x" * length + b"\n\n"
        parser = SseParser()
        began = time.perf_counter()
        for i in range(0, len(event), piece):
            parser.feed(event[i : i + piece])
        return time.perf_counter() - began

    # Linear would be 32, quadratic 1,024; the machine may be busy meanwhile.
    short = min(seconds(50_000) for _ in range(3))
    assert min(seconds(1_600_000) for _ in range(3)) < 200 * short


def test_carriage_returns_one_by_one_cost_their_number():
    parser = SseParser()
    parser.feed(b"data: " + b"x" * 1_000_000)
    began = time.perf_counter()
    for _ in range(20_000):
        parser.feed(b"\r")
    assert time.perf_counter() - began < 1.0


def test_the_usual_event_takes_its_shortcut():
    """0.5 us where this was written; the bound leaves room for a slow and busy machine, not for a slower way."""
    data = b"data: " + b'{"choices":[{"index":0,"delta":{"content":" word"}}]}' * 4 + b"\n\n"
    parser = SseParser()
    parser.feed(b": begun\n\n")
    usual = min(timeit.repeat(lambda: parser.feed(data), number=2000, repeat=5))
    unusual = min(timeit.repeat(lambda: parser.feed(b"id: 1\n" + data), number=2000, repeat=5))
    assert usual < unusual / 2


# Writing


@pytest.mark.parametrize(
    ("data", "event", "raw"),
    [
        (b"{}", b"", b"data: {}\n\n"),
        (b"{}", b"error", b"event: error\ndata: {}\n\n"),
        (b"", b"", b"data: \n\n"),
        (b"a\nb\r\nc\rd\n", b"", b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (b"a\nb", b"x", b"event: x\ndata: a\ndata: b\n\n"),
    ],
)
def test_an_event_is_written_line_by_line(data: bytes, event: bytes, raw: bytes):
    assert write_event(data, event) == raw


@given(st.binary(max_size=50), st.sampled_from([b"", b"error", b"message_start"]))
def test_what_was_written_is_read_back(data: bytes, name: bytes):
    (event,) = fed(write_event(data, name))
    assert (event.event, event.data) == (name, re.sub(rb"\r\n|\r", b"\n", data))


# Recorded streams


@pytest.mark.no_cover
@pytest.mark.shared("recordings")
def test_recorded_streams_read_the_same_in_pieces_of_any_size():
    streams = [
        record["response"]["body_text"].encode()
        for name in ("messages", "chat_completions")
        for record in read_recordings(name)
        if record["stream_format"] == "sse" and record["response"].get("body_text")
    ]
    assert len(streams) > 100
    for stream in streams[::4]:
        whole = fed(stream)
        assert plain(whole) == by_the_standard(stream.rstrip(b"\r\n") + b"\n\n")
        for size in (1, 7, 1000):
            assert fed(*(stream[i : i + size] for i in range(0, len(stream), size))) == whole
