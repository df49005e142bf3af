"""Providers that answer from memory: what they say, whole and as a stream, and when."""

from __future__ import annotations

from math import inf

import pytest

from understudy.core.answer import Answer, Begin, Choice, End, Failed, PartDelta, Stop
from understudy.core.assembly import assemble
from understudy.core.conversation import Text
from understudy.core.dice import Dice
from understudy.core.failure import Failure, FailureKind
from understudy.core.request import Call, Needs
from understudy.core.usage import Usage
from understudy.faults import FAULTS
from understudy.providers import PROVIDERS, Reply, words_of
from understudy.registry import BadSettings

FAILURE = Failure(FailureKind.SERVER_ERROR, "failed")


def answer(*texts: str) -> Answer:
    choices = tuple(Choice(parts=(Text(text),), stop=Stop.END) for text in texts)
    return Answer(id="a", model="m", choices=choices, usage=Usage(input=1, output=2))


def call(*, stream: bool = False, tokens_in: int = 7) -> Call:
    return Call(dialect="openai_chat", needs=Needs(model="m", stream=stream, tokens_in=tokens_in), body=b"{}")


def play(name: str, given: Call, now_s: float = 0.0, seed: int = 1, **settings) -> Reply:
    return PROVIDERS.build(name, settings).reply(given, Dice(seed), now_s)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["", " ", "one", "two words", "  odd\n\nspaces ", "ü é", "a  b"])
def test_the_words_of_a_text_are_the_text(text):
    assert "".join(words_of(Choice(parts=(Text(text),)))) == text


@pytest.mark.parametrize("texts", [("one two three",), ("a", "b c"), ("",)])
def test_a_stream_says_what_the_whole_says(texts):
    reply = Reply(headers_s=1, content_s=2, gap_s=0.5, answer=answer(*texts))
    told = list(reply.events())
    assert assemble(event for _, event in told) == answer(*texts)
    assert isinstance(told[0][1], Begin)
    assert isinstance(told[-1][1], End)
    times = [at_s for at_s, _ in told]
    assert times == sorted(times)
    assert times[0] == 1
    assert reply.whole() == (times[-1], answer(*texts))


def test_pieces_come_one_after_another():
    reply = Reply(headers_s=1, content_s=2, gap_s=0.5, answer=answer("one two three"))
    assert [at_s for at_s, event in reply.events() if isinstance(event, PartDelta)] == [2, 2.5, 3]


@pytest.mark.parametrize("pieces", [0, 1, 2, 3])
def test_a_stream_that_fails_tells_so_much_and_then_the_failure(pieces):
    reply = Reply(
        headers_s=1, content_s=2, gap_s=0.5, answer=answer("one two three"), failure=FAILURE, pieces=pieces, ended_s=9
    )
    told = list(reply.events())
    assert told[-1] == (9, Failed(FAILURE))
    assert sum(isinstance(event, PartDelta) for _, event in told) == pieces
    assert not any(isinstance(event, End) for _, event in told)
    assert reply.whole() == (9, FAILURE)


def test_a_failure_before_the_headers_is_all_there_is():
    reply = Reply(headers_s=5, answer=answer("one"), failure=FAILURE, ended_s=1)
    assert list(reply.events()) == [(1, Failed(FAILURE))]
    assert list(Reply(failure=FAILURE).events()) == [(0, Failed(FAILURE))]


def test_a_reply_without_answer_and_failure_is_a_mistake():
    with pytest.raises(ValueError, match="an answer, a failure, or both"):
        Reply().whole()


def test_static_says_its_text_at_once_and_used_nothing():
    at_s, said = play("static", call(), text="Sorry.").whole()
    assert isinstance(said, Answer)
    assert (at_s, said.choices[0].parts, said.usage) == (0.0, (Text("Sorry."),), Usage())


def test_static_needs_a_text():
    with pytest.raises(BadSettings, match="text"):
        PROVIDERS.build("static")


def test_simulated_answers_after_its_latency():
    reply = play("simulated", call(), text="one two three", headers_s=1, first_content_s=2, word_s=0.5)
    at_s, said = reply.whole()
    assert isinstance(said, Answer)
    assert (at_s, said.usage) == (4.0, Usage(input=7, output=3))
    assert [at_s for at_s, event in reply.events() if isinstance(event, PartDelta)] == [3, 3.5, 4]


@pytest.mark.parametrize(
    ("fault", "kind", "pieces", "ended_s"),
    [
        ("outage", FailureKind.CONNECTION_REFUSED, 0, 0.0),
        ({"error_burst": {"problem": "rate_limit", "retry_after_s": 7}}, FailureKind.RATE_LIMIT, 0, 0.05),
        ("silence", None, 0, inf),
        ({"stalled_stream": {"after_chunks": 2}}, None, 2, inf),
        ({"truncated_stream": {"after_chunks": 2}}, FailureKind.TRUNCATED, 2, None),
        ({"in_band_error": {"after_chunks": 2}}, None, 2, None),
    ],
)
def test_simulated_fails_as_its_faults_say(fault, kind, pieces, ended_s):
    reply = play("simulated", call(stream=True), faults=[fault])
    told = list(reply.events())
    at_s, last = told[-1]
    assert isinstance(last, Failed)
    assert kind is None or last.failure.kind is kind
    assert sum(isinstance(event, PartDelta) for _, event in told) == pieces
    assert ended_s is None or at_s == pytest.approx(ended_s)


def test_simulated_tells_the_hint_of_its_fault():
    _, said = play("simulated", call(), faults=[{"error_burst": {"problem": "rate_limit", "retry_after_s": 7}}]).whole()
    assert isinstance(said, Failure)
    assert (said.retry_after_s, said.status, said.code) == (7, 429, "rate_limit")


def test_the_clock_of_faults_is_that_of_the_engine():
    faults = [{"outage": {"from_s": 10, "to_s": 20}}]
    came = [
        isinstance(play("simulated", call(), now_s=now_s, faults=faults).whole()[1], Answer) for now_s in (9, 15, 20)
    ]
    assert came == [True, False, True]


def test_simulated_counts_arrivals_for_rate_limits():
    one = PROVIDERS.build("simulated", {"faults": [{"rate_limit_exhaustion": {"requests": 3}}]})
    came = [isinstance(one.reply(call(), Dice(1), 0.1 * n).whole()[1], Answer) for n in range(5)]  # type: ignore[union-attr]
    assert came == [True, True, True, False, False]


@pytest.mark.parametrize(
    "fault", [name for name in FAULTS.names() if name != "cascading_outage"]
)  # needs several providers
@pytest.mark.parametrize("stream", [True, False])
def test_every_fault_gives_a_reply_that_can_be_told(fault, stream):
    for seed in range(5):
        reply = play("simulated", call(stream=stream), now_s=3.0, seed=seed, faults=[fault])
        told = list(reply.events())
        times = [at_s for at_s, _ in told]
        assert times == sorted(times)
        assert isinstance(told[-1][1], (End, Failed))
        assert reply.whole()[0] >= 0


def test_the_same_dice_give_the_same_reply():
    settings = {"faults": [{"latency": {"headers_s": 1, "kind": "lognormal"}}, {"partial_degradation": {}}]}
    assert play("simulated", call(), **settings) == play("simulated", call(), **settings)


@pytest.mark.parametrize(
    ("settings", "phrase"),
    [
        ({"headers_s": -1}, "must not be negative"),
        ({"faults": ["outige"]}, "there is no fault 'outige'; did you mean 'outage'"),
        ({"faults": [{"outage": {"x": 1}}]}, "there is no setting 'x'"),
        ({"faults": [1]}, "a fault is written as its name"),
        ({"word_s": "slow"}, "expected `float`"),
    ],
)
def test_settings_that_cannot_be_played_are_explained(settings, phrase):
    with pytest.raises(BadSettings) as caught:
        PROVIDERS.build("simulated", settings)
    assert phrase in str(caught.value)
