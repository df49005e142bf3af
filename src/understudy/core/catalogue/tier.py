"""How large and how dear a model is: the tier at which its maker offers it, with the reason for saying so, and a word for what it costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log

from understudy.core.catalogue.equivalence import MAKERS, plain, undated
from understudy.core.money import Price
from understudy.core.value import value

FLAGSHIP = "flagship"
BALANCED = "balanced"
EFFICIENT = "efficient"
SPECIALISED = "specialised"
TIERS = (FLAGSHIP, BALANCED, EFFICIENT, SPECIALISED)


@value
class Graded:
    """A tier, and what it was told by."""

    tier: str
    why: str


# Where makers place their lines in their own ranges, by their model overviews: the words of a name without versions, dates and sizes.
# A line whose models are of many sizes (qwen, llama, gpt-oss) has no place here, nor has a word that others put behind a maker's: of
# `deepseek distill llama` nothing is known.
# anthropic: docs.anthropic.com/en/docs/about-claude/models   openai: platform.openai.com/docs/models   google: ai.google.dev/gemini-api/docs/models
# mistral: docs.mistral.ai/getting-started/models   amazon: docs.aws.amazon.com/nova   xai: docs.x.ai/docs/models   cohere: docs.cohere.com/docs/models
# deepseek: api-docs.deepseek.com   zai: docs.z.ai   moonshotai: platform.moonshot.ai   alibaba: alibabacloud.com/help/en/model-studio/models
# perplexity: docs.perplexity.ai   nvidia: build.nvidia.com   xiaomi: platform.xiaomimimo.com   ai21: docs.ai21.com
_LINES = {
    **dict.fromkeys(
        (
            "claude opus", "claude opus fast", "command a", "command a plus", "command a reasoning", "command r plus", "deepseek",
            "deepseek pro", "deepseek reasoner", "gemini pro", "glm", "gpt", "gpt pro", "chatgpt", "grok", "jamba large", "kimi",
            "mimo pro", "mistral large", "nemotron ultra", "nova premier", "o", "o pro", "qwen max", "sonar pro", "sonar reasoning pro",
        ),
        FLAGSHIP,
    ),
    **dict.fromkeys(
        (
            "claude sonnet", "command r", "gemini flash", "glm air", "gpt mini", "mistral medium", "nemotron super", "nova pro", "o mini",
            "qwen plus", "sonar reasoning",
        ),
        BALANCED,
    ),
    **dict.fromkeys(
        (
            "claude haiku", "claude instant", "deepseek flash", "gemini flash lite", "glm flash", "gpt nano", "grok fast", "grok mini",
            "jamba mini", "mimo flash", "ministral", "mistral nemo", "mistral small", "nemotron nano", "nova lite", "nova micro",
            "open mistral nemo", "qwen flash", "qwen turbo", "sonar",
        ),
        EFFICIENT,
    ),
}  # fmt: skip
_NAMED = {"gpt-4o-mini": EFFICIENT}
"""Models that their makers placed otherwise than the line that they began."""

_PURPOSES = frozenset(
    (
        "asr", "code", "coder", "codestral", "codex", "deepresearch", "devstral", "embed", "embedding", "embeddings", "guard", "image",
        "math", "moderation", "ocr", "prover", "realtime", "rerank", "reranker", "research", "robotics", "safeguard", "search", "stt",
        "transcribe", "transcription", "translate", "translation", "tts", "voyage", "whisper",
    )
)  # fmt: skip
"""Words that say that a model is for one thing."""

_SAYS_NOTHING = frozenset(
    ("beta", "chat", "exp", "experimental", "high", "instruct", "it", "latest", "low", "non", "preview", "reasoning", "thinking")
)  # fmt: skip
"""Words of how a model is set or how new it is. A line that has a word of them in its name is asked for with it first."""

_SIZED = ("ministral", "mistral", "nemotron", "open")
"""Beginnings of the lines whose models have a size in their names as well. Of others that says that it is none of the line: `glm-4-32b`."""

_BETWEEN = re.compile(r"[-._:/@ ]+")
_NUMBER = re.compile(r"[kmrv]?\d+(?:o|k)?|a?\d+b")
_SIZE = re.compile(r"\d+[bt]")
_GLUED = re.compile(r"(o|[a-z]{3,})\d+")

PEERS_MIN, SPREAD_MIN, OUTER = 6, 8, 0.2
"""A price tells a tier among at least so many prices, of which the dearest is so many times the cheapest, and only in these outer parts of
their range. Of the models that their makers name as one or the other, 30 of 31 are placed so that way; of all by thirds 64 of 100."""

_READ_FOR_EACH_WRITTEN = 3
_COST_TIERS = ((1_000_000, "low"), (5_000_000, "medium"), (15_000_000, "high"))


def tier_of(name: str | None, *, gives: Sequence[str] = ("text",)) -> Graded | None:
    """The tier of a model by its name, or by that of its family. `gives`: the kinds of content that it answers with. None: unknown."""
    others = [kind for kind in gives if kind != "text"]
    if others:
        return Graded(SPECIALISED, f"it gives {' and '.join(others)}")
    if name is None:
        return None
    own = undated(plain(name))[0]
    if own in _NAMED:
        return Graded(_NAMED[own], f"its maker's word for {own}")
    words = _BETWEEN.split(own)
    purpose = next((word for word in words if word in _PURPOSES), None)
    if purpose is not None:
        return Graded(SPECIALISED, f'"{purpose}" in its name')
    line = _line(words)
    if line is None or (any(map(_SIZE.fullmatch, words)) and not line.startswith(_SIZED)):
        return None
    return Graded(_LINES[line], f'"{line}" in its maker\'s range')


def _line(words: list[str]) -> str | None:
    """The line of a maker that a name is of: its words without versions, then without what says nothing, then without the maker."""
    told = [found[1] if (found := _GLUED.fullmatch(word)) else word for word in words if not _NUMBER.fullmatch(word)]
    plainer = [word for word in told if word not in _SAYS_NOTHING]
    without_maker = plainer[1:] if plainer and plainer[0] in MAKERS else plainer
    return next((line for line in map(" ".join, (told, plainer, without_maker)) if line in _LINES), None)


def tier_by_price(rate: int, others: Sequence[int]) -> Graded | None:
    """The tier of a model that no word tells: flagship among the dearest of its maker's, efficient among the cheapest, else unknown.

    `rate`: pico-dollars per token, blended. `others`: those of the maker's general models of the same time.
    """
    peers = sorted({rate, *others})
    low, high = peers[0], peers[-1]
    if len(peers) < PEERS_MIN or low <= 0 or high < SPREAD_MIN * low:
        return None
    place = log(rate / low) / log(high / low)
    if OUTER < place < 1 - OUTER:
        return None
    told = (
        f"${rate / 1e6:.3g} among {len(peers)} prices of its maker within a year, ${low / 1e6:.3g} to ${high / 1e6:.3g}"
    )
    return Graded(EFFICIENT if place <= OUTER else FLAGSHIP, told)


def blended(price: Price) -> int:
    """One figure for a price, pico-dollars per token: three tokens read for each one written, as price comparisons have it."""
    return (_READ_FOR_EACH_WRITTEN * price.input + price.output) // (_READ_FOR_EACH_WRITTEN + 1)


def cost_tier(price: Price | None) -> str | None:
    """free, low (under $1 per million tokens, blended), medium (under $5), high (under $15) or premium; None: unknown."""
    if price is None:
        return None
    rate = blended(price)
    if rate == 0:
        return "free"
    return next((word for bound, word in _COST_TIERS if rate < bound), "premium")
