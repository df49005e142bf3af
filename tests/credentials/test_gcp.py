"""Google's credentials: the account's signed claim, one's own sign-in, the metadata server."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from credentials.clouds import NOW_S, token
from understudy.credentials import CredentialUnavailable
from understudy.credentials.gcp import Gcp

METADATA = "GET /computeMetadata/v1/instance/service-accounts/default/token"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def account(key, cloud, tmp_path):
    """Writes a service account's file with other fields; returns its name."""

    def write(**other) -> str:
        held = {
            "type": "service_account",
            "client_email": "router@project.iam.gserviceaccount.com",
            "private_key": pem(key),
            "private_key_id": "key-1",
            "token_uri": f"{cloud.url}/token",
            **other,
        }
        held = {name: text for name, text in held.items() if text is not None}
        (tmp_path / "account.json").write_text(json.dumps(held))
        return "account.json"

    return write


def unpacked(part: str) -> dict:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


async def test_a_service_account_signs_a_claim_and_gets_a_token(account, cloud, means, key):
    cloud.answers["POST /token"] = token()
    granted = await Gcp(file=account()).grant(means())
    assert (granted.secret.reveal(), granted.good_for_s) == ("ya29.fresh", 3600)
    form = parse_qs(cloud.asked[0]["body"])
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    assert unpacked(head) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert unpacked(claims) == {
        "iss": "router@project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": f"{cloud.url}/token",
        "iat": NOW_S - 10,
        "exp": NOW_S + 3590,
    }
    sealed = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.public_key().verify(sealed, f"{head}.{claims}".encode(), PKCS1v15(), SHA256())


async def test_the_variable_names_the_file(account, cloud, means):
    cloud.answers["POST /token"] = token("ya29.by-variable")
    granted = await Gcp().grant(means(GOOGLE_APPLICATION_CREDENTIALS=account(private_key_id=None)))
    assert granted.secret.reveal() == "ya29.by-variable"


async def test_ones_own_sign_in_is_renewed(cloud, means, tmp_path):
    folder = tmp_path / "home/.config/gcloud"
    folder.mkdir(parents=True)
    held = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (folder / "application_default_credentials.json").write_text(
        json.dumps({**held, "token_uri": f"{cloud.url}/token"})
    )
    cloud.answers["POST /token"] = token("ya29.own")
    assert (await Gcp().grant(means())).secret.reveal() == "ya29.own"
    form = {name: text for name, [text] in parse_qs(cloud.asked[0]["body"]).items()}
    assert form == {"grant_type": "refresh_token", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


@pytest.mark.parametrize("source", [Gcp(), Gcp(file="metadata")])
async def test_a_machine_in_the_cloud_asks_its_metadata_server(cloud, means, source):
    cloud.answers[METADATA] = (200, {"metadata-flavor": "Google"}, {"access_token": "ya29.vm", "expires_in": 1200})
    granted = await source.grant(means(GCE_METADATA_HOST=cloud.host))
    assert (granted.secret.reveal(), granted.good_for_s) == ("ya29.vm", 1200)
    assert cloud.asked[0]["headers"]["metadata-flavor"] == "Google"


@pytest.mark.parametrize(
    ("other", "phrase"),
    [
        ({"private_key": "no key"}, "private_key is no key"),
        ({"private_key": None}, "has no private_key"),
        ({"client_email": 7}, "has no client_email"),
        ({"type": "external_account"}, "type 'external_account' are not known here"),
        ({"type": "authorized_user"}, "has no client_id"),
        ({"token_uri": "http://metadata.example/token"}, "plain http: the secret would cross"),
    ],
)
async def test_a_file_that_is_no_account_says_why(account, means, other, phrase):
    with pytest.raises(CredentialUnavailable, match=phrase):
        await Gcp(file=account(**other)).grant(means())


async def test_a_key_of_another_kind_is_refused(account, means):
    with pytest.raises(CredentialUnavailable, match="is no RSA key"):
        await Gcp(file=account(private_key=pem(ec.generate_private_key(ec.SECP256R1())))).grant(means())


@pytest.mark.parametrize(
    ("content", "phrase"),
    [(b"{", "is no JSON"), (b"[]", "holds no JSON object"), (b"\xff", "is not UTF-8"), (b" " * 300_000, "larger than")],
)
async def test_a_file_that_is_no_json_says_so(means, tmp_path, content, phrase):
    (tmp_path / "f.json").write_bytes(content)
    with pytest.raises(CredentialUnavailable, match=phrase):
        await Gcp(file="f.json").grant(means())


async def test_a_missing_file_is_named(means):
    with pytest.raises(CredentialUnavailable, match=r"none\.json: cannot be read: No such file"):
        await Gcp(file="none.json").grant(means())
    with pytest.raises(CredentialUnavailable, match="no such path"):
        await Gcp(file="a\0b").grant(means())


async def test_what_google_says_of_a_refusal_is_told(account, cloud, means):
    cloud.answers["POST /token"] = (400, {}, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with pytest.raises(CredentialUnavailable, match=r"Google answered 400: invalid_grant Invalid JWT Signature\."):
        await Gcp(file=account()).grant(means())


async def test_without_cryptography_the_extra_is_named(account, means, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.padding", None)
    with pytest.raises(CredentialUnavailable, match=r"understudy\[vertex\]"):
        await Gcp(file=account()).grant(means())
