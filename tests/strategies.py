"""What may be said at all, drawn at random: conversations, answers and streams in the intermediate form.

Parts, turns and settings are drawn freely, also those that no single wire format would produce: projection must make each of
them sayable. Only what the form itself forbids is left out (empty turns, tool arguments that are JSON text undecoded).
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import read_arguments, write_arguments
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
from understudy.core.usage import Usage

letters = st.characters(exclude_categories=["Cs"])
texts = st.text(letters, max_size=8)
words = st.text(letters, min_size=1, max_size=8)
leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(words, values, max_size=3)
arguments = (objects | values | texts).map(lambda value: read_arguments(write_arguments(value)))
schemas = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(words, st.sampled_from([{}, {"minimum": 1}, {"type": "object"}]), max_size=2),
    }
)
dialects = st.sampled_from(
    [
        "openai_chat",
        "openai_responses",
        "anthropic_messages",
        "gemini",
        "ollama_chat",
        "cohere_chat",
        "bedrock_converse",
        "somebody_elses",
    ]
)
marks = st.none() | st.just({"type": "ephemeral"}) | st.just({"type": "ephemeral", "ttl": "1h"})
extras = st.none() | st.builds(
    Extra, dialects, st.dictionaries(st.sampled_from(["x_one", "x_two"]), st.integers() | words, min_size=1)
)
ids = words | st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)

inline = st.builds(
    Inline,
    st.sampled_from(["image/png", "image/tiff", "application/pdf", "text/plain", "video/mp4"]),
    st.sampled_from(["QUJD", "%", "", "/w=="]),
)
sources = inline | st.builds(Remote, words.map("https://host/{}".format)) | st.builds(Stored, dialects, words)
text_parts = st.builds(Text, texts, marks, extras)
images = st.builds(Image, sources, st.sampled_from([None, "auto", "high"]), marks, extras)
documents = st.builds(
    Document,
    sources | st.builds(Plain, texts),
    st.none() | words,
    st.none() | words,
    st.sampled_from([None, True, False]),
    marks,
    extras,
)
audio = st.builds(Audio, texts, st.sampled_from(["wav", "mp3"]), extras)
video = st.builds(Video, sources, extras)
sealed = st.builds(Reasoning, texts, words, st.none() | words, dialects) | st.builds(
    Reasoning, texts, st.none(), words, dialects
)
reasoning = sealed | st.builds(Reasoning, texts)
calls = st.builds(ToolCall, ids, words, arguments, marks, extras)
refusals = st.builds(Refusal, words)
opaque = st.builds(
    lambda dialect, kind, fields: Opaque(dialect, kind, {**fields, "type": kind}),
    dialects,
    words.map("x_{}".format),
    objects,
)
results = st.builds(
    ToolResult,
    ids,
    st.lists(text_parts | images | documents | audio | opaque, max_size=3).map(tuple),
    st.sampled_from([None, True, False]),
    st.none() | words,
    marks,
    extras,
)


def turn(roles: list[Role], parts: st.SearchStrategy) -> st.SearchStrategy[Message]:
    """A message of one of the roles."""
    return st.builds(Message, st.sampled_from(roles), st.lists(parts, min_size=1, max_size=4).map(tuple), st.none())


turns = (
    turn([Role.USER], text_parts | images | documents | audio | video | opaque)
    | turn([Role.ASSISTANT], text_parts | reasoning | calls | opaque | refusals)
    | turn([Role.TOOL], results)
    | turn([Role.SYSTEM, Role.DEVELOPER], text_parts)
)
functions = st.builds(
    Tool, words, st.none() | texts, st.none() | schemas, st.sampled_from([None, True, False]), marks, extras
)
server_tools = st.builds(
    lambda dialect, kind: OpaqueTool(dialect, kind, {"type": kind, "name": "x"}), dialects, words.map("x_{}".format)
)
choices = st.builds(
    ToolChoice,
    st.sampled_from(["auto", "none", "required", "named"]),
    st.lists(words, min_size=1, max_size=2).map(tuple),
).map(lambda choice: choice if choice.mode != "none" else ToolChoice("none"))
formats = st.sampled_from([Format("text"), Format("json_object"), Format("json_schema")]) | st.builds(
    Format, st.just("json_schema"), schemas, st.none() | words, st.sampled_from([None, True, False]), st.none() | words
)
efforts = st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max", "default"])
thinking = st.builds(
    ReasoningSettings,
    efforts,
    st.none() | st.integers(0, 70_000),
    st.sampled_from([None, "enabled", "disabled", "adaptive"]),
    st.sampled_from([None, "summarized", "omitted"]),
)
settings = st.builds(
    Settings,
    max_tokens=st.none() | st.integers(1, 100_000),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 40),
    stop=st.lists(words, max_size=6).map(tuple),
    seed=st.none() | st.integers(-(2**53), 2**53),
    n=st.none() | st.integers(1, 3),
    frequency_penalty=st.none() | st.sampled_from([0, 0.5]),
    presence_penalty=st.none() | st.sampled_from([0, 0.5]),
    logit_bias=st.none() | st.sampled_from([{}, {"50256": -100}]),
    logprobs=st.sampled_from([None, True, False]),
    top_logprobs=st.none() | st.integers(0, 5),
    user=st.none() | words,
    tool_choice=st.none() | choices,
    parallel_tools=st.sampled_from([None, True, False]),
    format=st.none() | formats,
    reasoning=st.none() | thinking,
)
conversations = st.builds(
    Conversation,
    model=words,
    messages=st.lists(turns, max_size=6).map(tuple),
    tools=st.lists(functions | server_tools, max_size=3).map(tuple),
    settings=settings,
    stream=st.booleans(),
    include_usage=st.sampled_from([None, True, False]),
    extra=extras,
)

counts = st.integers(0, 10**9)
usages = st.builds(
    Usage,
    input=counts,
    cache_read=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    output=counts,
    reasoning=counts,
    audio_in=counts,
    audio_out=counts,
    estimated=st.booleans(),
)
alternatives = st.builds(
    Choice,
    parts=st.lists(text_parts | reasoning | calls | opaque | refusals, max_size=5).map(tuple),
    stop=st.sampled_from([None, *Stop]),
    stop_native=st.none() | words,
    stop_sequence=st.none() | words,
    extra=extras,
)
answers = st.builds(
    Answer,
    id=words,
    model=words,
    choices=st.lists(alternatives, min_size=1, max_size=2).map(tuple),
    usage=st.none() | usages,
    created=st.none() | st.integers(1, 2**32),
    extra=extras,
)


def told(answer: Answer, *, interleaved: bool) -> list[StreamEvent]:
    """An answer as a stream: part after part, or with all parts of a choice open at once and told in pieces."""
    events: list[StreamEvent] = [Begin(id=answer.id, model=answer.model, created=answer.created, extra=answer.extra)]
    for number, choice in enumerate(answer.choices):
        begins, deltas, ends = [], [], []
        for index, part in enumerate(choice.parts):
            begin, pieces = _opened(part)
            begins.append(PartBegin(number, index, begin))
            deltas.append([PartDelta(number, index, field, piece) for field, piece in pieces])
            ends.append(PartEnd(number, index))
        if interleaved:
            events += begins
            events += [row[at] for at in range(max(map(len, deltas), default=0)) for row in deltas if at < len(row)]
            events += reversed(ends)
        else:
            for begin, pieces, end in zip(begins, deltas, ends, strict=True):
                events += [begin, *pieces, end]
        events.append(
            Finish(
                choice=number,
                stop=choice.stop or Stop.END,
                stop_native=choice.stop_native,
                stop_sequence=choice.stop_sequence,
                extra=choice.extra,
            )
        )
    if answer.usage is not None:
        events += [UsageSeen(Usage(input=1)), UsageSeen(answer.usage)]
    return [*events, End()]


def _opened(part):
    """A part as it opens, and what is told of it after that."""
    if isinstance(part, ToolCall):
        written = write_arguments(part.arguments)
        return replace(part, arguments=""), [(Field.ARGUMENTS, written[:3]), (Field.ARGUMENTS, written[3:])]
    if isinstance(part, (Text, Refusal)):
        return replace(part, text=""), [(Field.TEXT, part.text[:2]), (Field.TEXT, part.text[2:])]
    if isinstance(part, Reasoning):
        pieces = [(Field.TEXT, part.text), (Field.SIGNATURE, part.signature or ""), (Field.DATA, part.data or "")]
        return Reasoning("", signed_by=part.signed_by, extra=part.extra), [piece for piece in pieces if piece[1]]
    return part, []
