"""The documentation names everything there is, nothing there is not, and its code runs."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

import payoff
from payoff.cli.main import _COMMANDS, EXIT_CODES, group
from payoff.declare.expression import FUNCTIONS
from payoff.declare.file import from_toml
from payoff.declare.spec import DECISION_FILE, Kind
from tests.conftest import ROOT

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
CODE = re.compile(r"PAY-[A-Z]\d{3}")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")


def text_of(name):
    return (REFERENCE / name).read_text(encoding="utf-8")


def prose(text):
    """Return a page without its code blocks."""
    return BLOCK.sub("", text)


def headings(text):
    return re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)


def anchors(text):
    """Return the anchors of the headings, as the common Markdown hosts make them."""
    found = set()
    for heading in headings(text):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.replace(" ", "-"))
    return found


def blocks(language, mark):
    """Return the code blocks of all pages whose first line is the mark."""
    return [
        pytest.param(body, id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for number, (kind, body) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
        if kind == language and body.startswith(f"# {mark}\n")
    ]


# ------------------------------------------------------------------------- errors and checks


def codes_in_source():
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        found |= set(CODE.findall(file.read_text(encoding="utf-8")))
    return found


def is_check(code):
    return (code[4] in "DL" and code[5] == "1") or code[4:6] == "E2"


def test_every_code_has_one_entry_and_every_entry_a_code():
    errors = [h for h in headings(text_of("errors.md")) if CODE.fullmatch(h)]
    checks = [h for h in headings(text_of("checks.md")) if CODE.fullmatch(h)]
    known = codes_in_source()
    assert sorted(checks) == sorted(c for c in known if is_check(c))
    assert sorted(errors) == sorted(c for c in known if not is_check(c))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_codes_mentioned_exist(page):
    assert set(CODE.findall(page.read_text(encoding="utf-8"))) <= codes_in_source()


def test_titles_of_checks_are_those_of_the_code():
    titles = {}
    for file in (ROOT / "src").rglob("checks.py"):
        text = file.read_text(encoding="utf-8")
        titles |= dict(re.findall(r'numbered\("(PAY-\w\d{3})", "([^"]+)"\)', text))
    page = text_of("checks.md")
    wrong = [c for c, title in titles.items() if f"### {c}\n\n**{title}.**" not in page]
    assert not wrong


# ------------------------------------------------------------------------------ decision file


def keys_of(kind: Kind, path: str):
    """Yield every key of the file as the page writes it."""
    for option in (kind, *kind.either):
        if option.items is not None:
            yield from keys_of(option.items, path)
        if option.values is not None:
            part = "<name>"
            if path == "payoffs":
                part = "<action>"
            elif path == "payoffs.<action>":
                part = "<outcome>"
            yield from keys_of(option.values, f"{path}.{part}")
        for name, key in option.keys.items():
            yield f"{path}.{name}"
            yield from keys_of(key.kind, f"{path}.{name}")


def test_every_key_of_the_decision_file_is_described():
    page = text_of("decision-file.md")
    known = set(DECISION_FILE)
    for name, key in DECISION_FILE.items():
        known |= set(keys_of(key.kind, name))
    rows = set(re.findall(r"^\| `([\w.<>]+)` \|", page, re.MULTILINE))
    tables = {"current_rule.cases"}  # a list of tables; its two keys are described
    assert known - tables == rows


@pytest.mark.parametrize("text", blocks("toml", "whole decision file"))
def test_whole_decision_files_load(text):
    assert from_toml(text).name


def test_there_are_whole_decision_files():
    assert len(blocks("toml", "whole decision file")) >= 3


def test_every_function_of_expressions_is_described():
    page = text_of("expressions.md")
    assert [f for f in FUNCTIONS if f"`{f}(" not in page] == []


# ------------------------------------------------------------------------------ command line


@pytest.fixture(scope="module")
def sections():
    """Name of the command -> its section of cli.md; "" is what comes before the first."""
    parts = re.split(r"^## payoff (\w+)$", text_of("cli.md"), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_every_command_has_a_section(sections):
    assert set(sections) - {""} == set(_COMMANDS)


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_option_is_described(name, sections):
    command = group.get_command(click.Context(group), name)
    params = [p for c in (command, *getattr(command, "commands", {}).values()) for p in c.params]
    wanted = {o for p in params if isinstance(p, click.Option) for o in p.opts}
    named = set(re.findall(r"(?<![\w-])(--[a-z][\w-]*|-[a-z](?![\w-]))", sections[name]))
    assert wanted - named == set()
    assert named - wanted - {"--help"} == set()


def test_every_exit_code_is_described(sections):
    assert [c for c in EXIT_CODES if f"| {c} |" not in sections[""]] == []


# --------------------------------------------------------------------------------------- http


def test_every_route_is_described():
    source = (ROOT / "src" / "payoff" / "serve" / "app.py").read_text(encoding="utf-8")
    routes = set(re.findall(r'Route\(\s*"([^"]+)"', source))
    routes |= set(re.findall(r'^\s*"(/[a-z.]*)":', source, re.MULTILINE))
    assert "/decide" in routes
    page = text_of("http.md")
    assert [r for r in routes if f" {r}`" not in page] == []


# ------------------------------------------------------------------------------------- python


def test_public_names_are_described():
    named = set(
        re.findall(
            r"`(\w+)",
            "".join(
                line
                for line in text_of("python.md").splitlines(keepends=True)
                if line.startswith("| `")
            ),
        )
    )
    assert set(payoff.__all__) - named == set()


@pytest.mark.parametrize("code", blocks("python", "runnable"))
def test_code_runs(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_is_code_that_runs():
    assert len(blocks("python", "runnable")) >= 3


# -------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text("utf-8"))
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_wording(page):
    text = prose(page.read_text(encoding="utf-8"))
    if page.name == "words.md":  # it names the words it forbids
        return
    assert re.findall(r"\b(proves|proven|saves money|savings)\b", text) == []


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if p.parent.name in ("tutorial", "howto", "concepts")],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_every_page_says_whom_it_is_for(page):
    start = page.read_text(encoding="utf-8")[:700]
    assert re.search(r"\*\*(analyst|engineer|manager)\*\*", start)


def test_every_page_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
            path = target.partition("#")[0]
            file = (page.parent / path).resolve()
            if path.endswith(".md") and not re.match(r"[a-z]+:", target) and file.exists():
                todo.append(file)
    assert [str(p.relative_to(ROOT)) for p in PAGES if p not in seen] == []
