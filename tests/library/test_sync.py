"""The same for programs without an event loop: one thread behind it, any number of threads before it."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from understudy import BadRequest, RequestFailed, SyncRouter
from understudy.errors import RouterNotEntered
from understudy.mock import Mock, start_mock

POLICY = {"retry": {"kind": "none"}, "deadline_s": 10}


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A provider on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> Mock:
        return await (await start_mock()).__aenter__()

    mock = asyncio.run_coroutine_threadsafe(begin(), loop).result(5)
    yield mock
    asyncio.run_coroutine_threadsafe(mock.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def sections(mock: Mock) -> dict[str, object]:
    lead = {"provider": "openai_compatible", "model": "mock-small", "base_url": mock.base_url}
    sorry = {"provider": "static", "text": "Later."}
    route = {"tiers": {"primary": ["lead"], "emergency": ["sorry"]}, "policy": POLICY}
    return {"targets": {"lead": lead, "sorry": sorry}, "routes": {"default": route}, "env": {}}


def test_it_chats_streams_runs_and_tells(mock) -> None:
    heard = []
    with SyncRouter(**sections(mock)) as router:
        router.on("request_answered", heard.append)
        answer = router.chat("default", "Why is the sky blue?")
        assert answer.text
        stream = router.stream("default", "Why is the sky blue?")
        assert "".join(chunk.text for chunk in stream)
        assert stream.answer is not None
        found = router.run(lambda target: target.model)
        assert (found.value, found.target) == ("mock-small", "lead")
        assert router.health()["lead"].attempts == 3
        assert router.costs().cost == Decimal(0)
        assert router.costs().unpriced == 2
        router.breaker("lead").force_open()
        assert router.breaker("lead").state == "forced-open"
        assert router.chat("default", "Hello").degraded
        router.breaker("lead").release()
        router.breaker("lead").watch()
        answer.rate(1.0)
        assert len(heard) == 4
        router.off("request_answered", heard.append)
    with pytest.raises(RouterNotEntered, match="closed"):
        router.chat("default", "Hello")
    router.close()


def test_it_switches_rules(mock) -> None:
    rule = {"name": "flag", "then": {"refuse": "not now"}, "enabled": False}
    with SyncRouter(**sections(mock), rules=[rule]) as router:
        flag = router.rule("flag")
        assert not flag.enabled
        flag.enable()
        with pytest.raises(BadRequest, match="not now"):
            router.chat("default", "Hello")
        flag.disable()
        flag.reset()
        assert router.chat("default", "Hello").text


def test_many_threads_share_one(mock) -> None:
    with SyncRouter(**sections(mock)) as router, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: router.chat("default", f"Question {number}"), range(40)))
    assert {answer.target for answer in answers} == {"lead"}
    assert len({answer.result.decision for answer in answers}) == 40


def test_a_stream_can_be_left(mock) -> None:
    mock.set({"stalled_stream": {"after_chunks": 3}})
    with SyncRouter(**sections(mock)) as router:
        with router.stream("default", "Hello") as stream:
            next(iter(stream))
        assert router.health()["lead"].in_flight == 0


def test_a_callback_may_not_wait_for_its_own_thread(mock) -> None:
    told: list[BaseException] = []
    done = threading.Event()
    with SyncRouter(**sections(mock)) as router:

        def asks_again(_happening) -> None:
            try:
                router.chat("default", "Hello")
            except RouterNotEntered as trouble:
                told.append(trouble)
            done.set()

        router.on("request_answered", asks_again)
        router.chat("default", "Hello")
        assert done.wait(2)
    assert "may not wait" in str(told[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_starts_its_own() -> None:
    route = {"tiers": {"primary": ["sorry"]}, "policy": POLICY}
    with SyncRouter(
        targets={"sorry": {"provider": "static", "text": "Later."}}, routes={"default": route}, env={}
    ) as router:
        router.chat("default", "Hello")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            said = b""
            try:
                said = router.chat("default", "Hello").text.encode()
            finally:
                os.write(writing, said or b"nothing")
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 100) == b"Later."
        os.close(reading)
        os.close(writing)


def test_files_and_the_environment_configure_it(tmp_path) -> None:
    file = tmp_path / "understudy.yaml"
    file.write_text("targets: {sorry: {provider: static, text: Later.}}\n")
    with SyncRouter.from_file(file, env={}) as router:
        assert router.chat("sorry", "Hello").text == "Later."
    with SyncRouter.from_environment(env={"OPENAI_API_KEY": "sk-x"}) as router, pytest.raises(RequestFailed):
        router.chat("nowhere", "Hello")


def test_a_stream_that_is_dropped_is_left(mock) -> None:
    mock.set({"stalled_stream": {"after_chunks": 3}})
    with SyncRouter(**sections(mock)) as router:
        next(iter(router.stream("default", "Hello")))
        gc.collect()
        for _ in range(100):
            if router.health()["lead"].in_flight == 0:
                break
            time.sleep(0.01)
        assert router.health()["lead"].in_flight == 0


def test_an_answer_is_rated_in_a_program_that_has_a_loop_of_its_own(mock) -> None:
    rated = threading.Event()
    with SyncRouter(**sections(mock)) as router:
        router.on("rated", lambda _: rated.set())

        async def cell() -> None:
            router.chat("default", "Hello").rate(0.5)

        asyncio.run(cell())
        assert rated.wait(5)
        answer = router.chat("default", "Hello")
    with pytest.raises(RouterNotEntered, match="rate it before"):
        answer.rate(0.5)


def test_whoever_waits_when_it_is_closed_is_told_so() -> None:
    slow = {"provider": "simulated", "text": "late", "headers_s": 30.0}
    router = SyncRouter(targets={"slow": slow}, routes={"default": {"tiers": {"primary": ["slow"]}}}, env={})
    router.ready()
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(router.chat, "default", "Hello?") for _ in range(4)]
        while router.health()["slow"].in_flight < 4:
            time.sleep(0.001)
        router.close()
        for one in asking:
            with pytest.raises(RouterNotEntered, match="closed"):
                one.result(5)
