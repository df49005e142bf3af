"""What holds for every provider, ours or a third party's; and what recorded traffic says of those that were recorded."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from conftest import read_recordings
from understudy.core.request import FEATURES
from understudy.core.target import Target
from understudy.providers import (
    PROVIDERS,
    Auth,
    address,
    endpoint,
    facts,
    lacks_in_translation,
    player,
    usual_address,
)
from understudy.registry import Registry

NAMES = PROVIDERS.names()
DIALECTS = Registry("understudy.dialects", "DIALECT", kind="dialect")
# How recordings call them -> our name.
RECORDED = {"google_openai_compat": "gemini", "vertexai_anthropic": "vertex"} | {name: name for name in NAMES}
# Providers that are asked elsewhere by everybody, and where the recorded ones were.
PLACES = {
    "bedrock": (None, "qwen.qwen3-32b-v1:0", {"region": "us-east-1"}),
    "azure": ("https://RESOURCE.openai.azure.com", "gpt-4o", {}),
    "huggingface": ("https://router.huggingface.co/together/v1", "deepseek-ai/DeepSeek-R1", {}),
    "vertex": (None, "claude-3-7-sonnet@20250219", {"project": "PROJECT", "location": "us-east5"}),
}
CHATS = [
    record
    for name in ("bedrock_converse", "chat_completions", "messages")
    for record in read_recordings(name)
    if record["provider"] in RECORDED and record["request"] and isinstance(record["request"].get("body"), dict)
    if (record["provider"] == "bedrock") == (name == "bedrock_converse")
]
SPOKEN = {"anthropic": "anthropic_messages", "bedrock": "bedrock_converse", "vertex": "anthropic_messages"}


def target(name: str, **given) -> Target:
    known = facts(name)
    fields = {
        "model": "m",
        "base_url": known.base_url or "http://x/v1",
        "dialects": tuple(wire.dialect for wire in known.wires),
    }
    return Target(name=name, provider=name, **(fields | given))


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


def test_its_facts_are_complete(name):
    known = facts(name)
    assert known.title
    assert PROVIDERS.describe(name).line
    assert {wire.dialect for wire in known.wires} <= set(DIALECTS.names())
    assert len({wire.dialect for wire in known.wires}) == len(known.wires)
    if known.base_url:
        origin, path = address(known.base_url)
        assert origin.host
        assert not path.endswith("/")
        assert known.wires
    if known.key_env is None:
        assert known.key is not None or not known.key_required
    else:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*_(API_KEY|TOKEN)", known.key_env)
    assert set(known.lacks) <= set(FEATURES)
    assert list(known.lacks) == sorted(known.lacks)


def test_the_first_wire_format_needs_no_asking_for(name):
    wires = facts(name).wires
    assert not wires or not wires[0].on_request


def test_each_of_its_wire_formats_has_an_endpoint(name):
    for wire in facts(name).wires:
        where = endpoint(target(name), wire.dialect)
        assert where.path.startswith("/")
        assert "//" not in where.path
        sent = dict(where.headers)
        assert sent[b"content-type"] == b"application/json"
        assert sent[b"user-agent"].startswith(b"understudy/")
        assert all(header == header.lower() for header in sent)
        assert where.stream_path.startswith("/")
        assert set(wire.lacks_in_translation) <= set(FEATURES)


def test_it_either_speaks_a_wire_format_or_answers_from_memory(name):
    known = facts(name)
    in_memory = player(target(name, settings={"text": "x"} if name == "static" else None)) is not None
    assert bool(known.wires) != (in_memory or name == "stale_cache")
    assert not (known.stand_in and known.wires)


def test_an_unspoken_wire_format_has_no_endpoint():
    with pytest.raises(LookupError, match="openai does not speak anthropic_messages"):
        endpoint(target("openai"), "anthropic_messages")


def test_what_a_target_lacks_in_translation_is_that_of_its_first_wire_format():
    ollama = facts("ollama")
    assert lacks_in_translation(ollama, ("openai_chat",)) == ("logprobs", "stored", "video")
    assert lacks_in_translation(ollama, ("ollama_chat", "openai_chat")) == (
        "audio",
        "logprobs",
        "many",
        "stored",
        "video",
    )
    assert "many" in lacks_in_translation(ollama, ("anthropic_messages",))
    assert lacks_in_translation(facts("static"), ()) == ()


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("provider", sorted({RECORDED[record["provider"]] for record in CHATS}))
def test_requests_go_where_recorded_ones_went(provider):
    dialect = SPOKEN.get(provider, "openai_chat")
    base_url, model, settings = PLACES.get(provider, (None, "m", {}))
    base_url = base_url or usual_address(provider, settings)
    where = endpoint(target(provider, base_url=base_url, model=model, settings=settings), dialect)
    recorded = {
        (urlsplit(record["request"]["url"]).path, urlsplit(record["request"]["url"]).hostname)
        for record in CHATS
        if RECORDED[record["provider"]] == provider
    }
    assert where.path in {path for path, _ in recorded}
    if not facts(provider).local:
        assert (where.path, where.origin.host.lower()) in recorded


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("provider", sorted({RECORDED[record["provider"]] for record in CHATS}))
def test_no_field_is_dropped_that_the_provider_was_seen_to_accept(provider):
    refused = [
        (record["id"], field)
        for record in CHATS
        if RECORDED[record["provider"]] == provider and record["response"]["status"] == 200
        for wire in facts(provider).wires
        if wire.dialect == SPOKEN.get(provider, "openai_chat")
        for field in wire.quirks_for(record["request"]["body"].get("model", "")).drop
        if field in record["request"]["body"]
    ]
    assert refused == []


RESPONSES = [
    record
    for record in read_recordings("responses")
    if record["provider"] in NAMES and record["request"] and isinstance(record["request"].get("body"), dict)
]


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("provider", sorted({record["provider"] for record in RESPONSES}))
def test_responses_are_asked_for_where_recorded_ones_were(provider):
    base_url, model, _ = PLACES.get(provider, (usual_address(provider, {}), "m", {}))
    where = endpoint(target(provider, base_url=base_url, model=model), "openai_responses")
    recorded = {urlsplit(record["request"]["url"]) for record in RESPONSES if record["provider"] == provider}
    # DeepSeek takes its paths with and without a version
    assert where.path.removeprefix("/v1") in {url.path.removeprefix("/v1") for url in recorded}
    assert where.origin.host.lower() in {url.hostname for url in recorded}


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("provider", sorted({record["provider"] for record in RESPONSES}))
def test_nothing_of_responses_is_dropped_that_the_provider_was_seen_to_accept(provider):
    wire = facts(provider).wire("openai_responses")
    accepted = [
        (record["request"]["body"], wire.quirks_for(record["request"]["body"].get("model", "")))
        for record in RESPONSES
        if record["provider"] == provider and record["response"]["status"] == 200
    ]
    assert [(body["model"], field) for body, quirks in accepted for field in quirks.drop if body.get(field)] == []
    sealed = [
        (item["encrypted_content"][:8], quirks.seals)
        for body, quirks in accepted
        for item in (body["input"] if isinstance(body.get("input"), list) else ())
        if item.get("type") == "reasoning" and item.get("encrypted_content")
    ]
    assert [held for held, pattern in sealed if pattern is not None and not re.match(pattern, held)] == []


@pytest.mark.parametrize(
    ("provider", "base_url", "dialect", "url"),
    [
        ("openai", "https://api.openai.com/v1", "openai_chat", "https://api.openai.com:443/v1/chat/completions"),
        ("openai", "http://127.0.0.1:8000/v1/", "openai_chat", "http://127.0.0.1:8000/v1/chat/completions"),
        ("openai_compatible", "http://x:81", "openai_chat", "http://x:81/chat/completions"),
        ("openai_compatible", "http://x/v1", "anthropic_messages", "http://x:80/v1/messages"),
        ("anthropic", "https://api.anthropic.com", "anthropic_messages", "https://api.anthropic.com:443/v1/messages"),
        (
            "anthropic",
            "https://api.anthropic.com/v1",
            "anthropic_messages",
            "https://api.anthropic.com:443/v1/messages",
        ),
        ("anthropic", "https://proxy/a/v1/", "anthropic_messages", "https://proxy:443/a/v1/messages"),
        ("ollama", "http://h:11434/v1", "ollama_chat", "http://h:11434/api/chat"),
        ("ollama", "http://h:11434", "ollama_chat", "http://h:11434/api/chat"),
        ("ollama", "https://proxy/one/v1/", "ollama_chat", "https://proxy:443/one/api/chat"),
        ("ollama", "https://proxy/one", "ollama_chat", "https://proxy:443/one/api/chat"),
        ("ollama", "http://h:11434/v1", "openai_chat", "http://h:11434/v1/chat/completions"),
        ("ollama", "http://h:11434", "openai_chat", "http://h:11434/v1/chat/completions"),
        ("ollama", "http://h:11434", "openai_embeddings", "http://h:11434/v1/embeddings"),
        ("cohere", "https://api.cohere.com", "cohere_chat", "https://api.cohere.com:443/v2/chat"),
        ("cohere", "https://api.cohere.com/v2", "cohere_chat", "https://api.cohere.com:443/v2/chat"),
        ("cohere", "https://h/v2", "openai_chat", "https://h:443/compatibility/v1/chat/completions"),
        ("cohere", "https://h", "openai_chat", "https://h:443/compatibility/v1/chat/completions"),
        ("cohere", "https://h", "cohere_embed", "https://h:443/v2/embed"),
        ("anthropic", "https://[::1]:9/", "anthropic_messages", "https://::1:9/v1/messages"),
    ],
)
def test_any_address_may_be_given_for_any_provider(provider, base_url, dialect, url):
    one = Target(name="t", provider=provider, model="m", base_url=base_url, dialects=(dialect,))
    where = endpoint(one, dialect)
    assert f"{where.origin.scheme}://{where.origin.host}:{where.origin.port}{where.path}" == url


def test_the_key_is_shown_as_the_provider_wants_it():
    shown = {
        name: endpoint(target(name), facts(name).wires[0].dialect).credential("KEY") for name in ("openai", "anthropic")
    }
    assert shown == {"openai": ((b"authorization", b"Bearer KEY"),), "anthropic": ((b"x-api-key", b"KEY"),)}
    assert endpoint(target("openai"), "openai_chat").credential("") == ()
    assert {wire.auth for name in NAMES for wire in facts(name).wires} <= set(Auth)


def test_only_the_callers_headers_that_the_provider_takes_go_along():
    caller = (
        (b"anthropic-beta", b"a"),
        (b"anthropic-version", b"2099-01-01"),
        (b"openai-organization", b"o"),
        (b"traceparent", b"t"),
        (b"authorization", b"Bearer CALLER"),
        (b"cookie", b"c"),
    )
    to_anthropic = dict(endpoint(target("anthropic"), "anthropic_messages").along(caller))
    to_openai = dict(endpoint(target("openai"), "openai_chat").along(caller))
    to_groq = dict(endpoint(target("groq"), "openai_chat").along(caller))
    assert to_anthropic[b"anthropic-version"] == b"2099-01-01"
    assert set(to_anthropic) == {
        b"content-type",
        b"user-agent",
        b"anthropic-version",
        b"anthropic-beta",
        b"traceparent",
    }
    assert set(to_openai) == {b"content-type", b"user-agent", b"openai-organization", b"traceparent"}
    assert set(to_groq) == {b"content-type", b"user-agent", b"traceparent"}


def test_without_headers_of_the_caller_nothing_is_made_anew():
    where = endpoint(target("anthropic"), "anthropic_messages")
    assert where.along(()) is where.headers
    assert where.along(((b"cookie", b"c"),)) is where.headers


def test_headers_of_the_target_are_sent():
    where = endpoint(target("openai", settings={"headers": {"x-team": "a"}}), "openai_chat")
    assert (b"x-team", b"a") in where.headers


def test_only_players_play():
    assert player(target("openai")) is None
    assert player(target("stale_cache")) is None
    assert player(target("static", settings={"text": "Sorry"})) is not None
