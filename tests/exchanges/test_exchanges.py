"""Every recorded exchange, and a few written by hand, through every dialect: see `exchanges.py`, which also prints figures."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from conftest import SHARED, shared
from understudy.core.projection import project_answer, project_request
from understudy.dialects import Quirks, carried_by

pytestmark = pytest.mark.timeout(
    240
)  # one fixture goes through every recording, once for all tests; under coverage that takes its time
HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("exchanges", HERE / "exchanges.py")
harness = sys.modules["exchanges"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(harness)

RECORDED = Path(os.environ.get("UNDERSTUDY_RECORDINGS") or SHARED / "recordings")


@pytest.fixture(scope="module", params=["written", "recorded"])
def tally(request):
    if request.param == "written":
        return harness.check_all(HERE / "written")
    if not RECORDED.exists():
        shared("recordings")
    return harness.check_all(RECORDED)


def report(entries) -> str:
    return "\n".join(f"{record_id} {check}: {words}" for record_id, check, words in entries)


def test_every_exchange_is_read_without_exception(tally):
    assert tally.checked["exchanges"] > 20
    assert not tally.raised, report(tally.raised)


def test_nearly_every_check_holds_and_the_others_are_listed_with_their_reasons(tally):
    assert tally.share_equal >= 0.995, report(tally.unequal)
    unknown = [entry for entry in tally.unequal if entry[:2] not in harness.KNOWN]
    assert not unknown, report(unknown)


def test_every_pair_of_dialects_was_tried_both_ways(tally):
    for kind in ("request", "answer", "stream"):
        for source in set(harness.APIS.values()) & set(harness.NAMES):
            for target in harness.NAMES:
                assert tally.checked[f"{kind} {source} -> {target}"]


class Forgetful:
    """A dialect that loses something, to see that the checks see it."""

    def __init__(self, dialect, **instead) -> None:
        self._dialect = dialect
        self._instead = instead

    def __getattr__(self, name):
        return self._instead.get(name) or getattr(self._dialect, name)


@pytest.mark.parametrize(
    ("method", "old", "new", "check"),
    [
        ("render_request", b"Be brief.", b"", "request openai_chat -> openai_chat"),
        ("render_answer", b"Nobody", b"Somebody", "answer openai_chat -> openai_chat"),
        ("parse_request", b"Be brief.", b"", "request openai_chat: parsing loses nothing"),
        ("parse_answer", b"Nobody", b"", "answer openai_chat: parsing loses nothing"),
        ("glance", b'"prompt_tokens": 20', b'"prompt_tokens": 21', "glance agrees with the parsed answer"),
    ],
)
def test_a_dialect_that_loses_something_is_found_out(method, old, new, check):
    good = harness.DIALECTS.entry("openai_chat")
    original = getattr(good, method)

    def forgetful(given, *rest):
        if method.startswith("render"):
            return original(given, *rest).replace(old, new)
        return original(given.replace(old, new), *rest)

    bad = Forgetful(good, **{method: forgetful})
    tally = harness.Tally()
    for record in harness.exchanges(HERE / "written"):
        if record["id"] == "chat-plain":
            harness.check_exchange(record, tally, {"openai_chat": bad})
    assert check in {entry[1] for entry in tally.unequal}


def test_an_encoder_that_swallows_words_is_found_out():
    good = harness.DIALECTS.entry("openai_chat")

    class Swallowing:
        def __init__(self, **given) -> None:
            self.encoder = good.encoder(**given)

        def encode(self, event):
            return self.encoder.encode(event).replace("Grüße".encode(), b"")

    tally = harness.Tally()
    for record in harness.exchanges(HERE / "written"):
        if record["id"] == "chat-stream":
            harness.check_exchange(record, tally, {"openai_chat": Forgetful(good, encoder=Swallowing)})
    assert "stream openai_chat -> openai_chat" in {entry[1] for entry in tally.unequal}


def test_seals_return_unchanged_through_a_client_of_another_format():
    ours, theirs = harness.DIALECTS.entry("openai_chat"), harness.DIALECTS.entry("anthropic_messages")
    (record,) = [record for record in harness.exchanges(HERE / "written") if record["id"] == "chat-details"]
    answer = ours.parse_answer(record["response"]["body_text"].encode())
    shown = json.loads(theirs.render_answer(project_answer(answer, theirs.answer_carries)[0]))
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "assistant", "content": shown["content"]}]}
    quirks = Quirks(reasoning_field="reasoning")
    projected, losses = project_request(theirs.parse_request(json.dumps(body).encode()), carried_by(ours, quirks))
    (turn,) = json.loads(ours.render_request(projected, quirks))["messages"]
    sent = json.loads(record["response"]["body_text"])["choices"][0]["message"]
    assert [{**entry, "index": 0} for entry in turn["reasoning_details"]] == sent["reasoning_details"]
    assert turn["reasoning"] == sent["reasoning"]
    assert not losses
