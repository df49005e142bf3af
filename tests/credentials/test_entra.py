"""Microsoft's credentials: an application's secret or federated token, and managed identities."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from credentials.clouds import NOW_S, token
from understudy.credentials import CredentialUnavailable
from understudy.credentials.entra import Entra

SCOPE = "https://cognitiveservices.azure.com/.default"
APPLICATION = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "pass~word"}
MACHINE = "GET /metadata/identity/oauth2/token"


def form_of(cloud) -> dict[str, str]:
    return {name: text for name, [text] in parse_qs(cloud.asked[0]["body"]).items()}


def query_of(cloud) -> dict[str, str]:
    return {name: text for name, [text] in parse_qs(cloud.asked[0]["query"]).items()}


async def test_an_application_shows_its_secret(cloud, means):
    cloud.answers["POST /tenant/oauth2/v2.0/token"] = token("eyJ.a.b")
    granted = await Entra().grant(means(AZURE_AUTHORITY_HOST=cloud.url + "/", **APPLICATION))
    assert (granted.secret.reveal(), granted.good_for_s) == ("eyJ.a.b", 3600)
    assert form_of(cloud) == {
        "grant_type": "client_credentials", "client_id": "client", "client_secret": "pass~word", "scope": SCOPE,
    }  # fmt: skip


async def test_what_is_said_outranks_the_variables(cloud, means):
    cloud.answers["POST /other/oauth2/v2.0/token"] = token()
    source = Entra(tenant="other", client="mine", secret_variable="SECRET_2", scope="https://ai.azure.com/.default")
    await source.grant(means(AZURE_AUTHORITY_HOST=cloud.url, SECRET_2="two", **APPLICATION))
    form = form_of(cloud)
    assert (form["client_id"], form["client_secret"], form["scope"]) == ("mine", "two", "https://ai.azure.com/.default")


async def test_a_workload_shows_its_federated_token(cloud, means, tmp_path):
    (tmp_path / "token").write_text("eyJ.workload\n")
    cloud.answers["POST /tenant/oauth2/v2.0/token"] = token()
    env = {name: text for name, text in APPLICATION.items() if name != "AZURE_CLIENT_SECRET"}
    await Entra().grant(means(AZURE_AUTHORITY_HOST=cloud.url, AZURE_FEDERATED_TOKEN_FILE="token", **env))
    form = form_of(cloud)
    assert form["client_assertion"] == "eyJ.workload"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in form


async def test_a_machine_has_an_identity(cloud, means):
    cloud.answers[MACHINE] = token(expires_in="86399")
    granted = await Entra().grant(means(AZURE_POD_IDENTITY_AUTHORITY_HOST=cloud.url, AZURE_CLIENT_ID="user-assigned"))
    assert granted.good_for_s == 86399
    assert cloud.asked[0]["headers"]["metadata"] == "true"
    assert query_of(cloud) == {
        "api-version": "2018-02-01", "resource": "https://cognitiveservices.azure.com", "client_id": "user-assigned",
    }  # fmt: skip


async def test_the_managed_identity_can_be_chosen_over_a_secret(cloud, means):
    cloud.answers[MACHINE] = token()
    await Entra(managed=True).grant(means(AZURE_POD_IDENTITY_AUTHORITY_HOST=cloud.url, **APPLICATION))
    assert cloud.asked[0]["at"] == MACHINE


async def test_app_service_has_an_endpoint_of_its_own_and_tells_the_moment(cloud, means):
    cloud.answers["GET /msi/token"] = (200, {}, {"access_token": "eyJ.c", "expires_on": str(int(NOW_S) + 500)})
    granted = await Entra().grant(means(IDENTITY_ENDPOINT=f"{cloud.url}/msi/token", IDENTITY_HEADER="guid"))
    assert granted.good_for_s == 500
    assert cloud.asked[0]["headers"]["x-identity-header"] == "guid"
    assert query_of(cloud)["api-version"] == "2019-08-01"


async def test_a_moment_that_is_none_is_refused(cloud, means):
    cloud.answers["GET /msi"] = (200, {}, {"access_token": "eyJ.c", "expires_on": "06/20/2030 02:57:58 +00:00"})
    with pytest.raises(CredentialUnavailable, match="without a number in expires_in"):
        await Entra().grant(means(IDENTITY_ENDPOINT=f"{cloud.url}/msi", IDENTITY_HEADER="guid"))


async def test_what_is_missing_is_named(means):
    with pytest.raises(CredentialUnavailable, match="set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"):
        await Entra().grant(means(AZURE_CLIENT_SECRET="s"))


async def test_the_refusal_is_told(cloud, means):
    told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    cloud.answers["POST /tenant/oauth2/v2.0/token"] = (401, {}, told)
    with pytest.raises(CredentialUnavailable, match="Entra ID answered 401: invalid_client AADSTS7000215"):
        await Entra().grant(means(AZURE_AUTHORITY_HOST=cloud.url, **APPLICATION))


async def test_a_secret_does_not_travel_in_the_open(means):
    with pytest.raises(CredentialUnavailable, match="plain http"):
        await Entra().grant(means(AZURE_AUTHORITY_HOST="http://login.example", **APPLICATION))
    with pytest.raises(CredentialUnavailable, match="is no address"):
        await Entra().grant(means(AZURE_POD_IDENTITY_AUTHORITY_HOST="ftp://x"))
