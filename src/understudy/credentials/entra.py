"""Microsoft Entra ID: an application's secret or federated token, or the managed identity of the machine.

What is not said is read where Microsoft's libraries read it: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`,
`AZURE_FEDERATED_TOKEN_FILE`, `AZURE_AUTHORITY_HOST`. Without a secret or a federated token it is the managed identity: of App Service
(`IDENTITY_ENDPOINT`), else of the virtual machine.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from understudy.core.value import keyword_value
from understudy.credentials import CredentialUnavailable, Grant, Means
from understudy.credentials._ask import METADATA, answered, ask, file, secure, token_of

_FEDERATED: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_AUTHORITY: Final = "https://login.microsoftonline.com"
_VARIABLES: Final = "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"


@keyword_value
class Entra:
    """`client`: the application's id, or that of a user-assigned managed identity. `tenant`: the directory's id.

    `secret_variable`: the variable that holds the application's secret. `scope`: what the token is for. `managed`: the managed identity
    even where a secret is at hand.
    """

    client: str = ""
    tenant: str = ""
    secret_variable: str = "AZURE_CLIENT_SECRET"  # noqa: S105  the name of a variable
    scope: str = "https://cognitiveservices.azure.com/.default"
    managed: bool = False

    async def grant(self, means: Means) -> Grant:
        """A token for an hour or a day."""
        env = means.env
        secret, federated = env.get(self.secret_variable, "").strip(), env.get("AZURE_FEDERATED_TOKEN_FILE", "")
        if self.managed or not (secret or federated):
            return await self._managed(means)
        tenant, client = self.tenant or env.get("AZURE_TENANT_ID", ""), self._client(means)
        if not tenant or not client:
            raise CredentialUnavailable(f"tenant and client are not known; set {_VARIABLES}, or say them")
        authority = (env.get("AZURE_AUTHORITY_HOST", "") or _AUTHORITY).rstrip("/")
        proof = (
            {"client_secret": secret}
            if secret
            else {"client_assertion_type": _FEDERATED, "client_assertion": (await file(means, federated)).strip()}
        )
        form = {"grant_type": "client_credentials", "client_id": client, "scope": self.scope, **proof}
        url = secure(f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token")
        return token_of(answered(await ask(means, "POST", url, form=form), "Entra ID"), "Entra ID")

    def _client(self, means: Means) -> str:
        return self.client or means.env.get("AZURE_CLIENT_ID", "")

    async def _managed(self, means: Means) -> Grant:
        endpoint, header = means.env.get("IDENTITY_ENDPOINT", ""), means.env.get("IDENTITY_HEADER", "")
        asked = {"resource": self.scope.removesuffix("/.default")}
        if self._client(means):
            asked["client_id"] = self._client(means)
        if endpoint and header:
            url = f"{endpoint}?{urlencode({'api-version': '2019-08-01', **asked})}"
            headers = {"x-identity-header": header}
        else:
            metadata = means.env.get("AZURE_POD_IDENTITY_AUTHORITY_HOST", "").rstrip("/") or METADATA
            url = f"{metadata}/metadata/identity/oauth2/token?{urlencode({'api-version': '2018-02-01', **asked})}"
            headers = {"metadata": "true"}
        told = answered(await ask(means, "GET", url, headers=headers), "the managed identity's server")
        if "expires_in" not in told:  # App Service tells the moment alone
            told = {**told, "expires_in": _left(told.get("expires_on"), means.wall_s())}
        return token_of(told, "the managed identity's server")


def _left(expires_on: object, wall_s: float) -> object:
    """Seconds from now to a Unix time, which may be text; what is no time stays what it is."""
    try:
        return float(str(expires_on)) - wall_s
    except ValueError:
        return expires_on


SOURCE = Entra
