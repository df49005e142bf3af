"""The official SDKs' own tests of the endpoints that we have: each response, in strict and loose validation, over three clients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree as ET  # what is read was written by pytest a moment before

from conformance.cases import Case, Said
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.upstreams import DOORS, EMBEDDER, operations
from understudy.core.request import Operation

LISTING = "/v1/models"


@dataclass(frozen=True, slots=True)
class Selection:
    """Tests of an endpoint. `file`: below tests/api_resources. `names`: those whose names hold one of these words; all if none."""

    file: str
    door: str
    names: str = ""
    operation: Operation = Operation.CHAT

    @property
    def expression(self) -> str:
        """As pytest's -k takes it."""
        stem = self.file.rpartition("/")[2].removesuffix(".py")
        return f"({stem} and ({self.names}))" if self.names else stem


OPENAI_TESTS = (
    Selection("chat/test_completions.py", "/v1/chat/completions", "create"),
    Selection("test_responses.py", "/v1/responses", "create"),
    Selection("test_embeddings.py", "/v1/embeddings", "create", Operation.EMBED),
    Selection("test_models.py", LISTING, "list or retrieve"),
)
ANTHROPIC_TESTS = (
    Selection("test_messages.py", "/v1/messages"),
    Selection("test_models.py", LISTING),
)


def check(name: str, package: str, selections: tuple[Selection, ...], path: str, ground: Ground) -> list[Case]:
    """Those tests whose endpoint exists and whose operation the upstream can do."""
    offered = operations(ground.gateway.upstream)
    chosen = [one for one in selections if one.door in {*DOORS, LISTING} and one.operation in offered]
    report = ground.folder / f"{name}.xml"
    done = ground.run(
        [ground.tools.program("python"), "-m", "pytest", "-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider"]
        + ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=session", "-q", "--tb=line"]
        + ["--junitxml", str(report), "-k", " or ".join(one.expression for one in chosen)]
        + [f"tests/api_resources/{one.file}" for one in chosen],
        cwd=ground.tools.source(package),
        env={"TEST_API_BASE_URL": ground.origin + path},
    )
    if not report.exists():
        raise DidNotFinish(done.stdout[-300:] + done.stderr[-300:])
    return [_case(ground, name, one) for one in ET.parse(report).iter("testcase")]


def _case(ground: Ground, suite: str, told: ET.Element) -> Case:
    name = f"{told.get('classname', '').removeprefix('tests.api_resources.')}.{told.get('name')}"
    for tag, said in (("failure", Said.FAILED), ("error", Said.FAILED), ("skipped", Said.SKIPPED)):
        found = told.find(tag)
        if found is not None:
            return ground.case(suite, name, said, found.get("message") or "")
    return ground.case(suite, name, Said.PASSED)


OPENAI = Suite(
    "openai SDK's tests",
    "openai",
    "its own tests of chat completions, embeddings and models: sync, async and aiohttp clients, strict and loose types",
    partial(check, "openai SDK's tests", "openai", OPENAI_TESTS, "/v1"),
    models=("gpt-6-astra", "model", EMBEDDER),
)
ANTHROPIC = Suite(
    "anthropic SDK's tests",
    "anthropic",
    "its own tests of messages, token counts and models: sync, async and aiohttp clients, strict and loose types",
    partial(check, "anthropic SDK's tests", "anthropic", ANTHROPIC_TESTS, ""),
    models=("claude-opus-5-5", "claude-1.3", "model_id"),
)
