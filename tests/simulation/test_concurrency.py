"""Adaptive concurrency in front of a provider that loses half of its capacity, in virtual time.

The provider is a queue: so many requests are served at the same time, the others wait their turn. What it cannot take goes to a
second target, which could take everything.
"""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from conftest import WHOLE
from theatre import Theatre
from understudy.core.dice import Dice
from understudy.ports import HttpAnswer, HttpRequest
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

pytestmark = pytest.mark.no_cover

CONFIGURATION = """
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1", limits: {LIMITS}}
  ben: {provider: openai_compatible, model: m, base_url: "http://ben:80/v1"}
routes:
  default: {tiers: {primary: [ada], secondary: [ben]}}
"""
ANSWER = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)
SERVICE_S = 0.2
PLACES = 40
HALVED_AT_S = 60.0
END_S = 180.0 if WHOLE else 130.0
"""A minute with half of the places shows what two minutes show."""


class Queue:
    """`understudy.ports.HttpClient` in front of the two providers: `ada` serves `places` at a time, `ben` everybody."""

    def __init__(self, places: int, seed: int) -> None:
        self.places = places
        self.busy = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.dice = Dice(seed)
        self.served: dict[str, list[tuple[float, float]]] = {
            "ada": [],
            "ben": [],
        }  # when it was asked, how long it took

    async def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> HttpAnswer:
        del connect_s, until_s
        loop = asyncio.get_running_loop()
        host, begun_s = request.origin.host, loop.time()
        service_s = self.dice.lognormal(SERVICE_S, 0.4)
        if host == "ada":
            if self.busy >= self.places:
                turn = loop.create_future()
                self.waiting.append(turn)
                await turn
            self.busy += 1
        await asyncio.sleep(service_s)
        if host == "ada":
            self.busy -= 1
            if self.waiting and self.busy < self.places:
                self.waiting.popleft().set_result(None)
        self.served[host].append((begun_s, loop.time() - begun_s))
        return HttpAnswer(200, {b"content-type": b"application/json"}, ANSWER)

    def p99_s(self, from_s: float, to_s: float) -> float:
        took_s = sorted(took_s for begun_s, took_s in self.served["ada"] if from_s <= begun_s < to_s)
        assert len(took_s) > 500
        return took_s[int(0.99 * len(took_s))]


def evening(limits: str, seed: int) -> Queue:
    """Traffic for 80 % of the places; at `HALVED_AT_S` there are half as many."""

    async def main() -> Queue:
        theatre = Theatre(seed=seed, text=CONFIGURATION.replace("LIMITS", limits))
        queue = theatre.engine.client = Queue(PLACES, seed)  # type: ignore[assignment]
        dice = Dice(seed).fork(1)
        tasks = []
        loop = asyncio.get_running_loop()
        mean_s = SERVICE_S * 1.083 / (0.8 * PLACES)  # the mean of a lognormal is above its median
        while loop.time() < END_S:
            await asyncio.sleep(dice.exponential(mean_s))
            tasks.append(asyncio.ensure_future(theatre.ask(Listener())))
            if loop.time() >= HALVED_AT_S:
                queue.places = PLACES // 2
        results = await asyncio.gather(*tasks)
        assert all(result is not None and result.winner is not None for result in results)
        return queue

    return run_virtual(main())[0]


@pytest.mark.parametrize("seed", [1, 2] if WHOLE else [1])
def test_the_slowest_percent_stays_within_twice_the_unloaded_when_half_of_the_capacity_is_lost(seed: int) -> None:
    queue = evening("adaptive: true", seed)
    unloaded_s = queue.p99_s(20.0, HALVED_AT_S)
    assert queue.p99_s(HALVED_AT_S + 10.0, END_S) <= 2 * unloaded_s
    in_time = [begun_s for begun_s, _ in queue.served["ada"] if begun_s >= HALVED_AT_S + 10.0]
    capacity = (END_S - HALVED_AT_S - 10.0) * (PLACES // 2) / (SERVICE_S * 1.083)
    assert len(in_time) >= 0.85 * capacity, "what it can take, it is given"


def test_without_it_everybody_waits() -> None:
    queue = evening("in_flight: 500", 1)
    assert queue.p99_s(HALVED_AT_S + 10.0, END_S) > 5 * queue.p99_s(20.0, HALVED_AT_S)
