"""Google Cloud: a service account's file, one's own sign-in, or the metadata server of the machine.

Without `file` it looks where Google's libraries look: `GOOGLE_APPLICATION_CREDENTIALS`, then the file that `gcloud auth
application-default login` writes, then the metadata server. A service account's file needs the extra `understudy[vertex]`.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from typing import Any

from understudy.core.value import JsonObject, keyword_value
from understudy.credentials import CredentialUnavailable, Grant, Means
from understudy.credentials._ask import METADATA, answered, ask, file, path, secure, token_of

_TOKENS = "https://oauth2.googleapis.com/token"
_METADATA_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
_LIFE_S = 3600
_EARLIER_S = 10  # a clock that is a little ahead must not make a token of the future


@keyword_value
class Gcp:
    """`file`: the JSON file of a service account, or of one's own sign-in; `metadata` for the metadata server alone.

    `scope`: what the token is for.
    """

    file: str = ""
    scope: str = "https://www.googleapis.com/auth/cloud-platform"

    async def grant(self, means: Means) -> Grant:
        """A token for an hour, usually."""
        name = self.file or means.env.get("GOOGLE_APPLICATION_CREDENTIALS", "") or _own(means)
        if not name or name == "metadata":
            return await self._from_metadata(means)
        try:
            held = json.loads(await file(means, name))
        except ValueError:
            raise CredentialUnavailable(f"{name}: is no JSON") from None
        if not isinstance(held, dict):
            raise CredentialUnavailable(f"{name}: holds no JSON object")
        kind = held.get("type")
        if kind == "service_account":
            return await self._for_account(means, held, name)
        if kind == "authorized_user":
            return await _for_user(means, held, name)
        raise CredentialUnavailable(f"{name}: credentials of type {kind!r} are not known here; use a service account")

    async def _from_metadata(self, means: Means) -> Grant:
        host = means.env.get("GCE_METADATA_HOST", "")
        url = (f"http://{host}" if host else METADATA) + _METADATA_PATH
        answer = await ask(means, "GET", url, headers={"metadata-flavor": "Google"})
        if answer.headers.get(b"metadata-flavor") != b"Google":
            raise CredentialUnavailable("what answers at the metadata server's address is not Google's")
        return token_of(answered(answer, "the metadata server"), "the metadata server")

    async def _for_account(self, means: Means, held: JsonObject, name: str) -> Grant:
        url = secure(held.get("token_uri") or _TOKENS)
        assertion = await asyncio.to_thread(signed, held, self.scope, url, int(means.wall_s()), name)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return token_of(answered(await ask(means, "POST", url, form=form), "Google"), "Google")


async def _for_user(means: Means, held: JsonObject, name: str) -> Grant:
    fields = {each: _text(held, each, name) for each in ("client_id", "client_secret", "refresh_token")}
    url = secure(held.get("token_uri") or _TOKENS)
    form = {"grant_type": "refresh_token", **fields}
    return token_of(answered(await ask(means, "POST", url, form=form), "Google"), "Google")


def _own(means: Means) -> str:
    folder = means.env.get("CLOUDSDK_CONFIG", "~/.config/gcloud")
    name = f"{folder}/application_default_credentials.json"
    return name if path(means, name).is_file() else ""


def _text(held: JsonObject, name: str, where: str) -> str:
    found = held.get(name)
    if not isinstance(found, str) or not found:
        raise CredentialUnavailable(f"{where}: has no {name}")
    return found


def signed(held: JsonObject, scope: str, audience: str, now_s: int, where: str) -> str:
    """A service account's claim to a token, signed with its key: RFC 7523, as developers.google.com/identity/protocols/oauth2/service-account.

    `now_s`: Unix time. Raises `CredentialUnavailable`.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError:
        raise CredentialUnavailable(
            "a service account's file needs the extra: pip install 'understudy[vertex]'"
        ) from None
    try:
        key = load_pem_private_key(_text(held, "private_key", where).encode(), password=None)
    except (ValueError, TypeError):
        raise CredentialUnavailable(f"{where}: private_key is no key") from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialUnavailable(f"{where}: private_key is no RSA key")
    head = {"alg": "RS256", "typ": "JWT", **({"kid": held["private_key_id"]} if "private_key_id" in held else {})}
    claims = {
        "iss": _text(held, "client_email", where),
        "scope": scope,
        "aud": audience,
        "iat": now_s - _EARLIER_S,
        "exp": now_s - _EARLIER_S + _LIFE_S,
    }
    signable = f"{_packed(head)}.{_packed(claims)}"
    signature = key.sign(signable.encode(), PKCS1v15(), SHA256())
    return f"{signable}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def _packed(claims: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode().rstrip("=")


SOURCE = Gcp
