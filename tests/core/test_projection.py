"""Fitting a conversation or an answer to a format: what is removed is reported, what is only told otherwise is not.

Method: a format that carries everything is narrowed by one property at a time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import (
    Audio,
    Conversation,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Opaque,
    OpaqueTool,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Role,
    Settings,
    Stored,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)
from understudy.core.projection import (
    Carries,
    Loss,
    budget_of,
    effort_of,
    narrowed,
    project_answer,
    project_request,
    settled_stop,
)
from understudy.core.projection.carries import EFFORT_BUDGETS, FIELDS, KINDS, SETTINGS
from understudy.core.usage import Usage

MEDIA = ("audio", "document", "image", "video")
EVERYTHING = Carries(
    dialect="ours",
    parts={
        Role.SYSTEM: ("text",),
        Role.DEVELOPER: ("text",),
        Role.USER: ("text", *MEDIA),
        Role.ASSISTANT: ("reasoning", "refusal", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources=dict.fromkeys(("document", "image", "video"), ("inline", "plain", "remote", "stored")),
    fields={node: tuple(names) for node, names in FIELDS.items()},
    cache=(*KINDS.values(), "tool"),
    result_parts=("text", *MEDIA),
    unsigned_reasoning=True,
    foreign_reasoning="keep",
    settings=tuple(SETTINGS),
    tool_choices=("auto", "named", "none", "required"),
    choice_names_max=9,
    tool_subsets=True,
    formats=("json_object", "json_schema", "text"),
    reasoning=("budget_tokens", "display", "effort", "mode"),
    stop_native=True,
    stop_sequence=True,
    created=True,
)
MARK = {"type": "ephemeral"}
F = Tool("f")
PICTURE = Image(Inline("image/png", "QUJD"))


def without(**changes) -> Carries:
    return replace(EVERYTHING, **changes)


def said(*messages: Message, **rest) -> Conversation:
    return Conversation(model="m", messages=messages, **rest)


def user(*parts) -> Message:
    return Message(Role.USER, parts)


def assistant(*parts) -> Message:
    return Message(Role.ASSISTANT, parts)


def fit(conversation: Conversation, carries: Carries) -> tuple[Conversation, dict[str, str]]:
    projected, losses = project_request(conversation, carries)
    assert project_request(projected, carries) == (projected, ())
    return projected, {loss.name: loss.weight for loss in losses}


def fit_parts(message: Message, carries: Carries) -> tuple[tuple, dict[str, str]]:
    projected, losses = fit(said(message), carries)
    return tuple(part for turn in projected.messages for part in turn.parts), losses


def fit_settings(carries: Carries, *tools, **settings) -> tuple[Settings, dict[str, str]]:
    projected, losses = fit(said(tools=tools, settings=Settings(**settings)), carries)
    return projected.settings, losses


def answered(*parts, **rest) -> Answer:
    return Answer(id="i", model="m", choices=(Choice(parts=parts, **rest),))


def fit_answer(answer: Answer, carries: Carries) -> tuple[Answer, dict[str, str]]:
    projected, losses = project_answer(answer, carries)
    assert project_answer(projected, carries) == (projected, ())
    return projected, {loss.name: loss.weight for loss in losses}


# Nothing is lost on a format that carries everything


FULL = said(
    Message(Role.SYSTEM, (Text("a", MARK),)),
    user(Text("b", extra=Extra("ours", {"x": 1})), PICTURE, Document(Stored("ours", "f"), "t", "c", True), Audio("d", "wav"), Video(Remote("u"))),
    assistant(Reasoning("r", "s", None, "theirs"), Text("c"), ToolCall("1", "f", {"a": 1}, MARK), Opaque("ours", "k", {})),
    Message(Role.TOOL, (ToolResult("1", (Text("d"), PICTURE), True, "f", MARK),)),
    tools=(Tool("f", "d", {}, True, MARK), OpaqueTool("ours", "search", {})),
    settings=Settings(
        max_tokens=1, temperature=1.5, top_p=0.5, top_k=3, stop=("x",), seed=1, n=2, frequency_penalty=1, presence_penalty=1,
        logit_bias={"1": 2}, logprobs=True, top_logprobs=2, user="u", tool_choice=ToolChoice("named", ("f",)), parallel_tools=False,
        format=Format("json_schema", {}, "n", True, "d"), reasoning=ReasoningSettings("high", 5000, "enabled", "summarized"),
    ),
    stream=True,
    extra=Extra("ours", {"y": 2}),
)  # fmt: skip


def test_a_format_that_carries_everything_changes_nothing():
    assert project_request(FULL, EVERYTHING) == (FULL, ())
    answer = replace(
        answered(Text("a"), stop=Stop.END, stop_native="w", stop_sequence="s"), created=5, usage=Usage(input=1)
    )
    assert project_answer(answer, EVERYTHING) == (answer, ())


# Parts


@pytest.mark.parametrize(
    ("part", "kind", "weight"),
    [
        (PICTURE, "image", "essential"),
        (Document(Remote("u")), "document", "essential"),
        (Audio("d", "wav"), "audio", "essential"),
        (Video(Remote("u")), "video", "essential"),
        (Text("a"), "text", "lossy"),
    ],
)
def test_a_kind_that_is_not_carried_is_reported_by_its_name(part, kind, weight):
    kinds = tuple(name for name in ("text", *MEDIA) if name != kind)
    other = PICTURE if kind == "text" else Text("b")
    assert fit_parts(user(part, other), without(parts={Role.USER: kinds})) == ((other,), {f"messages.{kind}": weight})


def test_a_role_without_any_kinds_holds_nothing():
    assert fit_parts(assistant(Text("a")), without(parts={})) == ((), {"messages.text": "lossy"})


BLOCK = Opaque("theirs", "block", {})
BLANK = Text(" \n")
HI, HELLO = Text("hi"), Text("hello")
LOST = {"messages.block": "lossy", "messages": "essential"}
"""What is reported where the user's question is lost whole."""


@pytest.mark.parametrize(
    ("turns", "reported"),
    [
        ((user(BLOCK),), LOST),
        ((user(BLOCK, BLANK),), LOST),
        ((Message(Role.SYSTEM, (HI,)), user(BLOCK)), LOST),
        ((user(HI), assistant(HELLO), user(BLOCK)), LOST),
        ((user(HI), assistant(HELLO), user(BLOCK), user(BLANK)), LOST),
        ((user(HI), assistant(HELLO), user(BLOCK), user(BLOCK)), LOST),
        ((user(HI), assistant(HELLO), user(BLANK), user(BLOCK)), LOST),
        ((user(BLOCK), assistant(HELLO), user(HI)), {"messages.block": "lossy"}),
        ((user(HI), user(BLOCK)), {"messages.block": "lossy"}),
        ((user(BLOCK), user(HI)), {"messages.block": "lossy"}),
        ((user(HI, BLOCK),), {"messages.block": "lossy"}),
        ((assistant(BLOCK),), {"messages.block": "lossy"}),
        ((Message(Role.TOOL, (ToolResult("c", (HI,)),)), user(BLOCK)), {"messages.block": "lossy"}),
        ((user(BLOCK), Message(Role.TOOL, (ToolResult("c", (HI,)),))), {"messages.block": "lossy"}),
    ],
)
def test_a_question_that_is_lost_whole_is_not_asked(turns, reported):
    _, losses = project_request(said(*turns), EVERYTHING)
    assert {loss.name: loss.weight for loss in losses} == reported


def test_an_empty_turn_of_the_user_at_the_end_is_said_to_be_one():
    for last in (user(), user(Text("")), user(BLANK)):
        projected, losses = fit(said(user(HI), assistant(HELLO), last), without(blank_texts=False))
        assert projected.messages == (user(HI), assistant(HELLO), user(Text("(The user says nothing.)")))
        assert losses == {"messages.text": "cosmetic"}


@pytest.mark.parametrize(
    "turns",
    [
        (user(), user(HI)),
        (user(HI), user()),
        (user(), assistant(HELLO), user(HI)),
        (user(HI), assistant(HELLO)),
        (user(HI), assistant(ToolCall("c", "f", {})), Message(Role.TOOL, (ToolResult("c", ()),)), user()),
    ],
)
def test_an_empty_turn_elsewhere_is_left_out(turns):
    projected, losses = fit(said(*turns), EVERYTHING)
    assert projected.messages == tuple(turn for turn in turns if turn.parts)
    assert not losses


def test_white_space_alone_is_left_out_where_it_is_refused():
    turns = (user(BLANK, HI), assistant(BLANK), user(HELLO), Message(Role.TOOL, (ToolResult("c", (BLANK, HI)),)))
    assert fit(said(*turns), EVERYTHING) == (said(*turns), {})
    projected, losses = fit(said(*turns), without(blank_texts=False, merges=(Role.USER,)))
    assert projected.messages == (user(HI, HELLO), Message(Role.TOOL, (ToolResult("c", (HI,)),)))
    assert losses == {"messages.text": "cosmetic"}


def test_a_turn_that_says_nothing_is_left_out_without_a_word():
    assert fit(said(user(Text("")), assistant(Refusal(""), Reasoning(""))), EVERYTHING) == (said(), {})


def test_an_opaque_part_survives_in_its_own_dialect_alone():
    theirs, ours = Opaque("theirs", "search", {}), Opaque("ours", "search", {})
    assert fit_parts(assistant(theirs, ours), EVERYTHING) == ((ours,), {"messages.search": "lossy"})


def test_a_stored_file_survives_in_its_own_dialect_alone():
    theirs, ours = Image(Stored("theirs", "f")), Image(Stored("ours", "f"))
    assert fit_parts(user(theirs, ours), EVERYTHING) == ((ours,), {"messages.image": "essential"})


@pytest.mark.parametrize(
    "source",
    [Inline("image/png", ""), Remote("u"), Stored("ours", "f"), Plain("p")],
    ids=lambda source: type(source).__name__,
)
def test_media_from_a_place_that_the_format_cannot_name_is_lost(source):
    sources = {"image": tuple({"inline", "remote", "stored", "plain"} - {type(source).__name__.lower()})}
    assert fit_parts(user(Image(source)), without(sources=sources)) == ((), {"messages.image": "essential"})


def test_bytes_of_a_type_that_the_format_does_not_take_are_lost():
    carries = without(media_types={"image": ("image/png",)})
    assert fit_parts(user(PICTURE, Image(Inline("image/tiff", ""))), carries) == (
        (PICTURE,),
        {"messages.image": "essential"},
    )


def test_a_refusal_becomes_words_where_the_format_has_none():
    carries = without(parts={Role.ASSISTANT: ("text",)})
    assert fit_parts(assistant(Refusal("no")), carries) == ((Text("no"),), {})


def test_a_plain_document_becomes_words_where_the_format_has_none():
    document = Document(Plain("words"), "title", None, False, MARK)
    for carries in (without(sources={}), without(parts={Role.USER: ("text",)})):
        assert fit_parts(user(document), carries) == ((Text("words", MARK),), {"messages.document.title": "cosmetic"})


def test_a_text_file_becomes_a_plain_document_where_its_bytes_are_not_taken():
    carries = without(media_types={"document": ("application/pdf",)})
    document = Document(Inline("text/plain", "d29yZHM="), "t")
    assert fit_parts(user(document), carries) == ((Document(Plain("words"), "t"),), {})
    assert fit_parts(user(document), EVERYTHING) == ((document,), {})


@pytest.mark.parametrize("data", ["%%%", "/w=="])
def test_a_text_file_that_is_no_text_is_lost(data):
    carries = without(media_types={"document": ("application/pdf",)})
    assert fit_parts(user(Document(Inline("text/plain", data))), carries) == ((), {"messages.document": "essential"})


@pytest.mark.parametrize("node", [Text("a", MARK), replace(PICTURE, cache=MARK), Document(Plain("p"), cache=MARK)])
def test_a_cache_mark_is_lost_where_its_bearer_may_have_none(node):
    kept, losses = fit_parts(user(node), without(cache=()))
    assert kept == (replace(node, cache=None),)
    assert losses == {"messages.cache_control": "cosmetic"}


def test_fields_of_another_dialect_are_reported_one_by_one():
    part = Text("a", extra=Extra("theirs", {"citations": [1], "novel": 1, "off": False}))
    losses = {"messages.citations": "cosmetic", "messages.novel": "lossy", "messages.off": "cosmetic"}
    assert fit_parts(user(part), EVERYTHING) == ((Text("a"),), losses)
    assert fit_parts(user(Audio("d", "wav", part.extra)), EVERYTHING) == ((Audio("d", "wav"),), losses)


def test_no_fields_at_all_are_no_loss():
    assert fit_parts(user(Text("a", extra=Extra("theirs", {}))), EVERYTHING) == ((Text("a"),), {})


def test_sound_that_was_asked_for_is_essential():
    conversation = said(extra=Extra("theirs", {"modalities": ["audio"]}))
    assert fit(conversation, EVERYTHING) == (said(), {"modalities": "essential"})


@pytest.mark.parametrize(
    ("fields", "weight"),
    [
        ({"web_search_options": {}}, "lossy"),
        ({"truncation": "disabled"}, "cosmetic"),
        ({"truncation": "auto"}, "lossy"),
        ({"text": {"verbosity": "medium"}}, "cosmetic"),
        ({"text": {"verbosity": "low"}}, "lossy"),
        ({"verbosity": "medium"}, "cosmetic"),
        ({"labels": {"team": "a"}}, "cosmetic"),
    ],
)
def test_a_field_weighs_what_it_asks_for(fields, weight):
    assert fit(said(extra=Extra("theirs", fields)), EVERYTHING) == (said(), {next(iter(fields)): weight})


def test_a_message_keeps_its_own_fields_even_without_parts():
    message = Message(Role.ASSISTANT, (), Extra("ours", {"audio": {"id": "x"}}))
    assert fit(said(message), EVERYTHING) == (said(message), {})


def test_texts_are_bare_where_the_format_has_them_so():
    carries = without(bare_texts=True)
    part = Text("a", extra=Extra("ours", {"annotations": [1]}))
    assert fit_parts(assistant(part), carries) == ((Text("a"),), {"messages.annotations": "cosmetic"})


@pytest.mark.parametrize(
    ("node", "silent", "name", "weight"),
    [
        (replace(PICTURE, detail="high"), replace(PICTURE, detail="auto"), "messages.image.detail", "lossy"),
        (
            Document(Remote("u"), citations=True),
            Document(Remote("u"), citations=False),
            "messages.document.citations",
            "lossy",
        ),
    ],
)
def test_an_optional_field_that_is_not_carried_is_reported_unless_it_says_nothing(node, silent, name, weight):
    carries = without(fields={})
    bare = fit_parts(user(silent), carries)
    assert bare[1] == {}
    assert fit_parts(user(node), carries) == (bare[0], {name: weight})


# Reasoning


OURS, THEIRS, NOBODYS = Reasoning("a", "s", None, "ours"), Reasoning("b", "s", None, "theirs"), Reasoning("c")


def test_thinking_sealed_by_another_dialect_is_dropped_whole():
    carries = without(foreign_reasoning="drop")
    assert fit_parts(assistant(OURS, THEIRS), carries) == ((OURS,), {"messages.reasoning": "lossy"})


def test_thinking_sealed_by_another_dialect_may_keep_its_words():
    carries = without(foreign_reasoning="unseal")
    losses = {"messages.reasoning.signature": "cosmetic"}
    assert fit_parts(assistant(THEIRS), carries) == ((Reasoning("b"),), losses)
    assert fit_parts(assistant(Reasoning("", None, "data", "theirs")), carries) == ((), losses)


def test_unsealed_thinking_is_lost_where_the_format_wants_a_seal():
    carries = without(unsigned_reasoning=False)
    assert fit_parts(assistant(OURS, NOBODYS), carries) == ((OURS,), {"messages.reasoning": "lossy"})


def test_fields_of_thinking_from_another_dialect_are_lost():
    part = replace(OURS, extra=Extra("theirs", {"id": "x"}))
    assert fit_parts(assistant(part), EVERYTHING) == ((OURS,), {"messages.reasoning.id": "cosmetic"})


# Turns


def test_roles_are_renamed():
    carries = without(renames={"developer": "system"})
    projected, losses = fit(said(Message(Role.DEVELOPER, (Text("a"),))), carries)
    assert projected.messages[0].role is Role.SYSTEM
    assert not losses


def test_a_system_turn_behind_others_may_have_to_be_spoken_by_somebody_else():
    system = Message(Role.SYSTEM, (Text("a"),))
    late = (system, Message(Role.DEVELOPER, (Text("d"),)), user(Text("b")), system)
    projected, _ = fit(said(*late), without(late_system="user"))
    assert [message.role for message in projected.messages] == ["system", "developer", "user", "user"]


def test_neighbours_of_one_role_become_one_turn():
    carries = without(merges=(Role.USER,))
    turns = (user(Text("a")), user(Text("b")), assistant(Text("c")), assistant(Text("d")))
    projected, losses = fit(said(*turns), carries)
    assert projected.messages == (user(Text("a"), Text("b")), *turns[2:])
    assert not losses


def test_neighbours_with_fields_of_their_own_stay_apart():
    marked = Message(Role.USER, (Text("a"),), Extra("ours", {"name": "x"}))
    conversation = said(marked, user(Text("b")))
    assert fit(conversation, without(merges=(Role.USER,))) == (conversation, {})


def test_tool_results_are_gathered_when_what_stood_between_them_is_gone():
    result = Message(Role.TOOL, (ToolResult("1", (Text("a"),)),))
    projected, _ = fit(said(result, user(Text("")), result), EVERYTHING)
    assert projected.messages == (Message(Role.TOOL, result.parts * 2),)


def test_an_assistants_parts_are_grouped():
    carries = without(order=(("reasoning",), ("text",), ("special", "tool_call")))
    call, special, other = ToolCall("1", "f", {}), Opaque("ours", "special", {}), Opaque("ours", "other", {})
    parts, _ = fit_parts(assistant(special, call, Text("a"), other, NOBODYS), carries)
    assert parts == (NOBODYS, Text("a"), other, special, call)


def test_neighbouring_words_are_joined():
    carries = without(joins=("reasoning", "refusal", "text"))
    words = (NOBODYS, NOBODYS, Text("a"), Text("b"), Refusal("x"), Refusal("y"))
    assert fit_parts(assistant(*words), carries) == ((Reasoning("cc"), Text("ab"), Refusal("xy")), {})


def test_words_with_more_to_them_are_not_joined():
    carries = without(joins=("reasoning", "text"))
    apart = (
        NOBODYS,
        OURS,
        Text("a"),
        Text("b", MARK),
        Refusal("x"),
        Refusal("y"),
        ToolCall("1", "f", {}),
        ToolCall("2", "f", {}),
    )
    assert fit_parts(assistant(*apart), carries) == (apart, {})


# Tool calls and results


def test_arguments_that_are_no_object_are_wrapped_where_they_must_be_one():
    carries = without(object_arguments=True)
    calls = (ToolCall("1", "f", "{broken"), ToolCall("2", "f", {"a": 1}))
    assert fit_parts(assistant(*calls), carries) == (
        (replace(calls[0], arguments={"INVALID_JSON": "{broken"}), calls[1]),
        {},
    )


def test_ids_are_replaced_alike_in_call_and_result():
    carries = without(tool_ids=r"[a-z0-9]{1,9}", tool_id_length=9)
    conversation = said(
        assistant(ToolCall("functions.f:0", "f", {}), ToolCall("abc", "f", {}), Text("a")),
        Message(Role.TOOL, (ToolResult("functions.f:0", ()), ToolResult("abc", ()))),
    )
    projected, losses = fit(conversation, carries)
    (first, second, _), results = projected.messages[0].parts, projected.messages[1].parts
    assert first.id == results[0].call_id != "functions.f:0"
    assert second.id == results[1].call_id == "abc"
    assert len(first.id) == 9
    assert not losses


RESULT = ToolResult(
    "1",
    (Text("a"), PICTURE, Document(Plain("p")), Opaque("theirs", "x", {})),
    True,
    "f",
    MARK,
    Extra("theirs", {"y": 1}),
)


def test_media_in_a_result_may_follow_in_a_user_turn():
    carries = without(result_parts=("text",), moves_result_media=True, sources={"image": ("inline",)})
    projected, losses = fit(said(Message(Role.TOOL, (replace(RESULT, extra=None),))), carries)
    assert projected.messages == (
        Message(Role.TOOL, (ToolResult("1", (Text("a"), Text("p")), True, "f", MARK),)),
        user(PICTURE),
    )
    assert losses == {"messages.x": "lossy"}


def test_a_text_file_in_a_result_stays_there_as_words():
    carries = without(result_parts=("text",), moves_result_media=True, sources={})
    result = ToolResult("1", (Document(Inline("text/plain", "d29yZHM=")),))
    projected, _ = fit(said(Message(Role.TOOL, (result,))), carries)
    assert projected.messages == (Message(Role.TOOL, (ToolResult("1", (Text("words"),)),)),)


def test_media_in_a_result_is_lost_where_neither_can_be():
    projected, losses = fit(
        said(Message(Role.TOOL, (RESULT,))), without(result_parts=("text",), fields={}, cache=(), sources={})
    )
    assert projected.messages == (Message(Role.TOOL, (ToolResult("1", (Text("a"), Text("p"))),)),)
    assert losses == {
        "messages.image": "essential",
        "messages.x": "lossy",
        "messages.cache_control": "cosmetic",
        "messages.y": "lossy",
        "messages.tool_result.is_error": "lossy",
        "messages.tool_result.name": "cosmetic",
    }


def test_a_result_is_lost_in_a_format_without_tools():
    carries = without(parts={Role.TOOL: ()})
    assert fit_parts(Message(Role.TOOL, (RESULT,)), carries) == ((), {"messages.tool_result": "essential"})


# Tools


def test_a_tool_loses_what_the_format_has_no_place_for():
    tool = Tool("f", "d", None, True, MARK, Extra("theirs", {"z": 1}))
    projected, losses = fit(said(tools=(tool,)), without(fields={}, cache=(), needs_parameters=True))
    assert projected.tools == (Tool("f", "d", {"type": "object", "properties": {}}),)
    assert losses == {"tools.strict": "lossy", "tools.cache_control": "cosmetic", "tools.z": "lossy"}


@pytest.mark.parametrize(("dialect", "server_tools"), [("theirs", True), ("ours", False)])
def test_a_tool_that_the_provider_runs_is_lost_elsewhere(dialect, server_tools):
    tool = OpaqueTool(dialect, "search", {})
    assert fit(said(tools=(tool,)), without(server_tools=server_tools)) == (said(), {"tools.search": "lossy"})


@pytest.mark.parametrize("mode", ["auto", "none", "required", "named"])
def test_a_tool_choice_means_nothing_without_tools(mode):
    kept, losses = fit_settings(EVERYTHING, tool_choice=ToolChoice(mode, ("f",)), parallel_tools=True)
    assert kept == Settings()
    assert losses == ({"tool_choice": "lossy"} if mode in {"required", "named"} else {})


def test_what_is_so_anyway_is_no_loss_where_the_format_cannot_say_it():
    carries = without(settings=())
    assert fit_settings(carries, tool_choice=ToolChoice("none"), parallel_tools=False) == (Settings(), {})
    assert fit_settings(carries, F, tool_choice=ToolChoice("auto"), parallel_tools=True)[1] == {}
    lost = {"tool_choice": "lossy", "parallel_tools": "lossy"}
    assert fit_settings(carries, F, tool_choice=ToolChoice("auto", ("f",)), parallel_tools=False)[1] == lost


@pytest.mark.parametrize(
    ("choice", "carried", "became", "lost"),
    [
        (ToolChoice("named", ("f",)), ("auto", "required"), ToolChoice("required"), True),
        (ToolChoice("named", ("f",)), ("auto",), ToolChoice("auto"), True),
        (ToolChoice("named", ("f",)), (), None, True),
        (ToolChoice("named", ("g",)), ("named", "required"), ToolChoice("required"), True),
        (ToolChoice("required"), ("auto",), ToolChoice("auto"), True),
        (ToolChoice("none"), ("auto",), None, True),
        (ToolChoice("auto"), (), None, False),
        (ToolChoice("auto", ("g",)), ("auto",), ToolChoice("auto"), True),
    ],
)
def test_a_tool_choice_falls_back_to_the_next_weaker_one(choice, carried, became, lost):
    kept, losses = fit_settings(without(tool_choices=carried), F, tool_choice=choice)
    assert kept.tool_choice == became
    assert losses == ({"tool_choice": "lossy"} if lost else {})


def test_a_choice_of_several_tools_needs_a_format_that_has_it():
    several = ToolChoice("named", ("f", "g"))
    assert fit_settings(EVERYTHING, F, Tool("g"), tool_choice=several)[0].tool_choice == several
    kept, losses = fit_settings(without(choice_names_max=1), F, Tool("g"), tool_choice=several)
    assert (kept.tool_choice, losses) == (ToolChoice("required"), {"tool_choice": "lossy"})
    kept, losses = fit_settings(without(tool_subsets=False), F, tool_choice=ToolChoice("required", ("f",)))
    assert (kept.tool_choice, losses) == (ToolChoice("required"), {"tool_choice": "lossy"})


def test_a_choice_may_name_a_tool_that_the_provider_runs():
    named = ToolChoice("named", ("search",))
    assert fit_settings(EVERYTHING, F, OpaqueTool("ours", "search", {}), tool_choice=named)[0].tool_choice == named


def test_the_parallel_switch_may_need_a_choice_to_stand_in():
    carries = without(parallel_needs_choice=True)
    assert fit_settings(carries, F, parallel_tools=False)[0].tool_choice == ToolChoice("auto")
    kept, _ = fit_settings(carries, F, parallel_tools=False, tool_choice=ToolChoice("none"))
    assert kept == Settings(tool_choice=ToolChoice("none"))
    kept, _ = fit_settings(carries, F, parallel_tools=False, tool_choice=ToolChoice("required"))
    assert kept == Settings(tool_choice=ToolChoice("required"), parallel_tools=False)


# Settings


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_not_carried_is_reported(name):
    held = getattr(FULL.settings, name)
    kept, losses = fit_settings(without(settings=()), F, **{name: held})
    assert kept == Settings()
    assert losses == {name: SETTINGS[name][0]}


@pytest.mark.parametrize("name", [name for name, (_, silent) in SETTINGS.items() if silent is not None])
def test_a_setting_that_says_what_is_so_without_it_is_left_out_in_silence(name):
    assert fit_settings(without(settings=()), F, **{name: SETTINGS[name][1]}) == (Settings(), {})


def test_the_tables_name_every_setting_and_only_fields_that_exist():
    assert set(SETTINGS) == set(Settings.__dataclass_fields__)
    nodes = {"image": Image, "document": Document, "tool_result": ToolResult, "tool": Tool, "format": Format}
    for node, names in FIELDS.items():
        assert set(names) <= set(nodes[node].__dataclass_fields__)


def test_values_out_of_bounds_are_cut_and_reported():
    carries = without(maxima={"temperature": 1}, lengths={"stop": 2})
    assert fit_settings(carries, temperature=1.0, stop=("a", "b"))[1] == {}
    kept, losses = fit_settings(carries, temperature=1.5, stop=("a", "b", "c"))
    assert kept == Settings(temperature=1, stop=("a", "b"))
    assert losses == {"temperature": "lossy", "stop": "lossy"}


def test_what_a_format_requires_has_a_default():
    carries = without(defaults={"max_tokens": 4096})
    assert fit_settings(carries) == (Settings(max_tokens=4096), {})
    assert fit_settings(carries, max_tokens=5) == (Settings(max_tokens=5), {})


SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("form", "carries", "became", "losses"),
    [
        (Format("text"), without(formats=()), None, {}),
        (Format("json_object"), without(formats=("text",)), None, {"response_format": "lossy"}),
        (Format("json_object", name="n"), EVERYTHING, Format("json_object"), {}),
        (Format("json_schema"), EVERYTHING, Format("json_object"), {}),
        (Format("json_schema", SCHEMA), without(format_name="answer"), Format("json_schema", SCHEMA, "answer"), {}),
        (Format("json_schema", SCHEMA, "n"), without(format_name="answer"), Format("json_schema", SCHEMA, "n"), {}),
        (
            Format("json_schema", SCHEMA, "n", True, "d"),
            without(fields={}),
            Format("json_schema", SCHEMA),
            {
                "response_format.name": "cosmetic",
                "response_format.strict": "cosmetic",
                "response_format.description": "lossy",
            },
        ),
    ],
)
def test_the_shape_of_the_answer_is_told_as_far_as_it_can_be(form, carries, became, losses):
    kept, lost = fit_settings(carries, format=form)
    assert (kept.format, lost) == (became, losses)


EFFORTS = ("none", "low", "medium", "high")


@pytest.mark.parametrize(
    ("asked", "carried", "became", "losses"),
    [
        (ReasoningSettings(budget_tokens=9000), ("effort",), ReasoningSettings("medium"), ["reasoning.budget_tokens"]),
        (ReasoningSettings(budget_tokens=10), ("effort",), ReasoningSettings("low"), ["reasoning.budget_tokens", "reasoning.effort"]),
        (ReasoningSettings("high", 10), ("effort",), ReasoningSettings("high"), ["reasoning.budget_tokens"]),
        (ReasoningSettings(mode="disabled"), ("effort",), ReasoningSettings("none"), []),
        (ReasoningSettings(mode="enabled"), ("effort",), ReasoningSettings("medium"), []),
        (ReasoningSettings("low", mode="enabled"), ("effort",), ReasoningSettings("low"), []),
        (ReasoningSettings(mode="adaptive"), ("effort",), None, []),
        (ReasoningSettings("max"), ("effort",), ReasoningSettings("high"), ["reasoning.effort"]),
        (ReasoningSettings("minimal"), ("effort",), ReasoningSettings("low"), ["reasoning.effort"]),
        (ReasoningSettings("unheard"), ("effort",), ReasoningSettings("medium"), ["reasoning.effort"]),
        (ReasoningSettings("high"), ("budget_tokens",), ReasoningSettings(None, 16384), ["reasoning.effort"]),
        (ReasoningSettings("high"), ("budget_tokens", "mode"), ReasoningSettings(None, 16384, "enabled"), ["reasoning.effort"]),
        (ReasoningSettings("high", 5, "adaptive"), ("budget_tokens", "mode"), ReasoningSettings(None, 5, "adaptive"), ["reasoning.effort"]),
        (ReasoningSettings("none"), ("mode",), ReasoningSettings(mode="disabled"), ["reasoning.effort"]),
        (ReasoningSettings("none"), ("budget_tokens",), None, ["reasoning.effort"]),
        (ReasoningSettings("high"), ("mode",), None, ["reasoning.effort"]),
        (ReasoningSettings("high", display="omitted"), ("effort",), ReasoningSettings("high"), ["reasoning.display"]),
    ],
)  # fmt: skip
def test_how_much_to_think_is_told_in_the_terms_of_the_format(asked, carried, became, losses):
    kept, lost = fit_settings(without(reasoning=carried, efforts=EFFORTS), reasoning=asked)
    assert (kept.reasoning, list(lost)) == (became, losses)


@pytest.mark.parametrize(("name", "tokens"), EFFORT_BUDGETS)
def test_effort_and_budget_become_each_other(name, tokens):
    assert budget_of(name) == tokens
    assert effort_of(tokens) == name


def test_an_effort_nobody_knows_counts_as_medium():
    assert budget_of("unheard") == budget_of("medium")
    assert effort_of(0) == "minimal"


def test_a_stream_is_always_asked_for_its_usage_where_it_must_be():
    assert fit(said(stream=True), without(usage_switch=True))[0].include_usage is True
    assert fit(said(stream=False, include_usage=True), without(usage_switch=True))[0].include_usage is None
    assert fit(said(stream=True, include_usage=True), EVERYTHING)[0].include_usage is None


# What a provider refuses of its dialect


def test_a_narrowed_format_reports_what_the_provider_refuses():
    carries = narrowed(
        replace(EVERYTHING, wire_names={"response_format": "format"}),
        drop=("response_format", "seed", "unheard"),
        cache_marks=False,
        renames={"developer": "system"},
    )
    conversation = said(
        Message(Role.DEVELOPER, (Text("a", MARK),)), settings=Settings(seed=1, format=Format("json_object"), top_p=0.5)
    )
    projected, losses = fit(conversation, carries)
    assert projected == said(Message(Role.SYSTEM, (Text("a"),)), settings=Settings(top_p=0.5))
    assert losses == {"messages.cache_control": "cosmetic", "seed": "lossy", "format": "lossy"}


def test_a_provider_may_know_no_system_turn_among_the_others():
    turns = (Message(Role.SYSTEM, (Text("s"),)), Message(Role.USER, (Text("a"),)), Message(Role.SYSTEM, (Text("b"),)))
    projected, losses = fit(said(*turns), narrowed(EVERYTHING, late_system="user"))
    assert (projected.messages, losses) == ((*turns[:2], Message(Role.USER, (Text("b"),))), {})


def test_a_provider_may_take_thoughts_back_beyond_the_book():
    book = without(parts={Role.ASSISTANT: ("text",)}, unsigned_reasoning=False)
    assert fit_parts(assistant(NOBODYS), narrowed(book, reasoning=True)) == ((NOBODYS,), {})
    assert fit_parts(assistant(NOBODYS), narrowed(book)) == ((), {"messages.reasoning": "lossy"})
    assert narrowed(EVERYTHING, reasoning=True).parts == EVERYTHING.parts


# Rules


def test_rules_run_last_and_report():
    def shout(conversation):
        return replace(conversation, model=conversation.model.upper()), (
            () if conversation.model.isupper() else (Loss("model", "cosmetic"),)
        )

    def sign(answer):
        return replace(answer, model="ours"), (() if answer.model == "ours" else (Loss("model", "cosmetic"),))

    assert fit(said(), without(request_rules=(shout,))) == (replace(said(), model="M"), {"model": "cosmetic"})
    assert fit_answer(answered(), without(answer_rules=(sign,)))[1] == {"model": "cosmetic"}


# Answers


def test_an_answer_has_as_many_alternatives_as_the_format():
    two = replace(answered(), choices=(Choice(parts=(Text("a"),)), Choice(parts=(Text("b"),))))
    kept, losses = fit_answer(two, without(choices_max=1))
    assert kept.choices == two.choices[:1]
    assert losses == {"choices": "lossy"}


def test_what_an_answer_cannot_say_is_reported():
    answer = replace(
        answered(
            Text("a"),
            PICTURE,
            stop=Stop.END,
            stop_native="w",
            stop_sequence="s",
            extra=Extra("theirs", {"logprobs": 1}),
        ),
        created=5,
        usage=Usage(input=1, estimated=True),
        extra=Extra("theirs", {"system_fingerprint": "x"}),
    )
    kept, losses = fit_answer(answer, without(stop_native=False, stop_sequence=False, created=False))
    assert kept == replace(answered(Text("a"), stop=Stop.END), usage=Usage(input=1))
    assert losses == {
        "created": "cosmetic",
        "content.image": "essential",
        "stop_native": "cosmetic",
        "stop_sequence": "cosmetic",
        "choices.logprobs": "lossy",
        "usage.estimated": "cosmetic",
        "system_fingerprint": "cosmetic",
    }


def test_a_reason_for_stopping_is_folded_into_its_neighbour_and_keeps_its_name():
    carries = without(stops={Stop.PAUSE: Stop.END})
    assert fit_answer(answered(stop=Stop.PAUSE), carries) == (answered(stop=Stop.END, stop_native="pause"), {})
    said_more = answered(Refusal("no"), stop=Stop.PAUSE, stop_native="w")
    assert fit_answer(said_more, carries)[0] == answered(Refusal("no"), stop=Stop.REFUSAL, stop_native="w")


@pytest.mark.parametrize(
    ("stop", "parts", "settled"),
    [
        (Stop.END, (ToolCall("1", "f", {}),), Stop.TOOL_CALLS),
        (Stop.END, (Refusal("no"),), Stop.REFUSAL),
        (Stop.END, (Text("a"),), Stop.END),
        (Stop.LENGTH, (ToolCall("1", "f", {}),), Stop.LENGTH),
        (None, (ToolCall("1", "f", {}),), None),
    ],
)
def test_what_was_said_tells_why_it_stopped(stop, parts, settled):
    assert settled_stop(stop, parts) is settled


def test_tokens_are_counted_with_the_neighbour_where_a_class_is_missing():
    usage = Usage(input=1, cache_write_5m=2, cache_write_1h=3)
    carries = without(usage_folds={"cache_write_1h": "cache_write_5m", "reasoning": "output"})
    kept, losses = fit_answer(replace(answered(), usage=usage), carries)
    assert kept.usage == Usage(input=1, cache_write_5m=5)
    assert kept.usage.total == usage.total
    assert not losses


def test_usage_is_zero_where_it_must_be_told_and_nothing_is_known():
    assert fit_answer(answered(), without(usage_required=True))[0].usage == Usage()
    assert fit_answer(answered(), EVERYTHING)[0].usage is None


def test_each_loss_is_reported_once():
    conversation = said(user(PICTURE, PICTURE), user(PICTURE))
    _, losses = project_request(conversation, without(sources={}))
    assert losses == (Loss("messages.image", "essential"),)
