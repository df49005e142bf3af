"""Bedrock: where it is, which of its models takes what, and what its requests are signed for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import read_recordings
from understudy.config.load import loads
from understudy.core.conversation import (
    Conversation,
    Format,
    Message,
    ReasoningSettings,
    Role,
    Settings,
    Text,
    Tool,
    ToolChoice,
)
from understudy.core.projection import project_request
from understudy.core.target import Target
from understudy.dialects import carried_by
from understudy.dialects.bedrock_converse import DIALECT
from understudy.errors import ConfigurationError
from understudy.providers import Auth, Endpoint, endpoint
from understudy.transport.sigv4 import Scope

ARN = "arn:aws:bedrock:eu-west-1:123456789012:"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def target(line: str = "region: eu-west-1", model: str = SONNET) -> Target:
    return loads(f"targets: {{t: {{provider: bedrock, model: '{model}', {line}}}}}", env={}).targets["t"]


def place(line: str = "region: eu-west-1", model: str = SONNET) -> Endpoint:
    return endpoint(target(line, model), "bedrock_converse")


def asked(model: str, serves: str = "", **given: Any) -> tuple[dict[str, Any], list[str]]:
    """The body for one of its models, and what it lost."""
    line = f"region: eu-west-1, serves: {serves}" if serves else "region: eu-west-1"
    quirks = place(line, model).quirks
    tools = given.pop("tools", ())
    said = Conversation(
        model="m",
        messages=(Message(Role.USER, (Text("hi", given.pop("cache", None)),)),),
        tools=tools,
        settings=Settings(**given),
    )
    projected, losses = project_request(said, carried_by(DIALECT, quirks))
    return json.loads(DIALECT.render_request(projected, quirks)), [loss.name for loss in losses]


# Where


@pytest.mark.parametrize(
    ("line", "host", "region"),
    [
        ("region: eu-west-1", "bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"),
        ("region: cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("base_url: 'https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com'", "bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("base_url: 'https://vpce-1.bedrock-runtime.sa-east-1.vpce.amazonaws.com'", "vpce-1.bedrock-runtime.sa-east-1.vpce.amazonaws.com", "sa-east-1"),
        ("base_url: 'https://proxy/team', region: eu-west-3", "proxy", "eu-west-3"),
        ("base_url: 'http://127.0.0.1:1'", "127.0.0.1", "us-east-1"),
    ],
)  # fmt: skip
def test_it_is_found_by_region_and_signed_for_it(line, host, region):
    where = place(line)
    assert where.origin.host == host
    assert where.scope == Scope(region=region, service="bedrock")


def test_models_stand_in_the_path_percent_encoded():
    assert place().path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    arn = place("base_url: 'https://proxy/team/v1'", f"{ARN}application-inference-profile/abc")
    encoded = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fabc"
    assert (arn.path, arn.stream_path) == (f"/team/model/{encoded}/converse", f"/team/model/{encoded}/converse-stream")


@pytest.mark.parametrize("line", ["priority: 1", "region: 'eu west'", "region: 'x.evil.com/'"])
def test_it_must_be_said_where_it_is(line):
    with pytest.raises(ConfigurationError, match="region"):
        target(line)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("region: eu-west-1", "aws"),
        ("region: eu-west-1, key: env:MINE", "env:MINE"),
        ("region: eu-west-1, key: aws:production", "aws:production"),
        ("base_url: 'https://evil.s3.amazonaws.com'", None),
    ],
)
def test_the_keys_of_the_machine_go_to_the_service_alone(line, key):
    assert target(line).key == key


def test_what_is_no_pair_of_keys_is_shown():
    where = place()
    assert where.auth is Auth.SIGV4
    assert where.credential("ABSK") == ((b"authorization", b"Bearer ABSK"),)
    assert where.credential("") == ()


# Models


def effort(name: str) -> dict[str, Any]:
    return {"reasoning": ReasoningSettings(name)}


@pytest.mark.parametrize(
    ("model", "serves", "additional"),
    [
        (SONNET, "", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        ("eu.anthropic.claude-opus-4-7-v1:0", "", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (f"{ARN}inference-profile/global.anthropic.claude-opus-4-8", "",
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (f"{ARN}application-inference-profile/abc", "us.anthropic.claude-opus-4-8",
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        ("us.amazon.nova-2-lite-v1:0", "", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        ("openai.gpt-oss-120b-1:0", "", {"reasoning_effort": "high"}),
        ("qwen.qwen3-32b-v1:0", "", {"reasoning_config": "high"}),
    ],
)  # fmt: skip
def test_each_family_is_asked_to_think_in_its_own_words(model, serves, additional):
    body, _ = asked(model, serves, **effort("high"))
    assert body["additionalModelRequestFields"] == additional


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.amazon.nova-pro-v1:0",
        "meta.llama3-2-1b-instruct-v1:0",
        "ai21.jamba-1-5",
    ],
)
def test_models_that_do_not_think_are_not_asked_to(model):
    body, lost = asked(model, **effort("high"))
    assert "additionalModelRequestFields" not in body
    assert lost == ["reasoning"]


@pytest.mark.parametrize(
    ("model", "effort_", "kept"),
    [
        ("us.amazon.nova-2-lite-v1:0", "low", True),
        ("us.amazon.nova-2-lite-v1:0", "high", False),
        ("openai.gpt-oss-20b-1:0", "high", True),
    ],
)
def test_nova_at_its_highest_effort_knows_no_bounds(model, effort_, kept):
    body, lost = asked(model, max_tokens=5, temperature=0.5, **effort(effort_))
    assert ("inferenceConfig" in body) is kept
    assert ("max_tokens" in lost) is not kept


def test_budgets_become_efforts_where_the_model_knows_only_these():
    body, lost = asked("openai.gpt-oss-120b-1:0", reasoning=ReasoningSettings(None, 2048, "enabled"))
    assert body["additionalModelRequestFields"] == {"reasoning_effort": "low"}
    assert lost == ["reasoning.budget_tokens"]


def test_claude_takes_a_temperature_or_top_p_and_others_both():
    given = {"temperature": 0.5, "top_p": 0.5}
    assert asked(SONNET, **given)[1] == ["top_p"]
    for model in ("amazon.titan-text-lite-v1", "us.amazon.nova-pro-v1:0", "meta.llama3-2-1b-instruct-v1:0"):
        assert asked(model, **given)[0]["inferenceConfig"] == {"temperature": 0.5, "topP": 0.5}


def test_a_forced_tool_and_claudes_thinking_exclude_each_other():
    tool = Tool("f", None, SCHEMA)
    body, lost = asked(SONNET, tools=(tool,), tool_choice=ToolChoice("required"), **effort("high"))
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert "additionalModelRequestFields" not in body
    assert "reasoning" in lost


@pytest.mark.parametrize(
    ("model", "shaped"),
    [
        (SONNET, True), ("us.anthropic.claude-sonnet-4-6", True), ("google.gemma-3-27b-it", True),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", False), ("anthropic.claude-3-5-sonnet-20240620-v1:0", False),
        ("us.amazon.nova-2-lite-v1:0", False), ("us.meta.llama4-maverick-17b-instruct-v1:0", False),
    ],
)  # fmt: skip
def test_only_some_hold_themselves_to_a_schema(model, shaped):
    body, lost = asked(model, format=Format("json_schema", SCHEMA))
    assert ("outputConfig" in body) is shaped
    assert lost == ([] if shaped else ["format"])


def test_cache_points_are_for_those_who_have_a_cache():
    mark = {"type": "ephemeral"}
    tool = Tool("f", None, SCHEMA, None, mark)
    for model, told in ((SONNET, 2), ("us.amazon.nova-pro-v1:0", 1), ("mistral.mistral-large-3-675b-instruct", 0)):
        body, lost = asked(model, cache=mark, tools=(tool,))
        assert json.dumps(body).count("cachePoint") == told
        assert [name.endswith("cache_control") for name in lost] == [True] * (2 - told)


def test_llama_does_not_choose_among_tools():
    body, lost = asked(
        "us.meta.llama4-maverick-17b-instruct-v1:0",
        tools=(Tool("f", None, SCHEMA),),
        tool_choice=ToolChoice("required"),
    )
    assert "toolChoice" not in body["toolConfig"]
    assert lost == ["tool_choice"]


@pytest.mark.shared("recordings")
def test_nothing_is_left_out_that_a_model_was_seen_to_take():
    left_out = []
    for record in read_recordings("bedrock_converse"):
        body = (record["request"] or {}).get("body")
        if not isinstance(body, dict) or record["response"]["status"] != 200 or record["model"].startswith("arn"):
            continue
        quirks = place(model=record["model"]).quirks
        conversation = DIALECT.parse_request(json.dumps(body).encode())
        _, losses = project_request(conversation, carried_by(DIALECT, quirks))
        left_out += [(record["id"], loss.name) for loss in losses if loss.weight != "cosmetic"]
    # the pages on structured output say that it is refused
    assert left_out == [("2bc15f11caad4144", "response_format.minLength")]
