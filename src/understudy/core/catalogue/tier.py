"""How large and how dear a model is: the tier at which its maker offers it, and a word for what it costs."""

from __future__ import annotations

from understudy.core.money import Price

FLAGSHIP = "flagship"
BALANCED = "balanced"
EFFICIENT = "efficient"
SPECIALISED = "specialised"
TIERS = (FLAGSHIP, BALANCED, EFFICIENT, SPECIALISED)

# Where makers place their families in their own ranges, by their model overviews. A family whose models are of many sizes
# (qwen, llama, gpt-oss) has no place here: its tier is unknown.
_FAMILIES = {
    **dict.fromkeys(
        (
            "claude-opus", "command-a", "deepseek-thinking", "gemini-pro", "gpt", "gpt-pro", "grok", "kimi-k2", "kimi-thinking",
            "mistral-large", "o", "o-pro", "sonar-pro",
        ),
        FLAGSHIP,
    ),
    **dict.fromkeys(
        ("claude-sonnet", "gemini-flash", "glm-air", "gpt-mini", "mistral-medium", "nova-pro", "o-mini", "sonar"), BALANCED
    ),
    **dict.fromkeys(
        (
            "claude-haiku", "deepseek-flash", "gemini-flash-lite", "glm-flash", "gpt-nano", "ministral", "mistral-nemo",
            "mistral-small", "nova-lite", "nova-micro",
        ),
        EFFICIENT,
    ),
    **dict.fromkeys(
        (
            "codestral", "codestral-embed", "cohere-embed", "devstral", "gemini-embedding", "gpt-codex", "gpt-codex-mini", "gpt-codex-spark",
            "gpt-image", "grok-build", "mistral-embed", "sonar-deep-research", "text-embedding", "titan-embed", "voyage", "whisper",
        ),
        SPECIALISED,
    ),
}  # fmt: skip

_READ_FOR_EACH_WRITTEN = 3
_COST_TIERS = ((1_000_000, "low"), (5_000_000, "medium"), (15_000_000, "high"))


def tier_of(family: str | None, *, writes_text: bool = True) -> str | None:
    """A family's tier; a model that gives anything but text is specialised, whatever it descends from. None: unknown."""
    if not writes_text:
        return SPECIALISED
    return None if family is None else _FAMILIES.get(family)


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
