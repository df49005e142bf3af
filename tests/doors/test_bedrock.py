"""Bedrock behind the data plane: requests that Amazon's own library would have signed alike, and every caller over its wire format."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stage import Raise, Stage
from understudy.core.failure import FailureKind
from understudy.mock import Mock, Script, start_mock
from understudy.mock.repertoire import Received

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
ARN = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-6"
NOWHERE = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/c"}


def route(
    mock: Mock, *, key: str = "aws", model: str = "anthropic.claude-sonnet-4-6", other: Mock | None = None
) -> str:
    second = (
        f'  other: {{provider: openai_compatible, model: m, base_url: "{other.base_url}", key: env:KEY}}\n'
        if other
        else ""
    )
    return f"""
targets:
  bedrock: {{provider: bedrock, model: "{model}", region: eu-west-1, base_url: "{mock.origin}", key: {key}}}
{second}routes:
  default:
    tiers: {{primary: [bedrock{", other" if other else ""}]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0}}
"""


def expected_signature(mock: Mock, received: Received, session: str | None) -> str:
    """What Amazon's own library makes of the request that came."""
    shown = received.headers["authorization"]
    names = shown.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        received.method,
        mock.origin + received.path,
        headers={name: received.headers[name] for name in names if not name.startswith("x-amz-") and name != "host"},
        data=received.body,
    )
    request.context["timestamp"] = received.headers["x-amz-date"]
    signer = SigV4Auth(
        Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], session), "bedrock", "eu-west-1"
    )
    request.headers["X-Amz-Date"] = received.headers["x-amz-date"]
    if session:
        request.headers["X-Amz-Security-Token"] = session
    told = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(told, request))


@pytest.mark.parametrize("session", [None, "FwoGZXIvYXdzEXAMPLE//token=="])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", ARN])
async def test_a_request_arrives_with_the_signature_that_amazon_expects(
    raise_curtain: Raise, model: str, stream: bool, session: str | None
) -> None:
    async with await start_mock() as mock:
        stage = await raise_curtain(
            route(mock, model=model), **KEYS, **({"AWS_SESSION_TOKEN": session} if session else {})
        )
        for caller in ("openai", "anthropic", "gemini"):
            answered = await stage.ask(caller, stream=stream, headers={"traceparent": "00-1-2-01"})
            assert (answered.status, answered.finished) == (200, True)
            assert "Why is the sky blue?" in answered.text
            received = mock.requests[-1]
            assert received.model == model
            assert "%3A" in received.path
            shown = received.headers["authorization"]
            scope = f"AKIDEXAMPLE/{received.headers['x-amz-date'][:8]}/eu-west-1/bedrock/aws4_request"
            assert shown.startswith(f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=")
            assert "content-type;host;x-amz-date" in shown
            assert shown.rpartition("Signature=")[2] == expected_signature(mock, received, session)
            assert received.headers.get("x-amz-security-token") == session
            assert received.headers["traceparent"] == "00-1-2-01"
            assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(received.headers)
        assert stage.nothing_is_held()


@pytest.mark.parametrize(
    ("key", "env"), [("aws", {"AWS_BEARER_TOKEN_BEDROCK": "ABSK-1", **KEYS}), ("env:MINE", {"MINE": "ABSK-1"})]
)
async def test_an_api_key_is_shown_as_a_bearer_token(raise_curtain: Raise, key: str, env: dict[str, str]) -> None:
    async with await start_mock(Script(key="ABSK-1")) as mock:
        stage = await raise_curtain(route(mock, key=key), **env)
        assert (await stage.ask()).status == 200
        assert mock.requests[-1].headers["authorization"] == "Bearer ABSK-1"
        assert "x-amz-date" not in mock.requests[-1].headers


async def test_without_keys_the_next_target_answers(raise_curtain: Raise) -> None:
    async with await start_mock() as mock, await start_mock() as other:
        stage = await raise_curtain(route(mock, other=other), **NOWHERE)
        assert (await stage.ask()).headers["x-understudy-target"] == "other"
        assert _kinds(stage) == [FailureKind.CREDENTIAL_UNAVAILABLE]
        assert not mock.requests


def _kinds(stage: Stage) -> list[FailureKind]:
    return [outcome.failure.kind for outcome in stage.ended[-1].attempts if outcome.failure is not None]


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("rate_limit", FailureKind.RATE_LIMIT),
        ("overloaded", FailureKind.OVERLOADED),
        ("server_error", FailureKind.SERVER_ERROR),
        ("auth", FailureKind.AUTH),
        ("not_found", FailureKind.NOT_FOUND),
        ("permission", FailureKind.PERMISSION),
        ("unavailable", FailureKind.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_what_goes_wrong_there_is_known_by_its_class(
    raise_curtain: Raise, problem: str, kind: FailureKind, stream: bool
) -> None:
    async with await start_mock(faults=({"error_burst": {"problem": problem}},)) as mock, await start_mock() as other:
        stage = await raise_curtain(route(mock, other=other), **KEYS)
        answered = await stage.ask(stream=stream)
        assert (answered.status, answered.headers["x-understudy-target"]) == (200, "other")
        assert _kinds(stage) == [kind]


async def test_a_refused_signature_has_the_keys_looked_at_again(raise_curtain: Raise) -> None:
    async with await start_mock(faults=({"error_burst": {"problem": "auth"}},)) as mock:
        stage = await raise_curtain(route(mock), **KEYS)
        await stage.ask()
        upstream = stage.engine.snapshot.upstreams["bedrock"]
        assert upstream.signer is not None
        assert upstream.fresh_until_s == float("-inf")


@pytest.mark.parametrize(("skew_s", "signs_later_s"), [(3600.0, 3600), (-1800.0, -1800), (30.0, 0)])
async def test_after_a_refusal_requests_are_signed_with_the_providers_time(
    raise_curtain: Raise, skew_s: float, signs_later_s: int
) -> None:
    wrong = {"clock_skew": {"skew_s": skew_s}}
    async with await start_mock(faults=(wrong, {"error_burst": {"problem": "auth"}})) as mock:
        stage = await raise_curtain(route(mock), **KEYS)
        assert (await stage.ask()).status == 502
        upstream = stage.engine.snapshot.upstreams["bedrock"]
        where, headers = upstream.way("bedrock_converse", ())
        signed = dict(upstream.signed(where, where.path, headers, b"{}", 1_700_000_000.0))
        at = datetime.strptime(signed[b"x-amz-date"].decode(), "%Y%m%dT%H%M%S%z").timestamp()
        assert at - 1_700_000_000 == pytest.approx(signs_later_s, abs=3)


@pytest.mark.parametrize("problem", ["rate_limit", "server_error", "overloaded"])
async def test_an_exception_before_the_first_word_is_another_targets_turn(raise_curtain: Raise, problem: str) -> None:
    fault = {"in_band_error": {"problem": problem, "after_chunks": 0}}
    async with await start_mock(faults=(fault,)) as mock, await start_mock() as other:
        stage = await raise_curtain(route(mock, other=other), **KEYS)
        answered = await stage.ask(stream=True)
        assert (answered.headers["x-understudy-target"], answered.finished) == ("other", True)
        assert _kinds(stage)[0].value == problem


@pytest.mark.parametrize("caller", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"in_band_error": {"problem": "rate_limit", "after_chunks": 3}}, FailureKind.RATE_LIMIT),
        ({"truncated_stream": {"after_chunks": 3}}, FailureKind.CONNECTION_LOST),
        ({"truncated_stream": {"after_chunks": 3, "how": "unfinished"}}, FailureKind.TRUNCATED),
        ({"corrupt_answers": {"how": "broken_json"}}, FailureKind.MALFORMED),
        ({"corrupt_answers": {"how": "wrong_shape"}}, FailureKind.MALFORMED),
        ({"corrupt_answers": {"how": "empty"}}, FailureKind.EMPTY),
    ],
)
async def test_a_stream_that_breaks_ends_in_the_callers_own_error(
    raise_curtain: Raise, caller: str, fault: Any, kind: FailureKind
) -> None:
    async with await start_mock(faults=(fault,)) as mock:
        stage = await raise_curtain(route(mock), **KEYS)
        answered = await stage.ask(caller, stream=True)
        assert answered.error is not None
        assert not answered.finished or not answered.streamed
        assert _kinds(stage)[0] in {kind, FailureKind.TRUNCATED}


async def test_answers_have_an_id_and_a_model_though_the_api_names_neither(raise_curtain: Raise) -> None:
    async with await start_mock() as mock:
        stage = await raise_curtain(route(mock), **KEYS)
        whole = await stage.ask()
        assert whole.json["id"] == whole.headers["x-understudy-decision"]
        assert whole.json["model"] == "anthropic.claude-sonnet-4-6"
        streamed = await stage.ask(stream=True)
        assert {event["id"] for event in streamed.events} == {streamed.headers["x-understudy-decision"]}
        message = await stage.ask("anthropic", stream=True)
        assert message.events[0]["message"]["id"] == message.headers["x-understudy-decision"]


TOOL = {
    "name": "get_weather",
    "description": "",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_thoughts_return_with_their_seal_and_calls_with_their_results(raise_curtain: Raise, stream: bool) -> None:
    """A caller of Anthropic's API, over two turns: what the model thought comes back to it unchanged."""
    async with await start_mock() as mock:
        stage = await raise_curtain(route(mock, model="anthropic.claude-sonnet-4-5-20250929-v1:0"), **KEYS)
        question = {"role": "user", "content": "What is the weather in Paris?"}
        asked = {"tools": [TOOL], "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
        first = await stage.ask("anthropic", stream=stream, messages=[question], **asked)
        assert first.status == 200
        content = _blocks(first.events) if stream else first.json["content"]
        thought, call = content
        assert thought["thinking"].startswith("The user wants an answer")
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": "rain"},
            {"type": "text", "text": "Well?"},
        ]
        turns = [question, {"role": "assistant", "content": content}, {"role": "user", "content": results}]
        second = await stage.ask("anthropic", stream=stream, messages=turns, **asked)
        assert (second.status, second.finished) == (200, True)
        sent = mock.requests[-1].json
        assert sent is not None
        assert sent["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
        assert sent["toolConfig"] == {
            "tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": TOOL["input_schema"]}}}]
        }
        said, answered = sent["messages"][1:]
        assert said["content"][0] == {
            "reasoningContent": {"reasoningText": {"text": thought["thinking"], "signature": "bW9jay1zaWduYXR1cmU="}}
        }
        assert said["content"][1]["toolUse"]["toolUseId"] == call["id"]
        assert answered["content"] == [
            {"toolResult": {"toolUseId": call["id"], "content": [{"text": "rain"}]}},
            {"text": "Well?"},
        ]


def _blocks(events: list[Any]) -> list[Any]:
    """The blocks that a stream of Messages amounts to."""
    blocks: list[Any] = []
    pieces: dict[int, str] = {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            for name in ("thinking", "signature"):
                if name in delta:
                    held = "" if name == "signature" else blocks[event["index"]][name]
                    blocks[event["index"]][name] = held + delta[name]
            if "partial_json" in delta:
                pieces[event["index"]] = pieces.get(event["index"], "") + delta["partial_json"]
    for index, written in pieces.items():
        blocks[index]["input"] = json.loads(written)
    return blocks


async def test_a_shape_is_asked_for_as_bedrock_wants_it(raise_curtain: Raise) -> None:
    async with await start_mock() as mock:
        stage = await raise_curtain(route(mock), **KEYS)
        schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 18}}, "required": ["age"]}
        answered = await stage.ask(
            response_format={"type": "json_schema", "json_schema": {"name": "p", "schema": schema}}
        )
        assert json.loads(answered.text).keys() == {"age"}
        assert answered.headers["x-understudy-dropped"] == "response_format.minimum, answer.choices.metrics"
        asked = mock.requests[-1].json
        assert asked is not None
        told = asked["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
        assert told["name"] == "p"
        closed = {**schema, "properties": {"age": {"type": "integer"}}, "additionalProperties": False}
        assert json.loads(told["schema"]) == closed


async def test_what_the_format_cannot_carry_is_another_targets_turn(raise_curtain: Raise) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://host/picture.png"}}
    async with await start_mock() as mock, await start_mock() as other:
        stage = await raise_curtain(route(mock, other=other), **KEYS)
        for fields in ({"messages": [{"role": "user", "content": [picture]}]}, {"n": 2}, {"logprobs": True}):
            assert (await stage.ask(**fields)).headers["x-understudy-target"] == "other"
        assert not mock.requests


async def test_targets_that_are_not_signed_for_know_nothing_of_it(raise_curtain: Raise) -> None:
    async with await start_mock() as mock, await start_mock() as other:
        stage = await raise_curtain(route(mock, other=other), **KEYS)
        await stage.ask()
        await stage.ask(model="other")
        upstreams = stage.engine.snapshot.upstreams
        assert upstreams["other"].signer is None
        assert upstreams["bedrock"].secret == ""
        assert not [name for name in other.requests[-1].headers if name.startswith("x-amz")]
        assert urlsplit(mock.origin).port != urlsplit(other.origin).port
