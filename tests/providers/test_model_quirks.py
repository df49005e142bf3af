"""Models of one provider differ: what each refuses does not reach it, in its own format and in translation, and is reported.

Method: one request with everything in it, sent to many models through both ways there are into a provider.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.conversation import (
    Conversation,
    Message,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Role,
    Settings,
    Text,
    ToolCall,
    ToolResult,
)
from understudy.core.projection import project_request
from understudy.core.request import Call
from understudy.core.target import Target
from understudy.dialects import carried_by
from understudy.providers import endpoint, facts
from understudy.wiring import make_dialects

DIALECTS = make_dialects()
SAMPLING = {
    "temperature": 0.5, "top_p": 0.9, "frequency_penalty": 0.1, "presence_penalty": 0.1, "logprobs": True, "top_logprobs": 2,
}  # fmt: skip


def place(provider: str, model: str, **settings: Any):
    dialect = facts(provider).wires[0].dialect
    one = Target(
        name="t", provider=provider, model=model, base_url="http://x/v1", dialects=(dialect,), settings=settings or None
    )
    return dialect, endpoint(one, dialect)


def kept(provider: str, model: str, body: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The caller's own body for this model of a provider that speaks the same format, and what it lost."""
    dialect, where = place(provider, model, **settings)
    raw = json.dumps({"model": "r", **body}).encode()
    call = Call(dialect=dialect, needs=DIALECTS[dialect].needs(raw), body=raw)
    written, lost = DIALECTS[dialect].retarget(call, model, where.quirks)
    return json.loads(written), lost


def translated(
    provider: str, model: str, asked: Settings, messages: tuple[Message, ...] = ()
) -> tuple[dict[str, Any], set[str]]:
    """A conversation written for this model, and what it lost."""
    name, where = place(provider, model)
    said = messages or (Message(Role.USER, (Text("hi"),)),)
    projected, losses = project_request(
        Conversation(model=model, messages=said, settings=asked), carried_by(DIALECTS[name], where.quirks)
    )
    return json.loads(DIALECTS[name].render_request(projected, where.quirks)), {loss.name for loss in losses}


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-mini", "gpt-5-2025-08-07"])
def test_reasoning_models_of_openai_get_no_sampling_and_their_own_bound(model):
    body, lost = kept("openai", model, {"messages": [], "max_tokens": 7, **SAMPLING})
    assert body == {"model": model, "messages": [], "max_completion_tokens": 7}
    assert set(lost) == set(SAMPLING)
    body, lost = translated("openai", model, Settings(max_tokens=7, temperature=0.5, top_p=0.9))
    assert set(body) == {"model", "messages", "max_completion_tokens"}
    assert lost == {"temperature", "top_p"}


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "gpt-5.2-chat-latest", "o-my-model"])
def test_other_models_of_openai_get_everything(model):
    body, lost = kept("openai", model, {"messages": [], **SAMPLING})
    assert (body, lost) == ({"model": model, "messages": [], **SAMPLING}, ())


@pytest.mark.parametrize(
    ("model", "effort", "free"),
    [
        ("gpt-5.1", None, True),
        ("gpt-5.1", "none", True),
        ("gpt-5.1", "low", False),
        ("gpt-5.2-codex", "high", False),
        ("gpt-5.4-mini", None, True),
        ("gpt-5.6-sol", None, False),
        ("gpt-5.6-sol", "none", True),
    ],
)
def test_newer_models_take_a_temperature_while_they_do_not_think(model, effort, free):
    given = {"messages": [], "temperature": 0.5} | ({} if effort is None else {"reasoning_effort": effort})
    body, lost = kept("openai", model, given)
    assert ("temperature" in body, lost) == (free, () if free else ("temperature",))
    asked = Settings(temperature=0.5, reasoning=None if effort is None else ReasoningSettings(effort=effort))
    body, lost_too = translated("openai", model, asked)
    assert ("temperature" in body, lost_too) == (free, set() if free else {"temperature"})


@pytest.mark.parametrize(
    ("provider", "model", "asked", "sent"),
    [
        ("openai", "o3-mini", "minimal", "low"),
        ("openai", "gpt-5-mini", "none", "minimal"),
        ("openai", "gpt-5.1", "xhigh", "high"),
        ("openai", "gpt-5.2", "xhigh", "xhigh"),
        ("mistral", "mistral-small-latest", "low", "high"),
        ("mistral", "mistral-small-latest", "none", "none"),
        ("groq", "openai/gpt-oss-120b", "minimal", "low"),
    ],
)
def test_an_effort_that_a_model_does_not_know_becomes_the_nearest(provider, model, asked, sent):
    body, lost = kept(provider, model, {"messages": [], "reasoning_effort": asked})
    assert body["reasoning_effort"] == sent
    assert lost == (() if asked == sent else ("reasoning_effort",))
    body, lost_too = translated(provider, model, Settings(reasoning=ReasoningSettings(effort=asked)))
    assert body["reasoning_effort"] == sent
    assert lost_too == (set() if asked == sent else {"reasoning.effort"})


@pytest.mark.parametrize(
    ("provider", "model"), [("groq", "llama-3.3-70b-versatile"), ("xai", "grok-4-fast"), ("xai", "grok-2")]
)
def test_models_without_an_effort_get_none(provider, model):
    body, lost = kept(provider, model, {"messages": [], "reasoning_effort": "high"})
    assert ("reasoning_effort" in body, lost) == (False, ("reasoning_effort",))
    body, lost_too = translated(provider, model, Settings(reasoning=ReasoningSettings(effort="high")))
    assert ("reasoning_effort" in body, lost_too) == (False, {"reasoning"})


@pytest.mark.parametrize(
    ("model", "dropped"),
    [
        ("grok-4.3", {"frequency_penalty", "presence_penalty", "stop"}),
        ("grok-4.20-0309-non-reasoning", {"frequency_penalty", "presence_penalty", "reasoning_effort"}),
        ("grok-code-fast-1", {"frequency_penalty", "presence_penalty", "reasoning_effort", "stop"}),
        ("grok-3", {"reasoning_effort"}),
        ("grok-3-mini", {"frequency_penalty", "presence_penalty", "stop"}),
    ],
)
def test_groks_differ(model, dropped):
    given = {"messages": [], "frequency_penalty": 1, "presence_penalty": 1, "stop": ["x"], "reasoning_effort": "low"}
    assert set(kept("xai", model, given)[1]) == dropped


def test_the_first_o1_takes_neither_role_of_instructions():
    body, _ = kept(
        "openai", "o1-mini", {"messages": [{"role": "developer", "content": "a"}, {"role": "system", "content": "b"}]}
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "user"]


BUDGET = {"messages": [], "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 8192}, "temperature": 1}


@pytest.mark.parametrize(
    "model", ["claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5-20260601", "claude-fable-5"]
)
def test_models_that_think_as_they_like_get_an_effort_for_a_budget(model):
    body, lost = kept("anthropic", model, BUDGET)
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {"effort": "medium"}
    assert "temperature" not in body
    assert set(lost) == {"thinking.budget_tokens", "temperature"}
    for asked in (ReasoningSettings(budget_tokens=8192, mode="enabled"), ReasoningSettings(effort="medium")):
        body, lost_too = translated("anthropic", model, Settings(max_tokens=9000, reasoning=asked, top_k=4))
        assert (body["thinking"], body["output_config"], body["max_tokens"]) == (
            {"type": "adaptive"},
            {"effort": "medium"},
            9000,
        )
        assert lost_too == {"top_k"} | ({"reasoning.budget_tokens"} if asked.budget_tokens else set())


@pytest.mark.parametrize(
    "model", ["claude-sonnet-4-5", "claude-sonnet-4-20250514", "claude-opus-4-6", "claude-3-7-sonnet-20250219"]
)
def test_models_that_take_a_budget_keep_it(model):
    body, lost = kept("anthropic", model, BUDGET)
    assert (body, lost) == ({"model": model, **BUDGET}, ())


@pytest.mark.parametrize(
    "thinking", [{"type": "adaptive", "display": "summarized"}, {"type": "disabled"}, None, "odd", {"type": "enabled"}]
)
def test_thinking_without_a_budget_keeps_what_it_says(thinking):
    body, _ = kept(
        "anthropic", "claude-opus-5", {"messages": [], "thinking": thinking, "output_config": {"effort": "low"}}
    )
    assert body["output_config"] == {"effort": "low"}
    assert body["thinking"] == ({"type": "adaptive"} if thinking == {"type": "enabled"} else thinking)


def test_an_effort_beside_a_budget_outranks_it():
    body, _ = kept("anthropic", "claude-opus-5", BUDGET | {"output_config": {"effort": "max", "format": {"type": "x"}}})
    assert body["output_config"] == {"effort": "max", "format": {"type": "x"}}


def test_opus_4_6_gets_no_effort_that_it_refuses():
    body, lost = kept("anthropic", "claude-opus-4-6", {"messages": [], "output_config": {"effort": "xhigh"}})
    assert (body["output_config"], lost) == ({"effort": "high"}, ("output_config.effort",))


EARLIER = [
    "claude-sonnet-4-5",
    "claude-opus-4-20250514",
    "claude-opus-4-7",
    "claude-haiku-4-5@20251001",
    "claude-3-7-sonnet-latest",
]


@pytest.mark.parametrize(
    ("model", "role"),
    [*((name, "user") for name in EARLIER), ("claude-opus-4-8", "system"), ("claude-fable-5", "system")],
)
def test_earlier_claudes_are_told_in_the_users_turn_what_a_system_turn_says_among_the_others(model, role):
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]
    body, lost = kept("anthropic", model, {"system": "s", "messages": turns, "max_tokens": 9})
    assert (body["system"], [turn["role"] for turn in body["messages"]], lost) == ("s", ["user", role], ())
    said = (
        Message(Role.SYSTEM, (Text("s"),)),
        Message(Role.USER, (Text("a"),)),
        Message(Role.DEVELOPER, (Text("b"),)),
    )
    body, lost = translated("anthropic", model, Settings(max_tokens=9), said)
    told = (
        [turns[0], turns[1]]
        if role == "system"
        else [{"role": "user", "content": [{"type": "text", "text": word} for word in "ab"]}]
    )
    assert (body["system"], body["messages"], lost) == ("s", told, set())


def test_words_that_only_look_like_a_role_stay():
    turns = [{"role": "user", "content": 'the "system" speaks'}]
    assert kept("anthropic", "claude-sonnet-4-5", {"messages": turns, "max_tokens": 9})[0]["messages"] == turns


CALLED = (
    Message(Role.USER, (Text("hi"),)),
    Message(Role.ASSISTANT, (ToolCall("call_abcdefghijklmnopqrstuvwx", "f", {}), ToolCall("abcDEF123", "f", {}))),
    Message(
        Role.TOOL, (ToolResult("call_abcdefghijklmnopqrstuvwx", (Text("1"),)), ToolResult("abcDEF123", (Text("2"),)))
    ),
)


def ids(body: dict[str, Any]) -> list[str]:
    calls = [call["id"] for turn in body["messages"] for call in turn.get("tool_calls", ())]
    return calls + [turn["tool_call_id"] for turn in body["messages"] if "tool_call_id" in turn]


def test_mistral_gets_ids_of_nine_letters_that_still_match():
    body, lost = translated("mistral", "mistral-large-latest", Settings(), CALLED)
    [first, second, third, fourth] = ids(body)
    assert (first, second, lost) == (third, "abcDEF123", set())
    assert fourth == second
    assert (len(first), first.isalnum()) == (9, True)
    theirs, _ = translated("openai", "gpt-4o", Settings(), CALLED)
    again, lost_too = kept("mistral", "mistral-large-latest", {"messages": theirs["messages"]})
    assert (ids(again), lost_too) == (ids(body), ())


def test_mistral_knows_the_seed_by_another_name():
    body, lost = kept("mistral", "mistral-large-latest", {"messages": [], "seed": 7})
    assert (body["random_seed"], "seed" in body, lost) == (7, False, ())
    body, lost_too = translated("mistral", "mistral-large-latest", Settings(seed=7))
    assert (body["random_seed"], "seed" in body, lost_too) == (7, False, set())


def test_a_deployment_is_known_by_what_it_serves():
    given = {"messages": [], "temperature": 0.5}
    assert kept("azure", "team-a", given, serves="gpt-5-mini")[1] == ("temperature",)
    assert kept("azure", "team-a", given, resource="r")[1] == ()
    assert kept("azure", "gpt-5-mini", given, resource="r")[1] == ("temperature",)


def test_claude_on_vertex_is_named_in_the_address_and_versioned_in_the_body():
    body, lost = kept("vertex", "claude-opus-5", BUDGET, project="p")
    assert "model" not in body
    assert (body["anthropic_version"], body["thinking"]) == ("vertex-2023-10-16", {"type": "adaptive"})
    assert set(lost) == {"thinking.budget_tokens", "temperature"}


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("command-a-reasoning-08-2025", True),
        ("command-a-plus-05-2026", True),
        ("command-next", True),
        ("command-a-03-2025", False),
        ("command-a-vision-07-2025", False),
        ("command-r-plus-08-2024", False),
        ("command-r7b-12-2024", False),
    ],
)
def test_only_models_of_cohere_that_think_are_asked_to(model: str, thinks: bool) -> None:
    body, lost = translated("cohere", model, Settings(reasoning=ReasoningSettings(budget_tokens=500)))
    assert ("thinking" in body) is thinks
    assert ("reasoning" in lost) is not thinks


# In Responses

ASK = {
    "input": [{"role": "developer", "content": "a"}],
    "temperature": 0.5,
    "top_p": 0.9,
    "reasoning": {"effort": "minimal"},
}


def responses(provider: str, model: str, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The caller's own body of Responses for this model, and what it lost."""
    one = Target(name="t", provider=provider, model=model, base_url="http://x/v1", dialects=("openai_responses",))
    raw = json.dumps({"model": "r", **ASK, **fields}).encode()
    dialect = DIALECTS["openai_responses"]
    call = Call(dialect=dialect.name, needs=dialect.needs(raw), body=raw)
    written, lost = dialect.retarget(call, model, endpoint(one, dialect.name).quirks)
    return json.loads(written), lost


@pytest.mark.parametrize(
    ("provider", "model", "lost", "effort"),
    [
        ("openai", "gpt-5-mini", {"temperature", "top_p"}, "minimal"),
        ("openai", "o3", {"reasoning.effort", "temperature", "top_p"}, "low"),
        ("openai", "gpt-5.2", {"reasoning.effort", "temperature", "top_p"}, "low"),
        ("openai", "gpt-4o", {"include.reasoning.encrypted_content", "reasoning"}, None),
        ("azure", "gpt-5.2-chat", {"include.reasoning.encrypted_content", "reasoning"}, None),
        ("openai", "gpt-9", set(), "minimal"),
        ("azure", "gpt-5", {"temperature", "top_p"}, "minimal"),
        ("xai", "grok-4.3", set(), "minimal"),
        ("xai", "grok-4-fast", {"reasoning"}, None),
        ("groq", "openai/gpt-oss-120b", {"reasoning.effort"}, "low"),
        ("groq", "llama-3.3-70b-versatile", {"reasoning"}, None),
        ("openrouter", "openai/gpt-5", set(), "minimal"),
    ],
)
def test_in_responses_a_model_refuses_the_same_under_other_names(provider, model, lost, effort):
    asked = ["web_search_call.action.sources", "reasoning.encrypted_content"]
    body, dropped = responses(provider, model, include=asked)
    sealed = "include.reasoning.encrypted_content" not in lost
    assert body.get("include") == (None if provider == "groq" else asked if sealed else asked[:1])
    assert set(dropped) - {"include"} == lost
    assert body.get("reasoning", {}).get("effort") == effort
    assert body["input"][0]["role"] == ("system" if provider in {"groq", "xai"} else "developer")


def test_groq_is_told_nothing_of_keeping():
    fields = {"store": True, "truncation": "auto", "prompt_cache_key": "k", "safety_identifier": "s", "include": ["x"]}
    body, dropped = responses("groq", "openai/gpt-oss-120b", reasoning=None, **fields)
    assert set(dropped) == set(fields)
    assert not set(fields) & set(body)


@pytest.mark.parametrize(
    ("provider", "model", "sealed"),
    [("openai", "gpt-5.1", True), ("openai", "gpt-4.1", False), ("azure", "o3", True), ("xai", "grok-4", True)],
)
def test_for_callers_of_other_formats_nothing_is_kept_and_thinking_comes_sealed(provider, model, sealed):
    quirks = facts(provider).wire("openai_responses").quirks_for(model)
    said = Conversation(model=model, messages=(Message(Role.USER, (Text("hi"),)),))
    projected, _ = project_request(said, carried_by(DIALECTS["openai_responses"], quirks))
    body = json.loads(DIALECTS["openai_responses"].render_request(projected, quirks))
    assert body["store"] is False
    assert body.get("include") == (["reasoning.encrypted_content"] if sealed else None)


def test_thinking_sealed_by_another_provider_of_the_format_stays_behind():
    thoughts = (Reasoning("", "rs_1", "gAAAAx", "openai_responses"), Reasoning("", "rs_2", "qfrBx", "openai_responses"))
    said = Conversation(model="m", messages=(Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, thoughts)))
    kept_by = {
        provider: project_request(said, carried_by(DIALECTS["openai_responses"], wire.quirks))[0].messages[1].parts
        for provider in ("openai", "xai")
        for wire in facts(provider).wires
        if wire.dialect == "openai_responses"
    }
    assert kept_by == {"openai": thoughts[:1], "xai": thoughts[1:]}


@pytest.mark.parametrize("provider", ["deepseek", "groq", "openrouter"])
def test_who_keeps_nothing_between_requests_says_so(provider):
    assert "stored" in facts(provider).lacks


@pytest.mark.parametrize(
    ("model", "effort", "think", "lost"),
    [
        ("gpt-oss:20b", "high", "high", set()),
        ("hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M", "low", "low", set()),
        ("qwen3:8b", "high", True, {"reasoning.effort"}),
        ("qwen3:8b", "none", False, set()),
        ("llama3.2", None, None, set()),
    ],
)
def test_only_gpt_oss_is_told_by_ollama_how_hard_to_think(model, effort, think, lost):
    body, reported = translated("ollama", model, Settings(reasoning=effort and ReasoningSettings(effort=effort)))
    assert body.get("think") == think
    assert reported == lost


@pytest.mark.parametrize(
    ("model", "opened"),
    [
        ("us.amazon.nova-2-lite-v1:0", True),
        ("eu.amazon.nova-pro-v1:0", True),
        ("mistral.mistral-large-2407-v1:0", True),
        ("openai.gpt-oss-120b-1:0", True),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", True),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", True),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
    ],
)
def test_a_user_speaks_first_on_bedrock_but_for_current_claudes(model, opened):
    greeting = Message(Role.ASSISTANT, (Text("Welcome!"),))
    hi = Message(Role.USER, (Text("hi"),))
    for before in ((), (Message(Role.SYSTEM, (Text("Be kind."),)),)):
        body, lost = translated("bedrock", model, Settings(), (*before, greeting, hi))
        roles = ["user"] * opened + ["assistant", "user"]
        assert [turn["role"] for turn in body["messages"]] == roles
        assert body["messages"][-2]["content"] == [{"text": "Welcome!"}]
        assert ("messages.role" in lost) is opened
    assert translated("bedrock", model, Settings(), (hi, greeting))[1] == set()


def test_mistral_gets_nothing_in_a_message_that_it_does_not_know():
    messages = [
        {"role": "developer", "content": "d", "name": "boss"},
        {"role": "user", "content": "hi", "name": None},
        {
            "role": "assistant",
            "content": "ho",
            "refusal": None,
            "annotations": [],
            "audio": None,
            "function_call": None,
        },
        {"role": "user", "content": "hi", "metadata": {"a": 1}},
        {"role": "assistant", "content": None, "refusal": "No.", "annotations": []},
        {"role": "assistant", "content": "hm", "reasoning_content": "thought", "prefix": True},
        {"role": "critic", "content": "left to the provider", "mood": "bad"},
    ]
    body, lost = kept("mistral", "mistral-large-latest", {"messages": messages})
    assert body["messages"] == [
        {"role": "system", "content": "d"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "ho"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "content": "hm", "prefix": True},
        messages[-1],
    ]
    assert lost == ("messages.name", "messages.metadata", "messages.reasoning")
    said = (Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, (Refusal("No."),)))
    assert translated("mistral", "mistral-large-latest", Settings(), said)[0]["messages"][1] == {
        "role": "assistant",
        "content": "No.",
    }
    untouched, nothing = kept("openai", "gpt-4o", {"messages": messages[1:3]})
    assert (untouched["messages"], nothing) == (messages[1:3], ())
