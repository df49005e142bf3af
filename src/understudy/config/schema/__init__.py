"""What may be written in a configuration, section by section, and what it becomes.

A file holds the section of its name; `kinds` has what is common to them. Every model is strict (no word is a number, no number
is a word) and closed (an unknown key is an error). Descriptions are the reference: `docs/generate.py` prints them. Defaults are
those of the core's values.
"""

from __future__ import annotations

from collections.abc import Mapping

from understudy.config.schema.catalogue import CatalogueSection
from understudy.config.schema.health import HealthSection
from understudy.config.schema.kinds import Section
from understudy.config.schema.principals import PrincipalSection
from understudy.config.schema.routes import RouteSection
from understudy.config.schema.rules import RuleSection
from understudy.config.schema.targets import TargetSection
from understudy.config.schema.transport import ServerSection, TransportSection

# Sections whose models hold more than one thing, in the order of the reference.
SECTIONS: Mapping[str, type[Section]] = {
    "targets": TargetSection,
    "routes": RouteSection,
    "rules": RuleSection,
    "principals": PrincipalSection,
    "transport": TransportSection,
    "server": ServerSection,
    "health": HealthSection,
    "catalogue": CatalogueSection,
}

# Known words whose feature does not exist yet: a section that does nothing must not look as if it did.
NOT_YET: Mapping[str, str] = {
    "budgets": "budgets",
    "cache": "answer caches beside the provider `stale_cache`",
    "experiments": "experiments",
    "objectives": "objectives and alerts",
    "privacy": "masking of personal data",
    "state_dir": "state on disk, everything is kept in memory",
    "store": "a store, records are kept in memory",
    "telemetry": "telemetry export",
}
