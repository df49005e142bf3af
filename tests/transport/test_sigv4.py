"""Signatures of version 4, against Amazon's published examples and against its own library."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from understudy.ports import Origin
from understudy.transport.sigv4 import Scope, Signer

# docs.aws.amazon.com: the key that all of its examples use
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
UNIX_S = AT.timestamp()
EXAMPLE = Origin("https", "example.amazonaws.com", 443)
IAM = Origin("https", "iam.amazonaws.com", 443)
FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")


def signature(origin, path, headers=(), body=b"", *, method="GET", service="service", session="") -> tuple[str, str]:
    signer = Signer(Scope(region="us-east-1", service=service), KEY, SECRET, session)
    shown = dict(signer.sign(method, origin, path, headers, body, unix_s=UNIX_S))[b"authorization"].decode()
    assert shown.startswith(
        f"AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/{service}/aws4_request, SignedHeaders="
    )
    return shown.partition("SignedHeaders=")[2].partition(",")[0], shown.rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("origin", "path", "more", "names", "expected"),
    [
        # the signing test suite: get-vanilla, get-vanilla-query-order-key-case, post-vanilla, get-header-value-trim
        (EXAMPLE, "/", {}, "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            EXAMPLE,
            "/?Param2=value2&Param1=value1",
            {},
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            EXAMPLE,
            "/",
            {"method": "POST"},
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            EXAMPLE,
            "/",
            {"headers": ((b"my-header1", b" value1"), (b"my-header2", b' "a   b   c"'))},
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        # the worked example of the user guide (IAM, ListUsers)
        (
            IAM,
            "/?Action=ListUsers&Version=2010-05-08",
            {"headers": (FORM,), "service": "iam"},
            "content-type;host;x-amz-date",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ],
)
def test_published_examples_are_met(origin, path, more, names, expected):
    assert signature(origin, path, **more) == (names, expected)


def test_the_published_key_of_a_day_is_derived():
    signer = Signer(Scope(region="us-east-1", service="iam"), KEY, SECRET)
    published = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    assert signer._key("20150830").hex() == published
    assert signer._key("20150831").hex() != published
    assert signer._key("20150830").hex() == published


def theirs(method: str, origin: Origin, path: str, headers, body: bytes, session: str, region: str) -> str:
    usual = {"http": 80, "https": 443}[origin.scheme] == origin.port
    host = origin.host if usual else f"{origin.host}:{origin.port}"
    request = AWSRequest(
        method,
        f"{origin.scheme}://{host}{path}",
        headers={name.decode(): text.decode() for name, text in headers},
        data=body,
    )
    with time_machine.travel(AT, tick=False):
        SigV4Auth(Credentials(KEY, SECRET, session or None), "bedrock", region).add_auth(request)
    return str(request.headers["Authorization"])


MODELS = [
    "anthropic.claude-3-sonnet-20240229-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f",
    "plain",
    "with space & ünïcode+%2F~",
]


@given(
    st.sampled_from(MODELS),
    st.sampled_from(["", "-stream"]),
    st.binary(max_size=50),
    st.sampled_from(["", "FwoGZXIvYXdzEXAMPLE//////token=="]),
    st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"]),
    st.sampled_from([443, 8443]),
    st.lists(st.sampled_from([(b"x-amzn-trace", b"a  b"), (b"accept", b"*/*")]), unique=True, max_size=2),
)
def test_a_request_is_signed_as_amazons_own_library_signs_it(model, stream, body, session, region, port, headers):
    origin = Origin("https", "bedrock-runtime.test", port)
    path = f"/model/{quote(model, safe='@')}/converse{stream}"
    sent = [(b"content-type", b"application/json"), *headers]
    ours = Signer(Scope(region=region, service="bedrock"), KEY, SECRET, session).sign(
        "POST", origin, path, [*sent, (b"user-agent", b"u"), (b"traceparent", b"t")], body, unix_s=UNIX_S
    )
    assert dict(ours)[b"authorization"].decode() == theirs("POST", origin, path, sent, body, session, region)
    assert dict(ours).get(b"x-amz-security-token", b"").decode() == session
    assert dict(ours)[b"x-amz-date"] == b"20150830T123600Z"


@pytest.mark.parametrize(
    "path",
    [
        "/models?by-output=TEXT&by=1",  # sorted by name: `=` is no part of it
        "/models?b&a=1",
        "/models?a=2&a=1&a",
        "/models?a=b=c",
        "/team//proxy/./x/../model/m/converse",
        "/..",
        "/a/b/..",
        "/a//",
        "",
    ],
)
def test_queries_and_paths_are_signed_in_their_one_form(path):
    ours = Signer(Scope(region="us-east-1", service="bedrock"), KEY, SECRET).sign(
        "POST", EXAMPLE, path, (), b"", unix_s=UNIX_S
    )
    assert dict(ours)[b"authorization"].decode() == theirs("POST", EXAMPLE, path, (), b"", "", "us-east-1")


def test_what_is_on_the_way_is_no_part_of_it():
    bare = signature(EXAMPLE, "/")
    assert signature(EXAMPLE, "/", ((b"user-agent", b"u"), (b"traceparent", b"t"), (b"tracestate", b"s"))) == bare
    assert signature(EXAMPLE, "/", ((b"accept", b"*/*"),)) != bare
    assert signature(EXAMPLE, "/", body=b"x")[1] != bare[1]
    assert signature(Origin("http", "::1", 8000), "/") != signature(Origin("http", "::1", 8001), "/")


def test_the_secret_is_told_to_nobody():
    signer = Signer(Scope(region="eu-west-1", service="bedrock"), KEY, SECRET, "session")
    assert repr(signer) == "<Signer for bedrock in eu-west-1>"
    shown = b"".join(text for _, text in signer.sign("GET", EXAMPLE, "/", (), b"", unix_s=UNIX_S))
    assert SECRET.encode() not in shown
    assert hashlib.sha256(b"").hexdigest().encode() not in shown
