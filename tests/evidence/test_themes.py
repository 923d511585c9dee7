"""Money lost by theme, slices as a family of their own, drift: by hand and by simulation."""

import dataclasses
import json

import numpy as np
import pytest

from payoff.declare import Action, PayoffTable, Review
from payoff.evidence.acted import Background
from payoff.evidence.evidence import Evidence
from payoff.evidence.slices import Slices, ThemeFacts, Timeline
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.theme_drift import drift
from payoff.workflow.slices import periods_of
from tests.evidence.test_disclosure import SMALLEST, exact
from tests.worlds import POWERS, binary, calibrated, judged, three_by_three

NAMES = ("loan, house", "card, chip", "wifi, router")


def slices(codes, *, names=NAMES, groups=True, line=None, **more):
    codes = np.asarray(codes, dtype=np.int32)
    facts = ThemeFacts(
        names=names,
        words=tuple(tuple(n.split(", ")) for n in names),
        examples=tuple(({"row": k, "text": f"{n} …"},) for k, n in enumerate(names)),
        learnt={"documents": 900, "by": "words"},
        codes=codes,
    )
    return Slices(
        groups={"theme": (names, codes), **more} if groups else {},
        themes=facts,
        timeline=line,
        untimed="" if line else "no time is declared",
    )


def background(**facts):
    return Background(data={}, model={"not_measured": "a test"}, **facts)


def world(rng, n=1_200, *, theme=None, subgroups=("g",), payoffs=None, **more):
    prob, y = calibrated(rng, n)
    theme = rng.integers(0, 3, n) if theme is None else theme
    decision = binary(payoffs, subgroups=subgroups, volume=1_000)
    table = {"y": y, "g": rng.choice(["a", "b"], n)}
    own = slices(theme, **more)
    return decision, table, prob, theme, own


def test_money_lost_is_that_of_a_hand_table():
    """Powers of ten: a sum shows which cells were counted, and how often."""
    y = np.array([1, 1, 0, 0] * 40)
    p = np.array([0.9, 0.01, 0.9, 0.01] * 40)  # calls the first and the third
    theme = np.repeat([0, 1], 80)
    decision = dataclasses.replace(binary(POWERS, volume=160), evidence=binary().evidence)
    found = judged(
        decision,
        {"y": y},
        np.column_stack([p, 1 - p]),
        background=background(slices=slices(theme, names=NAMES[:2])),
    ).themes
    # Per four rows: a missed yes loses 1000 + 10, a call for nothing 1 + 100.
    rows = {t["name"]: t for t in found["themes"]}
    for name in NAMES[:2]:
        assert rows[name]["lost"]["value"] == pytest.approx(20 * (1010 + 101))
        assert rows[name]["lost_share"] == pytest.approx(0.5)
        assert rows[name]["lost_per_unit"]["value"] == pytest.approx((1010 + 101) / 4)
        assert rows[name]["errors"]["value"] == pytest.approx(0.5)
        assert [o["rate"]["value"] for o in rows[name]["outcomes"]] == [0.5, 0.5]
        assert rows[name]["n"] == 80
    assert found["lost"]["value"] == pytest.approx(40 * (1010 + 101))


def test_a_review_costs_money_and_is_no_error():
    """Of four one is called for nothing, one read first, one rightly left, one rightly called."""
    y = np.array([0, 0, 0, 1] * 40)
    p = np.array([0.999, 0.4, 0.001, 0.999] * 40)
    plain = binary(volume=160)
    decision = dataclasses.replace(
        plain,
        actions=(
            *plain.actions,
            Action(name="ask", review=Review(cost="0.1", errors={"yes": 0.0, "no": 0.0})),
        ),
        payoffs=PayoffTable.of({"call": {"yes": 10, "no": -10}, "leave": {"yes": -10, "no": 0}}),
    )
    found = judged(
        decision,
        {"y": y},
        np.column_stack([p, 1 - p]),
        background=background(slices=slices(np.repeat([0, 1], 80), names=NAMES[:2])),
    ).themes
    assert found["lost"]["value"] == pytest.approx(40 * (10 + 0.1))
    assert found["errors"]["value"] == pytest.approx(1 / 4)
    assert [t["errors"]["value"] for t in found["themes"]] == pytest.approx([1 / 4] * 2)


def test_losses_of_themes_add_up_and_are_sorted(rng):
    decision, table, prob, _, own = world(rng)
    found = judged(decision, table, prob, background=background(slices=own)).themes
    lost = [t["lost"]["value"] for t in found["themes"]]
    assert lost == sorted(lost, reverse=True)
    assert sum(lost) == pytest.approx(found["lost"]["value"])
    assert sum(t["lost_share"] for t in found["themes"]) == pytest.approx(1)
    for t in found["themes"]:
        assert t["lost"]["low"] < t["lost"]["value"] < t["lost"]["high"]
        assert t["lost"]["unit"] == "EUR per month"
    json.dumps(found)


def test_the_losses_are_the_regret_of_the_confusion_table(rng):
    decision, table, prob, _, own = world(rng)
    made = judged(decision, table, prob, background=background(slices=own))
    cells = sum(c.regret_per_period for c in made.policies[0].cells)
    assert made.themes["lost"]["value"] == pytest.approx(cells)


def test_a_planted_bad_theme_is_named(rng):
    n = 1_500
    theme = rng.integers(0, 3, n)
    prob, y = calibrated(rng, n)
    y = np.where(theme == 2, rng.random(n) < 0.5, y).astype(int)
    # Elsewhere the model knows; of the third theme nobody is called, half of them wrongly.
    prob = np.where(theme == 2, 0.02, np.where(rng.random(n) < 0.05, 0.5, np.where(y, 0.9, 0.01)))
    found = judged(
        binary(volume=1_000), {"y": y}, prob, background=background(slices=slices(theme))
    ).themes
    first = found["themes"][0]
    assert first["name"] == NAMES[2]
    assert first["p_adjusted"]["errors"] < 0.01
    assert first["p_adjusted"]["lost_per_unit"] < 0.01
    assert found["sentences"][0].startswith("Most of what is lost")
    assert NAMES[2] in found["sentences"][0]
    assert "beyond chance" in found["sentences"][0]
    assert NAMES[2] in found["sentences"][1]


def test_themes_that_do_not_differ_are_rarely_said_to():
    false = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        decision, table, prob, _, own = world(rng, 600, subgroups=())
        found = judged(decision, table, prob, background=background(slices=own)).themes
        false += min(found["compared"][k]["p_any"] for k in ("errors", "lost_per_unit")) <= 0.05
    assert false <= 6  # 40 worlds at 5 %: more than 6 in 1 of 100 such tests


# ----------------------------------------------------------------------------------- families


def test_slices_take_nothing_from_the_declared_subgroups(rng):
    decision, table, prob, _, own = world(rng)
    alone = judged(decision, table, prob)
    both = judged(decision, table, prob, background=background(slices=own))
    assert both.declared_subgroups == alone.subgroups
    assert [s.automatic for s in both.subgroups] == [False, True]
    assert [
        c for c in both.checks if c.code in ("PAY-E206", "PAY-E210", "PAY-E215", "PAY-E216")
    ] == [c for c in alone.checks if c.code in ("PAY-E206", "PAY-E210", "PAY-E215", "PAY-E216")]
    theme = both.subgroups[1]
    assert theme.reference is None
    assert all(g.impact is None for g in theme.groups)


def test_more_slices_share_one_allowance_of_their_own(rng):
    decision, table, prob, theme, own = world(rng)
    length = (("short", "long"), (np.arange(len(theme)) % 2).astype(np.int32))
    two = dataclasses.replace(own, groups={**own.groups, "length": length})
    one_, two_ = (
        judged(decision, table, prob, background=background(slices=s)).subgroups[1]
        for s in (own, two)
    )
    for a, b in zip(one_.groups, two_.groups, strict=True):
        assert b.p_adjusted["gain"] == pytest.approx(min(1, 2 * a.p_adjusted["gain"]))


def test_a_theme_without_the_positive_outcome_is_measured(rng):
    n = 900
    decision = three_by_three()
    theme = rng.integers(0, 3, n)
    y = rng.integers(0, 3, n)
    y = np.where((theme == 1) & (y == decision.positive_code), (y + 1) % 3, y)
    y = np.where(theme == 2, decision.positive_code, y)
    names = np.array(decision.outcome_names)
    table = {"y": names[y].tolist(), "amount": rng.gamma(2.0, 300.0, n)}
    prob = rng.dirichlet(np.ones(3), n)
    made = judged(decision, table, prob, background=background(slices=slices(theme)))
    state = {g.label: g.state for g in made.subgroups[0].groups}
    # Two other outcomes are enough; a single one is not.
    assert state == {NAMES[0]: "ok", NAMES[1]: "ok", NAMES[2]: "not_estimable"}


def test_small_themes_have_no_figures_and_no_one_follows_by_subtraction(rng):
    n = 1_000
    theme = np.repeat([0, 1, 2], [12, 488, 500])
    decision, table, prob, _, own = world(rng, n, theme=theme, subgroups=())
    made = judged(decision, table, prob, background=background(slices=own))
    rows = {t["name"]: t for t in made.themes["themes"]}
    assert rows[NAMES[0]]["state"] == "small"
    assert rows[NAMES[1]]["state"] == "withheld"
    for name in NAMES[:2]:
        assert rows[name]["lost"] is None
        assert rows[name]["outcomes"] == []
        assert rows[name]["reason"]
    assert rows[NAMES[2]]["lost"] is not None
    hidden = judged(
        decision, table, prob, background=background(slices=dataclasses.replace(own, groups={}))
    )
    assert hidden.subgroups == ()
    assert [t["state"] for t in hidden.themes["themes"]] == [
        t["state"] for t in made.themes["themes"]
    ]


@pytest.mark.parametrize("seed", range(25))
def test_slices_give_no_declared_small_group_away(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 250))
    one = np.minimum(rng.geometric(0.5, n) - 1, 4)
    two = np.where(rng.random(n) < 0.9, one, rng.integers(0, 3, n))
    before = withheld({"one": one}, SMALLEST)
    both = withheld({"one": one, "two": two}, SMALLEST, fixed=before)
    assert np.array_equal(both["one"], before["one"])
    assert not any(exact({"one": one, "two": two}, both))


# -------------------------------------------------------------------------------------- drift


def timeline(rng, n=3_000, *, grow=0.0, periods=6, cluster=None):
    when = np.sort(rng.random(n))
    theme = rng.integers(0, 3, n)
    theme = np.where(rng.random(n) < grow * when, 2, theme)
    period = np.minimum((when * periods).astype(np.int32), periods - 1)
    return Timeline(
        by="month",
        labels=tuple(f"2025-{k + 1:02d}" for k in range(periods)),
        period=period,
        theme=theme.astype(np.int32),
        weight=np.ones(n),
        cluster=cluster,
        part=np.digitize(when, [0.5, 0.7]).astype(np.int8),
        ordered=True,
        spans={"fit": "2025-01 to 2025-03", "judge": "2025-05 to 2025-06"},
    )


def test_a_theme_that_grows_is_named_with_its_shares(rng):
    line = timeline(rng, grow=0.4)
    found = drift(binary(), line, NAMES, seed=0)
    grown = found["themes"][2]
    fit, judge = (np.mean(line.theme[line.part == p] == 2) for p in (0, 2))
    assert grown["fit"]["value"] == pytest.approx(fit)
    assert grown["judge"]["value"] == pytest.approx(judge)
    assert grown["change"]["value"] == pytest.approx(judge - fit)
    assert grown["change"]["low"] > 0
    assert grown["p_change"] < 0.05
    assert grown["p_periods"] < 0.05
    assert found["sentences"][0].startswith("“wifi, router” grew from ")
    for k, told in enumerate(grown["shares"]):
        assert told["value"] == pytest.approx(np.mean(line.theme[line.period == k] == 2))
    json.dumps(found)


def test_no_theme_is_said_to_move_in_a_world_that_stands_still():
    false = outside = 0
    for seed in range(150):
        found = drift(binary(), timeline(np.random.default_rng(seed), 900), NAMES, seed=seed)
        least = [min(t["p_change"], t["p_periods"]) for t in found["themes"]]
        false += min(least) <= 0.05
        outside += any(not t["change"]["low"] <= 0 <= t["change"]["high"] for t in found["themes"])
        assert ("No theme" in found["sentences"][0]) == (min(least) > 0.05)
    # Six tests share 5 %, and they are Bonferroni's: 150 worlds exceed 14 in 1 of 100 such tests.
    assert false <= 14
    assert outside <= 14


def test_copies_are_no_drift():
    """One letter sent 200 times in one month: a case, not a wave."""
    rng = np.random.default_rng(1)
    line = timeline(rng, 1_200)
    last = np.flatnonzero(line.period == 5)[:150]
    theme, cluster = line.theme.copy(), np.arange(1_200)
    theme[last], cluster[last] = 2, cluster[last[0]]
    alone = dataclasses.replace(line, theme=theme)
    apart = drift(binary(), alone, NAMES, seed=0)["themes"][2]
    together = drift(binary(), dataclasses.replace(alone, cluster=cluster), NAMES, seed=0)
    assert apart["p_periods"] < 0.05
    assert together["themes"][2]["p_periods"] > 0.05


def test_without_an_order_only_periods_are_compared(rng):
    line = dataclasses.replace(timeline(rng, grow=0.6), ordered=False)
    found = drift(binary(), line, NAMES, seed=0)
    assert all(t["change"] is None and t["p_change"] is None for t in found["themes"])
    assert "over all months" in found["sentences"][0]
    assert found["tests"] == 3


def test_too_few_documents_to_say_anything(rng):
    assert (
        "fewer than two months" in drift(binary(), timeline(rng, 40), NAMES, seed=0)["not_measured"]
    )


def test_periods_follow_the_span():
    day = 86_400e6
    for days, by in ((30, "week"), (300, "month"), (1_500, "quarter"), (9_000, "year")):
        when = np.array([0, days / 2, days, np.nan]) * day
        found, labels, period = periods_of(when, temporal=True)
        assert found == by
        assert period[3] == -1
        assert period[2] == len(labels) - 1
        assert len(set(labels)) == len(labels)
    # 5 January 1970 was a Monday: the week of it begins there.
    _, labels, period = periods_of(np.array([3.0, 4.0, 10.0, 11.0]) * day, temporal=True)
    assert labels == ("week of 1969-12-29", "week of 1970-01-05", "week of 1970-01-12")
    assert period.tolist() == [0, 1, 1, 2]
    by, labels, period = periods_of(np.arange(100.0), temporal=False)
    assert by == "span"
    assert len(labels) == 8
    assert np.bincount(period).min() >= 12
    assert periods_of(np.array([np.nan]), temporal=True)[1] == ()


# ------------------------------------------------------------------------------------ record


def test_why_there_is_nothing_is_said(rng):
    decision, table, prob, _, own = world(rng)
    assert "did not ask" in judged(decision, table, prob).themes["not_measured"]
    bare = dataclasses.replace(own, themes=None, groups={}, without="themes = 0 is set in [text]")
    found = judged(decision, table, prob, background=background(slices=bare)).themes
    assert found == {"not_measured": "themes = 0 is set in [text]"}
    timeless = judged(decision, table, prob, background=background(slices=own)).themes
    assert timeless["drift"] == {"not_measured": "no time is declared"}


def test_evidence_goes_round_and_older_evidence_opens(rng):
    decision, table, prob, _, own = world(rng)
    made = judged(decision, table, prob, background=background(slices=own))
    again = Evidence.from_dict(json.loads(made.to_json()))
    assert again.to_json() == made.to_json()
    assert again.subgroups[1].automatic
    older = json.loads(made.to_json())
    del older["themes"]
    for s in older["subgroups"]:
        del s["automatic"]
    read = Evidence.from_dict(older)
    assert "not_measured" in read.themes
    assert not read.subgroups[1].automatic
