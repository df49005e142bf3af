"""What was left out of a target comes from the catalogue, with its source; what was written stands."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import date

import pytest

from conftest import SHARED
from understudy.cli._figures import figures
from understudy.config.canonical import text_of
from understudy.config.catalogue import SHIPPED, Catalogue, Model, UnreadableCatalogue, tier
from understudy.config.catalogue.filled import lacking
from understudy.config.catalogue.snapshot import Unusable, read_source, write_snapshot
from understudy.config.load import from_environment, loads
from understudy.core.catalogue.equivalence import plain, undated
from understudy.core.catalogue.tier import TIERS, blended, tier_by_price, tier_of
from understudy.core.money import Price
from understudy.errors import ConfigurationError
from understudy.providers import PROVIDERS, facts

SOURCE = {
    "anthropic": {
        "name": "Anthropic",
        "models": {
            "claude-haiku-9-1": {
                "name": "Claude Haiku 9.1",
                "family": "claude-haiku",
                "attachment": True,
                "reasoning": True,
                "tool_call": True,
                "release_date": "2026-01-01",
                "last_updated": "2026-01-02",
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "cost": {
                    "input": 1,
                    "output": 5.5,
                    "cache_read": 0.1,
                    "cache_write": 1.25,
                    "tiers": [
                        {"tier": {"size": 90_000}, "input": 4, "output": 16},
                        {"tier": {"type": "context", "size": 50_000}, "input": 2, "output": 8},
                        {"tier": {"type": "weekday", "size": 1}, "input": 0.1, "output": 0.1},
                    ],
                },
                "limit": {"context": 100_000, "output": 4_000},
            },
            "claude-haiku-9-1-20260101": {
                "cost": {"input": 1, "output": 5},
                "limit": {"context": 100_000, "output": 0},
            },
        },
    },
    "reseller": {
        "api": "https://reseller.example/v1/",
        "models": {
            "anthropic/claude-haiku-9.1": {
                "cost": {"input": 0.5, "output": 2},
                "limit": {"context": 8_000, "output": 100},
            },
            "acme/claude-haiku-9.1": {"cost": {"input": 0.5, "output": 2}},
            "nvidia/claude-haiku-9.1": {"cost": {"input": 0.5, "output": 2}},
            "claude-haiku-9.1-fp8": {"base_model": "anthropic/claude-haiku-9-1", "cost": {"input": 0.5, "output": 2}},
            "anthropic-claude-haiku-91": {
                "base_model": "anthropic/claude-haiku-9-1",
                "cost": {"input": 0.5, "output": 2},
            },
            "vendor/flat": {"last_updated": "soon", "cost": {"input": 0, "output": 0}, "tool_call": False},
            "vendor/odd": {"cost": {"input": -1, "output": float("1e30"), "cache_read": True}},
            "vendor/open-7b:free": {"cost": {"input": 0, "output": 0}},
        },
    },
    "elsewhere": {"api": "http://127.0.0.1:1/v1", "models": {"m": {}}},
    "empty": {"models": {}},
}


@pytest.fixture
def snapshot(tmp_path):
    source = tmp_path / "api.json"
    source.write_text(json.dumps(SOURCE))
    write_snapshot(read_source(source), tmp_path / "models.zip")
    return tmp_path / "models.zip"


def load(snapshot, text, **settings):
    return loads(f"{text}\ncatalogue: {json.dumps({'file': str(snapshot), **settings})}", env={})


def test_what_was_left_out_of_a_target_is_filled_in(snapshot):
    made = load(snapshot, "targets: {a: {provider: anthropic, model: claude-haiku-9-1}}")
    target = made.targets["a"]
    longest = Price(input=4_000_000, output=16_000_000)
    longer = Price(input=2_000_000, output=8_000_000, longer=longest, longer_above=90_000)
    assert target.price == Price(
        input=1_000_000,
        output=5_500_000,
        cache_read=100_000,
        cache_write_5m=1_250_000,
        cache_write_1h=2_000_000,
        longer=longer,
        longer_above=50_000,
    )
    assert (target.context_tokens, target.max_output_tokens, target.lacks) == (100_000, 4_000, ("audio", "video"))
    profile = target.profile
    assert (profile.same_as, profile.maker, profile.family) == ("claude-haiku-9-1", "anthropic", "claude-haiku")
    assert (profile.tier, profile.quality, profile.scores) == ("efficient", None, ())  # no source, no score


def test_every_figure_that_was_taken_names_its_source(snapshot):
    made = load(snapshot, "targets: {a: {provider: anthropic, model: claude-haiku-9-1, price: {input: 1, output: 1}}}")
    assert {one.figure for one in made.taken} == {
        "context_tokens", "max_output_tokens", "lacks", "same_as", "maker", "family", "tier",
    }  # fmt: skip
    where = "models.dev 2026-01-02: anthropic/claude-haiku-9-1"
    assert {one.source for one in made.taken if one.figure != "tier"} == {where}
    [graded] = [one.source for one in made.taken if one.figure == "tier"]
    assert graded == f'{where}: "claude haiku" in its maker\'s range'


def test_what_was_written_stands(snapshot):
    text = """
targets:
  a: {provider: anthropic, model: claude-haiku-9-1, price: {input: 7, output: 8}, context_tokens: 3000, lacks: [],
      family: mine, maker: us, same_as: other, tier: flagship, quality: 0.25, scores: {coding: 1, analysis: 0}}
"""
    target = load(snapshot, text).targets["a"]
    assert target.price == Price(input=7_000_000, output=8_000_000)
    assert (target.context_tokens, target.max_output_tokens, target.lacks) == (3000, None, ())  # 4000 would not fit
    profile = target.profile
    assert (profile.same_as, profile.maker, profile.family, profile.tier) == ("other", "us", "mine", "flagship")
    assert (profile.quality, profile.scores) == (0.25, (("analysis", 0.0), ("coding", 1.0)))


def test_a_window_smaller_than_the_answer_that_was_written_is_not_taken(snapshot):
    text = "targets: {a: {provider: anthropic, model: claude-haiku-9-1, max_output_tokens: 200000}}"
    assert load(snapshot, text).targets["a"].context_tokens is None


@pytest.mark.parametrize(
    ("settings", "price", "window"), [({"prices": "configuration"}, False, True), ({"use": False}, False, False)]
)
def test_prices_or_everything_can_be_left_to_the_configuration(snapshot, settings, price, window):
    target = load(snapshot, "targets: {a: {provider: anthropic, model: claude-haiku-9-1}}", **settings).targets["a"]
    assert (target.price is not None, target.context_tokens is not None) == (price, window)


def test_anybodys_server_is_known_by_its_address(snapshot):
    text = "targets: {{a: {{provider: openai_compatible, model: anthropic/claude-haiku-9.1, base_url: '{}'}}}}"
    there = load(snapshot, text.format("https://reseller.example/v1")).targets["a"]
    assert (there.price, there.context_tokens) == (Price(input=500_000, output=2_000_000), 8_000)
    elsewhere = load(snapshot, text.format("https://other.example/v1")).targets["a"]
    assert (elsewhere.price, elsewhere.context_tokens, elsewhere.lacks) == (None, None, ())
    assert elsewhere.profile == there.profile  # the name says which model it is wherever it runs
    assert there.profile.same_as == "claude-haiku-9-1"


def test_only_a_name_that_bears_it_out_is_the_same_model(snapshot):
    sheet = Catalogue(snapshot).sheet("reseller")
    assert {name: sheet[name].same_as for name in sheet if "haiku" in name} == {
        "anthropic/claude-haiku-9.1": "claude-haiku-9-1",
        "anthropic-claude-haiku-91": "claude-haiku-9-1",
        "acme/claude-haiku-9.1": "acme/claude-haiku-9.1",  # as good as any fine-tuned model
        "nvidia/claude-haiku-9.1": "nvidia/claude-haiku-9.1",  # another maker's
        "claude-haiku-9.1-fp8": "claude-haiku-9.1-fp8",
    }
    assert (sheet["acme/claude-haiku-9.1"].maker, sheet["nvidia/claude-haiku-9.1"].maker) == (None, "nvidia")
    for model in ("acme/claude-haiku-9.1", "nvidia/claude-haiku-9.1"):
        assert Catalogue(snapshot).known(model) is None


def test_a_deployment_says_with_same_as_which_model_it_is(snapshot):
    text = "targets: {a: {provider: anthropic, model: ours, same_as: claude-haiku-9-1}}"
    assert load(snapshot, text).targets["a"].context_tokens == 100_000


def test_what_a_local_server_made_smaller_is_not_the_model_unless_it_is_said():
    text = """
targets:
  near: {provider: llama_cpp, model: qwen3-32b}
  said: {provider: llama_cpp, model: qwen3-32b, base_url: "http://127.0.0.1:9/v1", same_as: qwen3-32b}
  far: {provider: groq, model: qwen/qwen3-32b}
"""
    made = loads(text, env={})
    assert (made.targets["near"].profile.same_as, made.targets["near"].profile.maker) == (None, "alibaba")
    assert made.names["qwen3-32b"].tiers[0].targets == ("said", "far")
    assert made.names["llama_cpp/qwen3-32b"].tiers[0].targets == ("near",)


def test_a_dated_name_that_is_not_listed_takes_the_figures_of_the_undated_one(snapshot):
    made = load(snapshot, "targets: {a: {provider: anthropic, model: claude-haiku-9-1-20270101}}")
    assert made.targets["a"].context_tokens == 100_000
    assert {one.source for one in made.taken if one.figure != "tier"} == {
        "models.dev 2026-01-02: anthropic/claude-haiku-9-1"
    }


def test_it_is_another_model_than_the_undated_one_where_two_dates_are_known(snapshot):
    text = """
targets:
  a: {provider: anthropic, model: claude-haiku-9-1-20270101}
  b: {provider: anthropic, model: claude-haiku-9-1-20260101}
  c: {provider: anthropic, model: claude-haiku-9-1}
"""
    same = {name: target.profile.same_as for name, target in load(snapshot, text).targets.items()}
    assert same == {"a": "claude-haiku-9-1-20270101", "b": "claude-haiku-9-1", "c": "claude-haiku-9-1"}
    lone = loads("targets: {a: {provider: openai, model: gpt-5.1-2025-11-13}}", env={}).targets["a"]
    assert lone.profile.same_as == "gpt-5.1"  # nobody knows of a second date


@pytest.mark.parametrize("model", ["vendor/flat", "vendor/odd"])
def test_a_price_of_nothing_or_of_nonsense_is_unknown(snapshot, model):
    text = f"targets: {{a: {{provider: openai_compatible, model: {model}, base_url: 'https://reseller.example/v1'}}}}"
    assert load(snapshot, text).targets["a"].price is None


def test_what_is_called_free_is_free(snapshot):
    assert Catalogue(snapshot).sheet("reseller")["vendor/open-7b:free"].price == Price(input=0, output=0)


def test_targets_that_ask_nobody_or_whose_model_is_open_are_left_alone():
    made = loads("targets: {a: {provider: static, text: x}, b: {provider: llama_cpp}}", env={})
    assert made.taken == ()


def test_an_embedding_model_gets_its_price_and_lacks_nothing():
    target = loads("targets: {a: {provider: openai, model: text-embedding-3-small, embeds: true}}", env={}).targets["a"]
    assert (target.price, target.lacks) == (Price(input=20_000, output=0), ())


@pytest.mark.parametrize(
    ("model", "features"),
    [
        (Model(title="m"), ("audio", "images", "video")),  # what it reads is always said; of the rest nothing is known
        (
            Model(title="m", tools=False, schema=False, reasoning=False, files=False),
            ("audio", "documents", "images", "json_schema", "reasoning", "tools", "video"),
        ),
        (
            Model(
                title="m",
                takes=("audio", "image", "pdf", "text", "video"),
                tools=True,
                schema=True,
                reasoning=True,
                files=False,
            ),
            (),
        ),
    ],
)
def test_only_what_is_said_to_be_lacking_is(model, features):
    assert lacking(model) == features


def test_keys_in_the_environment_make_complete_targets():
    made = from_environment({"OPENAI_API_KEY": "x", "GEMINI_API_KEY": "y"})
    assert all(target.price is not None and target.context_tokens for target in made.targets.values())
    assert made.taken
    assert loads(text_of(made), env={}).targets == made.targets


def test_the_ready_made_cheap_route_goes_by_real_prices():
    made = loads(
        "targets: {dear: {provider: anthropic, model: claude-opus-4-5}, cheap: {provider: openai, model: gpt-5-nano}}",
        env={},
    )
    assert made.routes["low-cost"].tiers[0].targets == ("cheap", "dear")


def test_one_name_means_every_place_of_a_model():
    made = loads(
        """
        targets:
          a: {provider: anthropic, model: claude-sonnet-4-5-20250929}
          v: {provider: vertex, model: claude-sonnet-4-5, project: p, location: europe-west4}
          r: {provider: openrouter, model: anthropic/claude-sonnet-4.5}
          o: {provider: openrouter, model: anthropic/claude-opus-4.5}
        """,
        env={},
    )
    for name in ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "claude-sonnet"):
        assert made.names[name].tiers[0].targets == ("a", "v", "r")
    assert made.names["claude-opus"].tiers[0].targets == ("o",)


def test_a_name_of_the_configuration_comes_before_one_of_the_catalogue():
    made = loads(
        "targets: {gpt-5.1: {provider: groq, model: openai/gpt-oss-120b}, b: {provider: openai, model: gpt-5.1}}",
        env={},
    )
    assert made.names["gpt-5.1"].tiers[0].targets == ("gpt-5.1",)


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_a_snapshot_that_cannot_be_read_is_a_problem_with_its_place(tmp_path, content):
    file = tmp_path / "models.zip"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"(?s)understudy.yaml:2.*catalogue.file.*understudy models refresh"):
        load(file, "targets: {a: {provider: openai, model: m}}")


@pytest.mark.parametrize("members", [{}, {"about.json": "[]"}, {"about.json": "{"}])
def test_a_snapshot_without_its_members_is_told(tmp_path, members):
    file = tmp_path / "models.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    with pytest.raises(UnreadableCatalogue, match=r"about\.json"):
        Catalogue(file)


def test_a_member_beyond_all_reason_is_not_unpacked(snapshot, monkeypatch):
    monkeypatch.setattr("understudy.config.catalogue.MEMBER_BYTES_MAX", 10)
    with pytest.raises(UnreadableCatalogue, match="larger than 10 bytes"):
        Catalogue(snapshot)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 1}', '{"providers": {"a": {"models": {}}}}', "\x1f\x8bxx"])
def test_a_text_that_is_not_the_published_one_is_refused(tmp_path, text):
    file = tmp_path / "api.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Unusable):
        read_source(file)


def test_equal_content_makes_an_equal_file(snapshot, tmp_path):
    source = read_source(tmp_path / "api.json")
    write_snapshot(source, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == snapshot.read_bytes()
    assert not list(tmp_path.glob("*.new"))


# The snapshot that is shipped


def test_the_shipped_snapshot_is_small_and_carries_its_licence():
    catalogue = Catalogue()
    assert catalogue.name == SHIPPED
    assert "MIT" in catalogue.about.licence
    assert "Copyright (c) 2025 models.dev" in catalogue.about.licence
    assert (catalogue.about.commit, catalogue.about.dated) == ("f3fc692299671838c7c65fd8126bf84d81a2e817", "2026-07-02")
    assert catalogue.about.models == sum(len(catalogue.sheet(name)) for name in catalogue.providers()) > 5000


def test_most_remote_providers_are_in_the_shipped_snapshot():
    catalogue = Catalogue()
    remote = [name for name in PROVIDERS if (known := facts(name)).wires and not known.local]
    missing = [name for name in remote if not catalogue.sheets_of(name)]
    assert missing == ["anthropic_compatible", "openai_compatible"]


# Words that tell one model from its relative. Equal models have equal ones, whoever offers them.
TELLING_WORDS = """
audio awq base beta bf16 chat code coder codex customtools distill exp experimental fast flash flex fp4 fp8 gguf gptq guard haiku highspeed
image int4 int8 large lightning lite max medium micro mini nano nemotron non nvfp4 omni opus plus preview pro q4 reasoning safeguard search
small sonnet thinking turbo ultra vision vl 4bit 6bit 8bit
"""
TELLING = frozenset(TELLING_WORDS.split())


def test_no_two_models_of_the_shipped_snapshot_have_one_name_and_other_words():
    """All 5,276: those that share a name agree in every telling word, and in the digits of their own names but for sizes left out."""
    catalogue = Catalogue()
    told: dict[str, set[tuple[frozenset[str], str]]] = {}
    for provider in catalogue.providers():
        for name, model in catalogue.sheet(provider).items():
            if model.same_as is not None:
                own = undated(plain(name))[0]
                digits = "".join(re.findall(r"\d+", re.sub(r"\ba?\d+[be]\b", "", own)))
                told.setdefault(model.same_as, set()).add(
                    (TELLING & {*re.split(r"[-._:/@ ]", own), *re.findall("[a-z]+", own)}, digits)
                )
    assert {name: marks for name, marks in told.items() if len(marks) > 1} == {}
    assert len(told) > 1400


def test_no_model_of_the_shipped_snapshot_has_a_tier_without_a_reason():
    """All 5,276. What a price tells stands only where no word does, and equal models have equal tiers but for what they give."""
    catalogue = Catalogue()
    told: dict[tuple[str, tuple[str, ...]], set[str | None]] = {}
    without = 0
    for provider in catalogue.providers():
        for name, model in catalogue.sheet(provider).items():
            graded = tier(name, model)
            without += graded is None
            assert graded is None or (graded.tier in TIERS and graded.why)
            assert model.graded is None or (
                tier_of(model.same_as) is None and "prices of its maker" in model.graded.why
            )
            if model.same_as is not None:
                told.setdefault((model.same_as, model.gives), set()).add(graded.tier if graded else None)
    assert {name: tiers for name, tiers in told.items() if len(tiers) > 1} == {}
    assert 0.3 < without / catalogue.about.models < 0.5  # unknown is what most open models of many sizes are


def test_what_a_price_tells_agrees_with_what_makers_say():
    """The rule for prices held against the tiers that names tell, at eight makers: of 31 that it places 30 are placed as named."""
    catalogue = Catalogue()
    agreed = []
    for provider in (
        "anthropic",
        "openai",
        "google",
        "mistral",
        "xai",
        "deepseek",
        "cohere",
        "alibaba",
        "zai",
        "moonshotai",
    ):
        priced = [
            (blended(one.price), date.fromisoformat(one.released), known)
            for name, one in catalogue.sheet(provider).items()
            if one.price is not None and one.released is not None and len(one.released) == 10
            if (known := tier_of(one.same_as or name, gives=one.gives)) is None or known.tier != "specialised"
        ]
        for rate, day, known in priced:
            grade = tier_by_price(rate, [other for other, then, _ in priced if other and abs((then - day).days) <= 365])
            if rate and known is not None and grade is not None:
                agreed.append(grade.tier == known.tier)
    assert len(agreed) >= 25
    assert sum(agreed) / len(agreed) > 0.9


def test_every_figure_of_every_target_has_a_source_and_what_is_unknown_is_shown_so():
    """Three models of each provider of the snapshot that Understudy knows: what is there names who said it, and nothing else is there."""
    catalogue = Catalogue()
    lines = [
        f"t{index}_{number}: {{provider: {provider}, model: {json.dumps(model)}, key: env:K{extra}}}"
        for index, provider in enumerate(sorted(PROVIDERS))
        if (known := facts(provider)).wires and not known.local and catalogue.sheets_of(provider)
        for extra in [
            {
                "azure": ", resource: r",
                "bedrock": ", region: us-east-1",
                "vertex": ", project: p, location: l, api: openai_chat",
            }.get(provider, "")
        ]
        for number, model in enumerate(list(catalogue.sheet(catalogue.sheets_of(provider)[0]))[::9][:3])
    ]
    made = loads("targets:\n  " + "\n  ".join(lines), env={})
    found = figures(made)
    assert len({one.target for one in found}) == len(lines) > 30
    assert {one.name for one in found} >= {"price", "context_tokens", "tier", "same_as", "quality", "scores"}
    for one in found:
        assert (one.source == "unknown") is (one.plain is None), one
        assert one.source in {"unknown", "configuration"} or one.source.startswith(
            f"models.dev {catalogue.about.dated}: "
        ), one
        assert one.name not in {"quality", "scores"} or one.source == "unknown"


@pytest.mark.shared
def test_the_shipped_snapshot_is_made_from_the_published_text(tmp_path):
    source = SHARED / "data" / "models_dev.json.gz"
    if not source.exists():
        pytest.skip("the published text is not beside the repository")
    write_snapshot(read_source(source), tmp_path / "models.zip")
    made, shipped = zipfile.ZipFile(tmp_path / "models.zip"), Catalogue()._zip
    assert made.namelist() == shipped.namelist()
    assert all(made.read(name) == shipped.read(name) for name in made.namelist())


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ("{input: 1, output: 1, longer: [{above: 9, input: 1, output: 1}, {above: 9, input: 1, output: 1}]}", "the shortest first"),
        ("{input: 1, output: 1, longer: [{above: 9, input: 1, output: 1, audio: 1, audio_in: 2}]}", r"longer\[0\].*contradicts"),
    ],
)  # fmt: skip
def test_prices_of_long_requests_that_contradict_each_other_are_problems(price, problem):
    with pytest.raises(ConfigurationError, match=problem):
        loads(f"targets: {{a: {{provider: openai, model: m, price: {price}}}}}", env={})
