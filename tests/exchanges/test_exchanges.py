"""Every recorded exchange, and a few written by hand, through every dialect: see `exchanges.py`, which also prints figures."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path

import pytest

from conftest import SHARED, shared
from understudy.core.projection import project_answer, project_request
from understudy.dialects import Quirks, carried_by

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("exchanges", HERE / "exchanges.py")
harness = sys.modules["exchanges"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(harness)

RECORDED = Path(os.environ.get("UNDERSTUDY_RECORDINGS") or SHARED / "recordings")
PARTS = 4
"""Of each file of recordings: whoever runs tests in parallel need not wait for one of them."""


def report(entries) -> str:
    return "\n".join(f"{record_id} {check}: {words}" for record_id, check, words in entries)


@cache
def tally_of_what_is_written():
    return harness.check_all(HERE / "written")


def holds(tally) -> None:
    assert not tally.raised, report(tally.raised)
    assert tally.share_equal >= 0.995, report(tally.unequal)
    unknown = [entry for entry in tally.unequal if entry[:2] not in harness.KNOWN]
    assert not unknown, report(unknown)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", harness.FILES)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_recorded_exchange_is_read_and_nearly_every_check_holds(name, part):
    if not RECORDED.exists():
        shared("recordings")
    records = list(harness.exchanges(RECORDED, (name,)))[part::PARTS]
    assert records or "UNDERSTUDY_RECORDINGS" in os.environ
    tally = harness.check_each(records)
    assert tally.checked["exchanges"] == len(records)
    holds(tally)


def test_every_written_exchange_is_read_and_nearly_every_check_holds():
    tally = tally_of_what_is_written()
    assert tally.checked["exchanges"] > 20
    holds(tally)


def test_every_pair_of_dialects_was_tried_both_ways():
    checked = tally_of_what_is_written().checked
    for kind in ("request", "answer", "stream"):
        for source in set(harness.APIS.values()) & set(harness.NAMES):
            for target in harness.NAMES:
                assert checked[f"{kind} {source} -> {target}"]


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
