"""What `make conformance` makes of what suites say; the suites themselves run there."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.cases import Case, Known, Said, read_baseline, surprises, unmatched
from conformance.page import PAGE, page, summary
from conformance.suites import SUITES
from conformance.suites.llm_comply import SURFACES
from conformance.suites.openapi import narrow
from conformance.tools import NODE_TOOLS, pin
from conformance.upstreams import CALLER_KEYS, MODEL, UPSTREAMS, configuration
from understudy.config.load import loads

KNOWN = Known("suite", ("open*",), "a: *", "because")


def case(name: str, said: Said, upstream: str = "openai_chat") -> Case:
    return Case("suite", upstream, name, said)


@pytest.mark.parametrize(
    ("one", "surprising"),
    [
        (case("b", Said.PASSED), False),
        (case("a: 1", Said.FAILED), False),
        (case("a: 1", Said.SKIPPED), False),
        (case("a: 1", Said.PASSED), True),
        (case("b", Said.FAILED), True),
        (case("b", Said.SKIPPED), True),
        (case("a: 1", Said.FAILED, "gemini"), True),
        (case("a: ServerError", Said.FAILED), True),
    ],
)
def test_what_goes_otherwise_than_the_baseline_says_is_a_surprise(one: Case, surprising: bool) -> None:
    assert bool(surprises([one], [KNOWN])) is surprising


def test_a_known_failure_that_is_gone_is_told() -> None:
    assert unmatched([case("b", Said.PASSED)], [KNOWN]) == [KNOWN]
    assert unmatched([case("a: 1", Said.FAILED)], [KNOWN]) == []
    assert unmatched([], [KNOWN]) == []


def test_every_known_failure_has_a_reason_and_excuses_no_5xx() -> None:
    known = read_baseline()
    assert all(len(one.reason) > 20 or one.reason.startswith("as before") for one in known)
    assert {one.suite for one in known} <= {suite.name for suite in SUITES}
    upstreams = {one.name for one in UPSTREAMS}
    assert {name for one in known for name in one.upstreams} <= upstreams | {"*"}
    broken = Case("schemathesis", "gemini", "POST /chat/completions: ServerError", Said.FAILED)
    assert surprises([broken], [*known, Known("schemathesis", ("*",), "*", "no")])


def test_every_suite_is_pinned() -> None:
    assert all(suite.version for suite in SUITES)
    assert all(digest.startswith("sha512-") for _, digest in NODE_TOOLS.values())
    assert all(one.startswith("sha256:") for one in pin("openai")[2])


def test_every_upstream_can_be_configured() -> None:
    for upstream in UPSTREAMS:
        made = loads(str(configuration(upstream, "http://127.0.0.1:1", (MODEL, "other"))), env={"CONFORMANCE_KEY": "k"})
        assert made.warnings == ()
        assert {MODEL, "other"} <= set(made.routes)
        assert len(made.principals) == len(CALLER_KEYS)


def test_the_page_tells_suites_counts_and_reasons_and_no_date() -> None:
    cases = [Case(SUITES[0].name, UPSTREAMS[0].name, "a", Said.PASSED)]
    cases.append(Case(SUITES[0].name, UPSTREAMS[0].name, "b|c", Said.FAILED))
    known = [Known(SUITES[0].name, ("*",), "b|c", "it must be so")]
    assert "1, 1 known" in summary(SUITES, UPSTREAMS, cases, {})
    assert "not run" in summary(SUITES, UPSTREAMS, cases, {SUITES[1].name: "no node"})
    told = page(SUITES, UPSTREAMS, cases, known)
    assert "it must be so" in told
    assert "b\\|c" in told
    assert told == page(SUITES, UPSTREAMS, cases, known)


def test_the_committed_page_is_of_these_suites_and_this_baseline() -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert all(f"| {suite.name} " in told for suite in SUITES)
    assert all(f"over {one.name} " in told for one in UPSTREAMS)
    assert all(one.reason.replace("|", "\\|") in told for one in read_baseline())


def test_of_a_description_only_our_part_is_left() -> None:
    schema: dict[str, Any] = {
        "allOf": [{"properties": {"temperature": {}}}, {"properties": {"model": {"type": "string"}}}]
    }
    body = {"content": {"application/json": {"schema": schema}}}
    description = {
        "paths": {
            "/chat/completions": {"post": {"requestBody": body}, "get": {}},
            "/files": {"get": {}},
            "/models": {"get": {}},
            "/models/{model}": {"get": {"parameters": [{"name": "model", "schema": {}}]}, "delete": {}},
        },
        "components": {"schemas": {"CreateChatCompletionRequest": schema}},
    }
    told = narrow(description, ["/chat/completions"])
    assert {path: list(methods) for path, methods in told["paths"].items()} == {
        "/chat/completions": ["post"],
        "/models": ["get"],
        "/models/{model}": ["get"],
    }
    assert schema["allOf"][1]["properties"]["model"] == {"type": "string", "enum": [MODEL]}


def test_surfaces_are_told_apart_by_their_door() -> None:
    assert len({one.door for one in SURFACES}) == len(SURFACES)
