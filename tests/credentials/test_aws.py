"""Amazon's credentials, in the order in which its own libraries look."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from credentials.clouds import NOW_S
from understudy.credentials import CredentialUnavailable
from understudy.credentials.aws import Aws

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"}
ENDS = datetime.fromtimestamp(NOW_S + 900, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
ISSUED = {"AccessKeyId": "ASIAX", "SecretAccessKey": "issued", "Token": "session", "Expiration": ENDS}
ROLES = "/latest/meta-data/iam/security-credentials/"


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "home/.aws"
    folder.mkdir(parents=True)

    def write(credentials: str = "", config: str = "") -> None:
        for name, text in (("credentials", credentials), ("config", config)):
            if text:
                (folder / name).write_text(text)

    return write


@pytest.fixture
def instance(cloud):
    """An instance's metadata server with a role."""
    cloud.answers["PUT /latest/api/token"] = (200, {}, b"imds-session")
    cloud.answers[f"GET {ROLES}"] = (200, {}, b"my role")
    cloud.answers[f"GET {ROLES}my role"] = (200, {}, {"Code": "Success", **ISSUED})
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": cloud.url}


def seen(granted) -> tuple[str, str, str | None, float | None]:
    session = granted.session_token
    return (granted.access_key, granted.secret.reveal(), session and session.reveal(), granted.good_for_s)


async def test_variables_come_first(means, files):
    files("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = f\n")
    assert seen(await Aws().grant(means(**KEYS))) == ("AKIAENV", "env-secret", None, 60.0)
    assert seen(await Aws().grant(means(**KEYS, AWS_SESSION_TOKEN="s")))[2] == "s"


async def test_a_profile_that_is_named_is_the_only_one_looked_at(means, files):
    files(
        "[default]\naws_access_key_id = A\naws_secret_access_key = %a\n"
        "[prod]\naws_access_key_id = P\naws_secret_access_key = %p\naws_session_token = t\n",
        "[profile staging]\naws_access_key_id = S\naws_secret_access_key = s\n[profile empty]\nregion = x\n",
    )
    assert seen(await Aws(profile="prod").grant(means(**KEYS))) == ("P", "%p", "t", 60.0)
    assert seen(await Aws(profile="staging").grant(means(**KEYS)))[0] == "S"
    assert seen(await Aws().grant(means()))[0] == "A"
    assert seen(await Aws().grant(means(AWS_PROFILE="staging")))[0] == "S"
    for name in ("none", "empty"):
        with pytest.raises(CredentialUnavailable, match=f"there is no profile '{name}' with keys"):
            await Aws(profile=name).grant(means(**KEYS))


@pytest.mark.parametrize("line", ["role_arn = arn:x", "credential_process = /bin/x", "sso_session = y"])
async def test_a_profile_that_asks_elsewhere_is_refused(means, files, line):
    files("", f"[profile p]\n{line}\n")
    with pytest.raises(CredentialUnavailable, match="which is not supported; give it keys"):
        await Aws(profile="p").grant(means())


async def test_a_shared_file_that_is_none_is_named(means, files):
    files("aws_access_key_id\n")
    with pytest.raises(CredentialUnavailable, match=r"~/.aws/credentials: cannot be understood"):
        await Aws().grant(means())


@pytest.mark.parametrize("expires", [ENDS, NOW_S + 900])
async def test_a_web_identity_becomes_a_role(cloud, means, tmp_path, expires):
    (tmp_path / "jwt").write_text("eyJ.web\n")
    keys = {"AccessKeyId": "ASIAW", "SecretAccessKey": "w", "SessionToken": "ws", "Expiration": expires}
    told = {"AssumeRoleWithWebIdentityResponse": {"AssumeRoleWithWebIdentityResult": {"Credentials": keys}}}
    cloud.answers["POST /"] = (200, {}, told)
    env = {"AWS_WEB_IDENTITY_TOKEN_FILE": "jwt", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
    granted = await Aws().grant(means(AWS_ENDPOINT_URL_STS=cloud.url, **env))
    assert seen(granted) == ("ASIAW", "w", "ws", 900.0)
    form = {name: text for name, [text] in parse_qs(cloud.asked[0]["body"]).items()}
    assert form == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::1:role/r",
        "RoleSessionName": "understudy",
        "WebIdentityToken": "eyJ.web",
    }
    cloud.answers["POST /"] = (200, {}, {})
    with pytest.raises(CredentialUnavailable, match="STS answered without AssumeRoleWithWebIdentityResponse"):
        await Aws().grant(means(AWS_ENDPOINT_URL_STS=cloud.url, **env))


async def test_a_container_asks_its_endpoint(cloud, means, tmp_path):
    (tmp_path / "token").write_text("Bearer pod\n")
    cloud.answers["GET /v1/keys"] = (200, {}, ISSUED)
    env = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{cloud.url}/v1/keys",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "token",
    }
    assert seen(await Aws().grant(means(**env))) == ("ASIAX", "issued", "session", 900.0)
    assert cloud.asked[0]["headers"]["authorization"] == "Bearer pod"


async def test_a_containers_secret_goes_to_no_stranger(means):
    with pytest.raises(CredentialUnavailable, match="plain http"):
        await Aws().grant(means(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://keys.example/"))
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\nb"}
    with pytest.raises(CredentialUnavailable, match="cannot stand in a header"):
        await Aws().grant(means(**env))


async def test_an_instance_is_asked_in_a_session(cloud, means, instance):
    assert seen(await Aws().grant(means(**instance))) == ("ASIAX", "issued", "session", 900.0)
    session, roles, keys = cloud.asked
    assert session["headers"]["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert roles["headers"]["x-aws-ec2-metadata-token"] == keys["headers"]["x-aws-ec2-metadata-token"] == "imds-session"


@pytest.mark.parametrize(
    ("at", "answer", "phrase"),
    [
        ("PUT /latest/api/token", (403, {}, b""), "answered 403 when asked for a session"),
        (f"GET {ROLES}", (404, {}, b""), "the instance has no role"),
        (f"GET {ROLES}my role", (200, {}, {"Code": "AssumeRoleUnauthorizedAccess"}), "AssumeRoleUnauthorizedAccess"),
        (f"GET {ROLES}my role", (200, {}, {**ISSUED, "Expiration": "tomorrow"}), "without a time in Expiration"),
        (f"GET {ROLES}my role", (200, {}, {**ISSUED, "Expiration": None}), "without a time in Expiration"),
        (f"GET {ROLES}my role", (200, {}, {**ISSUED, "Expiration": "2030-01-01T00:00:00"}), "without its zone"),
        (f"GET {ROLES}my role", (200, {}, {**ISSUED, "Token": ""}), "answered without keys"),
    ],
)
async def test_an_instance_that_lies_is_not_believed(cloud, means, instance, at, answer, phrase):
    cloud.answers[at] = answer
    with pytest.raises(CredentialUnavailable, match=phrase):
        await Aws().grant(means(**instance))


async def test_the_instance_is_not_asked_where_that_is_switched_off(means):
    with pytest.raises(CredentialUnavailable, match="is switched off"):
        await Aws().grant(means(AWS_EC2_METADATA_DISABLED="TRUE"))


async def test_an_api_key_of_bedrock_comes_before_keys_to_sign_with(means, files):
    files("[prod]\naws_access_key_id = P\naws_secret_access_key = p\n")
    given = means(**KEYS, AWS_BEARER_TOKEN_BEDROCK=" ABSK-key ")
    assert seen(await Aws().grant(given)) == ("", "ABSK-key", None, 60.0)
    assert seen(await Aws(profile="prod").grant(given))[0] == "P"
    assert seen(await Aws().grant(means(**KEYS, AWS_BEARER_TOKEN_BEDROCK=" ")))[0] == "AKIAENV"
