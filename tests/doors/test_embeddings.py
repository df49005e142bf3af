"""Embeddings through the whole data plane: the official SDK in front, mock providers of three wire formats behind."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64decode
from typing import Any

import openai
import pytest

from stage import Raise, Stage
from understudy.core.failure import FailureKind
from understudy.mock import Mock
from understudy.mock.embeddings import embed as mock_embed
from understudy.mock.embeddings import vector_of
from understudy.providers import PROVIDERS, Provider, cohere_embed, gemini_embeddings

TEXTS = ["The sky is blue.", "Roses are red, naïve and 🌹."]
WIRES = {"openai": None, "gemini": gemini_embeddings(), "cohere": cohere_embed()}


@pytest.fixture
def speaks(monkeypatch: pytest.MonkeyPatch):
    """Let the provider `together` speak another wire format of embeddings."""

    def begin(upstream: str) -> None:
        wire = WIRES[upstream]
        if wire is not None:
            known = Provider(title="Other", base_url="http://127.0.0.1/", wires=(wire,), key_required=False)
            monkeypatch.setitem(PROVIDERS._exports, "together", known)

    return begin


def two_embedders(lead: Mock, understudy: Mock, *, model: str = "e", space: str = "e", policy: str = "") -> str:
    return f"""
targets:
  lead: {{provider: together, model: e, base_url: "{lead.base_url}", embeds: true, price: {{input: 0.02, output: 0}}}}
  understudy: {{provider: together, model: {model}, base_url: "{understudy.base_url}", embeds: {space}}}
  chatty: {{provider: openai_compatible, model: m, base_url: "{lead.base_url}"}}
routes:
  default:
    tiers: {{primary: [chatty, lead, understudy]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0, {policy or "strict: false"}}}
"""


async def embed(stage: Stage, text: Any = TEXTS, **fields: Any):
    body = {"model": "default", "input": text, **fields}
    return await stage.http.post(stage.url + "/v1/embeddings", json=body)


def vectors(answer) -> list[list[float]]:
    return [one["embedding"] for one in answer.json()["data"]]


@pytest.mark.parametrize("upstream", WIRES)
@pytest.mark.parametrize("encoding", ["float", "base64", None])
async def test_the_sdk_gets_the_vectors_in_order_whatever_the_upstream_speaks(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks, upstream: str, encoding: Any
) -> None:
    speaks(upstream)
    stage = await raise_curtain(two_embedders(*mocks))
    said = {} if encoding is None else {"encoding_format": encoding}
    async with openai.AsyncOpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0) as client:
        raw = await client.embeddings.with_raw_response.create(model="default", input=TEXTS, dimensions=5, **said)
    answer = raw.parse()
    got = [one.embedding for one in answer.data]
    if encoding == "base64":  # asked for by name, the SDK leaves it as it came
        got = [list(struct.unpack("<5f", b64decode(text))) for text in got]
    assert got == [vector_of("e", text, 5) for text in TEXTS]
    assert [one.index for one in answer.data] == [0, 1]
    assert answer.model == "e"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0
    assert raw.headers["x-understudy-space"] == "e"
    assert raw.headers["x-understudy-target"] == "lead"


@pytest.mark.parametrize("upstream", WIRES)
async def test_the_synchronous_sdk_gets_one_vector_for_one_text(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks, upstream: str
) -> None:
    speaks(upstream)
    stage = await raise_curtain(two_embedders(*mocks))

    def ask() -> list[float]:
        with openai.OpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0) as client:
            return client.embeddings.create(model="default", input=TEXTS[1]).data[0].embedding

    assert await asyncio.to_thread(ask) == vector_of("e", TEXTS[1])


FAULTS: dict[str, Any] = {
    "500": {"error_burst": {"problem": "server_error"}},
    "429": {"error_burst": {"problem": "rate_limit"}},
    "401": {"error_burst": {"problem": "auth"}},
    "garbage": {"corrupt_answers": {"how": "broken_json"}},
    "HTML": {"corrupt_answers": {"how": "html"}},
    "another shape": {"corrupt_answers": {"how": "wrong_shape"}},
    "empty": {"corrupt_answers": {"how": "empty"}},
    "reset": "reset",
    "silence": "silence",
    "refused": "outage",
}


@pytest.mark.parametrize("upstream", WIRES)
async def test_the_understudy_of_the_same_space_answers_whatever_the_lead_does(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks, upstream: str
) -> None:
    speaks(upstream)
    lead, understudy = mocks
    text = two_embedders(lead, understudy, policy="timeouts: {connect_s: 1, answer_s: 0.3}")
    for name, fault in FAULTS.items():
        stage = await raise_curtain(text)
        lead.set(fault)
        answer = await embed(stage)
        assert answer.status_code == 200, (name, answer.text)
        assert vectors(answer) == [vector_of("e", one) for one in TEXTS], name
        assert answer.headers["x-understudy-target"] == "understudy", name
        assert answer.headers["x-understudy-attempts"] == "2", name
        assert stage.nothing_is_held()


async def test_vectors_of_another_space_are_never_given_in_place_of_the_routes(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_embedders(*mocks, model="other", space="true"))
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    answer = await embed(stage)
    assert answer.status_code == 502
    assert not mocks[1].requests
    message = answer.json()["error"]["message"]
    assert "lead: server_error" in message
    found = stage.engine.decisions.get(answer.headers["x-understudy-decision"])
    assert found is not None
    told = str(found[0].explain())
    assert "understudy: vector_space: its vectors are of other, those of this route of e" in told
    assert "chatty: operation: does not embed" in told


async def test_a_route_that_mixes_spaces_says_which_one_answered(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_embedders(*mocks, model="other", space="true", policy="mix_spaces: true"))
    assert (await embed(stage)).headers["x-understudy-space"] == "e"
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    answer = await embed(stage)
    assert answer.headers["x-understudy-space"] == "other"
    assert answer.json()["model"] == "other"
    assert vectors(answer) == [vector_of("other", one) for one in TEXTS]


async def test_a_model_may_name_the_space_and_any_target_of_it_answers(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_embedders(*mocks, model="theirs", space="e"))
    mocks[0].set("outage")
    answer = await embed(stage, model="e")
    assert answer.headers["x-understudy-target"] == "understudy"
    assert mocks[1].requests[-1].json["model"] == "theirs"


async def test_usage_and_cost_are_booked(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await embed(stage)
    outcome = stage.ended[-1].winner
    assert outcome is not None
    tokens = answer.json()["usage"]["prompt_tokens"]
    assert outcome.usage is not None
    assert (outcome.usage.input, outcome.usage.output, outcome.usage.estimated) == (tokens, 0, False)
    assert outcome.cost_nusd == tokens * 20


async def test_tokens_reach_a_target_of_the_same_format_only(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks
) -> None:
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await embed(stage, [[1, 2, 3], [4, 5]])
    assert len(vectors(answer)) == 2
    assert answer.json()["usage"]["prompt_tokens"] == 5
    speaks("gemini")
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await embed(stage, [[1, 2, 3], [4, 5]])
    assert answer.status_code == 400
    assert stage.ended[-1].failure.kind is FailureKind.NOT_PORTABLE


async def test_what_was_lost_is_told(raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks) -> None:
    speaks("cohere")
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await embed(stage, user="me", input_type="query")
    assert answer.headers["x-understudy-dropped"] == "user"
    assert mocks[0].requests[-1].json["input_type"] == "search_query"


@pytest.mark.parametrize("upstream", ["gemini", "cohere"])
async def test_fewer_vectors_than_texts_are_no_answer(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks, monkeypatch: pytest.MonkeyPatch, upstream: str
) -> None:
    speaks(upstream)

    def forgetful(path: str, read: Any) -> Any:
        name = "texts" if "texts" in read else "requests"
        return mock_embed(path, read | {name: read[name][1:]})

    monkeypatch.setattr("understudy.mock.repertoire.embed", forgetful)
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await embed(stage)
    assert answer.status_code == 502
    assert [one.failure.kind for one in stage.ended[-1].attempts] == [FailureKind.MALFORMED] * 2
    assert "1 vectors came for 2 inputs" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"model": "default"}, "input"),
        ({"input": "x"}, "model"),
        ({"model": "default", "input": {"a": 1}}, "input"),
        ({"model": "nobody", "input": "x"}, "nobody"),
    ],
)
async def test_what_is_no_request_is_refused_in_the_callers_envelope(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], body: Any, complaint: str
) -> None:
    stage = await raise_curtain(two_embedders(*mocks))
    answer = await stage.http.post(stage.url + "/v1/embeddings", json=body)
    assert answer.status_code in {400, 404}
    assert complaint in answer.json()["error"]["message"]


async def test_chats_do_not_reach_a_model_that_embeds_nor_texts_one_that_chats(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_embedders(*mocks))
    assert (await stage.ask()).headers["x-understudy-target"] == "chatty"
    refused = await stage.ask(model="lead")
    assert refused.status == 400
    assert stage.ended[-1].failure.kind is FailureKind.CAPABILITY_MISMATCH
    answer = await embed(stage, model="chatty")
    assert answer.status_code == 400
    assert "does not embed" in answer.json()["error"]["message"]


async def test_the_other_doors_answer_in_their_own_formats(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_embedders(*mocks))
    requests = [{"model": "models/default", "content": {"parts": [{"text": text}]}} for text in TEXTS]
    gemini = await stage.http.post(stage.url + "/v1beta/models/default:batchEmbedContents", json={"requests": requests})
    assert [one["values"] for one in gemini.json()["embeddings"]] == [vector_of("e", text) for text in TEXTS]
    cohere = await stage.http.post(
        stage.url + "/v2/embed",
        json={"model": "default", "texts": TEXTS, "input_type": "clustering", "embedding_types": ["float"]},
    )
    assert cohere.json()["embeddings"]["float"] == [vector_of("e", text) for text in TEXTS]
    for mock in mocks:
        mock.set({"error_burst": {"problem": "overloaded"}})
    failed = await stage.http.post(stage.url + "/v1beta/models/default:batchEmbedContents", json={"requests": requests})
    assert (failed.status_code, failed.json()["error"]["status"]) == (503, "UNAVAILABLE")
    failed = await stage.http.post(stage.url + "/v2/embed", json={"model": "default", "texts": TEXTS})
    assert "overloaded" in failed.json()["message"]


async def test_a_route_that_keeps_answers_keeps_no_vectors(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    text = two_embedders(*mocks).replace("understudy]}", "understudy], emergency: [stale_cache]}")
    stage = await raise_curtain(text)
    assert (await embed(stage)).status_code == 200
    assert (await stage.ask()).status == 200
    for mock in mocks:
        mock.set("outage")
    assert (await embed(stage)).status_code == 502
    answered = await stage.ask()
    assert answered.headers["x-understudy-cache"] == "stale"


async def test_a_strict_route_refuses_what_would_change_the_vectors(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], speaks
) -> None:
    speaks("cohere")
    stage = await raise_curtain(two_embedders(*mocks, policy="strict: true"))
    assert (await embed(stage, user="me")).status_code == 200
    assert (await embed(stage, input_type="fact")).status_code == 400
    assert stage.ended[-1].failure.kind is FailureKind.NOT_PORTABLE
