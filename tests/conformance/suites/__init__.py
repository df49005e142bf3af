"""The suites that others wrote. A new one is a file here and a row of `SUITES`."""

from __future__ import annotations

from conformance.suites import compatcanary, guides, llm_comply, openapi, provider_check, sdk_tests
from conformance.suites.ground import Suite

SUITES: tuple[Suite, ...] = (
    llm_comply.SUITE,
    sdk_tests.OPENAI,
    sdk_tests.ANTHROPIC,
    compatcanary.SUITE,
    provider_check.SUITE,
    openapi.SUITE,
    guides.SUITE,
)
