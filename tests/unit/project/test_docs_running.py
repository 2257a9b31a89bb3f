"""docs/running.md lists every variable that is read, and none that is not."""

import re

from project import ROOT

PAGE = (ROOT / "docs" / "running.md").read_text()
CODE = {
    name: (ROOT / "project" / name).read_text()
    for name in ("settings.py", "env.py", "readiness.py", "supervisor/options.py")
}
READ = re.compile(r'\b(?:env\w*|_number|environ\.get)\(\s*(?:environ, )?"([A-Z_]{3,})"')


def in_code() -> set[str]:
    found = {name for text in CODE.values() for name in READ.findall(text)}
    return found | {"DATABASE_URL", "BROKER_URL", "NO_COLOR"}


def in_page() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_variable_that_is_read_is_on_the_page() -> None:
    assert in_code() - in_page() == set()


def test_every_variable_on_the_page_is_read() -> None:
    assert in_page() - in_code() == set()


def test_every_make_target_is_in_the_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    shown = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert phony == shown
    assert {"up", "down", "dev", "demo", "test", "check", "bench", "audit", "lock"} <= phony
