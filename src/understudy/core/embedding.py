"""The intermediate form of an embeddings request and of its answer, and what becomes of a request that a format cannot carry."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from understudy.core.conversation import Extra
from understudy.core.projection import COSMETIC, ESSENTIAL, LOSSY, Loss
from understudy.core.usage import Usage
from understudy.core.value import keyword_value


class Purpose(StrEnum):
    """What a vector is for. Models that ask for it embed a question and the text that answers it differently."""

    QUERY = "query"
    DOCUMENT = "document"
    SIMILARITY = "similarity"
    CLASSIFICATION = "classification"
    CLUSTERING = "clustering"
    CODE_QUERY = "code_query"
    QUESTION = "question"
    FACT = "fact"


class Encoding(StrEnum):
    """How vectors are written: as JSON numbers, or as the base64 of little-endian 32-bit floats."""

    FLOAT = "float"
    BASE64 = "base64"


Input = str | tuple[int, ...]
"""One text, or the tokens of one in the model's own vocabulary."""


@keyword_value
class Texts:
    """What is to be embedded.

    `dimensions`: the length of the vectors that the caller wants, None for the model's own. `user`: whom it is for.
    `encoding`: how the caller wants the vectors.
    """

    model: str
    inputs: tuple[Input, ...]
    dimensions: int | None = None
    purpose: Purpose | None = None
    user: str | None = None
    encoding: Encoding = Encoding.FLOAT
    extra: Extra | None = None


@keyword_value
class Vectors:
    """One vector for each input, in their order. `model`: as the provider calls it, "" where the format does not say."""

    vectors: tuple[tuple[float, ...], ...]
    model: str = ""
    usage: Usage | None = None
    encoding: Encoding = Encoding.FLOAT


@keyword_value
class Embeds:
    """What one format can carry of `Texts`.

    `tokens`: inputs that are tokens already. `inputs_max`: inputs of one request, None without a bound. `purposes`: those that
    it has a word for; `purpose`: what vectors are for when nobody said so, None where that may be left open. `encodings`: those
    that a caller of this format may ask for.
    """

    dialect: str
    tokens: bool = False
    inputs_max: int | None = None
    purposes: tuple[Purpose, ...] = ()
    purpose: Purpose | None = None
    dimensions: bool = True
    user: bool = False
    encodings: tuple[Encoding, ...] = (Encoding.FLOAT,)


def project_texts(texts: Texts, carries: Embeds) -> tuple[Texts, tuple[Loss, ...]]:
    """The nearest request that the format can carry, and what it lacks.

    `encoding` is a matter between the caller and us: a format that has but one is asked for that, and nothing is lost.
    """
    losses: list[Loss] = []
    if not carries.tokens and any(not isinstance(one, str) for one in texts.inputs):
        losses.append(Loss("input", ESSENTIAL))  # tokens mean something to one vocabulary only
    elif carries.inputs_max is not None and len(texts.inputs) > carries.inputs_max:
        losses.append(Loss("input", ESSENTIAL))
    if texts.dimensions is not None and not carries.dimensions:
        losses.append(Loss("dimensions", ESSENTIAL))  # no index takes vectors of another length
        texts = replace(texts, dimensions=None)
    if texts.purpose is not None and texts.purpose not in carries.purposes:
        losses.append(Loss("input_type", LOSSY))
        texts = replace(texts, purpose=None)
    if texts.purpose is None and carries.purpose is not None:
        texts = replace(texts, purpose=carries.purpose)
    if texts.user is not None and not carries.user:
        losses.append(Loss("user", COSMETIC))
        texts = replace(texts, user=None)
    if texts.encoding not in carries.encodings:
        texts = replace(texts, encoding=carries.encodings[0])
    if texts.extra is not None and texts.extra.dialect != carries.dialect:
        losses += [Loss(name, LOSSY) for name in texts.extra.fields]
        texts = replace(texts, extra=None)
    return texts, tuple(losses)


def weight_of_field(name: str, asked: Texts, carries: Embeds) -> str:  # noqa: ARG001  what was asked changes nothing
    """What it weighs when a provider refuses a field of its own format. `name`: on the wire."""
    return {"user": COSMETIC, "dimensions": ESSENTIAL}.get(name, LOSSY)


def narrowed_embeds(carries: Embeds, drop: tuple[str, ...]) -> Embeds:
    """What is left when a provider refuses some fields of the format. `drop`: their names on the wire."""
    return replace(
        carries,
        user=carries.user and "user" not in drop,
        dimensions=carries.dimensions and "dimensions" not in drop,
        purposes=() if "input_type" in drop else carries.purposes,
    )
