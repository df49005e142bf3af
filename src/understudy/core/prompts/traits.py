"""A prompt as some thirty numbers: lengths, digits, mathematics, code, options, words that ask for thinking.

Plain Python on purpose: whoever routes by them needs no numerical library and no model file, and they hold nothing of the
text itself, so that a decision may keep them. With few labels such numbers do as well as embeddings (docs/evaluation.md).
"""

from __future__ import annotations

import re
from math import log1p

TEXT_MAX = 16_384
"""Characters that are looked at: the first half and the last half of this many. More would cost time and tell little."""

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_OPTION = re.compile(r"^[ \t]*\(?([A-Z])[.):][ \t]*(.*)$", re.MULTILINE)
_MATHS = re.compile(r"[=+^<>\xb1\xd7\xf7√∑∫∞≤≥≠]|\\[a-zA-Z]+|\$")
_CODE = re.compile(
    r"```|\b(?:def|return|import|class|print|void|int|for|while|lambda|assert|SELECT)\b(?=[\s(:])|[{};]|\w\(|\]\[|=="
)
_REASONS = re.compile(
    r"\b(?:why|how|prove|show|derive|explain|calculate|compute|determine|evaluate|find|solve|suppose|assume|assuming|given|let|if|then|"
    r"therefore|because|must|cannot|conclude|implies)\b"
)
_QUANTITY = re.compile(
    r"\b(?:how (?:many|much|far|long)|total|sum|average|mean|rate|ratio|percent|probability|per)\b|%"
)
_NEGATION = re.compile(r"\b(?:not|except|never|false|incorrect|least|none|neither|nor|without)\b|n't\b")
_RECALL = re.compile(
    r"\b(?:which|what|who|when|where|called|known|term|name|named|refers?|defined?|definition|describes?|following)\b"
)
_SELF = frozenset(["i", "me", "my", "mine", "myself"])
"""Words of somebody who tells of himself: a scene to be judged, rather than a fact to be known."""

_CAPITAL = re.compile(r"[A-Z]")
_PROPER = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "i",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "she",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "which",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)

TRAITS = (
    "characters",  # logarithms of one more than the count, here and in every other count
    "words",
    "word_length",  # mean letters
    "long_words",  # share of words with 9 letters or more
    "small_words",  # share of articles, prepositions and their kind
    "variety",  # different words by all words
    "sentences",
    "lines",
    "digits",  # share of characters
    "numbers",
    "large_numbers",  # of three digits or more
    "mathematics",
    "code",
    "capitals",  # share of letters
    "names",  # capitalised words inside sentences
    "questions",
    "quotes",
    "blanks",  # runs of underscores
    "foreign",  # share of characters outside ASCII
    "reasons",
    "quantities",
    "negations",
    "recall",
    "self",  # somebody tells of himself
    "options",
    "option_length",  # mean characters, as a logarithm
    "option_spread",  # longest minus shortest, as a logarithm
    "numeric_options",  # share
    "stem",  # characters before the first option
)


def traits(text: str) -> tuple[float, ...]:
    """The traits of a prompt, in the order of `TRAITS`: 0.1 ms for 100 characters, 0.3 ms for 1 KB; () for a prompt without any words."""
    if len(text) > TEXT_MAX:
        half = TEXT_MAX // 2
        text = text[:half] + text[-half:]
    lower = text.lower()
    words = _WORD.findall(lower)
    if not words:
        return ()
    size, count = len(text), len(words)
    letters = sum(map(len, words))
    numbers = _NUMBER.findall(text)
    digits = sum(map(len, numbers))
    return (
        log1p(size),
        log1p(count),
        letters / count,
        sum(1 for word in words if len(word) > 8) / count,
        sum(1 for word in words if word in _SMALL) / count,
        len(set(words)) / count,
        log1p(text.count(". ") + text.count(".\n") + text.count("?") + text.count("!")),
        log1p(text.count("\n")),
        digits / size,
        log1p(len(numbers)),
        log1p(sum(1 for number in numbers if len(number) > 2)),
        log1p(len(_MATHS.findall(text))),
        log1p(len(_CODE.findall(text))),
        len(_CAPITAL.findall(text)) / letters,
        log1p(len(_PROPER.findall(text))),
        log1p(text.count("?")),
        log1p(text.count('"') + text.count("“")),
        log1p(text.count("__")),
        0.0 if text.isascii() else len(_FOREIGN.findall(text)) / size,
        log1p(len(_REASONS.findall(lower))),
        log1p(len(_QUANTITY.findall(lower))),
        log1p(len(_NEGATION.findall(lower))),
        log1p(len(_RECALL.findall(lower))),
        log1p(sum(1 for word in words if word in _SELF)),
        *_options(text),
    )


def _options(text: str) -> tuple[float, float, float, float, float]:
    """How many answers there are to choose from, and what they look like."""
    found = list(_OPTION.finditer(text))
    if len(found) < 2:
        return 0.0, 0.0, 0.0, 0.0, log1p(len(text))
    sizes = [len(one[2]) for one in found]
    numeric = sum(1 for one in found if any(letter.isdigit() for letter in one[2]))
    return (
        log1p(len(found)),
        log1p(sum(sizes) / len(sizes)),
        log1p(max(sizes) - min(sizes)),
        numeric / len(found),
        log1p(found[0].start()),
    )
