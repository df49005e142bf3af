"""The way to our own servers, and to all others as if there were none of ours."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.core.failure import TABLE, FailureKind
from understudy.core.target import Target
from understudy.local.client import HostedClient
from understudy.local.places import Whereabouts
from understudy.ports import HttpRequest, Origin, TransportFailure
from understudy.providers import address, hosted_address, is_hosted


class Recorder:
    """In the place of a `Client`."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []

    async def send(self, request: HttpRequest, **_: Any) -> str:
        self.asked.append(request)
        return "sent"

    async def stream(self, request: HttpRequest, **_: Any) -> str:
        self.asked.append(request)
        return "streamed"


TINY = Target(name="tiny", provider="onnx", model="m", base_url=hosted_address("tiny"))
OURS = HttpRequest("POST", address(TINY.base_url)[0], "/v1/x", ((b"a", b"b"),), b"{}")
THEIRS = HttpRequest("POST", Origin("https", "api.example", 443), "/v1/x", ((b"a", b"b"),), b"{}")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def client(recorder: Recorder) -> HostedClient:
    return HostedClient(recorder, [TINY])  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["send", "stream"])
async def test_a_server_that_is_up_is_asked_where_it_is_and_shown_its_secret(
    client: HostedClient, recorder: Recorder, way: str
) -> None:
    client.place(Whereabouts("tiny", 4711, "sesame"))
    await getattr(client, way)(OURS, connect_s=1, until_s=1)
    [asked] = recorder.asked
    assert asked.origin == Origin("http", "127.0.0.1", 4711)
    assert asked.headers == ((b"a", b"b"), (b"authorization", b"Bearer sesame"))
    assert (asked.path, asked.body) == (OURS.path, OURS.body)


@pytest.mark.parametrize("way", ["send", "stream"])
async def test_everybody_else_is_asked_as_before(client: HostedClient, recorder: Recorder, way: str) -> None:
    await getattr(client, way)(THEIRS, connect_s=1, until_s=1)
    assert recorder.asked == [THEIRS]


@pytest.mark.parametrize("way", ["send", "stream"])
@pytest.mark.parametrize("kept_down", [False, True])
async def test_a_server_that_is_not_up_fails_at_once_with_the_reason(
    client: HostedClient, recorder: Recorder, way: str, *, kept_down: bool
) -> None:
    client.place(Whereabouts("tiny", why="because", kept_down=kept_down))
    with pytest.raises(TransportFailure, match="tiny: because") as raised:
        await getattr(client, way)(OURS, connect_s=1, until_s=1)
    assert raised.value.kind is (FailureKind.KEPT_DOWN if kept_down else FailureKind.NOT_READY)
    assert not raised.value.sent
    assert not TABLE[raised.value.kind].counts  # known, so breakers need not guess
    assert recorder.asked == []


async def test_before_anything_is_known_it_is_not_up(client: HostedClient) -> None:
    with pytest.raises(TransportFailure, match="has not been started"):
        await client.send(OURS, connect_s=1, until_s=1)


def test_a_secret_is_not_printed() -> None:
    assert "sesame" not in repr(Whereabouts("tiny", 4711, "sesame"))


def test_targets_have_addresses_of_their_own_whatever_they_are_called() -> None:
    names = ["tiny", "Tiny", "TINY", "ti.ny", "ti-ny", "ti_ny", "ti:ny", "1", "x" * 50]
    origins = [address(hosted_address(name))[0] for name in names]
    assert len(set(origins)) == len(names)
    assert origins[0].host == "tiny.hosted.invalid"


def test_only_a_hosted_provider_at_its_own_address_is_ours() -> None:
    assert is_hosted(TINY)
    assert not is_hosted(Target(name="tiny", provider="onnx", model="m", base_url="http://gpu-1:1/v1"))
    assert not is_hosted(Target(name="tiny", provider="openai", model="m", base_url=TINY.base_url))
