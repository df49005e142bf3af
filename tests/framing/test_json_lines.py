"""JSON lines: what comes out never depends on how the bytes were cut, and nothing grows without bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.framing import json_lines
from understudy.framing.json_lines import JsonLinesParser, write_line
from understudy.framing.sse import EventTooLarge, SseEvent

MIXED = (
    b'\xef\xbb\xbf\n{"a": 1}\n'
    b'  {"b":"caf\xc3\xa9 \xf0\x9f\x8e\xad"}  \r\n'
    b"\r\n\n \t\n"
    b'{"c":"a\\nb"}\n'
    b'{"end":true}'
)  # fmt: skip
SAID = [b'{"a": 1}', b'{"b":"caf\xc3\xa9 \xf0\x9f\x8e\xad"}', b'{"c":"a\\nb"}', b'{"end":true}']


def fed(*pieces: bytes) -> list[SseEvent]:
    parser = JsonLinesParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.flush()


def test_each_line_is_an_event_and_blank_ones_are_none():
    assert [(event.event, event.data) for event in fed(MIXED)] == [(b"", line) for line in SAID]


def test_every_cut_gives_the_same_lines():
    whole = fed(MIXED)
    assert fed(*(MIXED[at : at + 1] for at in range(len(MIXED)))) == whole
    for one in range(len(MIXED)):
        for other in range(one, len(MIXED), 7):
            assert fed(MIXED[:one], MIXED[one:other], MIXED[other:]) == whole


@given(
    st.lists(st.sampled_from([b'{"a":1}', b"[]", b"3", b"", b" ", b"nonsense", b"\xff"])),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_lines_come_as_soon_as_they_are_complete(lines, ending):
    parser = JsonLinesParser()
    for line in lines:
        got = [event.data for event in parser.feed(line + ending)]
        assert got == ([line] if line.strip() else [])
    assert parser.flush() == []


def test_the_raw_bytes_of_a_line_are_kept_with_its_end():
    [event] = fed(b' {"a":1}\r\n')
    assert event.raw == b' {"a":1}\r\n'


@pytest.mark.parametrize("tail", [b'{"a": "half', b"{", b'{"a":1', b"upstream error", b"[" * 100_000])
def test_a_last_line_that_was_cut_is_no_event(tail):
    assert [event.data for event in fed(b'{"a":1}\n' + tail)] == [b'{"a":1}']


def test_a_line_beyond_the_bound_is_refused_and_those_before_it_are_given(monkeypatch):
    monkeypatch.setattr(json_lines, "EVENT_BYTES_MAX", 20)
    parser = JsonLinesParser()
    assert parser.feed(b"x" * 20) == []
    with pytest.raises(EventTooLarge):
        parser.feed(b"x")
    parser = JsonLinesParser()
    assert [event.data for event in parser.feed(b'{"a":1}\n' + b"y" * 21 + b'\n{"b":2}\n')] == [b'{"a":1}']
    with pytest.raises(EventTooLarge):
        parser.feed(b"")
    exact = JsonLinesParser()
    assert [event.data for event in exact.feed(b"z" * 20 + b"\n")] == [b"z" * 20]


def test_what_is_written_is_read_again():
    assert [event.data for event in fed(write_line(b'{"a":1}') + write_line(b"[]"))] == [b'{"a":1}', b"[]"]
