"""A file becomes a configuration, or the list of everything that is wrong with it.

A problem is tested by its place, its path and a phrase: the place is where an editor jumps to.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap

import pytest
import trustme

from conftest import ROOT
from understudy.config import MAY, Principal
from understudy.config.load import load, loads
from understudy.core.failure import FailureKind
from understudy.core.money import Price
from understudy.core.policy import BreakerSettings, Policy, Retry, Timeouts
from understudy.core.request import FEATURES
from understudy.core.route import TIERS, Named, Tier
from understudy.core.target import Limits
from understudy.errors import ConfigurationError
from understudy.transport.proxy import Proxies, Proxy

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

FULL = (ROOT / "examples" / "everything.yaml").read_text(encoding="utf-8")


def read(text: str, env=None):
    return loads(textwrap.dedent(text), env=env or {})


def problems(text: str, env=None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text, env)
    return [problem.removeprefix("understudy.yaml:") for problem in caught.value.problems]


def test_everything_that_is_written_arrives():
    made = read(FULL)
    assert made.warnings == ()
    claude, gateway = made.targets["claude"], made.targets["gateway"]
    assert (claude.provider, claude.model, claude.key) == ("anthropic", "claude-sonnet-4-5", "env:ANTHROPIC_API_KEY")
    assert (claude.priority, claude.weight, claude.dialects) == (1, 3.0, ("anthropic_messages",))
    assert claude.limits == Limits(rpm=4000, tpm=400000, in_flight=200)
    assert claude.price == Price(
        input=3_000_000, output=15_000_000, cache_read=300_000, cache_write_5m=3_750_000, cache_write_1h=6_000_000
    )
    assert (claude.context_tokens, claude.max_output_tokens) == (200_000, 64_000)
    assert made.targets["gpt"].retry == Retry(kind="none", max=0)
    assert (gateway.model, gateway.base_url) == ("large", "https://models.example/v1")
    assert (gateway.settings, gateway.lacks) == ({"headers": {"x-team": "assistants"}}, ("audio", "video"))
    route = made.routes["default"]
    assert route.tiers == (
        Tier(name="primary", targets=("claude", "gpt")),
        Tier(name="secondary", targets=("gateway",)),
        Tier(name="emergency", targets=("stale_cache",), degraded=True),
        Tier(name="local", targets=("llama", "sorry"), degraded=True),
    )
    assert (route.strategy, route.balancer) == (Named("priority", {}), Named("least_in_flight", {}))
    assert made.routes["spread"].balancer == Named("weighted", {})
    assert route.policy == Policy(
        deadline_s=500,
        attempts_max=5,
        wait_max_s=9,
        retry=Retry(kind="linear", max=2, initial_s=0.5, multiplier=3, max_s=50, jitter=0.1),
        timeouts=Timeouts(connect_s=4, headers_s=29, first_content_s=59, idle_s=58, answer_s=299),
        breaker=BreakerSettings(
            failures=4,
            window_s=200,
            share=0.4,
            last=30,
            recovery_s=50,
            half_open=4,
            successes=3,
            error_rate=0.9,
            slow_ms=20000,
            counts=((FailureKind.IDLE_TIMEOUT, False), (FailureKind.RATE_LIMIT, True)),
        ),
        strict=True,
    )
    assert made.principals == (
        Principal(name="app", key_sha256=DIGEST, routes=("default",), may=("route", "deadline-ms")),
    )
    assert (made.client.connections_max, made.client.answer_max_bytes) == (512, 33_554_432)
    assert (made.server.connections_max, made.server.body_max_bytes) == (4096, 16_777_216)
    assert made.proxies == Proxies(Proxy("proxy.example", 3128), Proxy("proxy.example", 3128), ("models.example",))


def test_a_configuration_can_be_handed_to_another_process_without_its_schema():
    made = read(FULL)
    code = (
        "import pickle, sys; made = pickle.loads(sys.stdin.buffer.read());"
        "print(made.version, sorted({'pydantic', 'yaml', 'understudy.config.load', 'understudy.config.catalogue'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(made), capture_output=True, check=True, timeout=30, cwd=ROOT
    )
    assert done.stdout.decode().strip() == f"{made.version} []"


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda file: file.name)
def test_every_example_loads_without_a_warning(file):
    made = load(file, {})
    assert made.warnings == ()
    assert made.routes


def test_defaults_are_those_of_the_core():
    made = read(
        f"""
        targets: {{gpt: {{provider: openai, model: gpt-5.1}}}}
        routes: {{default: {{tiers: {{primary: [gpt]}}}}}}
        principals: [{{name: a, key_sha256: {DIGEST}}}]
        """
    )
    route = made.routes["default"]
    assert route.policy == Policy()
    assert (route.strategy, route.balancer) == (Named("failover", {}), Named("least_in_flight", {}))
    assert made.principals[0].may == MAY
    assert made.principals[0].routes is None


def test_defaults_that_were_not_written_follow_what_was():
    policy = (
        read("""
        targets: {gpt: {provider: openai, model: m}}
        routes:
          r:
            tiers: {primary: [gpt]}
            policy: {deadline_s: 8, retry: {kind: none}, breaker: {half_open: 1, failures: 30}}
        """)
        .routes["r"]
        .policy
    )
    assert policy.timeouts == Timeouts(connect_s=5, headers_s=8, first_content_s=8, idle_s=8, answer_s=8)
    assert (policy.wait_max_s, policy.retry.max) == (8, 0)
    assert (policy.breaker.successes, policy.breaker.last) == (1, 30)


def test_a_provider_fills_in_what_a_target_leaves_out():
    gpt = read("targets: {gpt: {provider: openai, model: gpt-5.1}}").targets["gpt"]
    assert (gpt.base_url, gpt.key) == ("https://api.openai.com/v1", "env:OPENAI_API_KEY")
    assert (gpt.dialects, gpt.counts) == (("openai_chat", "openai_responses"), ("openai_input_tokens",))
    assert (gpt.local, gpt.stand_in) == (False, False)


def test_the_usual_key_of_a_provider_is_never_sent_to_another_address():
    gpt = read("targets: {gpt: {provider: openai, model: m, base_url: 'https://elsewhere.example/v1'}}").targets["gpt"]
    assert gpt.key is None


def test_stand_ins_are_marked_and_cost_nothing():
    made = read(
        "targets: {sorry: {provider: static, text: Sorry}}\nroutes: {r: {tiers: {local: [sorry, stale_cache]}}}"
    )
    assert [(one.stand_in, one.price) for one in made.targets.values()] == [(True, Price(input=0, output=0))] * 2
    assert made.targets["sorry"].settings == {"text": "Sorry"}


def test_api_picks_one_wire_format():
    made = read(
        "targets: {a: {provider: ollama, model: m, api: anthropic}, b: {provider: ollama, model: m}, "
        "c: {provider: ollama, model: m, api: ollama}}"
    )
    assert made.targets["a"].dialects == ("anthropic_messages",)
    assert made.targets["b"].dialects == ("ollama_chat", "openai_chat")
    assert made.targets["c"].dialects == ("ollama_chat",)
    for word in ("responses", "openai_responses"):
        made = read(f"targets: {{a: {{provider: openai, model: m, api: {word}}}}}")
        assert made.targets["a"].dialects == ("openai_responses",)


@pytest.mark.parametrize(
    ("written", "pico"),
    [("3", 3_000_000), ("0.30", 300_000), ("0.1", 100_000), ("1.25", 1_250_000), ("1e-6", 1), ("0.000001", 1), ("0", 0),
     ("1000000", 10**12), ("0.000003", 3), ("2.675", 2_675_000), ("123456789.123457", 123_456_789_123_457)],
)  # fmt: skip
def test_prices_are_exact(written, pico):
    made = read(f"targets: {{a: {{provider: openai, model: m, price: {{input: {written}, output: 1}}}}}}")
    assert made.targets["a"].price == Price(input=pico, output=1_000_000)


def test_one_rate_may_stand_for_several_token_classes():
    made = read("""
        targets:
          a: {provider: openai, model: m, price: {input: 1, output: 2, cache_write: 3, audio: 4, cache_read: 5, reasoning: 6}}
        """)
    assert made.targets["a"].price == Price(
        input=1_000_000, output=2_000_000, cache_write_5m=3_000_000, cache_write_1h=3_000_000, audio_in=4_000_000,
        audio_out=4_000_000, cache_read=5_000_000, reasoning=6_000_000,
    )  # fmt: skip


def test_variables_stand_for_values_of_any_kind():
    made = read(
        """
        targets:
          a: {provider: openai, model: "x-${MODEL:-m}"}
          b:
            provider: openai
            model: x-${MODEL:-m}
            priority: ${P:-7}
            weight: ${W}
        """,
        {"MODEL": "", "W": "2.5"},
    )
    assert [one.model for one in made.targets.values()] == ["x-m", "x-m"]
    assert (made.targets["b"].priority, made.targets["b"].weight) == (7, 2.5)


def test_a_quoted_variable_is_text_whatever_it_holds():
    told = problems("targets: {a: {provider: openai, model: m, priority: '${P}'}}", {"P": "3"})
    assert told == ['1:53: targets.a.priority: must be a whole number, not "${P}"']


def test_what_a_variable_holds_is_never_printed():
    text = "targets: {a: {provider: openai, model: m, key: '${KEY}', weight: '${KEY}'}}"
    told = "\n".join(problems(text, {"KEY": "sk-canary"}))
    assert "keys do not belong" in told
    assert "sk-canary" not in told


def test_a_literal_key_is_refused_and_not_repeated():
    told = problems("targets: {a: {provider: openai, model: m, key: sk-canary-123456}}")
    assert len(told) == 1
    assert told[0].startswith("1:48: targets.a.key: this looks like a key itself")
    assert "canary" not in told[0]


def test_a_route_may_list_what_needs_no_declaration():
    made = read(
        "targets: {a: {provider: openai, model: m}}\nroutes: {r: {tiers: {primary: [a], emergency: [stale_cache]}}}"
    )
    assert made.targets["stale_cache"].stand_in
    assert list(made.names) == ["r", "a", "openai/m", "stale_cache", "m"]


PROBLEMS = [
    # Words that are not known
    ("targets: {a: {provider: opnai, model: m}}", '1:25: targets.a.provider: unknown provider "opnai"; did you mean "openai"?'),
    ("targets: {a: {provider: openai, modle: m}}", '1:33: targets.a.modle: unknown key; did you mean "model"?'),
    ("targets: {a: {provider: static, txt: m}}", '1:33: targets.a.txt: unknown key; did you mean "text"?'),
    ("target: {a: 1}", '1:1: target: unknown section; did you mean "targets"?'),
    ("routes: {r: {tiers: {primary: [gtp]}}}\ntargets: {gpt: {provider: openai, model: m}}", '1:32: routes.r.tiers.primary[0]: unknown target "gtp"; did you mean "gpt"?'),
    ("routes: {r: {tiers: {prmary: [a]}}}\ntargets: {a: {provider: openai, model: m}}", "1:22: routes.r.tiers.prmary: must be one of 'primary'"),
    ("routes: {r: {tiers: {primary: [a]}, strategy: failovr}}\ntargets: {a: {provider: openai, model: m}}", '1:47: routes.r.strategy: unknown strategy "failovr"; did you mean "failover"?'),
    ("routes: {r: {tiers: {primary: [a]}, balancer: {weightd: {}}}}\ntargets: {a: {provider: openai, model: m}}", '1:47: routes.r.balancer: unknown balancer "weightd"; did you mean "weighted"?'),
    ("routes: {r: {tiers: {primary: [a]}, balancer: {weighted: {x: 1}}}}\ntargets: {a: {provider: openai, model: m}}", "1:62: routes.r.balancer.weighted.x: there is no setting 'x'"),
    ("routes: {r: {tiers: {primary: [a]}, balancer: [weighted]}}\ntargets: {a: {provider: openai, model: m}}", "1:47: routes.r.balancer: must be a name, or a name with its settings"),
    ("routes: {r: {tiers: {primary: [a]}, policy: {breaker: {counts: {rate_limt: true}}}}}\ntargets: {a: {provider: openai, model: m}}", '1:65: routes.r.policy.breaker.counts.rate_limt: unknown kind of failure; did you mean "rate_limit"?'),
    ("routes: {r: {tiers: {primary: [a]}, policy: {retry: {jiter: 1}}}}\ntargets: {a: {provider: openai, model: m}}", '1:54: routes.r.policy.retry.jiter: unknown key; did you mean "jitter"?'),
    # Kinds of values
    ("targets: {a: {provider: openai, model: 5.1}}", '1:40: targets.a.model: must be text, not "5.1" (quotes make text of anything)'),
    ("targets: {a: {provider: openai, model: m, priority: high}}", '1:53: targets.a.priority: must be a whole number, not "high"'),
    ("targets: {a: {provider: openai, model: m, priority: 1.5}}", '1:53: targets.a.priority: must be a whole number, not "1.5"'),
    ("targets: {a: {provider: openai, model: m, priority: true}}", '1:53: targets.a.priority: must be a whole number, not "true"'),
    ("targets: {a: {provider: openai, model: m, weight: -1}}", '1:51: targets.a.weight: must be at least 0, not "-1"'),
    ("targets: {a: {provider: openai, model: m, weight: .nan}}", "1:51: targets.a.weight: must be a finite number"),
    ("targets: {a: {provider: openai, model: m, limits: {in_flight: 0}}}", '1:63: targets.a.limits.in_flight: must be at least 1, not "0"'),
    ("targets: {a: {provider: openai, model: m, lacks: [tolls]}}", "1:51: targets.a.lacks[0]: must be one of 'audio'"),
    ("targets: {a: {provider: openai, model: m, lacks: tools}}", '1:50: targets.a.lacks: must be a list (`[one, two]`), not "tools"'),
    ("targets: {a: openai}", "1:14: targets.a: must be a mapping, such as {provider"),
    ("targets: [a]", "1:10: targets: must be a mapping: the name of each"),
    ("- a", "1:1: a configuration is a mapping"),
    ("targets: {a: {model: m}}", '1:14: targets.a: "provider" must be given'),
    ("targets: {a: {provider: openai}}", '1:14: targets.a: "model" must be given'),
    ("targets: {a: {provider: openai_compatible, model: m}}", '1:14: targets.a: "base_url" must be given'),
    ("targets: {a: {provider: static}}", '1:14: targets.a: "text" must be given'),
    ("targets: {a: {provider: static, text: 7}}", "1:39: targets.a.text: expected `str`, got `int`"),
    ("targets: {a: {provider: simulated, faults: [outige]}}", "1:44: targets.a.faults: there is no fault 'outige'; did you mean 'outage'?"),
    ("targets: {a/b: {provider: openai, model: m}}", "1:11: targets.a/b: a name is 1 to 64 of"),
    ("routes: {r: {policy: {}}}\ntargets: {a: {provider: openai, model: m}}", '1:13: routes.r: "tiers" must be given'),
    ("routes: {r: {tiers: {primary: [a]}, policy: {strict: no}}}\ntargets: {a: {provider: openai, model: m}}", '1:54: routes.r.policy.strict: must be true or false, not "no"'),
    ("routes: {r: {tiers: {primary: [a]}, policy: {deadline_s: 12:30}}}\ntargets: {a: {provider: openai, model: m}}", '1:58: routes.r.policy.deadline_s: must be a number, not "12:30"'),
    ("routes: {r: {tiers: {primary: [a]}, policy: {attempts_max: 0}}}\ntargets: {a: {provider: openai, model: m}}", '1:60: routes.r.policy.attempts_max: must be at least 1, not "0"'),
    ("routes: {r: {tiers: {primary: [a]}, policy: {breaker: {share: 1.5}}}}\ntargets: {a: {provider: openai, model: m}}", '1:63: routes.r.policy.breaker.share: must be at most 1, not "1.5"'),
    # Addresses, headers, wire formats
    ("targets: {a: {provider: openai, model: m, base_url: 'ftp://x/v1'}}", "1:53: targets.a.base_url: it must start with http"),
    ("targets: {a: {provider: openai, model: m, base_url: 'https://u:p@x/v1'}}", "1:53: targets.a.base_url: it holds credentials"),
    ("targets: {a: {provider: openai, model: m, base_url: 'https://x:99999/v1'}}", "1:53: targets.a.base_url: Port out of range"),
    ("targets: {a: {provider: openai, model: m, base_url: 'https://x/v1?a=b'}}", "1:53: targets.a.base_url: it holds a query"),
    ("targets: {a: {provider: openai, model: m, base_url: 'https:///v1'}}", "1:53: targets.a.base_url: it names no host"),
    ('targets: {a: {provider: openai, model: m, base_url: "https://x/v1\\r\\nx: y"}}', "1:53: targets.a.base_url: it holds white space"),
    ("targets: {a: {provider: openai, model: m, headers: {Authorization: x}}}", "1:52: targets.a.headers: Authorization is set by the router"),
    ('targets: {a: {provider: openai, model: m, headers: {"x y": x}}}', "1:52: targets.a.headers: 'x y' is no header name"),
    ('targets: {a: {provider: openai, model: m, headers: {x: "a\\nb"}}}', "1:52: targets.a.headers: the value of x must be printable"),
    ("targets: {a: {provider: openai, model: m, api: converse}}", "1:48: targets.a.api: openai does not speak bedrock_converse; it speaks openai_chat"),
    ("targets: {a: {provider: openai, model: m, api: anthropic}}", "1:48: targets.a.api: openai does not speak anthropic_messages; it speaks openai_chat"),
    ("targets: {a: {provider: openai, model: m, api: mesages}}", '1:48: targets.a.api: unknown wire format "mesages"; did you mean "messages"?'),
    ("targets: {a: {provider: static, text: x, key: env:A}}", "1:42: targets.a.key: has no effect: static answers from memory"),
    # Providers that are elsewhere for everybody, and credentials from sources
    ("targets: {a: {provider: azure, model: m}}", '1:14: targets.a: "base_url" (or "resource") must be given: azure says nothing of where'),
    ("targets: {a: {provider: azure, model: m, resource: a/b}}", "1:14: targets.a: `resource` and `api_version` are letters"),
    ("targets: {a: {provider: azure, model: m, resorce: a, base_url: 'https://x'}}", '1:42: targets.a.resorce: unknown key; did you mean "resource"?'),
    ("targets: {a: {provider: vertex, model: claude-x, project: 'a?b'}}", "1:14: targets.a: `project` and `location` are letters, digits and dashes"),
    ("targets: {a: {provider: vertex, model: bison, project: p}}", "1:40: targets.a.model: vertex is not known to have such a model; say with `api`"),
    ("targets: {a: {provider: openai, model: m, key: {gpc: {}}}}", "1:48: targets.a.key: there is no source of credentials 'gpc'; known: aws, entra, gcp"),
    ("targets: {a: {provider: openai, model: m, key: {entra: {tenannt: x}}}}", "1:48: targets.a.key: credential source entra: there is no setting 'tenannt'"),
    ("targets: {a: {provider: openai, model: m, key: 'entra:{'}}", "1:48: targets.a.key: credential source entra: what follows is no JSON object"),
    # Contradictions
    ("targets: {a: {provider: openai, model: m, context_tokens: 10, max_output_tokens: 20}}", "1:82: targets.a.max_output_tokens: is more than context_tokens (10)"),
    ("targets: {a: {provider: openai, model: m, price: {inptu: 1, output: 1}}}", '1:51: targets.a.price.inptu: unknown key; did you mean "input"?'),
    ("targets: {a: {provider: openai, model: m, retry: {initial_s: 10, max_s: 1}}}", "1:62: targets.a.retry.initial_s: is more than max_s (1)"),
    ("targets: {a: {provider: openai, model: m, retry: {kind: none, max: 2}}}", "1:68: targets.a.retry.max: contradicts kind: none"),
    ("targets: {a: {provider: openai, model: m, price: {input: 1, output: 1, audio: 1, audio_in: 2}}}", "1:72: targets.a.price.audio: contradicts audio_in and audio_out"),
    ("targets: {a: {provider: openai, model: m, price: {input: 1}}}", '1:50: targets.a.price: "output" must be given'),
    ("targets: {a: {provider: openai, model: m, price: {input: no, output: 1}}}", "1:58: targets.a.price.input: must be a number: dollars per million"),
    ("targets: {a: {provider: openai, model: m, price: {input: -1, output: 1}}}", "1:58: targets.a.price.input: must be dollars per million tokens, from 0 up"),
    ("targets: {a: {provider: openai, model: m, price: {input: .inf, output: 1}}}", "1:58: targets.a.price.input: must be"),
    ("targets: {a: {provider: openai, model: m, price: {input: 0.0000001, output: 1}}}", "1:58: targets.a.price.input: has more than six decimals"),
    ("routes: {r: {tiers: {primary: [a, a]}}}\ntargets: {a: {provider: openai, model: m}}", '1:35: routes.r.tiers.primary[1]: the target "a" stands in tier primary already'),
    ("routes: {r: {tiers: {primary: [a], local: [a]}}}\ntargets: {a: {provider: openai, model: m}}", '1:44: routes.r.tiers.local[0]: the target "a" stands in tier primary already'),
    ("routes: {r: {tiers: {primary: []}}}\ntargets: {a: {provider: openai, model: m}}", "1:31: routes.r.tiers.primary: lists no targets"),
    ("routes: {r: {tiers: {}}}\ntargets: {a: {provider: openai, model: m}}", "1:21: routes.r.tiers: lists no targets"),
    ("routes: {r: {tiers: {primary: [a]}, policy: {deadline_s: 10, timeouts: {answer_s: 20}}}}\ntargets: {a: {provider: openai, model: m}}", "1:83: routes.r.policy.timeouts.answer_s: is never reached: the deadline ends the request after 10 s"),
    ("routes: {r: {tiers: {primary: [a]}, policy: {deadline_s: 10, wait_max_s: 20}}}\ntargets: {a: {provider: openai, model: m}}", "1:74: routes.r.policy.wait_max_s: is more than deadline_s (10)"),
    ("routes: {r: {tiers: {primary: [a]}, policy: {breaker: {failures: 30, last: 20}}}}\ntargets: {a: {provider: openai, model: m}}", "1:66: routes.r.policy.breaker.failures: is more than the last outcomes"),
    ("routes: {r: {tiers: {primary: [a, b]}, balancer: adaptive_weights}}\ntargets: {a: &t {provider: openai, model: m, weight: 0}, b: *t}", "1:31: routes.r.tiers.primary: every target has weight 0, and the balancer `adaptive_weights`"),
    ("routes: {r: {tiers: {primary: [a]}, strategy: {composite: {cost: -1}}}}\ntargets: {a: {provider: openai, model: m}}", "1:66: routes.r.strategy.composite.cost: must be between 0 and 1e+06, not -1"),
    ("routes: {r: {tiers: {primary: [a]}, strategy: {adaptive: {explore: .nan}}}}\ntargets: {a: {provider: openai, model: m}}", "1:68: routes.r.strategy.adaptive.explore: must be a finite number of at least 0, not nan"),
    ("routes: {r: {tiers: {primary: [a, b, c]}, policy: {cascade: {ask: [a, b], share: 1}}}}\ntargets: {a: &t {provider: openai, model: m}, b: *t, c: *t}", '1:82: routes.r.policy.cascade.share: must be less than 1, not "1"'),
    ("routes: {r: {tiers: {primary: [a]}, balancer: {adaptive_weights: {sharpness: 1e9}}}}\ntargets: {a: {provider: openai, model: m}}", "1:78: routes.r.balancer.adaptive_weights.sharpness: must be between 0 and 100"),
    ("routes: {r: {tiers: {primary: [a, b]}, balancer: weighted}}\ntargets: {a: &t {provider: openai, model: m, weight: 0}, b: *t}", "1:31: routes.r.tiers.primary: every target has weight 0"),
    ("targets: {a: {provider: openai, model: m}}\ntargets: {b: {provider: openai, model: m}}", "2:1: the key 'targets' stands here a second time (first: line 1)"),
    # What is not there yet is refused, never ignored
    ("targets: {a: {provider: openai, model: m}}\nbudgets: [{name: x}]", "2:1: budgets: not available yet: budgets; leave `budgets` out"),
    ("targets: {a: {provider: openai, model: m}}\nhealth: {probe: sometimes}", "2:17: health.probe: must be one of 'off', 'models' or 'request'"),
    ("targets: {a: {provider: perplexity, model: sonar, key: env:K, probe: models}}", "1:70: targets.a.probe: perplexity gives no list of models away"),
    ("targets: {a: {provider: openai, model: m}}\nstore: sqlite:///x.db", "2:1: store: not available yet: a store"),
    ("targets: {a: {provider: openai, model: m}}\nstate_dir: .understudy", "2:1: state_dir: not available yet: state on disk"),
    ("targets: {a: {provider: openai, model: m}}\nboard: redis://x", "2:8: board: only `memory` is available yet"),
    # Principals and the rest
    ("principals: [{name: a, key_sha256: abc}]\ntargets: {a: {provider: openai, model: m}}", "1:36: principals[0].key_sha256: must be the SHA-256"),
    (f"principals: [{{name: a, key_sha256: '{DIGEST}', routes: [defalt]}}]\ntargets: {{a: {{provider: openai, model: m}}}}", '1:113: principals[0].routes[0]: unknown route or target "defalt"; did you mean "default"?'),
    (f"principals: [{{name: a, key_sha256: '{DIGEST}', may: [rout]}}]\ntargets: {{a: {{provider: openai, model: m}}}}", "1:110: principals[0].may[0]: must be one of 'complexity'"),
    (f"principals: [&p {{name: a, key_sha256: '{DIGEST}'}}, {{name: a, key_sha256: '{DIGEST[::-1]}'}}]\ntargets: {{a: {{provider: openai, model: m}}}}", '1:115: principals[1].name: there is a principal "a" already'),
    (f"principals: [{{name: a, key_sha256: '{DIGEST}'}}, {{name: b, key_sha256: '{DIGEST}'}}]\ntargets: {{a: {{provider: openai, model: m}}}}", '1:127: principals[1].key_sha256: is the key of the principal "a" too'),
    (f"principals: [{{name: a b, key_sha256: '{DIGEST}'}}]\ntargets: {{a: {{provider: openai, model: m}}}}", "1:21: principals[0].name: a name is 1 to 64 of"),
    ("principals: {a: 1}\ntargets: {a: {provider: openai, model: m}}", "1:13: principals: must be a list"),
    ("transport: {ca_file: missing.pem}\ntargets: {a: {provider: openai, model: m}}", "1:22: transport.ca_file: cannot be used: No such file"),
    ("transport: {key_file: missing.pem}\ntargets: {a: {provider: openai, model: m}}", "1:23: transport.key_file: belongs to a cert_file"),
    ("transport: {proxy: 'socks5://x:1'}\ntargets: {a: {provider: openai, model: m}}", "1:20: transport.proxy: a proxy is given as http://host:port"),
    ("server: {body_max_bytes: 12}\ntargets: {a: {provider: openai, model: m}}", '1:26: server.body_max_bytes: must be at least 1024, not "12"'),
    ("board: memory", "there are no targets"),
    ("", "there are no targets"),
    ("targets: {a: {provider: openai, model: '${ABSENT}'}}", "1:40: targets.a.model: the environment variable ABSENT is not set"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), PROBLEMS, ids=[told for _, told in PROBLEMS])
def test_a_mistake_is_told_once_with_its_place_and_what_to_do(text, told):
    found = problems(text)
    assert len(found) == 1, found
    assert told in found[0]
    assert found[0].startswith(told) or told == "there are no targets"


def test_every_mistake_is_told_at_once_in_the_order_of_the_file():
    found = problems("""\
        targets:
          a: {provider: opnai, model: m}
          b: {provider: openai, modle: m, key: sk-123456, weight: x}
        routes:
          r: {tiers: {primary: [a, c]}, policy: {attempts_max: 0, breaker: {failures: 9, last: 2}}, strategy: x}
        rules: [1]
        """)
    assert [problem.split(": ")[1] for problem in found] == [
        "targets.a.provider",
        "targets.b.modle",
        "targets.b.key",
        "targets.b.weight",
        "routes.r.tiers.primary[1]",
        "routes.r.policy.attempts_max",
        "routes.r.policy.breaker.failures",
        "routes.r.strategy",
        "rules[0]",
    ]
    lines = [int(problem.split(":")[0]) for problem in found]
    assert lines == sorted(lines)


@pytest.mark.parametrize("empty", ["{}", "[]", "", "null", "''"])
def test_an_empty_section_of_what_is_not_there_yet_does_no_harm(empty):
    assert read(f"targets: {{a: {{provider: openai, model: m}}}}\nbudgets: {empty}").targets


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("targets: {a: {provider: openai, model: m}, b: {provider: openai, model: n}}\nroutes: {r: {tiers: {primary: [a]}}}", "1:47: targets.b: stands in no route"),
        ("targets: {a: {provider: openai, model: m}}\nroutes: {a: {tiers: {primary: [a]}}}", "2:13: routes.a: a target has the same name"),
        ("targets: {s: {provider: static, text: x}}\nroutes: {r: {tiers: {local: [s]}}}", "2:21: routes.r.tiers: lists stand-ins only"),
        ("targets: {a: {provider: openai, model: m, base_url: 'http://x'}}", "1:53: targets.a.base_url: has no path; for this provider it usually ends in /v1"),
        ("targets: {a: {provider: openai, model: m, base_url: 'http://x/v1', key: env:K}}", "1:53: targets.a.base_url: is plain http: the key crosses the network"),
        ("targets: {a: {provider: openai, model: m}, b: {provider: openai, model: n}}\nroutes: {r: {tiers: {primary: [a], local: [b]}, policy: {attempts_max: 1}}}", '2:43: routes.r.tiers.local: "b" is never reached: attempts_max is 1'),
    ],
)  # fmt: skip
def test_what_is_odd_but_works_is_a_warning(text, told):
    warnings = read(text).warnings
    assert [warning.removeprefix("understudy.yaml:")[: len(told)] for warning in warnings] == [told]


def test_certificates_are_found_beside_the_file_and_checked_at_load(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "bad.pem").write_text("no certificate")
    file = tmp_path / "understudy.yaml"
    file.write_text("targets: {a: {provider: openai, model: m}}\ntransport: {ca_file: ca.pem}\n")
    assert load(file, {}).tls.ca_file == str(tmp_path / "ca.pem")
    file.write_text("targets: {a: {provider: openai, model: m}}\ntransport: {ca_file: bad.pem}\n")
    with pytest.raises(ConfigurationError, match=r":2:22: transport.ca_file: cannot be used"):
        load(file, {})


def test_proxies_come_from_the_file_else_from_the_environment():
    text = "targets: {a: {provider: openai, model: m}}\n"
    env = {"HTTPS_PROXY": "http://env:3128", "NO_PROXY": "a.example"}
    from_env = read(text, env).proxies
    assert from_env.https is not None
    assert (from_env.https.host, from_env.http, from_env.direct) == ("env", None, ("a.example",))
    from_file = read(text + "transport: {proxy: 'http://file:3128', no_proxy: [b.example]}", env).proxies
    assert from_file.https is not None
    assert from_file.https == from_file.http
    assert (from_file.https.host, from_file.direct) == ("file", ("b.example",))
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        read(text, {"HTTPS_PROXY": "socks5://x"})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"a: \xff", ":1:4: is not UTF-8 text"),
        ("a: 1".encode("utf-16"), ":1:1: is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, content, told):
    file = tmp_path / "understudy.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load(file, {})
    assert caught.value.problems[0].startswith(str(file))
    assert told in caught.value.problems[0]


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text("targets: {a: {provider: openai, model: m}}", encoding="utf-8-sig")
    made = load(file, {})
    assert (list(made.targets), made.source) == (["a"], str(file))


def test_the_words_of_the_schema_are_those_of_the_core():
    from typing import get_args

    from understudy.config.schema.policy import PolicySection
    from understudy.config.schema.principals import Say
    from understudy.config.schema.routes import TierName
    from understudy.config.schema.targets import Feature

    assert get_args(Feature) == FEATURES
    assert get_args(TierName) == TIERS
    assert get_args(Say) == MAY
    assert PolicySection().value() == Policy()
