"""The view: exact figures where they matter, and rules that hold for every figure."""

from __future__ import annotations

import dataclasses
import json

import pytest

from payoff.checks import Check
from payoff.report import headline, summarise, three_numbers
from payoff.report.facts import Facts
from payoff.report.groups import short_groups
from payoff.report.manager import changes
from tests.report.examples import (
    EVERY,
    binary,
    comparison,
    est,
    group,
    predictions_only,
    refuse,
    three_by_three,
    uncertain,
)


def blocks_of(view, kind):
    return [
        b for p in view["pages"] for s in p["sections"] for b in s["blocks"] if b["kind"] == kind
    ]


@pytest.mark.parametrize("name", EVERY)
def test_view_is_plain_json(name):
    view = summarise(EVERY[name]())
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert [p["id"] for p in view["pages"]] == ["manager", "analyst", "engineer"]


@pytest.mark.parametrize("name", EVERY)
def test_every_table_has_a_caption_and_full_rows(name):
    for table in blocks_of(summarise(EVERY[name]()), "table"):
        assert table["caption"]
        assert table["rows"]
        assert all(len(r["cells"]) == len(table["columns"]) for r in table["rows"])
        assert all(c["text"] for r in table["rows"] for c in r["cells"])


def test_headline_of_a_recommendation():
    assert headline(binary()) == (
        "Use “Expected money”: estimated at EUR 10,000 per month more than “Today's rule” "
        "(95 % interval 7,800 to 12,100)."
    )


def test_headline_of_an_open_question():
    assert headline(uncertain()) == (
        "Not settled: “Expected money” is estimated at EUR 600 per month more than "
        "“Call everybody” (95 % interval −1,500 to 2,800), which needs no model."  # noqa: RUF001
    )


def test_headline_of_a_refusal_turns_the_difference_round():
    assert headline(refuse()) == (
        "Do not use the model: “Call everybody” needs no model and is estimated at EUR 1,860 per "
        "month more than “Expected money” (95 % interval 1,450 to 2,270)."
    )
    view = summarise(refuse())
    assert view["verdict"]["word"] == "Not recommended"
    assert [w["code"] for w in view["warnings"]] == ["PAY-E205"]


def test_refusal_where_the_model_is_only_a_little_better():
    base = refuse()
    evidence = dataclasses.replace(
        base, comparisons=(comparison("all:call", 100, 400), *base.comparisons[1:])
    )
    assert headline(evidence) == (
        "Do not use the model: “Expected money” is estimated at EUR 100 per month more than "
        "“Call everybody” (95 % interval −300 to 500), which needs none."  # noqa: RUF001
    )


def test_refusal_without_a_comparison_still_names_the_simple_policy():
    evidence = dataclasses.replace(refuse(), comparisons=())
    assert headline(evidence).startswith(
        "Do not use the model: “Call everybody” needs no model and is estimated at EUR 18,000"
    )


def test_a_loss_is_worded_as_less():
    base = binary()
    evidence = dataclasses.replace(
        base, comparisons=(comparison("current_rule", -640, 2_150), *base.comparisons[1:])
    )
    assert "estimated at EUR 600 per month less than “Today's rule”" in headline(evidence)


def test_three_numbers_of_two_outcomes():
    money, people, mistakes = three_numbers(binary())
    assert money["label"] == "Money per month against “Today's rule”"
    assert money["figure"] == "EUR +10,000 per month"
    assert money["interval"] == "95 % interval 7,800 to 12,100"
    assert people["figure"] == "2,000 customers per month"
    assert people["interval"] == "95 % interval 1,880 to 2,120"
    assert people["note"] == "Call: 2,000 (20 % of customers)."
    # 438 of 4,000 rows are false alarms: 1,095 of 10,000 customers at EUR -5; 138 rows are missed.
    assert mistakes["figure"] == "1,100 false alarms, 345 missed cases"
    assert mistakes["interval"] == "95 % interval 986 to 1,200; 311 to 380"
    assert mistakes["note"] == (
        "False alarm: acted on without “subscribes” (EUR −5,480 per month). Missed case: the "  # noqa: RUF001
        "reverse (EUR 0 per month, 15,500 less than the best action)."
    )


def test_two_ways_to_act_in_vain_have_one_interval():
    """The false alarms of several actions are one number, so its interval is of their sum."""
    base = binary()
    own = base.policies[0]
    alarm = next(c for c in own.cells if c.action == "call" and c.outcome == "no")
    own = dataclasses.replace(own, cells=(*own.cells, dataclasses.replace(alarm, action="visit")))
    evidence = dataclasses.replace(base, policies=(own, *base.policies[1:]), people={})
    _, _, mistakes = three_numbers(evidence)
    assert mistakes["figure"] == "2,190 false alarms, 345 missed cases"
    assert mistakes["interval"].startswith("no interval")
    measured = {"false_alarms": {"low": 2_040, "high": 2_350}}
    _, _, mistakes = three_numbers(dataclasses.replace(evidence, people=measured))
    assert mistakes["interval"] == "95 % interval 2,040 to 2,350; 311 to 380"


def test_three_numbers_of_three_outcomes_name_the_worst_cells():
    _, people, mistakes = three_numbers(three_by_three())
    assert people["note"] == "Letter: 6,150 (61.5 % of bills); Call: 2,720 (27.3 % of bills); " \
        "Visit: 1,120 (11.2 % of bills)."  # fmt: skip
    assert mistakes["figure"] == "1,980 bills per month"
    assert "Letter where the outcome is defaults: 150, EUR −9,000 per month" in mistakes["note"]  # noqa: RUF001


def test_a_review_is_no_mistake_but_its_errors_are():
    base = three_by_three()
    actions = [{**a, "review": a["name"] == "visit"} for a in base.decision["actions"]]

    def count(value, low, high):
        return {"value": value, "low": low, "high": high}

    evidence = dataclasses.replace(
        base,
        decision={**base.decision, "actions": actions},
        people={
            "mistakes": count(1_875, 1_750, 2_000),
            "reviewed": {
                "reviewed": count(1_120, 1_000, 1_250),
                "needless": count(100, 70, 130),
                "errors": count(56, 50, 62),
            },
        },
    )
    *_, mistakes = three_numbers(evidence)
    without = sum(
        c.per_period
        for c in base.policies[0].cells
        if c.action != "visit" and (c.regret_per_period or max(0.0, -c.money_per_period)) > 0
    )
    assert mistakes["figure"] == f"{round(without + 56, -1):,.0f} bills per month"
    assert mistakes["interval"] == "95 % interval 1,800 to 2,060"
    assert "Visit where" not in mistakes["note"]
    assert "56 of the mistakes are errors of reviewers" in mistakes["note"]
    assert "Looked at: 1,120, 100 needlessly." in mistakes["note"]


def test_three_numbers_without_a_volume_speak_of_a_thousand():
    money, people, _ = three_numbers(predictions_only())
    assert money["figure"] == "EUR +1,310 per 1,000 customers"
    assert people["figure"] == "200 customers in every 1,000"


def test_refusal_is_compared_with_what_beats_it():
    money, _, _ = three_numbers(refuse())
    assert money["label"] == "Money per month against “Call everybody”"
    assert money["figure"] == "EUR −1,860 per month"  # noqa: RUF001


@pytest.mark.parametrize("name", EVERY)
def test_every_number_has_a_figure_an_interval_and_a_note(name):
    for item in three_numbers(EVERY[name]()):
        assert set(item) == {"label", "figure", "interval", "note"}
        assert all(item.values())
        assert "interval" in item["interval"]


def test_cells_add_up_to_the_money_of_the_option():
    view = summarise(binary())
    spec = next(b["spec"] for b in blocks_of(view, "chart") if b["spec"]["chart"] == "bars")
    assert sum(r["value"] for r in spec["rows"]) == pytest.approx(905 * 45 - 1095 * 5)


def test_groups_that_cannot_be_judged_are_named_not_numbered():
    tables = blocks_of(summarise(binary()), "table")
    job = next(t for t in tables if t["caption"].startswith("Money by Job"))
    rows = {r["cells"][0]["text"]: r["cells"] for r in job["rows"]}
    assert rows["unemployed"][2] == {
        "text": "not measured", "small": "because no row has the positive outcome",
    }  # fmt: skip
    assert rows["housekeeper"][1]["text"] == "9"


def test_an_estimate_without_a_value_says_why():
    base = binary()
    gone = est(None, reason="only one cluster")
    broken = dataclasses.replace(base.comparisons[0], total=gone, value=gone)
    evidence = dataclasses.replace(base, comparisons=(broken,))
    money = three_numbers(evidence)[0]
    assert money["figure"] == "not measured, because only one cluster"


def test_a_candidate_may_carry_a_bare_number_and_its_distance_from_the_best():
    base = binary()
    found = {
        "name": "lightgbm", "label": "boosted trees", "value": 0.0995, "unit": "EUR per customer",
        "difference_to_best": -0.0048, "standard_error": 0.0034, "log_loss": 0.19, "chosen": False,
    }  # fmt: skip
    evidence = dataclasses.replace(base, model={**base.model, "candidates": [found]})
    table = next(
        t for t in blocks_of(summarise(evidence), "table") if t["caption"].startswith("Candidates")
    )
    assert table["columns"][2] == "EUR per customer"
    said = [c["text"] for c in table["rows"][0]["cells"]]
    assert said[0] == "boosted trees"
    assert said[1] == "−0.00480 against the best, standard error 0.00340"  # noqa: RUF001
    assert said[2] == "0.0995"


def test_a_policy_beyond_the_capacity_is_marked():
    base = binary()
    beyond = dataclasses.replace(base.policies[3], feasible=False)
    evidence = dataclasses.replace(base, policies=(*base.policies[:3], beyond, base.policies[4]))
    options = blocks_of(summarise(evidence), "table")[0]
    assert options["rows"][3]["cells"][0]["small"] == "needs no model, beyond the capacity"
    assert options["rows"][4]["cells"][1]["small"] == "exact"


def test_a_policy_that_breaks_a_constraint_is_marked():
    base = binary()
    beyond = dataclasses.replace(base.policies[3], breaks=("Calls to the young",))
    evidence = dataclasses.replace(base, policies=(*base.policies[:3], beyond, base.policies[4]))
    pages = summarise(evidence)
    options = blocks_of(pages, "table")[0]
    mark = "breaks “Calls to the young”"
    assert options["rows"][3]["cells"][0]["small"] == f"needs no model, {mark}"
    every = next(t for t in blocks_of(pages, "table") if t["caption"].startswith("Every option"))
    assert every["rows"][3]["cells"][0]["small"].startswith(f"Breaks{mark[6:]}. ")


def test_a_refusal_is_said_once():
    """The headline says who wins and by how much; below it stands what to do now, and no more."""
    verdict = {**refuse().verdict, "next": "For now use “Call everybody”."}
    checks = [
        Check(code=c, title="Again", status="issue", detail="Again.")
        for c in ("PAY-E202", "PAY-E203")
    ]
    view = summarise(dataclasses.replace(refuse(), verdict=verdict, checks=tuple(checks)))
    assert view["verdict"]["sentence"] == "For now use “Call everybody”."
    assert view["warnings"] == []
    assert "Again" not in json.dumps(view["pages"][0])
    assert "Again" in json.dumps(view["pages"][2])


def test_groups_are_ranked_by_the_gain_that_allows_for_few_rows():
    """Thirty rows of a raw loss say less than three thousand of a small gain."""
    few = dataclasses.replace(group("few", 30, -1.0, 3.0), shrunken_gain=est(0.9))
    many = dataclasses.replace(group("many", 3000, 0.2, 0.1), shrunken_gain=est(0.3))
    split = dataclasses.replace(binary().subgroups[0], groups=(few, many))
    evidence = dataclasses.replace(binary(), subgroups=(split,))
    shown = short_groups(Facts(evidence), 1)
    assert shown["rows"][0]["cells"][0]["text"].endswith(": many")
    assert "Chosen by the gain that allows for how few rows" in shown["note"]


def test_a_caption_promises_no_interval_that_is_not_there():
    bare = [dataclasses.replace(p, total=est(1.0)) for p in binary().policies]
    table = blocks_of(summarise(dataclasses.replace(binary(), policies=tuple(bare))), "table")[0]
    assert "interval" not in table["caption"]


def _told(evidence, **sentences):
    told = {k: {"sentences": v} for k, v in sentences.items()}
    pages = summarise(dataclasses.replace(evidence, **told))["pages"]
    section = next((s for s in pages[0]["sections"] if s["id"] == "m-change"), None)
    return section["blocks"][0]["items"] if section else []


def test_the_manager_reads_how_sure_it_is_and_what_would_change_it():
    said = _told(
        binary(),
        information=["It is best with a probability of 93 %.", "More rows are worth little."],
        sensitivity=["A false alarm may cost up to EUR 31."],
        base_rate=["“yes” was the outcome of 30 %.", "Another option wins above 51 %."],
    )
    assert said[:3] == [
        "It is best with a probability of 93 %.",
        "A false alarm may cost up to EUR 31.",
        "“yes” was the outcome of 30 %. Another option wins above 51 %.",
    ]


def test_a_base_rate_at_which_nothing_changes_is_no_news_for_the_manager():
    assert _told(binary(), base_rate=["“yes” was the outcome of 30 %."]) == []


def test_the_manager_reads_fewer_of_them_beside_warnings():
    many = {
        "information": ["a" * 90, "b" * 90],
        "sensitivity": ["c" * 90, "d" * 90],
        "base_rate": ["e" * 40, "f" * 40, "g" * 90],
        "people": ["h" * 90, "i" * 90],
    }
    assert len(_told(refuse(), **many)) < len(_told(binary(), **many)) <= 6


def test_few_paying_cases_are_told_before_how_sure_the_choice_is():
    said = {"sentences": ["It rests on 17 cases."]}
    evidence = dataclasses.replace(
        binary(), information={"sentences": ["It is best with a probability of 93 %."]}
    )
    for paying, first in ((17.0, "It rests on 17 cases."), (500.0, "It is best with a")):
        figures = [{"name": "gain", "diagnosis": {"paying": paying}}]
        one = dataclasses.replace(evidence, intervals=said | {"figures": figures})
        assert changes(Facts(one))[0].startswith(first)
