"""schemathesis with OpenAI's own description: requests made from it by rule and by chance, and every answer held against it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

from conformance.cases import Case, Said
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.tools import Unavailable
from conformance.upstreams import CALLER_KEY, DOORS, EMBEDDER, MODEL, operations
from understudy.core.request import Operation

NAME = "schemathesis"
SHARED = Path(os.environ.get("UNDERSTUDY_SHARED") or Path(__file__).resolve().parents[4] / "shared")
DESCRIPTION = SHARED / "recordings" / "specs" / "openai-openapi.json.gz"
HOW = (
    "--header", f"Authorization: Bearer {CALLER_KEY}",
    "--phases", "examples,coverage,fuzzing",
    "--max-examples", "25",
    "--seed", "1",
    "--generation-database", "none",
    "--continue-on-failure",
    "--request-timeout", "20",
    "--workers", "1",
    "--report", "json",
    "--no-color",
)  # fmt: skip
CHECKS = {
    "IgnoredAuth", "MissingHeaderNotRejected", "UndefinedStatusCode", "RejectedPositiveData", "AcceptedNegativeData",
    "UnsupportedMethodResponse", "JsonSchemaError", "UndefinedContentType", "MissingContentType", "ServerError",
}  # fmt: skip
"""What it may find, each a case of every operation, passed where it was not found."""
BODIES = {
    "/chat/completions": "CreateChatCompletionRequest",
    "/embeddings": "CreateEmbeddingRequest",
    "/responses": "CreateResponse",
}
"""Paths -> the schema of what is posted there."""
USUAL = {
    "/chat/completions": {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}],
        "temperature": 0.5,
        "max_completion_tokens": 100,
        "stop": ["\n\n"],
    },
    "/embeddings": {"model": EMBEDDER, "input": ["The sky is blue."], "encoding_format": "float"},
    "/responses": {"model": MODEL, "input": "Why is the sky blue?", "max_output_tokens": 100},
}
"""Paths -> a request that every upstream can take: what is made by rule starts from it."""


def check(ground: Ground) -> list[Case]:
    """The operations at our doors, over a description that knows our models' names."""
    if not DESCRIPTION.exists():
        raise Unavailable("OpenAI's description is not beside the repository (set UNDERSTUDY_SHARED)")
    paths = [
        path
        for path in BODIES
        if f"/v1{path}" in DOORS and (path != "/embeddings" or Operation.EMBED in operations(ground.gateway.upstream))
    ]
    narrowed = ground.folder / "openapi.json"
    narrowed.write_text(
        json.dumps(narrow(json.loads(gzip.decompress(DESCRIPTION.read_bytes())), paths)), encoding="utf-8"
    )
    report = ground.folder / "schemathesis.json"
    done = ground.run(
        [
            ground.tools.program("st"),
            "run",
            str(narrowed),
            "--url",
            f"{ground.origin}/v1",
            *HOW,
            "--report-json-path",
            str(report),
        ],
    )
    if not report.exists():
        raise DidNotFinish((done.stdout + done.stderr)[-300:])
    return list(read(ground, json.loads(report.read_text(encoding="utf-8")), paths))


def narrow(description: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The description with our paths and methods alone, and models that exist: with invented ones all it would see is 404."""
    told = description["paths"]
    kept = {path: {"post": told[path]["post"]} for path in paths}
    kept["/models"] = {"get": told["/models"]["get"]}
    kept["/models/{model}"] = {"get": told["/models/{model}"]["get"]}
    kept["/models/{model}"]["get"]["parameters"][0]["schema"] = {"type": "string", "enum": [MODEL]}
    schemas = description["components"]["schemas"]
    for path in paths:
        told[path]["post"]["requestBody"]["content"]["application/json"]["examples"] = {"usual": {"value": USUAL[path]}}
        name = EMBEDDER if path == "/embeddings" else MODEL
        for properties in with_model(schemas[BODIES[path]]):
            properties["model"] = {"type": "string", "enum": [name]}
    return description | {"paths": kept}


def with_model(schema: Any) -> list[dict[str, Any]]:
    """The `properties` of a body's schema that have a model in them: its own, or of a part that it is made of."""
    own = schema.get("properties", {})
    inner = [found for part in schema.get("allOf", []) for found in with_model(part)]
    return ([own] if "model" in own else []) + inner


def read(ground: Ground, told: dict[str, Any], paths: list[str]) -> list[Case]:
    """A case for each operation and each thing that could be found. A run that never got a request accepted proves nothing."""
    if told["errors"] or not told["complete"]:
        raise DidNotFinish(f"{told['stop_reason']}: {told['errors']}")
    found = {(one["type"], operation): one["title"] for one in told["failures"] for operation in one["operations"]}
    ours = [*(f"POST {path}" for path in paths), "GET /models", "GET /models/{model}"]
    cases = []
    for operation in dict.fromkeys([*ours, *(operation for _, operation in found)]):
        for what in sorted(CHECKS | {kind for kind, where in found if where == operation}):
            title = found.get((what, operation))
            cases.append(ground.case(NAME, f"{operation}: {what}", Said.FAILED if title else Said.PASSED, title or ""))
    for operation in ours:
        rates = told["valid_rates"].get(operation, {})
        accepted = sum(phase["accepted"] for phase in rates.values())
        said = Said.PASSED if accepted else Said.FAILED
        cases.append(ground.case(NAME, f"{operation}: valid requests were accepted", said, f"{accepted} of {rates}"))
    return cases


SUITE = Suite(
    NAME,
    NAME,
    "requests generated from OpenAI's OpenAPI description, by rule and by chance: no 5xx, documented bodies, keys demanded",
    check,
    models=(MODEL,),
)
