"""Writes docs/reference/, and the tables within guides, from docstrings, schemas and tables of the program.

`python docs/generate.py` writes; `--check` fails where a page is stale.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from guide_tables import INLAID, inlay
from markdown_pages import code, page, table

from understudy.cli import Commands
from understudy.config.registries import BALANCERS, CONDITIONS, EFFECTS, STRATEGIES
from understudy.config.schema import NOT_YET
from understudy.config.schema.catalogue import CatalogueSection
from understudy.config.schema.health import HealthSection
from understudy.config.schema.kinds import Section
from understudy.config.schema.policy import (
    BreakerSection,
    CascadeSection,
    HedgeSection,
    PolicySection,
    RetrySection,
    TimeoutsSection,
)
from understudy.config.schema.price import LongerSection, PriceSection
from understudy.config.schema.principals import PrincipalSection
from understudy.config.schema.routes import RouteSection
from understudy.config.schema.rules import RuleSection
from understudy.config.schema.targets import LimitsSection, TargetSection
from understudy.config.schema.transport import ServerSection, TransportSection
from understudy.config.targets import APIS, bare_names
from understudy.core.failure import TABLE
from understudy.credentials import SOURCES
from understudy.faults import FAULTS, HINTS, PROBLEMS
from understudy.faults._hints import Spelled
from understudy.faults._problems import Worded
from understudy.providers import PROVIDERS, facts
from understudy.registry import EntryPage, Registry

DOCS = Path(__file__).parent


# configuration.md

SECTIONS: list[tuple[str, str, type[Section]]] = [
    ("targets", "targets.NAME", TargetSection),
    ("limits", "targets.NAME.limits", LimitsSection),
    ("price", "targets.NAME.price", PriceSection),
    ("longer", "targets.NAME.price.longer[]", LongerSection),
    ("routes", "routes.NAME", RouteSection),
    ("policy", "routes.NAME.policy", PolicySection),
    ("retry", "routes.NAME.policy.retry, targets.NAME.retry", RetrySection),
    ("timeouts", "routes.NAME.policy.timeouts", TimeoutsSection),
    ("breaker", "routes.NAME.policy.breaker", BreakerSection),
    ("hedge", "routes.NAME.policy.hedge", HedgeSection),
    ("cascade", "routes.NAME.policy.cascade", CascadeSection),
    ("rules", "rules[]", RuleSection),
    ("principals", "principals[]", PrincipalSection),
    ("transport", "transport", TransportSection),
    ("server", "server", ServerSection),
    ("health", "health", HealthSection),
    ("catalogue", "catalogue", CatalogueSection),
]


CONFIGURATION = """\
The file is `understudy.yaml`, or what `--config` names. Unknown keys are errors. `${NAME}` and `${NAME:-default}` in a value read
the environment (inside `{ }` and `[ ]` in quotes); `$${` writes `${`. Words mean what YAML 1.2 says: `no` is a word, `false` is
false. Times are seconds. `understudy check` tells every mistake with its line. Files are looked for beside the configuration.
"""


def configuration() -> str:
    """Every section and setting."""
    parts = [CONFIGURATION]
    for name, path, section in SECTIONS:
        parts.append(f"## {name}\n\n`{path}`: {inspect.getdoc(section)}\n")
        parts.append(table(("setting", "value", "default", "meaning"), settings_of(section)))
    parts.append(
        "## Names\n\nA request's `model` names a route, else a target, else `provider/model`, else a model by "
        "[the name that it has everywhere](../guides/models.md#one-name-for-a-model). A provider that needs no settings is a "
        f"target under its own name, wherever a tier lists it: {', '.join(map(code, bare_names()))}.\n"
    )
    words = [
        (code(api), ", ".join(code(word) for word, name in APIS.items() if name == api))
        for api in dict.fromkeys(APIS.values())
    ]
    parts.append("## Wire formats\n\nWhat `api` may say:\n\n" + table(("wire format", "written as"), words))
    refused = table(("section", "what it will be"), [(code(name), meaning) for name, meaning in NOT_YET.items()])
    parts.append(
        f"## Not available yet\n\nThese sections are refused unless they are empty. `board` may be `memory`.\n\n{refused}"
    )
    return page("Configuration", *parts)


def settings_of(section: type[Section]) -> list[tuple[str, str, str, str]]:
    """One row a setting."""
    schema = section.model_json_schema()
    required = schema.get("required", [])
    rows = []
    for name, about in schema["properties"].items():
        default = "required" if name in required else shown_default(about)
        # A section that is described as its model is has no description of its own.
        inner = schema.get("$defs", {}).get(about.get("$ref", "").rpartition("/")[2], {})
        rows.append((code(name), kind_of(about), default, about.get("description") or inner.get("description", "")))
    return rows


def shown_default(about: dict[str, Any]) -> str:
    """The default as YAML writes it; nothing for an unset one or a section of its own."""
    default = about.get("default")
    if default in (None, {}, []) or isinstance(default, dict):
        named = isinstance(default, dict) and default.get("name")
        return code(str(named)) if named else ""
    if isinstance(default, list):
        return code(f"[{', '.join(default)}]")
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(f"{default:g}" if isinstance(default, float) else str(default))


KINDS = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}


def kind_of(about: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "anyOf" in about:
        told = [one for one in about["anyOf"] if one.get("type") != "null"]
        if len(told) > 1:
            return " or ".join(map(kind_of, told)).replace("[mapping](rules.md)", "mapping")
        [about] = told
    if "allOf" in about:
        [about] = about["allOf"]
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        if name == "Named":
            return "a name, or {name: {setting: value}}"
        anchor = name.removesuffix("Section").lower()
        return f"[{anchor}](#{anchor})"
    if "enum" in about:
        return ", ".join(map(code, about["enum"]))
    kind = about.get("type", "")
    if kind == "array":
        return f"list of {kind_of(about['items'])}"
    if kind == "object":
        inner = about.get("additionalProperties", {"type": "string"})
        return "[mapping](rules.md)" if inner is True else f"mapping to {kind_of(inner)}"  # entries of a registry
    return KINDS.get(kind, "a name, or {name: {setting: value}}") + bounds(about)


def bounds(about: dict[str, Any]) -> str:
    """The bounds of a number."""
    told = [
        f"{word} {about[key]:.15g}"
        for key, word in (("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"))
        if key in about
    ]
    return f", {' and '.join(told)}" if told else ""


# failures.md


def failures() -> str:
    """The failure table."""
    rows = [
        (
            code(kind.value),
            row.implicates.value,
            row.then.value,
            "yes" if row.counts else "",
            f"{row.cool_down_s:g} s" if row.cool_down_s else "",
            str(row.status),
            str(row.rpc),
            code(row.type),
            code(row.anthropic),
            row.advice,
        )
        for kind, row in TABLE.items()
    ]
    heads = (
        "kind",
        "implicates",
        "then",
        "counts",
        "rests",
        "status",
        "JSON-RPC",
        "OpenAI type",
        "Anthropic type",
        "what to do",
    )
    return page(
        "Failures",
        "What each failure means: whom it speaks about, what the router does next, whether breakers count it (unless a route's "
        "`breaker.counts` says otherwise), how long the one it implicates rests without a hint, and what a caller is told when it is the "
        "last word.\n",
        "`then`: *stop*: the caller gets it; *other*: another target, and the same one again only when no other is left in the tier; "
        "*elsewhere*: another target, never the same one again within the request; *larger*: only a target with a larger context window.\n",
        table(heads, rows),
    )


# providers.md


def providers() -> str:
    """Every provider and its facts."""
    rows, words = [], []
    for name in PROVIDERS:
        known = facts(name)
        wires = ", ".join(code(wire.dialect) + (" (with `api`)" if wire.on_request else "") for wire in known.wires)
        rows.append(
            (
                f"[`{name}`](#{name})",
                known.title,
                code(known.base_url),
                code(known.key_env or known.key or ""),
                wires or "in memory",
                code(known.model),
                "local" if known.local else "",
            )
        )
        words.append(entry(PROVIDERS.describe(name)) + dropped(name))
    return page(
        "Providers",
        "A target's `provider`. Any `base_url` may be given for any of them. The key is read from the variable unless `key` says "
        "otherwise; it is never sent to another address than the provider's own unless `key` says so. The model is the one that "
        "`understudy serve` uses when only the key is known; `<PROVIDER>_MODEL` names another.\n",
        table(("provider", "what it is", "base_url", "key", "wire formats", "model", ""), rows),
        *words,
    )


def dropped(name: str) -> str:
    """The request fields that a provider would refuse."""
    wires = facts(name).wires
    fields = [field for wire in wires for field in wire.quirks.drop]
    told = f"\nDropped from requests, and reported as dropped: {', '.join(map(code, fields))}.\n" if fields else ""
    rows = [
        (
            code(pattern),
            ", ".join(map(code, quirks.drop)),
            ", ".join(map(code, quirks.refuses_thinking)),
            ", ".join(quirks.efforts),
        )
        for wire in wires
        for pattern, quirks in wire.models
    ]
    if rows:
        told += "\nOf single models, the first pattern that matches:\n\n"
        told += table(("model", "dropped", "dropped while it thinks", "efforts that it knows"), rows)
    return told


# Registries


def entry(about: EntryPage) -> str:
    """One entry with its settings."""
    parts = [f"## {about.name}\n", f"{about.line}\n"]
    if about.text:
        parts.append(f"{about.text}\n")
    if about.settings:
        rows = [
            (code(one.name), code(one.type), "required" if one.default is None else code(one.default), one.text)
            for one in about.settings
        ]
        parts.append(table(("setting", "type", "default", "meaning"), rows))
    return "\n".join(parts)


def entries(registry: Registry[Any]) -> list[str]:
    """Every entry of a registry; what its class says of itself stands below its line."""
    told = []
    for name in registry:
        made = registry.entry(name)
        words = inspect.getdoc(made) if inspect.isclass(made) else None
        about = registry.describe(name)
        told.append(
            entry(about if about.text or not words or about.settings else EntryPage(name, words, "", (), about.source))
        )
    return told


def credentials() -> str:
    """Who hands out tokens."""
    return page(
        "Credentials",
        "A target's `key` is `env:NAME`, `file:PATH`, or a source that hands out tokens for a while: its name, its name with the first "
        "setting behind a colon (`aws:production`), or `{name: {setting: value}}`. What was handed out is renewed ahead of its end; no "
        "request waits longer than 2.5 s for it, and the failure `credential_unavailable` rests every target with that key.\n",
        *entries(SOURCES),
    )


def strategies() -> str:
    """Strategies and balancers."""
    return page(
        "Strategies",
        "A route's `strategy`: what makes one target of a tier better than another.\n",
        *entries(STRATEGIES),
    )


def balancers() -> str:
    """Who among equals."""
    return page(
        "Balancers",
        "A route's `balancer`: who comes first among targets that the strategy holds equal.\n",
        *entries(BALANCERS),
    )


def rules() -> str:
    """What rules may ask and change."""
    asked = [told.replace("from_", "from") for told in entries(CONDITIONS)]
    return page(
        "Rules",
        "A rule's `when` holds conditions, all of which must hold; `any: [{...}, {...}]` and `not: {...}` put them together. Its `then` "
        "holds effects. What has one main setting may be written without its name: `task: code`, `day: [sat, sun]`, `share: 0.05`.\n",
        "# Conditions\n",
        *asked,
        "# Effects\n",
        *entries(EFFECTS),
    )


def faults() -> str:
    """What can be made to go wrong."""
    rows = [(f"[`{name}`](#{name})", FAULTS.describe(name).line) for name in FAULTS]
    return page(
        "Faults",
        "What a script of `understudy mock`, the provider `simulated` and a schedule of `understudy simulate` can make go wrong: by name, "
        "or `{name: {setting: value}}`. What may stand in `problem` and in `hint` is in the [two](#problems) [tables](#hints) at the end.\n",
        table(("fault", "what happens"), rows),
        *entries(FAULTS),
        "## Problems\n",
        "Which error a provider answers with, in the words of its own wire format, or as a page from its edge.\n",
        table(
            ("`problem`", "status, as OpenAI says it", "as Anthropic says it", "failure"),
            (
                (code(name), _said(one.openai), _said(one.anthropic), f"[`{one.kind}`](failures.md)")
                for name, one in PROBLEMS.items()
            ),
        ),
        "## Hints\n",
        "How a provider spells that it can be asked again in 12 s, on the first of January 2026 at midnight.\n",
        table(
            ("`hint`", "what it sends"),
            ((code(name), _spelled(spell(12.0, NEW_YEAR_S))) for name, spell in HINTS.items()),
        ),
    )


NEW_YEAR_S = 1767225600.0
"""Midnight of 1 January 2026 in Unix time: an instant for hints that are dates."""


def _said(worded: Worded) -> str:
    return f"{worded.status}, a page of HTML" if worded.page else str(worded.status)


def _spelled(hint: Spelled) -> str:
    told = [f"{name}: {line}" for name, line in hint.headers]
    if hint.words:
        told.append(f"... {hint.words.strip()}")
    if hint.fields is not None:
        told.append(json.dumps(hint.fields))
    return ", ".join(map(code, told)) or "nothing"


# cli.md


def cli() -> str:
    """Every command."""
    commands = Commands(name="understudy")
    parts = [
        "Every command takes `--help` and `--json`, and exits with 0 when it worked, 1 when it did not, 2 when it was asked wrongly.\n"
    ]
    for name in commands.list_commands(None):
        command = commands.get_command(None, name)
        parts.append(told_command(name, command, inspect.getdoc(import_module(f"understudy.cli.{name}"))))
        for part, inner in getattr(command, "commands", {}).items():
            parts.append(told_command(f"{name} {part}", inner, inner.help))
    return page("Commands", *parts)


def told_command(name: str, command: Any, doc: str) -> str:
    """One command with its options."""
    usage, rows = [f"understudy {name}"], []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        positional = not any(option.startswith("-") for option in parameter.opts)
        shown = parameter.name.upper() if positional else ", ".join(parameter.opts)
        default = parameter.default if parameter.default not in (None, False, "") else ""
        if positional:
            usage.append(shown if parameter.required else f"[{shown}]")
        rows.append((code(shown), "required" if parameter.required else code(str(default)), parameter.help or ""))
    return f"## {name}\n\n```\n{' '.join(usage)} [OPTIONS]\n```\n\n{doc}\n\n" + table(
        ("option", "default", "meaning"), rows
    )


PAGES: dict[str, Callable[[], str]] = {
    "reference/balancers.md": balancers,
    "reference/cli.md": cli,
    "reference/configuration.md": configuration,
    "reference/credentials.md": credentials,
    "reference/failures.md": failures,
    "reference/faults.md": faults,
    "reference/providers.md": providers,
    "reference/rules.md": rules,
    "reference/strategies.md": strategies,
    **{name: partial(inlay, DOCS / name) for name in INLAID},
}


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not what it would be")
    check = parser.parse_args().check
    stale = []
    for name, write in PAGES.items():
        file, text = DOCS / name, write()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale in docs: {', '.join(stale)}; run: python docs/generate.py", file=sys.stderr)
        return 1
    if not check:
        print(f"written: {', '.join(stale) or 'nothing, every page was as it should be'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
