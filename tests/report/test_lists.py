"""Pages of lists: in users, with the trade-off, and what a replay cannot tell."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from payoff.report import headline, summarise, three_numbers
from payoff.report.charts import draw
from payoff.report.documents import section_lines
from payoff.report.facts import Facts
from payoff.report.files import documents
from payoff.report.listing import interactions_read
from payoff.report.manager import limits
from tests.list_worlds import judged
from tests.report.examples import binary, lists


def sections(view):
    return {s["id"]: s for p in view["pages"] for s in p["sections"]}


def test_the_manager_reads_money_users_and_items():
    money, users, items = three_numbers(lists())
    assert "more than “Popular”" in headline(lists())
    assert money["note"].endswith("estimated on 1,500 users.")
    assert users["figure"] == "60.2 %"
    assert "Of 1,415 users who bought something" in users["note"]
    assert items["figure"] == "13 of 40"
    assert "“Popular” shows 4" in items["note"]


def test_figures_are_of_users_and_data_of_interactions():
    found = sections(summarise(lists()))
    # Cells are left as they are, and checks of the data speak of the rows that were read.
    for ident, section in found.items():
        if ident not in ("e-checks", "e-limits", "m-limits", "a-data"):
            text = re.sub(r'"(rows|row)":', "", json.dumps(section))
            assert not re.search(r"\b[Rr]ows?\b", text), ident
    assert "Rows read" in json.dumps(found["a-data"])
    assert "interactions the model has seen" in json.dumps(found["e-split"])
    assert found["a-slices"]["title"] == "New, light and heavy users"


def test_page_one_says_what_replay_cannot_tell_and_the_test_that_would():
    said = limits(Facts(lists()))
    assert said[0].startswith("What a list adds: not measured. Every hit is an item that the user")
    assert (
        "about 1,200 users, about 24 days, to find half of the gain (EUR 1.15 per user)" in said[1]
    )
    assert "Only users who did something" in said[2]
    known = judged(shelf='shown_to = "known"')
    assert "All users known before" in limits(Facts(known))[2]


def test_the_trade_off_stands_on_the_analysts_page_and_in_the_record():
    view = summarise(lists())
    found = sections(view)
    wanted = ("a-tradeoff", "a-choice", "a-exposure", "a-whom", "a-cold", "a-experiment")
    assert [i for i in found if i in wanted] == list(wanted)
    record = documents(lists())["decision-record.md"]
    for title in ("Trade-off", "The choice and the runner-up", "Which list wins for whom"):
        assert f"### {title}" in record
    assert "A list has 4 places. A place earns “margin”" in record
    assert "the judging part of 30 days" in record
    assert "a-tradeoff" not in sections(summarise(binary()))


def test_every_figure_of_the_front_is_in_the_table_beside_it():
    blocks = sections(summarise(lists()))["a-tradeoff"]["blocks"]
    chart = next(b["spec"] for b in blocks if b["kind"] == "chart")
    table = next(b for b in blocks if b["kind"] == "table")
    assert [p["label"] for p in chart["points"]] == [
        r["cells"][0]["text"].split()[0] for r in table["rows"]
    ]
    assert [p["front"] for p in chart["points"]] == [
        r["cells"][0]["small"] == "on the front" for r in table["rows"]
    ]
    svg = draw(chart, "c")
    assert svg.count('class="here"') == 2 * sum(p["front"] for p in chart["points"])
    assert "<title" in svg
    assert "<script" not in svg


def test_costs_and_what_was_tried_are_the_engineers():
    made = lists()
    model = {
        "name": "good",
        "label": "Good",
        "tried": [{"name": "ease", "setting": "l2 = 100", "money": 1.5, "kept": True}],
        "failures": [{"name": "content", "reason": "no attributes of items are declared"}],
    }
    view = summarise(dataclasses.replace(made, model=model))
    text = "\n".join(section_lines("", sections(view)["e-costs"]["blocks"]))
    assert "l2 = 100" in text
    assert "| Knows the taste | 2.00 |" in text
    assert "no attributes of items" in json.dumps(view)


def test_a_broken_constraint_is_a_warning_once():
    view = summarise(lists())
    assert [w["code"] for w in view["warnings"]] == ["PAY-E268"]
    first = json.dumps(sections(view)["m-options"], ensure_ascii=False)
    assert "not kept; measured" not in first


@pytest.mark.parametrize("recommended", ["popular", "fair"])
def test_pages_of_other_recommendations_can_be_made(recommended):
    assert documents(judged(n=60, recommended=recommended))["report.html"]


def test_the_data_section_says_how_rows_became_interactions():
    sheet = {
        "rows": 100, "n": 70, "n_users": 12, "n_items": 9, "first": "2026-01-01",
        "last": "2026-02-01", "left_out": {"no_user": 20, "excluded_items": 3, "no_time": 0},
        "cancellations": {"cancellations": 5}, "duplicates": {"repeated_rows": 2},
    }  # fmt: skip
    said = dict(interactions_read({"interactions": sheet}))
    assert said["Rows left out"] == "without a user 20; of excluded items 3"
    assert said["Interactions made of them"].startswith("70, of 12 users and 9 items, 2026-01-01")
    assert interactions_read({}) == []


def test_a_test_longer_than_a_year_says_what_ninety_days_would_find():
    days = {"value": 377_916.0, "users_per_day": 38.5, "part": 63.1}
    usual = {"days": 90.0, "users": 3467.0, "gain": 79.48}
    trade = dict(lists().tradeoff)
    trade["experiment"] = {**trade["experiment"], "users": 14_558_290, "days": days, "usual": usual}
    said = limits(Facts(dataclasses.replace(lists(), tradeoff=trade)))[1]
    assert "about 15 million users, about 1,000 years" in said
    assert said.endswith("90 days would find EUR 79.5 per user or more.")
