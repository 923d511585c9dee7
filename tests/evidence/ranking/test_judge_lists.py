"""Lists judged: by hand, by brute force, against a world whose answer is known, and bad input."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from payoff.errors import DataError, EvidenceError
from payoff.evidence.evidence import Evidence
from payoff.evidence.ranking.groups import history_of
from payoff.evidence.ranking.judge import judge_lists
from payoff.evidence.ranking.judged import ListsJudged, shown_of
from payoff.evidence.ranking.listed import ItemFacts
from payoff.policy.listing.stakes import ListsToChoose, ListsToJudge
from payoff.report.files import documents
from tests.list_worlds import World, background, decision, judged, listed

# Three users, five items; money of what they bought, and a miss of -1.
PAIR = np.array([0, 3, 5, 13])  # user 0: items 0 and 3; user 1: item 0; user 2: item 3
HIT = np.array([1.0, 10.0, 100.0, 1000.0])
LISTS = {
    "a": np.array([[3, 0], [1, 2], [3, -1]], dtype=np.int32),
    "b": np.array([[0, 1], [0, 1], [0, 1]], dtype=np.int32),
    "do_nothing": np.full((3, 2), -1, dtype=np.int32),
}


def by_hand(**changed):
    facts = {
        "part": "judge",
        "user": np.arange(3, dtype=np.int32),
        "pair": PAIR,
        "hit": HIT,
        "value": 2 * HIT,
        "margin": HIT,
        "miss": -1.0,
        "n_items": 5,
        "known": np.array([0, 2, 9]),
        "groups": {"region": (("n", "s"), np.array([0, 0, -1], dtype=np.int32))},
    }
    kind = changed.pop("kind", ListsToJudge)
    return kind(**{**facts, **changed})


def items(m=5):
    return ItemFacts(
        labels=np.arange(m), popularity=np.arange(m), n_users=m, allowed=np.ones(m, bool)
    )


def hand(lists=LISTS, stakes=None, **declared):
    return judge_lists(
        decision(miss="-1", **declared),
        by_hand() if stakes is None else stakes,
        listed(lists),
        recommended="a",
        items=items(),
        background=background(),
    )


def test_money_of_three_users_by_hand():
    found = hand()
    # a: 11, then two misses, then a hit and nothing after it; b: each list has one miss or two.
    money = {p.name: p.value.value for p in found.policies}
    assert money == pytest.approx(
        {"a": (11 - 2 + 1000) / 3, "b": (1 - 1 + 100 - 1 - 2) / 3, "do_nothing": 0.0}
    )
    first = found.policies[0]
    assert first.total.value == pytest.approx(1009 / 3 * 2000)
    assert first.total.unit == "EUR per month"
    cells = {(c.action, c.outcome): c for c in first.cells}
    assert (cells["show", "hit"].n, cells["show", "miss"].n) == (3, 2)
    assert cells["show", "hit"].money_per_period == pytest.approx(1011 / 3 * 2000)
    assert cells["show", "miss"].money_per_period == pytest.approx(-2 / 3 * 2000)
    total = sum(c.money_per_period for c in first.cells)
    assert total == pytest.approx(first.total.value)
    gap = next(c for c in found.comparisons if c.against == "b")
    assert gap.value.value == pytest.approx((1009 - 97) / 3)
    assert gap.differ == 1.0


def test_lists_of_the_same_items_in_another_order_do_not_differ():
    turned = {"a": LISTS["a"][:, ::-1].copy(), "b": LISTS["a"]}
    turned["a"][2] = [3, -1]
    found = hand(turned)
    assert found.comparisons[0].differ == 0.0
    assert (found.comparisons[0].value.value, found.comparisons[0].value.method) == (0.0, "exact")


def test_an_item_bought_again_counts_each_time_where_a_hit_is_a_constant():
    stakes = by_hand(hit=np.array([2.0, 2.0, 6.0, 2.0]))
    declared = decision(miss="-1")
    cells = {**declared.payoffs.cells}
    cells["show", "hit"] = dataclasses.replace(cells["show", "hit"], money="2")
    constant = dataclasses.replace(
        declared, payoffs=dataclasses.replace(declared.payoffs, cells=cells)
    )
    found = judge_lists(
        constant,
        stakes,
        listed({"b": LISTS["b"], "a": LISTS["a"]}),
        recommended="b",
        items=items(),
        background=background(),
    )
    hit = next(c for c in found.policies[0].cells if (c.action, c.outcome) == ("show", "hit"))
    assert (hit.n, hit.per_period) == (2, pytest.approx(4 / 3 * 2000))
    assert hit.money_per_period == pytest.approx(2 * hit.per_period)


def test_brute_force_agrees_on_a_world():
    world = World()
    stakes, lists = world.draw(300, np.random.default_rng(5))
    found = judge_lists(
        decision(),
        stakes,
        listed(lists),
        recommended="good",
        items=world.items(),
        background=background(),
    )
    bought = {(int(p) // 40, int(p) % 40): h for p, h in zip(stakes.pair, stakes.hit, strict=True)}
    for policy in found.policies:
        money = [
            sum(bought.get((u, int(i)), -0.01) for i in row if i >= 0)
            for u, row in enumerate(lists[policy.name])
        ]
        assert policy.value.value == pytest.approx(np.mean(money))


def test_the_planted_best_is_recommended_and_the_rest_is_measured_against_it():
    found = judged()
    assert found.policies[0].name == "good"
    assert found.verdict["state"] == "deploy"
    assert found.verdict["reference"] == found.verdict["best_trivial"] == "popular"
    world = World()
    for policy in found.policies:
        true = 2000 * world.worth(policy.name)
        assert policy.total.low <= true <= policy.total.high
    best = {o["policy"]: o["probability_best"] for o in found.information["options"]}
    assert best["good"] > 0.99


def test_recommending_the_worse_is_refused():
    assert judged(recommended="popular").verdict["state"] == "uncertain"  # nothing simpler
    lists = {"a": LISTS["b"][:, ::-1] * 0 + np.array([1, 2], dtype=np.int32), "popular": LISTS["b"]}
    assert hand(lists).verdict["state"] == "refuse"


def held(draws, n, seed):
    """Return how often the intervals of a value and of a gain hold the truth, and are refused."""
    world, rng = World(), np.random.default_rng(seed)
    names = ("good", "popular")
    good, popular = (world.worth(name) for name in names)
    inside = []
    for _ in range(draws):
        stakes, lists = world.draw(n, rng)
        shown = tuple(shown_of(stakes, x) for x in listed({k: lists[k] for k in names}))
        own = ListsJudged(
            decision=decision(),
            stakes=stakes,
            items=world.items(),
            background=background(),
            shown=shown,
        )
        for column, true in (
            (own.money("good"), good),
            (own.money("good") - own.money("popular"), good - popular),
        ):
            found = own.worth(column)
            inside.append(np.nan if found.low is None else found.low <= true <= found.high)
    return np.nanmean(inside), np.isnan(inside).mean()


def test_intervals_over_users_hold_the_true_money():
    inside, refused = held(draws=250, n=500, seed=8)
    assert 0.925 <= inside <= 0.98
    assert refused < 0.02


def test_groups_are_the_declared_ones_and_the_history():
    found = judged()
    assert [(s.name, s.automatic) for s in found.subgroups] == [
        ("region", False),
        ("history", True),
    ]
    region = found.subgroups[0]
    shares = sum(g.share * g.value.value for g in region.groups)
    assert shares == pytest.approx(found.policies[0].value.value)
    assert not any("row" in s for g in found.subgroups for s in g.sentences)


def test_history_cuts_at_none_and_at_the_median():
    assert history_of(np.array([0, 0]))[0] == ("new",)
    labels, codes = history_of(np.array([0, 1, 1, 5]))
    assert labels == ("new", "light (1 interaction)", "heavy (2 or more)")
    assert codes.tolist() == [0, 1, 1, 2]


def test_checks_name_what_is_thin():
    codes = {c.code: c for c in hand().checks}
    assert codes["PAY-E261"].status == "issue"
    assert "2 of them bought" in codes["PAY-E261"].detail
    assert codes["PAY-E262"].status == "tip"  # one of three is new
    assert codes["PAY-E263"].status == "issue"  # 1000 of 1011
    shut = dataclasses.replace(items(), allowed=np.array([True, True, True, False, True]))
    found = judge_lists(
        decision(),
        by_hand(),
        listed(LISTS),
        recommended="a",
        items=shut,
        background=background(),
    )
    codes = {c.code: c for c in found.checks}
    assert codes["PAY-E266"].status == "tip"
    assert "90.9 %" in codes["PAY-E266"].detail  # 1010 of 1111
    assert codes["PAY-E267"].status == "issue"
    assert "2 places" in codes["PAY-E267"].detail


def test_what_hits_and_places_must_be_worth():
    found = judged()
    place = next(x for x in found.sensitivity["levers"] if x["outcome"] == "miss")
    own = next(c for c in found.policies[0].cells if (c.action, c.outcome) == ("show", "miss"))
    hit = next(c for c in found.policies[0].cells if (c.action, c.outcome) == ("show", "hit"))
    # Showing nothing catches up once misses cost what hits earn.
    assert place["stays"]["low"]["value"] == pytest.approx(-hit.money_per_period / own.per_period)
    assert any("place" in s for s in found.sensitivity["sentences"])
    assert found.sensitivity["levers"][0]["again"]["not_measured"]


def test_evidence_survives_json_and_says_why_sections_are_missing():
    found = judged()
    again = Evidence.from_dict(json.loads(found.to_json()))
    assert again.to_json() == found.to_json()
    for name in ("calibration", "curve", "past", "people", "base_rate", "optimism"):
        assert getattr(found, name)["not_measured"]


@pytest.mark.parametrize(
    ("lists", "needs"),
    [
        (np.zeros((2, 2), np.int32), "one list for each user"),
        (np.full((3, 2), 5, np.int32), "items from 0 to 4"),
        (np.array([[-1, 0]] * 3, np.int32), "-1 only at the end"),
        (np.array([[1, 1]] * 3, np.int32), "each item once"),
    ],
)
def test_lists_that_do_not_fit_are_refused(lists, needs):
    with pytest.raises(EvidenceError, match="PAY-E031") as error:
        hand({"a": lists})
    assert needs in str(error.value)


def test_users_who_chose_may_not_judge():
    with pytest.raises(EvidenceError, match="PAY-E001"):
        hand(stakes=by_hand(kind=ListsToChoose, part="choose"))
    tuned = listed(LISTS)
    tuned[0] = dataclasses.replace(
        tuned[0], policy=dataclasses.replace(tuned[0].policy, tuned_on="judge")
    )
    with pytest.raises(EvidenceError, match="PAY-E001"):
        judge_lists(
            decision(),
            by_hand(),
            tuned,
            recommended="a",
            items=items(),
            background=background(),
        )


def test_no_users_is_an_error_that_says_so():
    none = np.empty(0)
    empty = by_hand(
        user=none.astype(np.int32),
        pair=none.astype(np.int64),
        hit=none,
        value=none,
        margin=none,
        known=none.astype(np.int64),
        groups={},
    )
    with pytest.raises(DataError, match="PAY-L003"):
        hand({"a": np.empty((0, 2), np.int32)}, empty)


def test_one_user_and_no_hits_have_no_interval_but_a_reason():
    one = by_hand(
        user=np.array([0], np.int32),
        pair=np.array([4]),
        hit=np.array([3.0]),
        value=np.array([3.0]),
        margin=np.array([3.0]),
        known=np.array([1]),
        groups={},
    )
    found = hand({"a": np.array([[0, 1]], np.int32), "b": np.array([[2, 3]], np.int32)}, one)
    assert found.policies[0].value.value == -2.0 or found.policies[0].value.value is None
    assert found.policies[0].value.low is None
    assert found.policies[0].value.reason


def test_a_volume_that_counts_purchases_again_is_told_first():
    check = {c.code: c for c in judged().checks}["PAY-E270"]
    # 2,000 lists a month are 1,971 in 30 days, 1.3 for each of 1,500 users.
    assert (check.status, check.page_one) == ("passed", False)
    assert "1.3 for each" in check.detail
    often = {c.code: c for c in judged(top="volume = 15000").checks}["PAY-E270"]
    assert (often.status, often.page_one) == ("issue", True)
    assert "9.9 for each" in often.detail
    assert "1,522 per month" in often.mend
    none = {c.code: c for c in judged(top="").checks}["PAY-E270"]
    assert none.status == "not_applicable"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("n", "m", "pair", "lists", "days"),
    [
        (1, 1, [0], {"a": [[0]], "do_nothing": [[-1]]}, 10.0),  # one user, one item
        (3, 2, [], {"a": [[0, 1]] * 3, "popular": [[1, 0]] * 3}, 10.0),  # nobody bought
        (50, 3, [0, 3, 6], {"a": [[0, -1]] * 50, "popular": [[1, -1]] * 50}, None),  # no dates
        (50, 3, [0, 3], {"do_nothing": [[-1]] * 50, "popular": [[1]] * 50}, 0.0),  # one moment
        (60, 3, [3 * u for u in range(60)], {"a": [[0]] * 60, "popular": [[0]] * 60}, 5.0),
    ],
)
def test_extreme_parts_are_judged_and_reported(n, m, pair, lists, days):
    money = np.full(len(pair), 3.0)
    stakes = by_hand(
        user=np.arange(n, dtype=np.int32),
        pair=np.array(pair, dtype=np.int64),
        hit=money,
        value=money,
        margin=money,
        n_items=m,
        known=np.zeros(n, dtype=np.int64),
        groups={},
        days=days,
    )
    found = judge_lists(
        decision(),
        stakes,
        listed({name: np.array(rows, dtype=np.int32) for name, rows in lists.items()}),
        recommended=next(iter(lists)),
        items=ItemFacts(
            labels=np.arange(m),
            popularity=np.zeros(m, dtype=np.int64),
            n_users=0,
            allowed=np.ones(m, bool),
        ),
        background=background(),
    )
    assert all(documents(found).values())
    assert found.policies[0].value.low is None or found.policies[0].value.method == "exact"
    assert found.policies[0].value.reason
