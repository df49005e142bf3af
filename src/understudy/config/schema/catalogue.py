"""`catalogue`: what is taken from the catalogue of models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.config.schema.kinds import Section, Word


class CatalogueSection(Section):
    """What is taken from the catalogue of models where a target does not say it. `understudy check` shows every figure and its source."""

    use: bool = Field(default=True, description="Whether anything is.")
    prices: Literal["catalogue", "configuration"] = Field(
        default="catalogue",
        description="Where prices are from: `configuration` takes only those that are written, and every other one is unknown.",
    )
    models: bool = Field(
        default=False,
        description="Whether every model that it lists at a provider of yours can be asked for, as `provider/model` or by its own name, with "
        "the key of that provider's first target. Whoever may ask for any name may then ask for the dearest.",
    )
    file: Word | None = Field(
        default=None,
        description="A snapshot made by `understudy models refresh`, instead of the one that is shipped; relative to this file.",
    )
