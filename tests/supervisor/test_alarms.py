"""What several workers notice of one target is told once, with who noticed it."""

from __future__ import annotations

from typing import Any

import httpx2

from understudy.admin.alarms import joined
from understudy.admin.app import make_app
from understudy.core.resilience.breaker import Event


def alarm(measure: str, before: float, after: float) -> dict[str, Any]:
    return {"measure": measure, "before": before, "after": after}


def worker(index: int, **alarms: list[dict[str, Any]]) -> dict[str, Any]:
    """What a worker says of its breakers."""
    return {name: {"worker": index, "breakers": [], "alarms": told} for name, told in alarms.items()}


FAILING = [alarm("failing", 0.01, 0.4)]


def test_one_event_is_one_alarm_however_many_workers_see_it() -> None:
    told = joined([worker(0, lead=FAILING), worker(1, lead=[alarm("failing", 0.02, 0.6)]), worker(2, lead=[])])
    [one] = told
    assert one == {
        "target": "lead", "measure": "failing", "before": 0.01, "after": 0.4, "workers": [0, 1], "of": 3,
    }  # fmt: skip


def test_each_target_and_each_measure_has_its_own() -> None:
    slow = alarm("first_content_ms", 200.0, 900.0)
    told = joined([worker(0, lead=[*FAILING, slow], other=[slow]), worker(1, lead=[slow], other=[])])
    assert [(one["target"], one["measure"], one["workers"]) for one in told] == [
        ("lead", "failing", [0]),
        ("lead", "first_content_ms", [0, 1]),
        ("other", "first_content_ms", [0]),
    ]


def test_shown_is_the_worker_that_saw_the_greatest_change() -> None:
    small, great = alarm("first_content_ms", 500.0, 900.0), alarm("first_content_ms", 100.0, 800.0)
    [one] = joined([worker(0, lead=[small]), worker(1, lead=[great])])
    assert (one["before"], one["after"]) == (100.0, 800.0)
    [other] = joined([worker(0, lead=[alarm("failing", 0.0, 0.3)]), worker(1, lead=[alarm("failing", 0.0, 0.5)])])
    assert other["after"] == 0.5


def test_where_nothing_is_worse_nothing_is_told() -> None:
    assert joined([worker(0, lead=[]), worker(1, lead=[])]) == joined([]) == []


class Three:
    """Workers, one of which does not answer."""

    ready = True

    async def ask(self, about: str, id_: str = "") -> list[Any]:
        assert (about, id_) == ("breakers", "")
        return [worker(0, lead=FAILING), worker(2, lead=FAILING)]

    def operate(self, target: str, event: Event) -> None:
        raise AssertionError

    def switch(self, rule: str, enabled: bool | None) -> None:
        raise AssertionError


async def test_the_control_plane_has_a_page_of_them() -> None:
    transport = httpx2.ASGITransport(make_app(Three(), ("lead",)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        [one] = (await http.get("/api/alarms")).json()["alarms"]
    assert (one["target"], one["workers"], one["of"]) == ("lead", [0, 2], 2)
