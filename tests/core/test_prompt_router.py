"""The traits of prompts, heads that go by them, and the strategy that does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.conversation import Conversation, Message, Role, Text
from understudy.core.dice import Dice
from understudy.core.policy import BreakerSettings
from understudy.core.prompts.asked import last_words
from understudy.core.prompts.heads import FORMAT, Heads, Trained
from understudy.core.prompts.traits import TEXT_MAX, TRAITS, traits
from understudy.core.request import Needs
from understudy.core.scoreboard import Scoreboard
from understudy.core.strategies.prompt_router import OTHERS, UNSURE, PromptRouter
from understudy.core.target import Target

HEADS = Heads(("one",), (0.0,), (1.0,), (0.0, -1.0), (0.0, 1.0), 4.0)


def trained(**more) -> Trained:
    given = {"format": FORMAT, "reads": "prompt", "weak": "small", "strong": "big", "quality": 0.98, "heads": HEADS}
    return Trained(**given | {"thresholds": ((0.95, 0.3), (0.98, 0.1))} | more)


@pytest.mark.no_cover
@given(st.text(max_size=300))
def test_a_prompt_has_every_trait_or_none(text):
    assert len(traits(text)) in (0, len(TRAITS))
    assert traits(text) == traits(text)


def test_only_a_prompt_without_words_has_no_traits():
    assert traits("") == traits(" 12 + 3 \n") == ()
    assert len(traits("why?")) == len(TRAITS)


def test_options_code_mathematics_and_foreign_words_are_seen():
    seen = dict(zip(TRAITS, traits("Which is it?\nA. 12\nB. a long one\nC. not"), strict=True))
    assert seen["options"] == pytest.approx(1.386, abs=1e-3)
    assert seen["numeric_options"] == pytest.approx(1 / 3)
    plain = dict(zip(TRAITS, traits("tell me a story"), strict=True))
    assert plain["options"] == plain["code"] == plain["mathematics"] == plain["foreign"] == 0
    odd = dict(zip(TRAITS, traits("def f(x): return x == 2 + 3  # für"), strict=True))
    assert min(odd["code"], odd["mathematics"], odd["foreign"]) > 0


def test_of_a_very_long_prompt_both_ends_are_looked_at():
    assert traits("a " * TEXT_MAX + "why?")[TRAITS.index("questions")] > 0


def test_the_last_user_turn_counts():
    def said(role, text):
        return Message(role, (Text(text),))

    asked = Conversation(
        model="m", messages=(said(Role.USER, "one"), said(Role.USER, "two"), said(Role.ASSISTANT, "x"))
    )
    assert last_words(asked) == "two"
    assert last_words(Conversation(model="m", messages=(said(Role.SYSTEM, "s"),))) == ""


def test_heads_abstain_from_what_they_do_not_know():
    assert HEADS.gain((0.5,)) == pytest.approx(0.2449, abs=1e-3)
    assert HEADS.gain((2.5,)) is None  # farther than anything in training
    assert HEADS.gain(()) is None


def test_the_threshold_of_the_next_higher_share_is_taken():
    model = trained()
    assert [model.threshold(share) for share in (None, 0.9, 0.96, 0.99)] == [0.1, 0.3, 0.1, -2.0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, None),
        ({"format": 99}, "format 99"),
        ({"reads": "drafts"}, "trained on drafts"),
        ({"heads": Heads(("one",), (0.0,), (), (0.0,), (0.0,), 1.0)}, "do not fit"),
        ({"heads": Heads(("one",), (0.0,), (0.0,), (0.0, 1.0), (0.0, 1.0), 1.0)}, "scale"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(more, words):
    told = trained(**more).problem("prompt")
    assert told is None if words is None else words in told


def scored(strategy: PromptRouter, *inputs: float) -> list[float]:
    board = Scoreboard()
    candidates = []
    for position, name in enumerate(("small", "big", "other")):
        target = Target(name=name, provider="openai", model=f"model-{name}")
        slot, breaker = board.register(target, BreakerSettings())
        entry = Entry(target, "primary", False, position, slot, breaker)
        candidates.append(Candidate(entry, board.standings[slot]))
    return strategy.scores(candidates, Ask(Needs("m", traits=inputs), "openai_chat", 0.0, Dice(1), 0, {}))


def test_the_weak_target_is_preferred_where_little_is_lost():
    weak, strong, other = scored(PromptRouter(trained=trained()), -0.5)
    assert weak < strong < other == OTHERS


def test_the_strong_target_is_preferred_where_much_is_gained_or_nothing_is_known():
    assert scored(PromptRouter(trained=trained()), 1.0)[1] < 0
    assert scored(PromptRouter(trained=trained()), 50.0)[1] == UNSURE
    assert scored(PromptRouter(trained=trained()))[1] == UNSURE


def test_targets_may_be_named_otherwise_than_in_the_file():
    strategy = PromptRouter(trained=trained(), weak="other", strong="model-small", quality=0.95)
    assert scored(strategy, -0.5) == [pytest.approx(0.3 + 0.2449, abs=1e-3), OTHERS, 0.0]


def test_without_a_file_the_list_is_the_order():
    assert scored(PromptRouter()) == [0, 1, 2]
