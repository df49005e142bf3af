"""What a request asks of the mock, whichever wire format it came in, and what the mock says to it."""

from __future__ import annotations

import json
import re
from typing import Any

from understudy.core.dice import Dice, label_of
from understudy.core.value import JsonObject, keyword_value, value
from understudy.mock.example import LOREM, TooLarge, example

PIECES_MAX = 20_000
"""Tokens that a caller gets by wanting more alternatives or a larger shape: an answer is put together at once, while others wait."""

CHARS_MAX = 1 << 20
"""Characters, likewise."""


class BadRequest(Exception):
    """The request is not what the wire format wants. The message says where."""


@value
class Offered:
    """A tool that the caller offers. `schema`: of its arguments."""

    name: str
    schema: JsonObject


@keyword_value
class Asked:
    """A request, as far as the mock understands it.

    `text`: the last thing the user said. `fresh`: it is the last message, not a tool's result. `must_call`: a tool has to be
    called: this one, or "" for any; None when none has to. `schema`: the shape asked for, {} for any JSON. `tokens_in`: what
    the prompt costs.
    """

    model: str
    stream: bool = False
    include_usage: bool = True
    text: str = ""
    fresh: bool = True
    tools: tuple[Offered, ...] = ()
    may_call: bool = True
    must_call: str | None = None
    schema: JsonObject | None = None
    thinks: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    tokens_in: int = 1


@value
class Called:
    """A tool call. `arguments`: JSON text."""

    name: str
    arguments: str


@keyword_value
class Said:
    """What the mock says. Each field is in pieces, as a stream sends them; joined they are the whole.

    `stop`: end, length, stop_sequence or tool_calls.
    """

    thinking: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    called: Called | None = None
    stop: str = "end"
    stop_sequence: str | None = None

    @property
    def pieces(self) -> int:
        """Pieces of content in a stream of it; a call's name is one."""
        return len(self.thinking) + len(self.text) + (0 if self.called is None else 1 + len(cut(self.called.arguments)))

    @property
    def chars(self) -> int:
        """Characters of its content."""
        called = 0 if self.called is None else len(self.called.name) + len(self.called.arguments)
        return sum(map(len, self.thinking)) + sum(map(len, self.text)) + called

    @property
    def tokens_out(self) -> int:
        """What it costs: a piece is a token."""
        return self.pieces


NOTHING = Said()

_PIECE = re.compile(r"\s*\S+\s?")
_ARGUMENT_PIECE_CHARS = 12


def cut(arguments: str) -> list[str]:
    """A call's arguments in the pieces of a stream, which respect no JSON token."""
    return [arguments[at : at + _ARGUMENT_PIECE_CHARS] for at in range(0, len(arguments), _ARGUMENT_PIECE_CHARS)]


def say_all(asked: Asked, dice: Dice, *, words: int, text: str | None) -> tuple[Said, ...]:
    """All alternatives. Raises `BadRequest` when the caller wants more than a mock holds; one answer of the script's own is never too long."""
    said: list[Said] = []
    pieces = chars = 0
    for index in range(asked.n):
        each = say(asked, dice.fork(index), words=words, text=text)
        pieces += each.pieces
        chars += each.chars
        wanted = index > 0 or each.called is not None or asked.schema is not None
        if wanted and (pieces > PIECES_MAX or chars > CHARS_MAX):
            raise BadRequest(
                f"This mock says at most {PIECES_MAX:,} tokens of {CHARS_MAX:,} characters in one answer: "
                "ask for fewer alternatives, a smaller shape or with a lower bound."
            )
        said.append(each)
    return tuple(said)


def say(asked: Asked, dice: Dice, *, words: int, text: str | None) -> Said:
    """The answer: the same for the same question, whenever it is asked. `text`: instead of an echo and `words` of Latin."""
    dice = dice.fork(label_of(asked.text))
    thinking = tuple(_PIECE.findall("The user wants an answer, so I shall give one. ")) if asked.thinks else ()
    if tool := _tool(asked):
        called = Called(tool.name, json.dumps(_example(tool.schema, dice), ensure_ascii=False))
        return Said(thinking=thinking, called=called, stop="tool_calls")
    if asked.schema is not None:
        shaped = _example(asked.schema, dice) if asked.schema else {"answer": dice.pick(LOREM)}
        return _bounded(asked, thinking, json.dumps(shaped, ensure_ascii=False))
    if text is None:
        echo = " ".join(asked.text.split())[:200]
        if asked.max_tokens is not None:
            words = min(words, max(asked.max_tokens, 0) + 1)  # one more shows that it was cut
        latin = " ".join(dice.pick(LOREM) for _ in range(words))
        text = f"You said: {echo!r}. {latin}." if echo else f"{latin}."
    return _bounded(asked, thinking, text)


def _example(schema: JsonObject, dice: Dice) -> Any:
    """A value of that shape. Raises `BadRequest` for a schema whose own members are of the wrong types."""
    try:
        return example(schema, dice, chars_max=CHARS_MAX)
    except TooLarge:
        raise BadRequest(
            f"Invalid schema: what fits it is larger than the {CHARS_MAX:,} characters that this mock writes."
        ) from None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise BadRequest("Invalid schema: it is not a JSON schema.") from None


def _tool(asked: Asked) -> Offered | None:
    """The tool to call: the one demanded, else one whose name the question brings up."""
    if asked.must_call is not None:
        return next((tool for tool in asked.tools if asked.must_call in ("", tool.name)), None)
    if not (asked.may_call and asked.fresh):
        return None
    said = set(re.findall(r"[a-z]{3,}", asked.text.lower()))
    return next((tool for tool in asked.tools if said & set(re.findall(r"[a-z]{4,}", tool.name.lower()))), None)


def _bounded(asked: Asked, thinking: tuple[str, ...], text: str) -> Said:
    """The text up to the first stop sequence and the caller's bound."""
    met = min((sequence for sequence in asked.stop if sequence in text), key=text.index, default=None)
    if met is not None:
        text = text[: text.index(met)]
    text = text[
        : len(text.rstrip()) + 1
    ]  # no piece holds more; looking for a word behind many blanks takes their square
    pieces = tuple(_PIECE.findall(text))
    room = None if asked.max_tokens is None else max(asked.max_tokens - len(thinking), 0)
    if room is not None and len(pieces) > room:
        return Said(thinking=thinking, text=pieces[:room], stop="length")
    if met is not None:
        return Said(thinking=thinking, text=pieces, stop="stop_sequence", stop_sequence=met)
    return Said(thinking=thinking, text=pieces)


# Reading JSON that may be anything


def read_object(body: bytes) -> JsonObject:
    """The request's JSON object. Raises `BadRequest`."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("We could not parse the JSON body of your request.") from None
    if not isinstance(read, dict):
        raise BadRequest("The JSON body of your request must be an object.")
    return read


def want(read: JsonObject, name: str, kind: type, *, required: bool = False) -> Any:
    """A field of the given type, or None where it is absent or null. Raises `BadRequest`."""
    found = read.get(name)
    if found is None:
        if required:
            raise BadRequest(f"Missing required parameter: '{name}'.")
        return None
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise BadRequest(
            f"Invalid type for '{name}': expected {kind.__name__}, but got {type(found).__name__} instead."
        )
    return found


def within(read: JsonObject, name: str, least: int, most: int) -> int | None:
    """A whole number of that range, or None where it is absent or null. Raises `BadRequest`, as OpenAI words it."""
    found: int | None = want(read, name, int)
    if found is None or least <= found <= most:
        return found
    bound = (
        f"below minimum value. Expected a value >= {least}"
        if found < least
        else f"above maximum value. Expected a value <= {most}"
    )
    raise BadRequest(f"Invalid '{name}': integer {bound}, but got {found} instead.")


def stops_of(read: JsonObject, name: str) -> tuple[str, ...]:
    """Stop sequences: a text, or several. Raises `BadRequest`."""
    found = read.get(name)
    stops = [found] if isinstance(found, str) else want(read, name, list) or []
    if not all(isinstance(stop, str) for stop in stops):
        raise BadRequest(f"Invalid type for '{name}': expected texts.")
    return tuple(stop for stop in stops if stop)


def messages_of(read: JsonObject, roles: frozenset[str]) -> list[JsonObject]:
    """The messages, each an object with a role out of `roles`. Raises `BadRequest`."""
    messages: list[Any] = want(read, "messages", list, required=True)
    if not messages:
        raise BadRequest("'messages' must hold at least one message.")
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in tuple(roles):
            role = message.get("role") if isinstance(message, dict) else message
            raise BadRequest(f"Invalid value for 'messages[{number}].role': {role!r} is not one of {sorted(roles)}.")
    return messages


def text_of(content: Any) -> str:
    """The words of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text")
    return " ".join(text for text in parts if isinstance(text, str))


def tokens_of(read: JsonObject) -> int:
    """What the prompt costs: four characters of its JSON are a token, as they roughly are."""
    counted = (
        json.dumps(read.get(name), ensure_ascii=False) for name in ("messages", "system", "tools") if name in read
    )
    return 1 + sum(map(len, counted)) // 4
