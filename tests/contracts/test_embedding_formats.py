"""What every format of embeddings promises: runs over each entry of the registry whose operation is `embed`."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import objects, values
from understudy.core.embedding import Encoding, Purpose, Texts, Vectors, project_texts
from understudy.core.failure import Failure, FailureKind
from understudy.core.request import Call, Operation
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer, BadBody, ErrorReport, Quirks
from understudy.registry import Registry

FORMATS: Registry[Any] = Registry("understudy.dialects", "DIALECT", kind="dialect")
NAMES = tuple(name for name in FORMATS.names() if FORMATS.entry(name).operation is Operation.EMBED)
every_format = st.sampled_from([FORMATS.entry(name) for name in NAMES])

floats = st.floats(width=32, min_value=-1000, max_value=1000, allow_nan=False).map(float)
tokens = st.lists(st.integers(0, 200_000), min_size=1, max_size=4).map(tuple)
texts = st.builds(
    Texts,
    model=st.sampled_from(["m", "text-embedding-3-small", "naïve:8b"]),
    inputs=st.lists(st.text(max_size=20), min_size=1, max_size=4).map(tuple)
    | st.lists(tokens, min_size=1, max_size=3).map(tuple),
    dimensions=st.none() | st.integers(1, 4096),
    purpose=st.none() | st.sampled_from(Purpose),
    user=st.none() | st.text(min_size=1, max_size=5),
    encoding=st.sampled_from(Encoding),
)
answers = st.builds(
    Vectors,
    vectors=st.lists(st.lists(floats, min_size=1, max_size=4).map(tuple), min_size=1, max_size=4).map(tuple),
    usage=st.none() | st.builds(Usage, input=st.integers(1, 10**6)),
    encoding=st.sampled_from(Encoding),
)


@pytest.fixture(params=NAMES)
def form(request: pytest.FixtureRequest) -> Any:
    return FORMATS.entry(request.param)


def simple(form: Any, **changes: Any) -> bytes:
    projected, _ = project_texts(Texts(**{"model": "m", "inputs": ("hello",), **changes}), form.request_carries)
    return form.render_request(projected)


def path_of(form: Any, model: str) -> str:
    return form.inbound[0].replace("{model}", model)


def test_there_are_three_of_them():
    assert NAMES == ("cohere_embed", "gemini_embeddings", "openai_embeddings")


def test_an_entry_knows_its_own_name_and_has_doors_of_its_own(form):
    assert form is FORMATS.entry(form.name)
    assert form.request_carries.dialect == form.name
    others = [path for name in FORMATS.names() if name != form.name for path in FORMATS.entry(name).inbound]
    assert form.inbound
    assert not set(form.inbound) & set(others)


@given(every_format, texts)
def test_a_projected_request_survives_the_wire(form, asked):
    projected, losses = project_texts(asked, form.request_carries)
    assert project_texts(projected, form.request_carries)[0] == projected
    if any(loss.weight == "essential" for loss in losses):
        return
    body = form.render_request(projected)
    assert form.parse_request(body) == projected
    needs = form.needs(body, path_of(form, asked.model))
    assert (needs.model, needs.operation, needs.stream) == (asked.model, Operation.EMBED, False)


@given(every_format, answers)
def test_an_answer_survives_the_wire(form, answer):
    encodings = form.request_carries.encodings
    fitted = replace(answer, encoding=answer.encoding if answer.encoding in encodings else encodings[0])
    body = form.render_answer(fitted)
    read = form.parse_answer(body)
    assert read.vectors == answer.vectors
    assert read.usage == answer.usage
    glance = form.glance(body)
    assert (glance.usage, glance.failure) == (answer.usage, None)


def test_what_was_asked_is_all_that_a_target_of_the_same_format_is_told_anew(form):
    body = json.loads(simple(form)) | {"x_new": {"deep": [1, 2.50, None]}}
    call = Call(
        dialect=form.name,
        needs=form.needs(json.dumps(body).encode(), path_of(form, "m")),
        body=json.dumps(body).encode(),
    )
    fitted, dropped = form.retarget(call, "theirs", Quirks(drop=("x_new",), fields=(("x_set", 1),)))
    again = json.loads(fitted)
    assert dropped == ("x_new",)
    assert again.pop("x_set") == 1
    assert "x_new" not in again
    assert again == json.loads(simple(form, model="theirs"))


def test_a_request_written_for_a_provider_heeds_its_quirks(form):
    projected, _ = project_texts(Texts(model="m", inputs=("hello",)), form.request_carries)
    written = json.loads(form.render_request(projected, Quirks(fields=(("x_set", 1),))))
    assert written.pop("x_set") == 1
    assert written == json.loads(form.render_request(projected))


NO_JSON = [
    b"",
    b"{",
    b"nonsense",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"3",
    b'"m"',
    b"{}",
    b"[" * 100_000,
    b'{"model": ' + b"[" * 100_000,
]


@pytest.mark.parametrize("body", NO_JSON)
def test_what_is_no_request_is_a_bad_body(form, body):
    for read in (form.needs, form.parse_request):
        with pytest.raises(BadBody, match=r"\w{4}"):
            read(body)


def test_invalid_utf8_is_a_bad_body(form):
    body = simple(form).replace(b"hello", b"\xff")
    for read in (form.needs, form.parse_request):
        with pytest.raises(BadBody, match="UTF-8"):
            read(body)


@pytest.mark.parametrize("body", NO_JSON)
def test_what_is_no_answer_is_a_bad_answer(form, body):
    for read in (form.glance, form.parse_answer):
        with pytest.raises(BadAnswer):
            read(body)


@given(every_format, objects | values, st.binary(max_size=40))
def test_any_json_and_any_bytes_are_read_or_refused(form, value, raw):
    for body in (json.dumps(value).encode(), raw):
        for read, refusal in (
            (form.parse_request, BadBody),
            (form.needs, BadBody),
            (form.parse_answer, BadAnswer),
            (form.glance, BadAnswer),
        ):
            with suppress(refusal):  # anything else that is raised is a fault
                read(body)


@given(every_format, objects | values, st.data())
def test_any_member_may_be_anything(form, value, data):
    request, answer = json.loads(simple(form)), json.loads(form.render_answer(Vectors(vectors=((0.5,),))))
    for told, reads, refusal in (
        (request, (form.parse_request, form.needs), BadBody),
        (answer, (form.parse_answer, form.glance), BadAnswer),
    ):
        name = data.draw(st.sampled_from(sorted(told)))
        for read in reads:
            with suppress(refusal):
                read(json.dumps(told | {name: value}).encode())


def test_an_answer_without_vectors_is_empty(form):
    failure = form.glance(form.render_answer(Vectors(vectors=()))).failure
    assert failure is not None
    assert failure.kind is FailureKind.EMPTY


@pytest.mark.parametrize("said", [{"error": {"message": "too much to do", "code": 503}}, {"message": "too much to do"}])
def test_an_error_in_a_200_is_seen(form, said):
    if ("message" in said) != (form.name == "cohere_embed"):
        return
    failure = form.glance(json.dumps(said).encode()).failure
    assert failure is not None
    assert "too much to do" in failure.message


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_of_failure_can_be_told(form, kind):
    report = ErrorReport(failure=Failure(kind, "what happened", retry_after_s=3.0), decision="d-1")
    told = json.loads(form.render_error(report))
    assert "what happened" in json.dumps(told)
    assert told["understudy"]["decision"] == "d-1"


@pytest.mark.parametrize(
    "vector",
    [[], [1.0, "x"], [1e39], [None], "no base64!", "QUJD", {"a": 1}, "", [1.0, float("1e308"), float("1e308")]],
)
def test_what_is_no_vector_is_a_bad_answer(form, vector):
    written = form.render_answer(Vectors(vectors=((0.25,),)))
    body = written.replace(b"[0.25]", json.dumps(vector).encode())
    assert body != written
    with pytest.raises(BadAnswer, match=r"no vector|must be a list"):
        form.parse_answer(body)


def test_not_a_number_is_no_vector():
    form = FORMATS.entry("openai_embeddings")
    answer = Vectors(vectors=((0.25,),), encoding=Encoding.BASE64)
    body = form.render_answer(answer)
    good = json.loads(body)["data"][0]["embedding"]
    bad = json.loads(form.render_answer(replace(answer, vectors=((struct.unpack("<f", b"\x00\x00\xc0\x7f")[0],),))))
    with pytest.raises(BadAnswer, match="no vector"):
        form.parse_answer(body.replace(good.encode(), bad["data"][0]["embedding"].encode()))
