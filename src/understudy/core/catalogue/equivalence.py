"""Which models are the same wherever they run: the names that providers give them, brought to one form.

An equal name is a promise that an answer could as well have come from the other place; a wrong one sends somebody's requests to another
model unseen, so what is in doubt stays apart. Only what says nothing of the model is taken off a name (region, maker, endpoint, free of
charge), and a date only where no second dated version is known: of `gpt-4o-2024-08-06` and `gpt-4o-2024-11-20` each stays itself.
A name behind an owner who is no maker of models (`acme/gpt-oss-120b`) is that owner's own, whatever else it says: a fine-tuned
model is often called as the one that it was made from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WRITTEN = {
    "alibaba": "alibaba qwen",
    "bytedance": "bytedance bytedance-seed",
    "cohere": "cohere coherelabs",
    "deepseek": "deepseek deepseek-ai",
    "ibm": "ibm ibm-granite",
    "liquid": "liquid liquidai",
    "meta": "meta meta-llama",
    "minimax": "minimax minimaxai",
    "mistral": "mistral mistral-ai mistralai",
    "moonshotai": "moonshot moonshotai",
    "primeintellect": "prime-intellect primeintellect",
    "stepfun": "stepfun stepfun-ai",
    "xai": "x-ai xai",
    "xiaomi": "xiaomi xiaomimimo",
    "zai": "z-ai zai zai-org zhipuai",
}
_ONE_WAY = (
    "ai21 allenai amazon anthropic baai baidu deepcogito essentialai google inception inclusionai inflection kwaipilot microsoft "
    "nousresearch nvidia openai perplexity poolside rekaai sakana sarvam tencent upstage writer"
)
MAKERS = {word: maker for maker, words in _WRITTEN.items() for word in words.split()} | {
    word: word for word in _ONE_WAY.split()
}
"""The words by which makers are written before a slash or a dot -> the maker."""

_PLACE = re.compile(
    r"(?:arn:aws[\w-]*:bedrock:[^/]*:(?:foundation-model|inference-profile)/|accounts/fireworks/models/|(?:workers-ai/)?@cf/|hf:"
    r"|(?:projects/[^/]+/locations/[^/]+/)?publishers/|models/(?=[^/]+$)|pro/)"
)
"""What says only where a public model runs: Bedrock, Fireworks, Cloudflare, Hugging Face, Vertex, Gemini, SiliconFlow."""

_REGION = re.compile(r"(?:apac|au|ca|eu|global|jp|sa|us|us-gov)\.(?=[a-z0-9]+\.)")
_DOTTED = re.compile(rf"({'|'.join(sorted(MAKERS))})\.")
"""Bedrock's way: the maker and a dot. Others part it with a slash."""

_REVISION = re.compile(r"(?:(?<=\d{8})-v\d+:\d+|-v1:0|(?<=\db)-1:0|(?<=\d)-v1|:0)")
"""Bedrock's own, of how it serves a model; the v3 of `embed-english-v3` and the v0:2 of `mistral-7b-instruct-v0:2` are the model's."""

_TAIL = re.compile(r"(?:@default|-maas|:free)")
_DATE = re.compile(r"[-@](20\d\d-\d\d-\d\d|20\d{6})")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.p_](?=\d)")
_MOVING = re.compile(r"(?:^|[-/:])(?:auto|default|latest)$")
_LETTER_AND_NUMBER = re.compile(r"[a-z]\d+(?:\.\d+)*")
_BETWEEN_WORDS = re.compile(r"[-._:/@ ]+")
_UNSAID = re.compile(r"a?\d+[be]|instruct|it")
"""Sizes and training that a shorter name of the same model may leave out."""
_SERVED = ("databricks", "free", "maas", "tee")


def plain(model: str) -> str:
    """A model's own name without where it runs, lower-case: `us.anthropic.claude-opus-4-6-v1` is `claude-opus-4-6`."""
    return _apart(model)[1]


def written_maker(model: str) -> str | None:
    """The maker that a name says (`meta` of `meta-llama/Llama-3.3-70B-Instruct`); None where it says none that is known."""
    return _apart(model)[0]


def _apart(model: str) -> tuple[str | None, str]:
    """The maker that a name says, and the name without it and without where it runs."""
    name = _off_start(_PLACE, model.lower().lstrip("~"))
    owner, slash, rest = name.partition("/")
    maker = MAKERS.get(owner) if slash else None
    if maker is not None:
        rest = rest.removeprefix("models/")
        if "/" in rest:
            return None, name
        name = rest
    name = _off_start(_REGION, _off_end(_TAIL, name))
    dotted = _DOTTED.match(name)
    if dotted is not None:
        maker, name = MAKERS[dotted[1]], _off_end(_REVISION, name[dotted.end() :]).replace(":", ".")
        if _LETTER_AND_NUMBER.fullmatch(name):
            name = f"{dotted[1]}-{name}"  # the maker's word is part of it: deepseek.r1
    return maker, _DATE.sub(r"-\1", name)


def comparable(model: str) -> str:
    """The form in which two names are compared: `claude-sonnet-4.5` is `claude-sonnet-4-5`, `glm-5p1` is `glm-5.1`."""
    name = _DATE.sub(lambda found: "-" + found[1].replace("-", ""), plain(model))
    return _BETWEEN_DIGITS.sub("-", name)


def undated(name: str) -> tuple[str, str]:
    """A name in two: without its date, and the date as eight digits; "" where it has none at its end."""
    found = re.fullmatch(rf"(.+?){_DATE.pattern}", name)
    return (found[1], found[2].replace("-", "")) if found else (name, "")


def says_which(name: str) -> bool:
    """Whether a name stands for one model: `auto` and `mistral-large-latest` mean another one tomorrow, `small` anybody's."""
    own = name.rsplit("/", 1)[-1]
    return any(character.isdigit() for character in own) and _MOVING.search(own) is None


def can_be(name: str, model: str) -> bool:
    """Whether what is called `name` somewhere can be `model`, of which somebody says that it is.

    Lists of prices are written by hand, and an entry for `deepseek-r1-distill-qwen-32b`, `glm-5.1-6bit` or `mimo-v2.5` was copied from that of
    its larger relative. So every word must be in both, in the same order; but for makers, who serves it, and sizes that are left out.
    """
    mine, mine_dated = undated(plain(name))
    its, its_dated = undated(plain(model))
    if mine_dated and its_dated and mine_dated != its_dated:
        return False
    said = _words(mine)
    return "".join(said) == "".join(word for word in _words(its) if word in said or not _UNSAID.fullmatch(word))


def _words(name: str) -> list[str]:
    """The words of a name but the maker's before it, and those of who serves it."""
    words = [word for word in _BETWEEN_WORDS.split(_BETWEEN_DIGITS.sub("-", name)) if word not in _SERVED]
    for count in (2, 1):
        if len(words) > count and "-".join(words[:count]) in MAKERS:
            return words[count:]
    return words


def one_name_each(names: Iterable[str]) -> dict[str, str]:
    """Plain names -> the name that stands for each one's model.

    A dated name stands for the same as its undated one where both are known and no other date is.
    """
    known = sorted({*names})
    dates: dict[str, list[str]] = {}
    for name in known:
        stem, date = undated(name)
        if date:
            dates.setdefault(stem, []).append(date)
    kept = {*known}
    made: dict[str, str] = {}
    for name in known:
        stem, date = undated(name)
        made[name] = stem if date and stem in kept and len(dates[stem]) == 1 else name
    return made


def _off_start(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.match(name)
    return name[found.end() :] if found else name


def _off_end(pattern: re.Pattern[str], name: str) -> str:
    found = re.search(rf"{pattern.pattern}$", name)
    return name[: found.start()] if found else name
