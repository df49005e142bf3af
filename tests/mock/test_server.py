"""The mock as a server: what it remembers, how it is told what to do, and that a client's leaving is seen."""

from __future__ import annotations

import asyncio
import json
import ssl

import httpx2
import pytest
import trustme

from plain_client import ask, chat, message
from understudy.mock import FAULTS_HEADER, BadScript, Mock, Script, serve_mock, start_mock


async def test_requests_are_remembered_with_what_became_of_them(mock: Mock) -> None:
    await ask(mock, chat(text="one"), authorization="Bearer sk-1")
    await ask(mock, message(stream=True), "/v1/messages?beta=true", x_api_key="sk-2")
    first, second = mock.requests
    assert (first.method, first.path, first.model, first.stream, first.key) == ("POST", "/v1/chat/completions", "mock-small", False, "sk-1")  # fmt: skip
    assert (second.path, second.dialect, second.stream, second.key) == ("/v1/messages", "anthropic_messages", True, "sk-2")  # fmt: skip
    assert first.json == chat(text="one")
    assert first.ended == second.ended == "done"
    assert first.ended_s is not None
    assert first.at_s <= first.ended_s <= second.at_s
    assert "POST /v1/chat/completions mock-small" in repr(first)
    mock.forget()
    assert not mock.requests


async def test_the_memory_of_requests_is_bounded() -> None:
    async with Mock(remembered=2) as mock:
        for text in "abc":
            await ask(mock, chat(text=text))
        assert [received.json["messages"][0]["content"] for received in mock.requests] == ["b", "c"]


@pytest.mark.parametrize("model", ["mock-silent", "mock-silent-after-headers", "mock-stall"])
async def test_a_client_that_leaves_is_noticed_at_once(mock: Mock, model: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    body = json.dumps(chat(model, stream=True)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    await asyncio.sleep(0.05)
    [received] = mock.requests
    assert received.ended is None
    left_s = mock.now_s
    writer.close()
    await asyncio.sleep(0.05)
    assert received.ended == "left"
    assert received.ended_s is not None
    assert 0 <= received.ended_s - left_s < 0.05
    assert not mock.connections


async def test_faults_are_set_for_all_or_for_one_model(mock: Mock) -> None:
    mock.set("silence", model="mock-small")
    mock.set({"error_burst": {"problem": "overloaded"}})
    assert (await ask(mock, chat("mock-small"))).ended == "silent"
    assert (await ask(mock, chat("mock-large"))).status == 503
    mock.set()
    mock.set(model="mock-small")
    assert (await ask(mock, chat("mock-small"))).status == 200


async def test_a_header_brings_faults_for_one_request(mock: Mock) -> None:
    faults = json.dumps([{"error_burst": {"problem": "rate_limit", "retry_after_s": 9, "hint": "words"}}])
    look = await ask(mock, chat(), **{FAULTS_HEADER: faults})
    assert look.status == 429
    assert "Please try again in 9s." in look.json["error"]["message"]
    assert (await ask(mock, chat())).status == 200


@pytest.mark.parametrize("header", ["outage", "{}", '["outrage"]', '[{"outage": {"how": 1}}]', "[1]"])
async def test_a_header_that_names_no_faults_is_answered_400(mock: Mock, header: str) -> None:
    look = await ask(mock, chat(), **{FAULTS_HEADER: header})
    assert look.status == 400
    assert FAULTS_HEADER in look.json["error"]["message"]


async def test_unknown_faults_are_refused_at_once(mock: Mock) -> None:
    with pytest.raises(BadScript, match="no fault 'outrage'; did you mean 'outage'"):
        mock.set("outrage")
    with pytest.raises(BadScript, match="no fault 'silents'"):
        await start_mock("faults: [silents]")


async def test_a_key_is_asked_for_when_the_script_has_one() -> None:
    async with await start_mock("key: sk-right") as mock:
        assert (await ask(mock, chat())).status == 401
        assert (await ask(mock, chat(), authorization="Bearer sk-wrong")).status == 401
        assert (await ask(mock, chat(), authorization="Bearer sk-right")).status == 200
        look = await ask(mock, message(), "/v1/messages", x_api_key="sk-right")
        assert look.status == 200


async def test_models_are_listed_in_the_callers_format(mock: Mock) -> None:
    openai = await ask(mock, path="/v1/models", method="GET")
    anthropic = await ask(mock, path="/v1/models", method="GET", anthropic_version="2023-06-01")
    assert [model["id"] for model in openai.json["data"]] == ["mock-small", "mock-large"]
    assert openai.json["object"] == "list"
    assert anthropic.json["first_id"] == "mock-small"
    assert anthropic.json["has_more"] is False


async def test_another_address_is_not_found(mock: Mock) -> None:
    assert (await ask(mock, chat(), "/v1/completions")).status == 404
    assert (await ask(mock, path="/v1/chat/completions", method="GET")).status == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "could not parse"),
        (b"[" * 100_000, "could not parse"),
        (b"[]", "must be an object"),
        (b"{}", "Missing required parameter: 'messages'"),
        (b'{"messages": "hi", "model": "m"}', "expected list, but got str"),
        (b'{"messages": [], "model": "m"}', "at least one message"),
        (b'{"messages": [7], "model": "m"}', "messages[0].role"),
        (b'{"messages": [{"role": "robot"}], "model": "m"}', "'robot' is not one of"),
        (b'{"messages": [{"role": "user"}]}', "'model'"),
        (b'{"messages": [{"role": "user"}], "model": "m", "n": true}', "'n'"),
        (b'{"messages": [{"role": "user"}], "model": "m", "stop": [{}]}', "'stop'"),
        (b'{"messages": [{"role": "user"}], "model": "m", "tools": [{}]}', "tools[].function.name"),
    ],
)
async def test_a_bad_request_is_answered_400_with_the_place(mock: Mock, body: bytes, words: str) -> None:
    look = await ask(mock, body)
    assert look.status == 400
    assert words in look.json["error"]["message"]


async def test_messages_insists_on_what_anthropic_insists_on(mock: Mock) -> None:
    without_bound = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    with_system = message()
    with_system["messages"].insert(0, {"role": "system", "content": "be brief"})
    for body, words in ((without_bound, "max_tokens"), (with_system, "'system' is not one of")):
        look = await ask(mock, body, "/v1/messages")
        assert look.status == 400
        assert look.json["error"]["type"] == "invalid_request_error"
        assert words in look.json["error"]["message"]


async def test_what_is_not_http_is_refused(mock: Mock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    writer.write(b"SSH-2.0-client\r\n")
    assert (await asyncio.wait_for(reader.read(), 1)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    writer.close()


async def test_a_connection_is_kept_and_requests_may_be_sent_ahead(mock: Mock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    get = b"GET /v1/models HTTP/1.1\r\nhost: m\r\n"
    writer.write(get + b"\r\n" + get + b"\r\n" + get + b"connection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 1)
    writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert mock.accepted == 1


async def test_a_client_may_ask_before_it_sends(mock: Mock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    body = json.dumps(chat()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nexpect: 100-continue\r\nconnection: close\r\n"
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body))
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 1) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await asyncio.wait_for(reader.read(), 1)).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_a_slow_reader_stops_the_mock_from_writing() -> None:
    async with Mock(Script(text=("x" * 4000 + " ") * 5000)) as mock:
        reader, writer = await asyncio.open_connection("127.0.0.1", mock.port, limit=1024)
        body = json.dumps(chat(stream=True)).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await reader.readuntil(b"\r\n\r\n")
        [received], [connection] = mock.requests, mock.connections
        while connection._writable.is_set():  # the kernel's buffers take some megabytes first
            await asyncio.sleep(0.01)
        assert connection._transport.get_write_buffer_size() < 1024 * 1024
        assert received.ended is None
        while not connection._writable.is_set():
            assert await reader.read(1024 * 1024)
        writer.close()


async def test_it_serves_over_tls() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with await start_mock(tls=server) as mock, httpx2.AsyncClient(verify=client) as http:
        assert mock.base_url == f"https://127.0.0.1:{mock.port}/v1"
        assert (await http.get(f"{mock.base_url}/models")).status_code == 200


async def test_two_mocks_have_ports_of_their_own(mock: Mock) -> None:
    async with await start_mock() as other:
        assert other.port != mock.port
        await ask(other, chat())
    assert not mock.requests
    assert (await ask(other, chat())).ended == "refused"


async def test_a_port_that_is_taken_is_not_shared(free_port: int) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", free_port)
    with pytest.raises(OSError, match="in use"):
        await start_mock(port=free_port)
    server.close()
    await server.wait_closed()


async def test_closing_ends_what_is_under_way() -> None:
    async with await start_mock() as mock:
        asking = asyncio.create_task(ask(mock, chat("mock-silent"), patience_s=5))
        while not mock.requests:
            await asyncio.sleep(0.005)
    assert (await asyncio.wait_for(asking, 1)).ended == "reset"


async def test_served_from_the_command_line_it_says_where_and_stops_when_told() -> None:
    ready: asyncio.Future[Mock] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_mock(Script(), "127.0.0.1", 0, on_ready=ready.set_result))
    mock = await asyncio.wait_for(ready, 2)
    assert (await ask(mock, chat())).status == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert (await ask(mock, chat())).ended == "refused"
