"""Numbered checks of a declaration: each finds what it is for, and is silent otherwise."""

from __future__ import annotations

import pytest

from payoff.checks import STATUSES, Check
from payoff.declare.checks import check
from payoff.declare.file import from_toml, load
from tests.bad_input.making import RIGHT, changed
from tests.conftest import ROOT


def found(code: str, text: str) -> Check:
    results = {c.code: c for c in check(from_toml(text))}
    assert list(results) == [f"PAY-D{n}" for n in range(101, 115)]
    assert all(c.status in STATUSES and c.title and c.detail for c in results.values())
    assert all(c.mend for c in results.values() if c.status == "issue")
    return results[code]


RULE = (
    '\n[current_rule]\notherwise = "leave"\n[[current_rule.cases]]\nwhen = "x > 1"\nthen = "{}"\n'
)
LATER = '\n[data.known_later]\nbalance = "arrives with the answer"\n'
PEOPLE = 'owner = "A"\napprover = "B"\nreview_by = "2027-01-01"\nunit ='
TIMED = ('= "y"\n', '= "y"\ntime = "t"\n')
CLOSED = ('"Call"', '{ label = "Call", capacity_share = 0 }')
SOURCED = [('"balance * 0.1"', '{ money = "balance * 0.1", source = "Finance" }'),
           ("-5", '{ money = -5, source = "Finance" }')]  # fmt: skip
LIMIT = '\n[[limits]]\nname = "hours"\nactions = ["call"]\n{}\n'
FLOOR = '\n[[constraints]]\nname = "few"\nkind = "floor"\nshare = 0.2\nactions = ["call"]\n'
JOB = '\n[[subgroups]]\ncolumn = "job"\n'
TIGHT = ('"Call"', '{ label = "Call", capacity_share = 0.1 }')


def reviewed(review: str, more: str = "", gain: str = "20") -> str:
    """The right file with constant money (a call earns 20 or costs 5) and a review beside."""
    ask = f'\nask = {{ label = "Ask"{more}, review = {{ {review}, right = RIGHT }} }}\n'
    return changed(
        ('"balance * 0.1"', f'"{gain}"'),
        ('leave = "Leave alone"\n', 'leave = "Leave alone"' + ask),
    ).replace("RIGHT", '{ yes = "call", no = "leave" }')


CASES = [
    ("D101", "issue", changed(('"balance * 0.1"', "-1")), "'call' never pays more than 'leave'"),
    ("D101", "passed", changed(('"balance * 0.1"', "5")), "best under some outcome"),
    ("D101", "passed", RIGHT, "row by row"),
    ("D102", "tip", changed(("volume = 1000\n", "")), "per 1,000"),
    ("D102", "passed", RIGHT, "1,000 units per month"),
    ("D103", "issue", changed(('do_nothing = "leave"\n', "")), "'leave' costs and earns nothing"),
    ("D103", "passed", RIGHT, "'leave'"),
    ("D104", "issue", changed(CLOSED), "'call'"),
    ("D104", "tip", changed(more=RULE.format("leave")), "'call'"),
    ("D104", "passed", changed(more=RULE.format("call")), "can be reached"),
    ("D105", "issue", changed(("balance *", "balance_usd *")), "USD"),
    ("D105", "issue", changed(("balance *", "balance_cents *")), "cents"),
    ("D105", "issue", changed(("-5", "-5000000"), ('"balance * 0.1"', "1")), "million"),
    ("D105", "passed", changed(("balance *", "accents *")), "EUR"),
    ("D106", "tip", RIGHT, "today"),
    ("D106", "passed", changed(more=RULE.format("call")), "baseline"),
    ("D107", "tip", RIGHT, "owner, approver, review_by"),
    ("D107", "passed", changed(("unit =", PEOPLE)), "All three"),
    ("D108", "tip", RIGHT, "2 of 4 cells"),
    ("D108", "passed", changed(*SOURCED), "names its source"),
    ("D109", "tip", RIGHT, "No time column"),
    ("D109", "passed", changed(TIMED), "'t'"),
    ("D110", "not_applicable", RIGHT, "known only later"),
    ("D110", "passed", changed(more=LATER), "linear"),
    ("D110", "tip", changed(("balance * 0.1", "sqrt(balance)"), more=LATER), "call/yes"),
    ("D111", "not_applicable", RIGHT, "review"),
    ("D111", "passed", reviewed("cost = 1, errors = 0.1", ", capacity = 9"), "8.1 % to 53.8 %"),
    ("D111", "passed", reviewed("cost = 1, errors = 0.1", ", capacity = 9", "balance"), "by row"),
    ("D111", "tip", reviewed("cost = 1, errors = 0.1"), "no capacity"),
    ("D111", "issue", reviewed("cost = 9, errors = 0.1"), "never the best action"),
    ("D111", "issue", reviewed("cost = 0.1, errors = { yes = 0.6, no = 0 }"), "wrong more often"),
    ("D112", "not_applicable", RIGHT, "No [[limits]]"),
    ("D112", "passed", changed(more=LIMIT.format("per_period = 30")), "each can bind"),
    ("D112", "issue", changed(more=LIMIT.format("share = 0")), "no room"),
    ("D112", "tip", changed(more=LIMIT.format("per_period = 5000")), "never matter"),
    ("D113", "not_applicable", RIGHT, "No [[constraints]]"),
    ("D113", "passed", changed(more=FLOOR), "no group is used"),
    ("D113", "tip", changed(more=JOB + FLOOR + 'subgroup = "job"\n'), "'job'"),
    ("D113", "issue", changed(TIGHT, more=FLOOR), "more than the capacity"),
    ("D114", "not_applicable", RIGHT, "No fixed cost"),
    ("D114", "passed", changed(("unit =", "model_cost = 500\nunit =")), "EUR 0.5 per customer"),
    ("D114", "issue", changed(('"Leave alone"', "{ fixed_cost = 9 }")), "yet has a fixed cost"),
]


@pytest.mark.parametrize(("code", "status", "text", "words"), CASES)
def test_check(code, status, text, words):
    result = found(f"PAY-{code}", text)
    assert result.status == status, result
    assert words in result.detail


def test_every_code_has_both_answers():
    seen = {(code, status == "passed") for code, status, _, _ in CASES}
    for number in range(101, 115):
        assert (f"D{number}", True) in seen
        assert (f"D{number}", False) in seen


def test_the_example_has_no_issue():
    results = check(load(ROOT / "examples" / "tabular" / "bank" / "decision.toml"))
    assert [c.code for c in results if c.status == "issue"] == []
    assert all(set(c.to_dict()) >= {"code", "title", "status", "detail"} for c in results)
