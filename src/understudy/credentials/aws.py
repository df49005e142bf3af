"""Amazon Web Services: keys from variables, shared files, a web identity, the container or the instance.

In this order, as Amazon's own libraries look: an API key of Bedrock in `AWS_BEARER_TOKEN_BEDROCK`; `AWS_ACCESS_KEY_ID` and its kind; `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`; the
profile in `~/.aws/credentials` and `~/.aws/config`; the container's endpoint (ECS, EKS); the instance's metadata (IMDSv2 only). With
`profile` only that profile is looked at. Profiles that assume a role or start a program are refused.
"""

from __future__ import annotations

from configparser import ConfigParser
from configparser import Error as BadFile
from typing import Final
from urllib.parse import quote, urlsplit

from understudy.core.value import JsonObject, keyword_value
from understudy.credentials import CredentialUnavailable, Grant, Means, Secret
from understudy.credentials._ask import METADATA, answered, ask, file, path, secure, until

_CONTAINER: Final = "http://169.254.170.2"
_OPEN_HOSTS: Final = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23")
"""Where a container's endpoint may be asked in the open, besides loopback: they are on the machine itself."""

_TOKEN_LIFE_S: Final = 21600
_ELSEWHERE: Final = ("role_arn", "credential_process", "sso_session", "sso_start_url")


@keyword_value
class Aws:
    """`profile`: of the shared files, else `AWS_PROFILE`, else `default`."""

    profile: str = ""

    async def grant(self, means: Means) -> Grant:
        """Keys, and until when they are good; of an API key the `secret` alone."""
        env = means.env
        if self.profile:
            found = await _from_files(means, self.profile)
            if found is None:
                raise CredentialUnavailable(f"there is no profile {self.profile!r} with keys in the shared files")
            return found
        if token := env.get("AWS_BEARER_TOKEN_BEDROCK", "").strip():
            return Grant(secret=Secret(token), good_for_s=60.0)
        if env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
            return _kept(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN", ""))
        if env.get("AWS_WEB_IDENTITY_TOKEN_FILE") and env.get("AWS_ROLE_ARN"):
            return await _for_web_identity(means)
        found = await _from_files(means, env.get("AWS_PROFILE") or "default")
        if found is not None:
            return found
        if env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            return await _from_container(means)
        return await _from_instance(means)


def _kept(access_key: str, secret: str, session_token: str) -> Grant:
    """Keys from a variable or file. Whoever wrote them there may write others: they are looked at again."""
    return Grant(
        secret=Secret(secret.strip()),
        good_for_s=60.0,
        access_key=access_key.strip(),
        session_token=Secret(session_token.strip()) if session_token.strip() else None,
    )


# Shared files


async def _from_files(means: Means, profile: str) -> Grant | None:
    env = means.env
    places = (
        (env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials", profile),
        (env.get("AWS_CONFIG_FILE") or "~/.aws/config", profile if profile == "default" else f"profile {profile}"),
    )
    for name, section in places:
        if not path(means, name).is_file():
            continue
        read = ConfigParser(interpolation=None, default_section="\0", strict=False)
        try:
            read.read_string(await file(means, name))
        except BadFile:
            raise CredentialUnavailable(f"{name}: cannot be understood") from None
        if not read.has_section(section):
            continue
        held = read[section]
        if held.get("aws_access_key_id") and held.get("aws_secret_access_key"):
            return _kept(held["aws_access_key_id"], held["aws_secret_access_key"], held.get("aws_session_token", ""))
        if other := next((each for each in _ELSEWHERE if each in held), None):
            raise CredentialUnavailable(
                f"{name}: the profile {profile!r} uses {other}, which is not supported; give it keys"
            )
    return None


# Web identity: EKS and every OpenID provider that STS trusts


async def _for_web_identity(means: Means) -> Grant:
    env = means.env
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    usual = f"https://sts.{quote(region, safe='')}.amazonaws.com" if region else "https://sts.amazonaws.com"
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": env["AWS_ROLE_ARN"],
        "RoleSessionName": env.get("AWS_ROLE_SESSION_NAME") or "understudy",
        "WebIdentityToken": (await file(means, env["AWS_WEB_IDENTITY_TOKEN_FILE"])).strip(),
    }
    url = secure(env.get("AWS_ENDPOINT_URL_STS") or usual)
    told = answered(await ask(means, "POST", url, headers={"accept": "application/json"}, form=form), "STS")
    for name in ("AssumeRoleWithWebIdentityResponse", "AssumeRoleWithWebIdentityResult", "Credentials"):
        inner = told.get(name)
        if not isinstance(inner, dict):
            raise CredentialUnavailable(f"STS answered without {name}")
        told = inner
    expires = told.get("Expiration")
    wall_s = means.wall_s()
    if isinstance(expires, (int, float)):  # STS writes a Unix time in JSON, and a date in XML
        left_s = float(expires) - wall_s
    else:
        left_s = until(expires, "Expiration", "STS", wall_s)
    return _issued({**told, "Token": told.get("SessionToken")}, "STS", left_s)


# Container and instance


async def _from_container(means: Means) -> Grant:
    env = means.env
    relative = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = _CONTAINER + relative if relative else env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    if urlsplit(url).hostname not in _OPEN_HOSTS:
        secure(url)
    token = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if name := env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = (await file(means, name)).strip()
    if not (token.isascii() and token.isprintable()):
        raise CredentialUnavailable("the container's authorization token cannot stand in a header")
    who = "the container's endpoint"
    told = answered(await ask(means, "GET", url, headers={"authorization": token} if token else {}), who)
    return _issued(told, who, until(told.get("Expiration"), "Expiration", who, means.wall_s()))


async def _from_instance(means: Means) -> Grant:
    env = means.env
    if env.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise CredentialUnavailable("no keys in variables or shared files, and the instance's metadata is switched off")
    root = (env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or METADATA).rstrip("/")
    who = "the instance's metadata server"
    life = {"x-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_LIFE_S)}
    session = await ask(means, "PUT", f"{root}/latest/api/token", headers=life)
    token = session.body.decode("ascii", "replace").strip()
    if session.status != 200 or not token.isprintable() or not token:
        raise CredentialUnavailable(f"{who} answered {session.status} when asked for a session")
    headers = {"x-aws-ec2-metadata-token": token}
    folder = f"{root}/latest/meta-data/iam/security-credentials/"
    roles = await ask(means, "GET", folder, headers=headers)
    role = roles.body.decode("utf-8", "replace").partition("\n")[0].strip()
    if roles.status != 200 or not role:
        raise CredentialUnavailable("the instance has no role")
    told = answered(await ask(means, "GET", folder + quote(role, safe=""), headers=headers), who)
    if told.get("Code", "Success") != "Success":
        raise CredentialUnavailable(f"{who} has no keys for the role: {told.get('Code')}")
    return _issued(told, who, until(told.get("Expiration"), "Expiration", who, means.wall_s()))


def _issued(told: JsonObject, who: str, good_for_s: float) -> Grant:
    fields = [told.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Token")]
    if not all(isinstance(field, str) and field for field in fields):
        raise CredentialUnavailable(f"{who} answered without keys")
    access_key, secret_key, session = (str(field) for field in fields)
    return Grant(secret=Secret(secret_key), good_for_s=good_for_s, access_key=access_key, session_token=Secret(session))


SOURCE = Aws
