"""What every piece of the generateContent codec needs: fields in either spelling, with a path to the fault.

Google's servers take every field in camel case and in snake case; the codec reads both and writes camel case.
"""

from __future__ import annotations

import re
from typing import Any

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, at, named

NAME = "gemini"

# Spelling: the names that the codec looks for. Any other stays as it was written.

_LOOKED_FOR = """
    allowedFunctionNames anyOf cachedContent cachedContentTokenCount cacheTokensDetails candidateCount candidatesTokenCount
    candidatesTokensDetails displayName fileData fileUri finishMessage finishReason frequencyPenalty functionCall
    functionCallingConfig functionDeclarations functionResponse generationConfig includeThoughts inlineData jsonPath maxItems
    maxLength maxOutputTokens maxProperties mimeType minItems minLength minProperties modelVersion nullValue numberValue boolValue
    parametersJsonSchema partialArgs presencePenalty promptFeedback promptTokenCount promptTokensDetails propertyOrdering
    responseId responseJsonSchema responseLogprobs responseMimeType responseModalities responseSchema safetySettings
    stopSequences stringValue systemInstruction thinkingBudget thinkingConfig thinkingLevel thoughtSignature
    thoughtsTokenCount tokenCount toolConfig toolUsePromptTokenCount toolUsePromptTokensDetails topK topP totalTokenCount
    usageMetadata videoMetadata willContinue
"""
_SPELLINGS = {re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name): name for name in _LOOKED_FOR.split()}


def camel(name: str) -> str:
    """A field's name in camel case."""
    return _SPELLINGS.get(name, name)


def camelled(found: Any) -> JsonObject:
    """An object's own members under names in camel case; a copy. What is deeper stays as it is: schemas and arguments are the caller's."""
    return {camel(name): held for name, held in found.items()}


# Reading fields: each takes its field out of the mapping, so that what is left over is known to be of this dialect only.


def take(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind.

    A whole number may be written as 40.0, and a single entry of a list without the list: Google's servers take both.
    """
    found = fields.pop(key, None)
    if kind is int and isinstance(found, float) and found.is_integer():
        found = int(found)
    if kind is list and isinstance(found, dict):
        found = [found]
    if found is None or (isinstance(found, kind) and not (isinstance(found, bool) and kind is not bool)):
        return found
    raise Unreadable(f"{at(where, key)} must be {named(kind)}")


def need(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, key, kind, where)
    if found is None:
        raise Unreadable(f"{at(where, key)} is missing: it must be {named(kind)}")
    return found


def an_object(found: Any, where: str) -> JsonObject:
    """A copy of an object, its names in camel case. Raises `Unreadable` for anything else."""
    if not isinstance(found, dict):
        raise Unreadable(f"{where} must be an object")
    return camelled(found)


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    left = {key: held for key, held in fields.items() if held is not None}
    return Extra(NAME, left) if left else None


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == NAME else {}


def bare_model(name: str) -> str:
    """A model's name without its collection: `models/gemini-2.5-pro` is `gemini-2.5-pro`."""
    return name.removeprefix("models/")
