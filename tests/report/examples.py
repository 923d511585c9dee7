"""Evidence as the judge makes it, for the documents' tests: realistic, small, and hostile."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from typing import Any

from payoff.checks import Check
from payoff.evidence.evidence import (
    ActionUse,
    Cell,
    Comparison,
    Estimate,
    Evidence,
    Group,
    PolicyEvidence,
    SubgroupEvidence,
)
from tests.list_worlds import judged

N = 4_000
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "=cmd()",
    "a\u202eb\u2066c\u200b",
    "](javascript:alert(1)) `x` | y",
    "one\ntwo\r\x1b[31m",
    "</style><style>*{display:none}</style>",
    "W" * 10_000,
)


def est(value, half=None, unit="EUR per month", n=N, reason="", skew=1.0):
    low = None if value is None or half is None else value - half
    high = None if value is None or half is None else value + half * skew
    method = "none" if low is None else "score"
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=0.95,
        unit=unit,
        n=n,
        n_clusters=n,
        method=method,
        reason=reason or ("" if low is not None else "fewer than 30 rows"),
    )


def policy(name, label, how, total, half, *, volume=10_000, acted=0.0, cells=(), baseline=False):
    unit = "EUR per customer"
    return PolicyEvidence(
        name=name,
        label=label,
        how=how,
        baseline=baseline,
        value=est(total / volume, None if half is None else half / volume, unit),
        total=est(total, half),
        actions=(
            ActionUse(
                action="call",
                n=round(N * acted),
                share=acted,
                per_period=acted * volume,
                low=acted * volume * 0.94,
                high=acted * volume * 1.06,
            ),
            ActionUse(
                action="leave",
                n=round(N * (1 - acted)),
                share=1 - acted,
                per_period=(1 - acted) * volume,
            ),
        ),
        cells=tuple(cells),
    )


REGRET = {("call", "yes"): 0.0, ("call", "no"): 5.0, ("leave", "yes"): 45.0, ("leave", "no"): 0.0}


def cells(tp, fp, fn, tn, gain=45.0, cost=-5.0, volume=10_000):
    total = tp + fp + fn + tn

    def one(action, outcome, n, money):
        share = n / total
        return Cell(
            action=action,
            outcome=outcome,
            n=n,
            share=share,
            per_period=share * volume,
            low=share * volume * 0.9,
            high=share * volume * 1.1,
            regret_per_period=share * volume * REGRET[action, outcome],
            money_per_unit=money if n else None,
            money_per_period=share * volume * money,
        )

    return (
        one("call", "yes", tp, gain),
        one("call", "no", fp, cost),
        one("leave", "yes", fn, 0.0),
        one("leave", "no", tn, 0.0),
    )


def comparison(against, total, half, differ=0.2, policy="expected", volume=10_000):
    return Comparison(
        policy=policy,
        against=against,
        differ=differ,
        total=est(total, half),
        value=est(total / volume, half / volume, "EUR per customer"),
    )


def group(label, n, gain, half, state="ok", reason=""):
    unit = "EUR per customer"
    if state in {"small", "not_estimable"}:
        return Group(
            label=label,
            state=state,
            reason=reason,
            n=n,
            share=n / N,
            positives=None,
            rate=None,
            value=None,
            gain=None,
            total_gain=None,
        )
    return Group(
        label=label,
        state=state,
        reason=reason,
        n=n,
        share=n / N,
        positives=n // 9,
        rate=est(0.11, 0.02, "share", n),
        rates={
            name: est(value, 0.05, "share", n)
            for name, value in (
                ("acted", 0.21),
                ("true_positive_rate", 0.7),
                ("false_positive_rate", 0.15),
                ("precision", 0.36),
                ("missed", 0.3),
            )
        },
        shrunken_value=est(gain * 0.9 + 0.1, half, unit, n),
        shrunken_gain=est(gain * 0.9, half, unit, n),
        gain_simultaneous=est(gain, half * 1.4, unit, n),
        p_adjusted={"gain": 0.3, "true_positive_rate": 0.8, "false_positive_rate": None},
        impact=est(0.95, 0.1, "ratio", n),
        value=est(gain + 0.1, half, unit, n),
        gain=est(gain, half, unit, n),
        total_gain=est(gain * 10_000 * n / N, half * 10_000 * n / N, n=n),
    )


DECISION: dict[str, Any] = {
    "name": "spring_calls",
    "title": "Whom to call in the spring campaign",
    "kind": "tabular",
    "unit": "customer",
    "units": "customers",
    "currency": "EUR",
    "period": "month",
    "volume": 10_000.0,
    "money_unit": "EUR per month",
    "units_reported": 10_000.0,
    "do_nothing": "leave",
    "positive": "yes",
    "owner": "Retail marketing",
    "approver": "",
    "review_by": "2027-03-31",
    "level": 0.95,
    "smallest_group": 30,
    "smallest_denominator": 5,
    "actions": [
        {"name": "call", "label": "Call", "capacity_per_period": 2_000, "capacity_share": 0.2},
        {
            "name": "leave",
            "label": "Leave alone",
            "capacity_per_period": None,
            "capacity_share": None,
        },
    ],
    "outcomes": [{"name": "yes", "label": "subscribes"}, {"name": "no", "label": "does not"}],
    "payoffs": [
        {"action": "call", "outcome": "yes", "money": "45", "source": "Finance, 2026 margin"},
        {"action": "call", "outcome": "no", "money": "-5", "source": "call centre contract"},
        {"action": "leave", "outcome": "yes", "money": "0", "source": ""},
        {"action": "leave", "outcome": "no", "money": "0", "source": ""},
    ],
    "excluded": [{"column": "duration", "reason": "known only after the call"}],
    "known_later": [{"column": "deposit", "reason": "arrives with the contract"}],
    "current_rule": {"label": "Today's rule", "text": "call when balance >= 1500, otherwise leave"},
}

DATA: dict[str, Any] = {
    "source": "bank-marketing.parquet",
    "fingerprint": "9f" * 32,
    "n_rows": 16_000,
    "n_unlabelled": 12,
    "weighted": False,
    "clustered": True,
    "dropped": [{"reason": "outcome neither yes nor no", "n": 3}],
    "split": {
        "method": "time",
        "reason": "The data have a time column, and the decision is about later rows.",
        "parts": {
            "fit": {
                "n": 8_000,
                "first": "2025-01-01",
                "last": "2025-07-31",
                "outcome_share": {"yes": 0.117, "no": 0.883},
            },
            "choose": {
                "n": 4_000,
                "first": "2025-08-01",
                "last": "2025-10-31",
                "outcome_share": {"yes": 0.121, "no": 0.879},
            },
            "judge": {
                "n": N,
                "first": "2025-11-01",
                "last": "2026-02-28",
                "outcome_share": {"yes": 0.125, "no": 0.875},
            },
        },
    },
}

MODEL: dict[str, Any] = {
    "name": "boosted",
    "label": "Gradient boosted trees",
    "candidates": [
        {
            "name": "boosted",
            "value": dataclasses.asdict(est(1.31, 0.22, "EUR per customer")),
            "log_loss": 0.311,
            "chosen": True,
            "seconds": 2.4,
            "reason": "most money",
        },
        {
            "name": "logistic",
            "value": dataclasses.asdict(est(1.17, 0.2, "EUR per customer")),
            "log_loss": 0.322,
            "chosen": False,
            "seconds": 0.4,
            "reason": "EUR 0.14 less",
        },
    ],
    "failures": [{"name": "forest", "reason": "out of time"}],
    "calibration": {
        "kind": "isotonic",
        "reason": "lowest log loss",
        "kinds": [{"kind": "none", "log_loss": 0.319}, {"kind": "isotonic", "log_loss": 0.311}],
    },
    "amounts": [{"column": "deposit", "outcome": "yes", "model": "boosted mean", "n": 470}],
    "description": {
        "algorithm": "LightGBM",
        "settings": {"trees": 200, "leaves": 31},
        "features": [
            {"name": "balance", "type": "number", "importance": 0.41},
            {"name": "job", "type": "category", "importance": 0.22},
        ],
    },
}


def _curve() -> dict[str, Any]:
    x = [i / 100 for i in range(101)]
    value = [13_500 * math.exp(-(((t - 0.14) / 0.16) ** 2)) - 1_500 * (1 - t) ** 8 for t in x]
    return {
        "score": "probability of subscribes",
        "action": "call",
        "unit": "EUR per month",
        "threshold": x,
        "value": value,
        "low": [v - 400 - v * 0.2 for v in value],
        "high": [v + 400 + v * 0.2 for v in value],
        "acted_share": [(1 - t) ** 4 for t in x],
        "recommended_value": 13_100.0,
        "threshold_chosen": 0.12,
        "do_nothing": 0.0,
        "all": 1_250.0,
    }


def _calibration() -> dict[str, Any]:
    bins = []
    for i, (p, r, n) in enumerate(
        [
            (0.02, 0.015, 1500),
            (0.06, 0.07, 900),
            (0.13, 0.12, 700),
            (0.24, 0.27, 500),
            (0.45, 0.41, 300),
            (0.7, 0.74, 100),
        ]
    ):
        half = 2 * math.sqrt(r * (1 - r) / n)
        bins.append(
            {
                "low": i / 6,
                "high": (i + 1) / 6,
                "n": n,
                "mean_prob": p,
                "rate": r,
                "rate_low": max(0, r - half),
                "rate_high": min(1, r + half),
            }
        )
    return {
        "outcome": "yes",
        "n": N,
        "bins": bins,
        "log_loss": 0.31123,
        "brier": 0.0871,
        "expected": 1.36,
        "realised": 1.31,
        "difference": dataclasses.asdict(est(0.05, 0.19, "EUR per customer")),
    }


SHIFT: dict[str, Any] = {
    "outcomes": [
        {
            "outcome": "yes",
            "fit": 0.117,
            "choose": 0.121,
            "judge": 0.125,
            "difference": dataclasses.asdict(est(0.008, 0.012, "share")),
        },
    ],
    "warning": "",
}

CHECKS = (
    Check(
        code="PAY-E201",
        title="Did the rows that judge also choose?",
        status="passed",
        detail="No row is in two parts.",
    ),
    Check(
        code="PAY-E204",
        title="Is every declared group large enough?",
        status="issue",
        detail="2 groups have fewer than 30 rows.",
        mend="Collect more rows, or join groups.",
    ),
    Check(
        code="PAY-E207",
        title="Does one row carry the result?",
        status="tip",
        detail="The largest row is 0.6 % of the value.",
    ),
    Check(
        code="PAY-E209",
        title="Do propensities overlap?",
        status="not_applicable",
        detail="Outcomes are known for every action.",
    ),
)


def binary() -> Evidence:
    """Two actions, a capacity, subgroups of every state: a clear recommendation."""
    return Evidence(
        decision=DECISION,
        data=DATA,
        model=MODEL,
        verdict={
            "state": "deploy",
            "recommended": "expected",
            "reference": "current_rule",
            "best_trivial": "all:call",
            "sentence": "It is worth more than today's rule and than any option without a "
            "model, and both intervals are above zero.",
        },
        policies=(
            policy(
                "expected",
                "Expected money",
                "call where the expected money of a call is above "
                "zero, largest first, up to the capacity",
                13_100,
                2_300,
                acted=0.2,
                cells=cells(362, 438, 138, 3062),
            ),
            policy(
                "current_rule",
                "Today's rule",
                "call when balance >= 1500",
                3_120,
                1_700,
                acted=0.31,
                cells=cells(187, 1053, 313, 2447),
                baseline=True,
            ),
            policy(
                "half",
                "Probability above 0.5",
                "call where the probability is above 0.5",
                4_810,
                1_100,
                acted=0.04,
                cells=cells(100, 60, 400, 3440),
            ),
            policy(
                "all:call",
                "Call everybody",
                "call every customer",
                12_500 - 11_250,
                2_600,
                acted=1.0,
                cells=cells(500, 3500, 0, 0),
                baseline=True,
            ),
            policy(
                "do_nothing",
                "Leave everybody alone",
                "call nobody",
                0,
                0.0,
                acted=0.0,
                cells=cells(0, 0, 500, 3500),
                baseline=True,
            ),
        ),
        comparisons=(
            comparison("current_rule", 9_980, 2_150),
            comparison("half", 8_290, 1_900),
            comparison("all:call", 11_850, 2_700, 0.8),
            comparison("do_nothing", 13_100, 2_300),
        ),
        subgroups=(
            SubgroupEvidence(
                name="Age",
                groups=(
                    group("below 30", 610, 1.42, 0.61),
                    group("30 to below 45", 1_520, 0.93, 0.34),
                    group("45 and over", 1_790, 0.98, 0.4),
                    group("unknown", 80, 0.4, 1.6, state="unknown"),
                ),
            ),
            SubgroupEvidence(
                name="Job",
                groups=(
                    group("management", 940, 1.5, 0.5),
                    group("student", 88, -0.35, 1.1),
                    group("technician", 800, 0.82, 0.55),
                    group(
                        "unemployed", 41, 0, 0, "not_estimable", "no row has the positive outcome"
                    ),
                    group("housekeeper", 9, 0, 0, "small", "9 rows, fewer than 30"),
                ),
            ),
        ),
        calibration=_calibration(),
        curve=_curve(),
        shift=SHIFT,
        capacity=(
            {
                "name": "call",
                "kind": "capacity",
                "label": "Call",
                "action": "call",
                "actions": {"call": 1.0},
                "resource": "customer",
                "subgroup": None,
                "group": None,
                "share": 0.2,
                "per_period": 2_000,
                "used_share": 0.2,
                "used_per_period": 2_000,
                "shadow_price": 1.9,
                "price_unit": "EUR per customer",
                "binding": True,
                "sentence": "The limit of 2,000 calls per month is reached; one more call would "
                "be worth about EUR 1.90.",
            },
        ),
        checks=CHECKS,
        seed=7,
        made_with={"payoff": "0.1.0", "python": "3.11.7", "numpy": "2.1.0"},
    )


def refuse() -> Evidence:
    """Calling everybody is worth more than the model: the page must say so loudly."""
    base = binary()
    policies = (
        dataclasses.replace(
            base.policies[0], total=est(16_126, 900), value=est(1.6126, 0.09, "EUR per customer")
        ),
        dataclasses.replace(
            base.policies[3], total=est(17_983, 1_000), value=est(1.7983, 0.1, "EUR per customer")
        ),
        base.policies[4],
    )
    return dataclasses.replace(
        base,
        policies=policies,
        verdict={
            "state": "refuse",
            "recommended": "all:call",
            "reference": "do_nothing",
            "best_trivial": "all:call",
            "sentence": "Calling everybody needs no model and is "
            "worth more; the share of subscribers rose from 5 % to 31 % between the parts.",
        },
        comparisons=(comparison("all:call", -1_857, 410), comparison("do_nothing", 16_126, 900)),
        decision={**DECISION, "current_rule": None, "owner": ""},
        shift={
            **SHIFT,
            "warning": "The share of subscribes rose from 5 % to 31 %: probabilities "
            "learnt earlier are too low.",
        },
        checks=(
            *CHECKS,
            Check(
                code="PAY-E205",
                title="Is a policy without a model as good?",
                status="issue",
                detail="Calling everybody is worth EUR 1,860 per month more.",
                mend="Call everybody, or refit on recent rows.",
                page_one=True,
            ),
        ),
        subgroups=(),
    )


def uncertain() -> Evidence:
    """The interval of the gain includes zero."""
    base = binary()
    return dataclasses.replace(
        base,
        comparisons=tuple(
            comparison("all:call", 640, 2_150) if c.against == "all:call" else c
            for c in base.comparisons
        ),
        verdict={
            **base.verdict,
            "state": "uncertain",
            "sentence": "The interval includes zero; four times as many rows would halve it.",
        },
    )


def predictions_only() -> Evidence:
    """Actions decided elsewhere, no volume: much cannot be measured."""
    base = binary()
    unit = "EUR per 1,000 customers"
    decision = {
        **DECISION,
        "kind": "predictions",
        "volume": None,
        "money_unit": unit,
        "units_reported": 1000,
        "owner": "",
        "review_by": "",
        "current_rule": None,
        "excluded": [],
        "known_later": [],
    }
    judge = {"n": N, "first": None, "last": None, "outcome_share": {"yes": 0.125, "no": 0.875}}

    def tenth(part):
        keys = ("per_period", "low", "high", "money_per_period", "regret_per_period")
        return dataclasses.replace(
            part, **{k: getattr(part, k) / 10 for k in keys if getattr(part, k, None) is not None}
        )

    def scaled(p):
        return dataclasses.replace(
            p,
            total=p.value.scaled(1000, unit),
            actions=tuple(map(tenth, p.actions)),
            cells=tuple(map(tenth, p.cells)),
        )

    first = dataclasses.replace(
        base.policies[0],
        name="predicted",
        label="The vendor's actions",
        how="as decided in column vendor_action",
    )
    why = "the actions were decided elsewhere and carry no scores"
    return dataclasses.replace(
        base,
        decision=decision,
        data={
            **DATA,
            "dropped": [],
            "n_unlabelled": 0,
            "split": {"method": "none", "reason": "", "parts": {"judge": judge}},
        },
        model={"not_measured": "the predictions were made elsewhere"},
        policies=tuple(scaled(p) for p in (first, base.policies[3], base.policies[4])),
        comparisons=tuple(
            dataclasses.replace(c, policy="predicted", total=c.value.scaled(1000, unit))
            for c in base.comparisons[2:]
        ),
        verdict={
            "state": "deploy",
            "recommended": "predicted",
            "reference": "do_nothing",
            "best_trivial": "all:call",
            "sentence": "",
        },
        subgroups=(),
        calibration={"not_measured": why},
        curve={"not_measured": why},
        shift={"not_measured": "there is one part only"},
        capacity=(),
    )


def three_by_three() -> Evidence:
    """Three actions under three outcomes, no doing-nothing."""
    base = binary()
    actions = ("letter", "call", "visit")
    outcomes = ("pays", "pays late", "defaults")
    money = ((0, -4, -60), (-5, 12, -20), (-30, 5, 40))
    counts = ((2100, 300, 60), (240, 700, 150), (40, 110, 300))

    def table(shift):
        return tuple(
            Cell(
                action=a,
                outcome=o,
                n=counts[i][j],
                share=counts[i][j] / N,
                per_period=counts[i][j] / N * 10_000,
                money_per_unit=float(money[i][j] + shift),
                money_per_period=counts[i][j] / N * 10_000 * (money[i][j] + shift),
            )
            for i, a in enumerate(actions)
            for j, o in enumerate(outcomes)
        )

    def made(name, label, shift, half, baseline=False):
        found = table(shift)
        total = sum(c.money_per_period for c in found)
        use = tuple(
            ActionUse(action=a, n=sum(r), share=sum(r) / N, per_period=sum(r) / N * 10_000)
            for a, r in zip(actions, counts, strict=True)
        )
        return dataclasses.replace(
            policy(
                name,
                label,
                "takes the action with the most expected money",
                total,
                half,
                baseline=baseline,
            ),
            actions=use,
            cells=found,
        )

    return dataclasses.replace(
        base,
        decision={
            **DECISION,
            "title": "How to remind of an unpaid bill",
            "do_nothing": None,
            "positive": "pays",
            "unit": "bill",
            "units": "bills",
            "actions": [
                {
                    "name": a,
                    "label": a.title(),
                    "capacity_per_period": None,
                    "capacity_share": None,
                }
                for a in actions
            ],
            "outcomes": [{"name": o, "label": o} for o in outcomes],
        },
        policies=(
            made("expected", "Expected money", 0.0, 4_000),
            made("all:letter", "Letter to all", -1.5, 3_800, baseline=True),
        ),
        comparisons=(comparison("all:letter", 15_000, 3_000),),
        verdict={
            "state": "deploy",
            "recommended": "expected",
            "reference": "all:letter",
            "best_trivial": "all:letter",
            "sentence": "Worth more than letters alone.",
        },
        curve={"not_measured": "there are three actions, so there is no single threshold"},
        capacity=(),
        subgroups=base.subgroups[:1],
    )


def hostile(text: str) -> Evidence:
    """Put one text wherever the data's owner, or the data, can put text."""
    base = three_by_three() if "one" in text else binary()
    numbers_only = {
        "schema_version",
        "state",
        "method",
        "name",
        "action",
        "outcome",
        "policy",
        "against",
        "status",
        "recommended",
        "reference",
        "best_trivial",
        "do_nothing",
        "positive",
        "unit",
        "money_unit",
        "currency",
        "period",
        "kind",
    }

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: spoil(v, k) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [spoil(v, key) for v in value]
        return text if isinstance(value, str) and key not in numbers_only else value

    facts = base.to_dict()
    spoilt = spoil(facts)
    spoilt["decision"]["units"] = text
    for action in spoilt["decision"]["actions"]:
        action["label"] = text
    for f in spoilt["model"]["description"]["features"]:
        f["name"] = text
    for s in spoilt["subgroups"]:
        s["name"] = text
    spoilt["made_with"] = {text: text}
    return Evidence.from_dict(spoilt)


@cache
def lists():
    """Judge the lists of a world, with a constraint that is broken and one that is kept."""
    return judged(
        shelf='item_groups = ["maker"]\n cpu_hour = 0.1',
        more="""
        [[list.constraints]]
        measure = "coverage"
        at_least = 0.4
        reason = "all makers are to be seen"
        [[list.constraints]]
        measure = "share:maker=ours"
        at_least = 0.2
        reason = "our own brand pays for the shelf"
        """,
    )


EVERY = {
    "binary": binary,
    "refuse": refuse,
    "uncertain": uncertain,
    "predictions_only": predictions_only,
    "three_by_three": three_by_three,
    "lists": lists,
}
