"""The documents: what a reader sees, what an attacker cannot do, and what stays the same."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import pytest

from payoff.errors import EnvironmentError_
from payoff.evidence.evidence import SubgroupEvidence
from payoff.report import FILES, blocks, documents, page, summarise, write
from payoff.report.analyst import _cells_spec
from payoff.report.documents import table_lines
from payoff.report.facts import Facts
from payoff.report.manager import options_table
from tests.report.examples import (
    EVERY,
    HOSTILE,
    binary,
    group,
    hostile,
    predictions_only,
    refuse,
    three_by_three,
)

VOID = {"meta", "link", "br", "img", "hr", "input"}
HTML, CARD, RECORD = FILES


class Page(HTMLParser):
    """The parts of a page that the rules speak of; a tag left open or closed twice fails."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.style = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        facts = {k: v or "" for k, v in attrs}
        self.tags.append((tag, facts))
        if "id" in facts:
            self.ids.append(facts["id"])
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "style":
            self.style += data
        else:
            self.text.append(data)

    def named(self, *names: str) -> list[tuple[str, dict[str, str]]]:
        return [(t, a) for t, a in self.tags if t in names]


@pytest.fixture(params=[*EVERY, *range(len(HOSTILE))], ids=str)
def made(request):
    """All three documents of every example, the hostile ones too."""
    which = request.param
    evidence = EVERY[which]() if isinstance(which, str) else hostile(HOSTILE[which])
    return documents(evidence)


def test_page_is_well_formed_and_small(made):
    text = made[HTML]
    parsed = Page(text)
    assert parsed.stack == []
    assert len(text.encode()) <= 150_000
    assert len(set(parsed.ids)) == len(parsed.ids)


def test_page_stays_small_however_much_there_is_to_say():
    base = binary()
    groups = tuple(group(f"group number {i}", 100 + i, 0.5, 0.3) for i in range(60))
    features = [{"name": f"feature_{i}", "type": "number", "importance": 0.1} for i in range(100)]
    evidence = dataclasses.replace(
        base,
        subgroups=tuple(SubgroupEvidence(name=f"By {k}", groups=groups) for k in range(9)),
        policies=(
            *base.policies,
            *(dataclasses.replace(base.policies[0], name=f"p{i}") for i in range(8)),
        ),
        model={**base.model, "description": {"algorithm": "trees", "features": features}},
        checks=base.checks * 12,
    )
    text = documents(evidence)[HTML]
    assert len(text.encode()) <= 150_000
    assert "5 more are in the evidence file." in text


def test_page_brings_no_code_and_asks_for_nothing(made):
    parsed = Page(made[HTML])
    allowed = {
        "html", "head", "meta", "title", "link", "style", "body", "a", "nav", "ul", "li", "main",
        "article", "header", "p", "h1", "h2", "h3", "div", "span", "section", "table", "caption",
        "thead", "tbody", "tr", "th", "td", "small", "figure", "figcaption", "strong", "dl", "dt",
        "dd", "pre", "code", "footer", "svg", "desc", "text", "line", "rect", "circle", "polygon",
        "polyline",
    }  # fmt: skip
    assert {t for t, _ in parsed.tags} <= allowed
    assert len(parsed.named("style")) == 1
    for _, attributes in parsed.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("href", "src", "xlink:href", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:,"))
    assert "url(" not in parsed.style
    assert "@import" not in parsed.style


def test_policy_names_the_style_sheet_by_its_hash(made):
    parsed = Page(made[HTML])
    policy = next(
        a["content"] for _, a in parsed.named("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(parsed.style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def test_page_can_be_heard_and_steered_by_keys(made):
    parsed = Page(made[HTML])
    levels = [int(t[1]) for t, _ in parsed.named("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert parsed.named("html")[0][1]["lang"] == "en-GB"
    assert len(parsed.named("caption")) == len(parsed.named("table"))
    assert all(a.get("scope") in {"col", "row"} for _, a in parsed.named("th"))
    ids = set(parsed.ids)
    for _, attributes in parsed.tags:
        for ident in attributes.get("aria-labelledby", "").split():
            assert ident in ids
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
    for _, attributes in parsed.named("svg"):
        assert attributes["role"] == "img"
        assert len(attributes["aria-labelledby"].split()) == 2
    links = [a["href"][1:] for _, a in parsed.named("a")]
    assert "main" in links
    assert set(links) <= ids


def test_no_text_acts(made):
    for text in made.values():
        assert "<script" not in text
        assert "<img" not in text
        assert not set(text) & set("\u202e\u2066\u200b\x1b\r")
        assert "\n" + "two" not in text
    body = made[CARD].split("---\n", 2)[2]
    assert not re.search(r"(?<!\\)\]\(javascript", body + made[RECORD])
    assert "W" * 1_000 not in "".join(made.values())


def test_template_marks_in_a_name_stay_as_they_are():
    made = documents(hostile("{{7*7}}{% raw %}"))
    assert "{{7*7}}{% raw %}" in "".join(Page(made[HTML]).text)
    assert r"\{\{7\*7\}\}" in made[CARD]


def test_a_bar_in_a_name_adds_no_column():
    made = documents(hostile("](javascript:alert(1)) `x` | y"))
    for name in (CARD, RECORD):
        lines = made[name].split("\n")
        for head, rule in itertools.pairwise(lines):
            if re.fullmatch(r"[|: -]+", rule) and "|" in rule:
                assert head.count("|") == rule.count("|")
        body = made[name].rpartition("---\n\n")[2]
        assert "`x`" not in body.replace(r"\`", "")


def test_nothing_is_left_empty(made):
    text = made[HTML]
    assert not re.search(r"<(td|th|dd|p|li|caption|h\d)(\s[^>]*)?>\s*</", text)
    for name in (CARD, RECORD):
        assert "|  |" not in made[name]
        assert "None" not in made[name]
    assert " nan" not in text
    assert ">None<" not in text


@pytest.mark.parametrize("name", EVERY)
def test_wording_claims_no_proof(name):
    words = " ".join(documents(EVERY[name]()).values()).casefold()
    assert not re.search(r"\b(proves?|proven|saves?|guarantee[ds]?)\b", words)


def test_same_evidence_gives_the_same_bytes():
    assert documents(binary()) == documents(binary())
    again = type(binary()).from_dict(json.loads(binary().to_json()))
    assert documents(again) == documents(binary())


def test_front_matter_is_quoted():
    for text in HOSTILE:
        card = documents(hostile(text))[CARD]
        _, front, rest = card.split("---\n", 2)
        for line in front.splitlines():
            if not line.startswith(("tags:", "  - ")):
                key, _, value = line.partition(": ")
                assert re.fullmatch("[a-z_]+", key)
                json.loads(value)
        assert rest.lstrip().startswith("# Model card")


def test_what_was_not_measured_says_why():
    made = documents(predictions_only())
    page_text = " ".join(Page(made[HTML]).text)
    for said in (
        "Calibration: not measured, because the actions were decided elsewhere",
        "Value by threshold: not measured, because the actions were decided elsewhere",
        "The model: not measured, because the predictions were made elsewhere",
        "not named yet: set 'owner' in the decision file",
    ):
        assert said in page_text
        assert said in made[CARD] + made[RECORD]


def test_record_says_why_not_the_others():
    record = documents(binary())[RECORD]
    for heading in (
        "## Context and problem", "## Considered options", "## Decision outcome",
        "### Why not the others", "### Consequences", "### Confirmation",
    ):  # fmt: skip
        assert heading in record
    assert (
        "- **Today's rule**: “Expected money” minus this option is estimated at EUR +10,000 per "
        "month (95 % interval 7,800 to 12,100): the whole interval is above zero." in record
    )


def test_record_of_a_refusal_speaks_against_the_model():
    record = documents(refuse())[RECORD]
    assert "the whole interval is below zero, so this option is the better one." in record
    assert "**Not recommended.**" in record


def test_bundle_facts_stand_on_the_engineers_page():
    view = summarise(binary(), bundle={"id": "b-1", "reproduce": "payoff run x.toml"})
    text = " ".join(Page(page(view)).text)
    assert "Bundle: id" in text
    assert "payoff run x.toml" in text


def test_write_replaces_whole_files(tmp_path):
    folder = tmp_path / "new" / "report"
    first = write(refuse(), folder)
    second = write(binary(), folder)
    assert [p.name for p in second] == list(FILES)
    assert first == second
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert second[0].read_bytes().decode() == documents(binary())[HTML]


def test_write_says_what_stands_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentError_, match="PAY-X003"):
        write(binary(), tmp_path / "file")


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(EnvironmentError_, match="No space left"):
        write(binary(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_drawing_of_many_pairs_shows_the_largest_losses():
    made = three_by_three()
    own = made.policies[0]
    first = own.cells[0]
    cells = [
        dataclasses.replace(first, money_per_period=money, per_period=5.0)
        for money in [0.0] * 14 + [-100.0 - k for k in range(8)] + [-9_000.0, 70.0]
    ]
    policy = dataclasses.replace(own, cells=tuple(cells))
    facts = Facts(dataclasses.replace(made, policies=(policy, *made.policies[1:])))
    drawn = [row["value"] for row in _cells_spec(facts)["rows"]]
    assert drawn[0] == 70.0
    assert drawn[-1] == -9_000.0
    assert len(drawn) == 12
    assert drawn.count(0.0) == 2


def with_more_options(made):
    own, simple = made.policies[0], made.policies[-1]
    more = [dataclasses.replace(own, name=name, label=name) for name in ("second", "third")]
    return dataclasses.replace(made, policies=(own, *more, simple))


def test_one_more_is_singular():
    table = options_table(Facts(with_more_options(three_by_three())), 3)
    assert table["note"] == "1 more option in the evidence file."


def test_options_that_sentences_name_are_never_left_out():
    made = with_more_options(three_by_three())
    assert made.verdict["best_trivial"] == made.policies[-1].name
    shown = [row["cells"][0]["text"] for row in options_table(Facts(made), 3)["rows"]]
    assert shown == [Facts(made).policy(made.policies[k].name) for k in (0, 1, 3)]


def test_reasons_of_missing_intervals_stand_once_below_the_table():
    why = "no interval: it rests on {} of 2,430 cases"
    block = blocks.table(
        "Options",
        ["Option", "EUR"],
        [["A", blocks.cell("1", why.format(8.2))], ["B", blocks.cell("2", why.format("10.5"))],
         ["C", blocks.cell("3", "no interval: one row")], ["D", blocks.cell("4", "3 to 5")]],
        note="More below.",
    )  # fmt: skip
    lines = table_lines(block)
    assert [x for x in lines if x.startswith("| A")] == ["| A | 1 (no interval) |"]
    assert "| D | 4 (3 to 5) |" in lines
    assert lines[-1] == (
        "More below. No interval: it rests on 8.2 to 10.5 of 2,430 cases; or one row."
    )
