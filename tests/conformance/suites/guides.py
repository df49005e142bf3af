"""Our own client guides: every Python example, with its client, over every upstream. LangChain's run only here."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.cases import Case, Said
from conformance.suites.ground import Ground, Suite
from conformance.upstreams import MODEL

NAME = "client guides"
GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guides" / "clients"
ADDRESS = "http://127.0.0.1:8484"


def check(ground: Ground) -> list[Case]:
    """Each example in a process of its own; it passes when it ends well and says something."""
    cases = []
    for guide in sorted(GUIDES.glob("*.md")):
        examples = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
        for number, example in enumerate(examples, 1):
            done = ground.run([ground.tools.program("python"), "-c", example.replace(ADDRESS, ground.origin)])
            said = Said.PASSED if done.returncode == 0 and done.stdout.strip() else Said.FAILED
            cases.append(ground.case(NAME, f"{guide.stem}: example {number}", said, done.stderr[-300:]))
    return cases


SUITE = Suite(
    NAME, "langchain-openai", "the Python examples of docs/guides/clients, LangChain's among them", check, (MODEL,)
)
