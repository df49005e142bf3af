"""Words that say what a request is about, and how hard it is: a table for readers to argue with.

Chosen from what such requests have in common and weighed on the recorded outcomes of small models (tests/core/test_task_figures.py
says how well that works). English; other languages are told by structure alone.
"""

from __future__ import annotations

KINDS_OF: dict[str, str] = {
    "code": (
        "algorithm api array assert async bash bug c++ class cli code codebase coding compile compiler component css csv database debug "
        "def deploy docker endpoint exception fetch function git golang html implement import java javascript json kotlin kubernetes "
        "lambda linux loop method middleware mutex node npm null numpy object orm pandas parse php postgres program programming "
        "pseudocode pull python query react recursion recursive refactor regex repository return ruby runtime rust schema script sdk "
        "snippet sql sqlite stacktrace struct swift syntax thread traceback typescript unittest unit variable webhook yaml"
    ),
    "creative": (
        "ballad brainstorm brand caption character characters comic creative dialogue essay fairy fantasy fiction fictional funny haiku "
        "imagine jingle joke limerick lyrics lullaby metaphor monologue motto narrative novel plot poem poetic poetry protagonist rap "
        "rewrite rhyme rhyming scene screenplay sequel slogan song sonnet spooky story storytelling tagline tale toast verse villain "
        "whimsical witty"
    ),
    "analysis": (
        "analyse analyze analysis argue argument assess assessment calculate causes coefficient compare comparison compute conclude "
        "conclusion consequences contrast correlation critique data dataset degree derivative derive determine diagnose distribution "
        "economic equation estimate evaluate evaluation evidence examine expression find findings following forecast formula graph hypothesis implications "
        "infer inference integer integral interpret investigate kg matrix maximum mean median metrics minimum percent percentage polynomial pressure probability "
        "proof prove quarterly ratio regression report revenue roots scenario simplify solve statement statements statistics strengths study sum table "
        "temperature theorem theory tradeoffs trend trends true valid variance velocity voltage volume weaknesses which"
    ),
    "conversation": (
        "afternoon bye chat cheers congratulations doing evening goodbye gotcha great hello help hey hi "
        "lonely lol morning name nice night ok okay please recommend recommendation sorry suggest thank thanks today tonight "
        "tomorrow weather weekend what's who who's yes yo you're you"
    ),
}  # fmt: skip

HARDNESS: dict[int, str] = {
    3: "architect architecture concurrency consensus cryptographic derive distributed formally fault-tolerant prove proof theorem rigorous",
    2: (
        "analyse analyze algorithm comprehensive constraints critique debug design evaluate fault implement integral matrix "
        "migrate migration multi-step multithreaded optimise optimize optimization polynomial refactor scalable strategy "
        "synthesize tradeoff tradeoffs trade-offs verify"
    ),
    1: (
        "acceleration assess bond calculate charge coefficient combinations compare complexity compute concentration conditional consider "
        "constant current degree derivative detailed determine deviation digits diverse edge efficient enthalpy equation equations "
        "equilibrium estimate exactly explain expression field find finite force formula frequency function graph group "
        "homomorphism hypothesis independent index integer integers intersection investment kg latency liability maximum minimum mol molar momentum "
        "multiply orbit perpendicular plaintiff positive pressure probability propositional radius rate ratio requirements residual respectively "
        "roots security sequence simultaneously solution solve statute subset suppose symbolization temperature thorough "
        "transform triangle truth variance vector velocity voltage volts wavelength which without"
    ),
    -1: (
        "brief briefly capital convert correct date define definition extract fix format grammar greeting hello hi label list mean "
        "meaning name paraphrase quick quickly rename rephrase rhymes sentiment short simple spell spelling summarise summarize summary synonym "
        "synonyms tag thank thanks today translate translation typo uppercase weather what's when where who"
    ),
}  # fmt: skip

COMMON = frozenset(
    [
        "a",
        "about",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "do",
        "does",
        "each",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "more",
        "my",
        "no",
        "not",
        "of",
        "on",
        "one",
        "only",
        "or",
        "our",
        "out",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "up",
        "was",
        "we",
        "were",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""Of a longer English text these make up a third or more."""

KIND_OF = {word: kind for kind, words in KINDS_OF.items() for word in words.split()}
HARDNESS_OF = {word: weight for weight, words in HARDNESS.items() for word in words.split()}
