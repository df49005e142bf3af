"""Azure and Vertex are elsewhere for every customer: what is said of them becomes addresses, and their keys go nowhere else."""

from __future__ import annotations

import pytest

from understudy.config.load import loads
from understudy.core.target import Target
from understudy.errors import ConfigurationError
from understudy.providers import Auth, endpoint


def target(line: str) -> Target:
    return loads(f"targets: {{t: {{{line}}}}}", env={}).targets["t"]


def place(line: str, dialect: str = "openai_chat") -> str:
    one = target(line)
    where = endpoint(one, dialect)
    assert dialect in one.dialects
    return f"{where.origin.host}{where.path}"


AZURE = "provider: azure, model: my deployment"
CHAT = "/openai/v1/chat/completions"
DATED = "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ("resource: r", "r.openai.azure.com" + CHAT),
        ("base_url: 'https://r.openai.azure.com'", "r.openai.azure.com" + CHAT),
        ("base_url: 'https://r.openai.azure.com/openai/v1/'", "r.openai.azure.com" + CHAT),
        ("base_url: 'https://gateway/team/openai'", "gateway/team" + CHAT),
        ("resource: r, api_version: 2024-10-21", "r.openai.azure.com" + DATED),
        ("base_url: 'https://r.openai.azure.com/openai/v1', api_version: 2024-10-21", "r.openai.azure.com" + DATED),
        (
            "base_url: 'https://r.services.ai.azure.com/models', api_version: 2024-05-01-preview",
            "r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
        ),
        ("base_url: 'https://r.services.ai.azure.com/models'", "r.services.ai.azure.com/models/chat/completions"),
        ("base_url: 'https://r.openai.azure.com/openai/deployments/mine'", "r.openai.azure.com" + CHAT),
        (
            "base_url: 'https://r.openai.azure.com/openai/deployments/mine/', api_version: 2024-10-21",
            "r.openai.azure.com" + DATED,
        ),
    ],
)
def test_azure_is_found_in_each_of_its_forms(settings, url):
    assert place(f"{AZURE}, {settings}") == url


@pytest.mark.parametrize(
    "settings",
    [
        "resource: r",
        "resource: r, api_version: 2024-10-21",
        "base_url: 'https://r.openai.azure.com/models'",
        "base_url: 'https://r.openai.azure.com/openai/v1'",
    ],
)
def test_responses_on_azure_have_one_address_whatever_the_version(settings):
    assert place(f"{AZURE}, {settings}", "openai_responses") == "r.openai.azure.com/openai/v1/responses"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://r.services.ai.azure.com",
        "https://r.services.ai.azure.com/anthropic/v1",
        "https://r.services.ai.azure.com/models",
    ],
)
def test_claude_on_azure_has_an_address_of_its_own(base_url):
    line = f"provider: azure, model: claude, api: messages, base_url: '{base_url}'"
    assert place(line, "anthropic_messages") == "r.services.ai.azure.com/anthropic/v1/messages"


def test_a_key_of_azure_is_shown_as_api_key_and_a_token_as_a_bearer_token():
    shown = [
        endpoint(target(f"{AZURE}, resource: r{key}"), "openai_chat").credential("K")
        for key in ("", ", key: entra", ", key: file:token")
    ]
    assert shown == [((b"api-key", b"K"),), ((b"authorization", b"Bearer K"),), ((b"api-key", b"K"),)]


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ("project: p", "aiplatform.googleapis.com/v1/projects/p/locations/global"),
        ("project: p, location: us-east5", "us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"),
        ("project: p, location: eu", "aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu"),
        ("base_url: 'https://proxy/v1/projects/p/locations/l'", "proxy/v1/projects/p/locations/l"),
    ],
)
def test_vertex_is_found_by_project_and_location(settings, url):
    claude = f"provider: vertex, model: claude-sonnet-4-5@20250929, {settings}"
    under = url + "/publishers/anthropic/models/claude-sonnet-4-5@20250929"
    assert place(claude, "anthropic_messages") == f"{under}:rawPredict"
    assert endpoint(target(claude), "anthropic_messages").stream_path.endswith(":streamRawPredict")
    assert place(f"provider: vertex, model: meta/llama, {settings}") == f"{url}/endpoints/openapi/chat/completions"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("provider: azure, model: m, resource: r", "env:AZURE_OPENAI_API_KEY"),
        ("provider: azure, model: m, base_url: 'https://r.services.ai.azure.com'", "env:AZURE_OPENAI_API_KEY"),
        ("provider: azure, model: m, base_url: 'https://r.openai.azure.com.evil'", None),
        ("provider: azure, model: m, base_url: 'http://r.openai.azure.com'", None),
        ("provider: azure, model: m, base_url: 'https://evil/x.openai.azure.com'", None),
        ("provider: vertex, model: claude-x, project: p", "gcp"),
        ("provider: vertex, model: claude-x, base_url: 'https://eu-aiplatform.googleapis.com/v1'", "gcp"),
        ("provider: vertex, model: claude-x, project: p, location: us", "gcp"),
        ("provider: vertex, model: claude-x, base_url: 'https://aiplatform.us.rep.googleapis.com/v1'", "gcp"),
        ("provider: vertex, model: claude-x, base_url: 'http://127.0.0.1:1/v1'", None),
        ("provider: openai, model: m, base_url: 'https://x/v1'", None),
        ("provider: azure, model: m, base_url: 'https://x', key: env:MINE", "env:MINE"),
    ],
)
def test_the_usual_credential_goes_to_the_providers_own_hosts_alone(line, key):
    assert target(line).key == key


def test_an_issued_token_is_shown_as_the_wire_format_says_where_that_is_no_key():
    one = target("provider: llama_cpp, model: m, key: gcp")
    assert endpoint(one, "openai_chat").auth is Auth.BEARER


@pytest.mark.parametrize(
    ("provider", "base_url", "paths"),
    [
        ("cohere", "https://h/v1", ("/v2/chat", "/compatibility/v1/chat/completions")),
        ("cohere", "https://h/v2/", ("/v2/chat", "/compatibility/v1/chat/completions")),
        ("cohere", "https://h/compatibility/v1", ("/v2/chat", "/compatibility/v1/chat/completions")),
        ("gemini", "https://h/v1", ("/v1beta/models/m:generateContent", "/v1beta/openai/chat/completions")),
        ("gemini", "https://h/v1beta/openai/", ("/v1beta/models/m:generateContent", "/v1beta/openai/chat/completions")),
        ("gemini", "https://h/team/v1beta", ("/team/v1beta/models/m:generateContent",)),
        ("ollama", "http://h:1/api", ("/api/chat", "/v1/chat/completions")),
        ("ollama", "http://h:1/v1", ("/api/chat", "/v1/chat/completions")),
        ("anthropic", "https://h/v1", ("/v1/messages",)),
    ],
)
def test_an_address_that_is_documented_for_one_format_serves_all(provider, base_url, paths):
    one = target(f"provider: {provider}, model: m, base_url: '{base_url}'")
    assert tuple(endpoint(one, dialect).path for dialect in one.dialects)[: len(paths)] == paths


@pytest.mark.parametrize(
    "base_url",
    [
        "https://h/v1/chat/completions",
        "https://r.openai.azure.com/openai/deployments/d/chat/completions/",
        "https://h/v1/messages",
        "https://h/v1beta/models/m:streamGenerateContent",
        "http://h/api/chat",
        "https://h/model/m/converse",
    ],
)
def test_an_address_of_one_request_is_refused_with_what_to_leave_out(base_url):
    with pytest.raises(ConfigurationError, match="every request adds by itself; leave that out"):
        target(f"provider: openai_compatible, model: m, base_url: '{base_url}'")


def test_the_name_that_a_listing_gives_a_model_is_its_name():
    one = target("provider: gemini, model: models/gemini-3-pro-preview")
    assert one.model == "gemini-3-pro-preview"
    assert endpoint(one, "gemini").quirks.efforts == ("low", "high")
    vectors = target("provider: gemini, model: models/gemini-embedding-001, embeds: true")
    assert (vectors.model, vectors.embeds) == ("gemini-embedding-001", "gemini-embedding-001")
