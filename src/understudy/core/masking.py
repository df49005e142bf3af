"""Masks what looks like a credential in text that people or log files will read.

Providers quote the key they refuse ("Incorrect API key provided: sk-..."), proxies quote whole URLs. Better a word too many
masked than a key printed.
"""

from __future__ import annotations

import re

MASK = "[masked]"

# Words that a pattern cannot do without, and the pattern: looking for the words first is ten times quicker, and an outage is
# no time to search long. What introduces a credential stays readable: it is the group `lead`.
_PREFIXES = "sk pk rk gsk xai hf r8 pplx csk nvapi fw tgp ghp gho github_pat glpat"
_MASKS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    # an Authorization header
    (("bearer", "basic"), re.compile(r"(?P<lead>\b(?:bearer|basic)\s+)[\w.~+/=*-]{6,}", re.IGNORECASE)),
    # keys that providers mark as theirs; one digit or star at least, so that "sk-" begins no ordinary word
    (
        tuple(prefix + mark for prefix in _PREFIXES.split() for mark in "-_"),
        re.compile(rf"(?P<lead>)\b(?:{_PREFIXES.replace(' ', '|')})[-_](?=[\w*.-]{{0,40}}[\d*])[\w*.-]{{6,}}(?<!\.)"),
    ),
    # Google keys and access tokens, AWS key ids, JSON web tokens
    (
        ("aiza", "ya29.", "akia", "asia", "eyj"),
        re.compile(
            r"(?P<lead>)\b(?:AIza[\w*-]{10,}|ya29\.[\w.-]{6,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|eyJ[\w-]{8,2000}+(?:\.[\w-]*){1,2})"
        ),
    ),
    # api_key=..., "API key provided: ...", "secret": "...", ?key=...
    (
        ("api", "access", "auth", "secret", "subscription", "password", "signature", "key=", "sig=", "code="),
        re.compile(
            r"(?P<lead>(?:[?&;](?:key|sig|code)"
            r"|\b(?:api|access|auth|secret|subscription)[-_ ]?(?:key|token|secret)|\bpassword|\bsignature)"
            r"(?:[ ](?:provided|is|was))?[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;<>)]{4,}(?<!\.)",
            re.IGNORECASE,
        ),
    ),
    # a password in a URL
    (("@",), re.compile(r"(?P<lead>://[^\s/:@]+:)[^\s/@]+(?=@)")),
)


def mask_secrets(text: str) -> str:
    """The text with each credential replaced by `[masked]`; what introduces it (`api_key=`, `Bearer`) stays."""
    lower = text.lower()
    for words, secret in _MASKS:
        if any(map(lower.__contains__, words)):
            text = secret.sub(rf"\g<lead>{MASK}", text)
    return text
