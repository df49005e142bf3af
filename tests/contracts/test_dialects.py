"""What every wire format promises, whichever it is: runs over each entry of the registry, ours and third parties'."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import answers, conversations, objects, told, values
from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    UsageSeen,
)
from understudy.core.assembly import assemble
from understudy.core.conversation import Conversation, Message, Opaque, Role, Text, Tool
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.projection import fit_request, project_answer, project_request
from understudy.core.request import FEATURES, Call, Operation
from understudy.dialects import CONTENT, END, FAILED, FINISH, BadAnswer, BadBody, Dialect, ErrorReport, Quirks
from understudy.framing.sse import SseEvent
from understudy.registry import Registry

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")
NAMES = tuple(name for name in DIALECTS.names() if DIALECTS.entry(name).operation is Operation.CHAT)
UNMARKED = ("gemini",)
"""Formats without an end mark: a stream is complete when the bytes end behind a finish reason."""
STREAMS_UNASKED = ("ollama_chat",)
"""Formats in which an answer is a stream unless the request says otherwise."""
UPSTREAM_PATHS = {"bedrock_converse": ("/model/{model}/converse", "/model/{model}/converse-stream")}
"""Where formats that have no door of ours are spoken, if that says more than the body."""


@pytest.fixture(params=NAMES)
def dialect(request) -> Dialect:
    return DIALECTS.entry(request.param)


every_dialect = st.sampled_from([DIALECTS.entry(name) for name in NAMES])


def body_of(dialect: Dialect, conversation: Conversation) -> bytes:
    return dialect.render_request(project_request(conversation, dialect.request_carries)[0])


def address(dialect: Dialect, model: str = "m", *, stream: bool = False) -> str:
    """Where a request is sent: for some formats that says the model, and whether to stream."""
    paths = dialect.inbound or UPSTREAM_PATHS.get(dialect.name, ())
    doors = [path for path in paths if not stream or "stream" in path] or [*paths, "/"]
    return doors[0].replace("{model}", model)


def names_the_model(dialect: Dialect) -> bool:
    """Whether the address of a request says the model, and not its body."""
    return dialect.name in UPSTREAM_PATHS or any("{model}" in door for door in dialect.inbound)


def asked(dialect: Dialect, body: bytes, path: str) -> Conversation:
    """The request as the engine knows it: what its path said beside what its body says."""
    needs = dialect.needs(body, path)
    read = dialect.parse_request(body)
    if not names_the_model(dialect):
        assert (read.model, read.stream) == (needs.model, needs.stream)
    return replace(read, model=needs.model, stream=needs.stream)


def simple(**changes) -> Conversation:
    return Conversation(**{"model": "m", "messages": (Message(Role.USER, (Text("hello"),)),), **changes})


def wire_of(dialect: Dialect, events) -> list[SseEvent]:
    encoder = dialect.encoder(model="m", include_usage=True)
    parser = dialect.framing()
    return [*parser.feed(b"".join(encoder.encode(event) for event in events)), *parser.flush()]


def read_stream(dialect: Dialect, wire: list[SseEvent]) -> list:
    decoder = dialect.decoder()
    return [*(event for piece in wire for event in decoder.decode(piece)), *decoder.ending()]


def test_entry_knows_its_own_name(dialect):
    assert dialect is DIALECTS.entry(dialect.name)
    assert dialect.request_carries.dialect == dialect.answer_carries.dialect == dialect.name


def test_doors_are_absolute_paths_that_no_other_dialect_has(dialect):
    assert all(path.startswith("/") for path in dialect.inbound)
    others = [DIALECTS.entry(name) for name in NAMES if name != dialect.name]
    assert not [path for other in others for path in other.inbound if path in dialect.inbound]


def test_what_is_carried_is_declared_in_order(dialect):
    for carries in (dialect.request_carries, dialect.answer_carries):
        declared = [carries.settings, carries.cache, carries.formats, carries.tool_choices, *carries.parts.values()]
        declared += [*carries.sources.values(), *carries.media_types.values(), *carries.fields.values()]
        assert all(list(names) == sorted(names) for names in declared)


def test_a_name_in_the_place_of_another_tools_fits(dialect):
    pattern = dialect.request_carries.tool_names
    for name in ("a.b", "", "0", "x" * 200):
        projected, _, names = fit_request(simple(tools=(Tool(name),)), dialect.request_carries)
        sent = projected.tools[0].name
        assert pattern is None or re.fullmatch(pattern, sent)
        assert names.get(sent, sent) == name


# What is projected survives


@pytest.mark.no_cover
@given(every_dialect, conversations)
def test_a_projected_request_survives_the_wire(dialect, conversation):
    projected, _ = project_request(conversation, dialect.request_carries)
    body = dialect.render_request(projected)
    path = address(dialect, projected.model, stream=projected.stream)
    assert asked(dialect, body, path) == projected
    needs = dialect.needs(body, path)
    assert (needs.model, needs.stream, needs.max_tokens) == (
        projected.model,
        projected.stream,
        projected.settings.max_tokens,
    )
    assert ("tools" in needs.features) == bool(projected.tools)
    assert list(needs.features) == sorted(set(needs.features) & set(FEATURES))


@pytest.mark.no_cover
@given(every_dialect, conversations)
def test_projecting_a_request_twice_changes_nothing_more(dialect, conversation):
    projected, _ = project_request(conversation, dialect.request_carries)
    assert project_request(projected, dialect.request_carries) == (projected, ())


@pytest.mark.no_cover
@given(every_dialect, answers)
def test_a_projected_answer_survives_the_wire(dialect, answer):
    projected, _ = project_answer(answer, dialect.answer_carries)
    assert dialect.parse_answer(dialect.render_answer(projected)) == projected


@pytest.mark.no_cover
@given(every_dialect, answers)
def test_projecting_an_answer_twice_changes_nothing_more(dialect, answer):
    projected, _ = project_answer(answer, dialect.answer_carries)
    assert project_answer(projected, dialect.answer_carries) == (projected, ())


@pytest.mark.no_cover
@given(every_dialect, answers, st.booleans())
def test_a_stream_tells_the_same_answer(dialect, answer, interleaved):
    answer, _ = project_answer(answer, dialect.answer_carries)
    events = told(answer, interleaved=interleaved)
    wire = wire_of(dialect, events)
    expected, _ = project_answer(assemble(events), dialect.answer_carries)
    got, _ = project_answer(assemble(read_stream(dialect, wire)), dialect.answer_carries)
    assert got == expected


@pytest.mark.no_cover
@given(every_dialect, answers)
def test_the_watcher_sees_what_the_decoder_reads(dialect, answer):
    answer, _ = project_answer(answer, dialect.answer_carries)
    wire = wire_of(dialect, told(answer, interleaved=False))
    events = read_stream(dialect, wire)
    watcher = dialect.watcher(hide_usage=False)
    bits = [watcher.see(event) for event in wire]
    usages = [event.usage for event in events if isinstance(event, UsageSeen)]
    assert watcher.usage == (usages[-1] if usages else None)
    assert bits[-1] & (END if dialect.name not in UNMARKED else FINISH)
    assert any(bit & FINISH for bit in bits)
    assert any(bit & CONTENT for bit in bits) == watcher.has_content
    assert watcher.has_content or not any(
        isinstance(event, PartDelta) and event.field is Field.TEXT for event in events
    )


# What is no request and no answer is refused, by name


NO_JSON = [b"", b"{", b"nonsense", b'{"model": "m"', b'{"model": "m", "messages": [}', b"\xff\xfe", b'"\xff"']


@pytest.mark.parametrize("body", [*NO_JSON, b"null", b"[]", b"3", b'"m"', b"{}", b'{"model": 3, "messages": []}'])
def test_what_is_no_request_is_a_bad_body(dialect, body):
    for read in (lambda body: dialect.needs(body, address(dialect)), dialect.parse_request):
        with pytest.raises(BadBody, match=r"\w{4}"):
            read(body)


def test_invalid_utf8_inside_a_value_is_a_bad_body(dialect):
    body = body_of(dialect, simple()).replace(b"hello", b"\xff")
    for read in (lambda body: dialect.needs(body, address(dialect)), dialect.parse_request):
        with pytest.raises(BadBody, match="UTF-8"):
            read(body)


@pytest.mark.parametrize("place", ["hello", '"hello"'])
def test_absurd_nesting_is_a_bad_body(dialect, place):
    deep = "[" * 100_000
    body = body_of(dialect, simple()).decode().replace(place, deep).encode()
    with suppress(BadBody):  # inside a string it is but text
        dialect.needs(body, address(dialect))
        assert place == "hello"
    with suppress(BadBody):
        dialect.parse_request(body)
        assert place == "hello"


def test_a_null_where_a_default_exists_is_an_absent_value(dialect):
    members = json.loads(body_of(dialect, simple())) | {"stream": None, "temperature": None, "tools": None}
    body = json.dumps(members).encode()
    del members["stream"]
    absent = dialect.needs(json.dumps(members).encode(), address(dialect)).stream
    assert dialect.needs(body, address(dialect)).stream is absent is (dialect.name in STREAMS_UNASKED)
    assert dialect.parse_request(body).settings.temperature is None


@pytest.mark.parametrize("body", [*NO_JSON, b"null", b"[]", b"3", b"{}"])
def test_what_is_no_answer_is_a_bad_answer(dialect, body):
    for read in (dialect.glance, dialect.parse_answer):
        with pytest.raises(BadAnswer):
            read(body)


@pytest.mark.no_cover
@given(every_dialect, objects | values, st.binary(max_size=40))
def test_any_json_and_any_bytes_are_read_or_refused(dialect, value, raw):
    for body in (json.dumps(value).encode(), raw):
        for read, refusal in (
            (dialect.parse_request, BadBody),
            (lambda data, d=dialect: d.needs(data, address(d)), BadBody),
            (dialect.parse_answer, BadAnswer),
            (dialect.glance, BadAnswer),
            (lambda data, d=dialect: d.decoder().decode(SseEvent(b"", b"", data)), BadAnswer),
            (lambda data, d=dialect: d.watcher(hide_usage=True).see(SseEvent(b"", b"", data)), BadAnswer),
        ):
            with suppress(refusal):  # anything else that is raised is a fault
                read(body)


def test_events_without_data_say_nothing(dialect):
    ping = SseEvent(b": ping\n\n", b"", None)
    assert dialect.watcher(hide_usage=True).see(ping) == 0
    assert not dialect.decoder().decode(ping)


# Passing through


def retargeted(dialect: Dialect, body: bytes, quirks: Quirks) -> tuple[dict, tuple[str, ...]]:
    call = Call(dialect=dialect.name, needs=dialect.needs(body, address(dialect)), body=body)
    fitted, dropped = dialect.retarget(call, "theirs", quirks)
    return json.loads(fitted), dropped


def test_policy_and_provider_see_the_same_model(dialect):
    body = body_of(dialect, simple())
    twice = b'{"model":"first",' + body[1:]
    needs = dialect.needs(twice, address(dialect))
    assert needs.model == "m"
    call = Call(dialect=dialect.name, needs=needs, body=twice)
    fitted, _ = dialect.retarget(call, "theirs", Quirks())
    named = not names_the_model(dialect)  # else the address says it, and nothing else may
    assert fitted.count(b'"model":') == named
    assert json.loads(fitted).get("model") == ("theirs" if named else None)


def test_a_body_by_the_book_keeps_every_other_member(dialect):
    body = body_of(dialect, simple())
    extended = json.dumps(json.loads(body) | {"x_new": {"deep": [1, 2.50, None]}}).encode()
    fitted, dropped = retargeted(dialect, extended, Quirks())
    assert not dropped
    named = {"model": "m"} if "model" in fitted else {}
    assert fitted | named == json.loads(extended)


def test_dropped_fields_are_named_and_set_fields_are_set(dialect):
    body = json.dumps(json.loads(body_of(dialect, simple())) | {"temperature": 0.5}).encode()
    fitted, dropped = retargeted(dialect, body, Quirks(drop=("temperature", "top_p"), fields=(("x_set", 1),)))
    assert dropped == ("temperature",)
    assert "temperature" not in fitted
    assert fitted["x_set"] == 1


# Errors


REPORT = ErrorReport(
    failure=Failure(FailureKind.OVERLOADED, "nobody could answer", retry_after_s=3.0),
    attempts=(
        Outcome(
            number=1, target="first", tier="primary", purpose=Purpose.FIRST, started_s=1.0, ended_s=1.5, status=529,
            failure=Failure(FailureKind.OVERLOADED, "too much to do", status=529),
        ),
        Outcome(
            number=2, target="second", tier="primary", purpose=Purpose.FALLBACK, started_s=1.5, ended_s=2.0,
            failure=Failure(FailureKind.CONNECTION_REFUSED, "nobody listens"),
        ),
    ),
    decision="d-1",
)  # fmt: skip


def test_an_error_names_every_attempt_and_why_it_failed(dialect):
    told_error = json.dumps(json.loads(dialect.render_error(REPORT)))
    for word in ("nobody could answer", "first", "too much to do", "second", "connection_refused", "d-1"):
        assert word in told_error


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_of_failure_can_be_told(dialect, kind):
    report = ErrorReport(failure=Failure(kind, "what happened"))
    assert b"what happened" in dialect.render_error(report)
    wire = dialect.framing().feed(dialect.render_stream_error(report))
    watcher = dialect.watcher(hide_usage=True)
    bits = [watcher.see(event) for event in wire]
    assert bits[-1] & FAILED
    assert watcher.failure is not None
    assert not any(bit & (FINISH | END | CONTENT) for bit in bits)


def test_a_stream_that_breaks_ends_in_a_failure_and_no_finish(dialect):
    answer = Answer(id="i", model="m", choices=(Choice(parts=(Text("half of it"),), stop=Stop.END),))
    events = [event for event in told(answer, interleaved=False) if isinstance(event, (Begin, PartBegin))]
    encoder = dialect.encoder(model="m", include_usage=None)
    written = b"".join(encoder.encode(event) for event in events) + dialect.render_stream_error(REPORT)
    read = read_stream(dialect, [*dialect.framing().feed(written)])
    assert isinstance(read[-1], Failed)
    assert not [event for event in read if isinstance(event, Finish)]


def test_models_are_listed_under_their_names(dialect):
    listed = json.loads(dialect.render_models(["default", "fast"]))
    models = listed.get("data") or listed["models"]
    assert [model.get("id") or model["name"].removeprefix("models/") for model in models] == ["default", "fast"]


def test_a_part_that_the_format_does_not_know_leaves_no_bytes(dialect):
    encoder = dialect.encoder(model="m", include_usage=None)
    encoder.encode(Begin(id="i", model="m"))
    assert encoder.encode(PartBegin(0, 0, Opaque("nobody", "x", {}))) == b""
    assert encoder.encode(PartEnd(0, 0)) == b""
