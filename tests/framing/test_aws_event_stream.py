"""Binary event streams: what comes out is what went in, however it was cut; what was damaged is told, and nothing is read past it."""

from __future__ import annotations

import base64
import struct
from binascii import crc32
from datetime import UTC, datetime
from uuid import UUID

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from conftest import read_recordings
from understudy.framing import aws_event_stream
from understudy.framing.aws_event_stream import (
    MESSAGE_BYTES_MAX,
    EventStreamParser,
    Message,
    NotEventStream,
    write_message,
)
from understudy.framing.sse import EventTooLarge

HEADERS = {":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event"}
TEXT = write_message(HEADERS, '{"text":"Grüße 🎭"}'.encode())
EMPTY = write_message({}, b"")

integers = st.integers(-(2**63), 2**63 - 1)
moments = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
values = st.booleans() | integers | st.binary(max_size=20) | st.text(max_size=20) | moments | st.uuids()
headers = st.dictionaries(st.text(min_size=1, max_size=20), values, max_size=5)
messages = st.lists(st.tuples(headers, st.binary(max_size=60)), min_size=1, max_size=4)


def fed(data: bytes, cuts: list[int]) -> list[Message]:
    parser = EventStreamParser()
    found: list[Message] = []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += parser.feed(data[begin:end])
    assert parser._size == 0
    return found


@pytest.mark.no_cover
@given(messages)
def test_what_is_written_is_read(told):
    data = b"".join(write_message(names, payload) for names, payload in told)
    found = EventStreamParser().feed(data)
    assert [(message.headers, message.payload) for message in found] == told
    assert b"".join(message.raw for message in found) == data


@given(messages, st.data())
def test_cuts_change_nothing(told, draw):
    data = b"".join(write_message(names, payload) for names, payload in told)
    whole = EventStreamParser().feed(data)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    assert fed(data, cuts) == whole
    assert fed(data, list(range(1, len(data)))) == whole


def test_every_single_cut_gives_the_same():
    data = TEXT + EMPTY + TEXT
    for cut in range(len(data) + 1):
        assert fed(data, [cut]) == fed(data, [])


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 255))
def test_no_damage_goes_unseen(place, change):
    damaged = bytearray(TEXT)
    damaged[place] ^= change
    parser = EventStreamParser()
    with pytest.raises((NotEventStream, EventTooLarge)):
        assert not parser.feed(bytes(damaged))
        # a length that grew waits for bytes that never come: but the prelude has a checksum of its own
        pytest.fail("half a message was believed")


def test_messages_before_the_damage_are_given_first_and_nothing_behind_it():
    parser = EventStreamParser()
    assert [message.payload for message in parser.feed(TEXT + EMPTY + b"\xff" * 20)] == [
        '{"text":"Grüße 🎭"}'.encode(),
        b"",
    ]
    for more in (b"", TEXT):
        with pytest.raises(NotEventStream, match="prelude"):
            parser.feed(more)


def test_half_a_message_is_kept_and_never_given():
    parser = EventStreamParser()
    assert parser.feed(TEXT[:-1]) == []
    assert parser._size == len(TEXT) - 1
    assert parser.feed(b"") == []
    assert len(parser.feed(TEXT[-1:])) == 1


def prelude(total: int, headers_length: int) -> bytes:
    lengths = struct.pack(">II", total, headers_length)
    return lengths + struct.pack(">I", crc32(lengths))


@pytest.mark.parametrize(("total", "headers_length"), [(MESSAGE_BYTES_MAX + 1, 0), (1000, 128 * 1024 + 1)])
def test_what_claims_to_be_too_large_is_refused_before_it_is_here(total, headers_length):
    with pytest.raises(EventTooLarge):
        EventStreamParser().feed(prelude(total, headers_length))


@pytest.mark.parametrize(("total", "headers_length"), [(0, 0), (15, 0), (16, 1), (100, 85)])
def test_lengths_that_contradict_each_other_are_refused(total, headers_length):
    with pytest.raises(NotEventStream, match="shorter than its headers"):
        EventStreamParser().feed(prelude(total, headers_length))


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"\x01a\x0a", "unknown type 10"),
        (b"\x05ab", "longer than the headers"),
        (b"\x01a\x07\x00\x05ab", "longer than the headers"),
        (b"\x01a\x04\x00", "longer than the headers"),
        (b"\x01\xff\x00", "cannot be read"),
        (b"\x01a\x07\x00\x01\xff", "cannot be read"),
        (b"\x01a\x08\x7f\xff\xff\xff\xff\xff\xff\xff", "cannot be read"),
    ],
)
def test_headers_that_are_none_are_refused(block, why):
    head = prelude(16 + len(block), len(block)) + block
    with pytest.raises(NotEventStream, match=why):
        EventStreamParser().feed(head + struct.pack(">I", crc32(head)))


@pytest.mark.parametrize(
    ("block", "held"),
    [
        (b"\x01a\x00", True),
        (b"\x01a\x01", False),
        (b"\x01a\x02\xff", -1),
        (b"\x01a\x03\xff\xfe", -2),
        (b"\x01a\x04\x00\x00\x01\x00", 256),
        (b"\x01a\x05" + b"\x00" * 7 + b"\x09", 9),
        (b"\x01a\x06\x00\x02\xff\x00", b"\xff\x00"),
        (b"\x01a\x07\x00\x02hi", "hi"),
        (b"\x01a\x08" + (1000).to_bytes(8, "big"), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        (b"\x01a\x09" + bytes(range(16)), UUID(bytes=bytes(range(16)))),
    ],
)
def test_each_type_of_header_is_read(block, held):
    head = prelude(16 + len(block), len(block)) + block
    (message,) = EventStreamParser().feed(head + struct.pack(">I", crc32(head)))
    assert message.headers == {"a": held}
    assert type(message.headers["a"]) is type(held)


@pytest.mark.parametrize("names", [{"": True}, {"a" * 256: True}, {"a": "b" * 40_000}, {"a": b"b" * 40_000}])
def test_headers_that_cannot_be_written_are_refused(names):
    with pytest.raises(ValueError, match="bytes"):
        write_message(names, b"")


def test_what_is_too_large_is_not_written(monkeypatch):
    monkeypatch.setattr(aws_event_stream, "MESSAGE_BYTES_MAX", 100)
    assert len(write_message({}, b"x" * 84)) == 100
    with pytest.raises(ValueError, match="too large"):
        write_message({}, b"x" * 85)


def test_many_small_reads_of_one_large_message_are_not_joined_again_and_again():
    data = write_message(HEADERS, b"x" * 2_000_000)
    parser = EventStreamParser()
    found = [message for at in range(0, len(data), 1000) for message in parser.feed(data[at : at + 1000])]
    assert [len(message.payload) for message in found] == [2_000_000]


# Amazon's own library, and what its service really sent


@given(messages)
def test_amazons_own_library_reads_what_is_written(told):
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(write_message(names, payload) for names, payload in told))
    theirs = [message.payload for message in buffer]
    assert theirs == [payload for _, payload in told]


@pytest.mark.shared("recordings")
def test_recorded_streams_are_read_as_their_recorder_read_them():
    streams = [record for record in read_recordings("bedrock_converse") if record["response"].get("body_b64")]
    assert len(streams) > 20
    for record in streams:
        found = EventStreamParser().feed(base64.b64decode(record["response"]["body_b64"]))
        assert [message.headers for message in found] == [
            event["headers"] for event in record["response"]["decoded_events"]
        ]
