"""Do values from past decisions hold the truth, and are two chances to be right enough?"""

from __future__ import annotations

import numpy as np
import pytest

from payoff.evidence.interval import cluster_sums, mean_money
from payoff.evidence.offpolicy import bounded, inverse_propensity, self_normalised
from payoff.evidence.uplift import qini_scores
from tests.past_worlds import draw, stakes_of
from tests.statistics.harness import FULL, FULL_RUNS, FULL_SEED, QUICK, Row, coverage, hold

TITLE = "Past decisions"
ABOUT = (
    "A past that mailed likely buyers more often (probability 10 to 90 %), judging the policy that "
    "mails where it pays. Truth: the mean over what each row would have done under every action."
)

SETTINGS = {"level": 0.95, "unit": "EUR"}
WORLD = "logging by a known rule, mailing changes who buys"


def _truth() -> tuple[float, float]:
    """Value of the policy, and the Qini coefficient of its score, from many rows."""
    world = draw(np.random.default_rng(1), 800_000)
    money = world.expected()
    codes = (world.x <= 0).astype(int)
    value = float(money[np.arange(len(codes)), codes].mean())
    effect = money[:, 0] - money[:, 1]
    return value, float(qini_scores(world.x, effect, np.ones(len(effect))).mean())


def _wrong(world):
    """A model that knows nothing of the rows, and propensities that are all alike."""
    n = len(world.x)
    return np.full((n, 2), 0.4), np.full(n, 0.5)


def rows(runs: int, seed: int, n: int = 1000) -> list[Row]:
    """Simulate; a fifth as many runs, since each needs six intervals."""
    runs = max(runs // 5, 200)
    rng = np.random.default_rng(seed)
    value, area = _truth()
    held = dict.fromkeys(("dr", "ips", "snips", "bad model", "qini"), 0)
    widths = {"dr": 0.0, "ips": 0.0}
    off = {"right model, wrong chances": [], "wrong model, right chances": [], "both wrong": []}
    within = 0
    for _ in range(runs):
        world = draw(rng, n)
        codes = (world.x <= 0).astype(np.int16)
        own = np.arange(n)
        flat, even = _wrong(world)
        stakes = stakes_of(world)
        blind = stakes_of(world, prob=flat)
        weight = stakes.past.weights(codes)
        found = {
            "dr": _mean(stakes.realised[own, codes]),
            "bad model": _mean(blind.realised[own, codes]),
            "ips": inverse_propensity(stakes, weight, **SETTINGS),
            "snips": self_normalised(stakes, weight, **SETTINGS),
        }
        for name, estimate in found.items():
            held[name] += estimate.low <= value <= estimate.high
            if name in widths:
                widths[name] += (estimate.high - estimate.low) / runs
        effect = stakes.realised[:, 0] - stakes.realised[:, 1]
        qini = _mean(qini_scores(world.x, effect, np.ones(n)))
        held["qini"] += qini.low <= area <= qini.high
        off["wrong model, right chances"].append(blind.realised[own, codes].mean() - value)
        for name, model in (("right model, wrong chances", None), ("both wrong", flat)):
            one = stakes_of(world, prob=model, propensity=even)
            off[name].append(one.realised[own, codes].mean() - value)
        within += _bounds_hold(world, stakes, codes)
    made = [
        Row(
            what=f"95 % interval of {what} holds the truth",
            world=WORLD,
            n=n,
            runs=runs,
            figure=coverage(held[name], runs),
            low=94.0,
            high=96.0,
        )
        for name, what in (
            ("dr", "the doubly robust value"),
            ("bad model", "the doubly robust value with a model that knows nothing"),
            ("ips", "the inverse-propensity value"),
            ("snips", "the self-normalised value"),
            ("qini", "the Qini coefficient"),
        )
    ]
    made.append(
        Row(
            what="width of the doubly robust interval, of the inverse-propensity one",
            world=WORLD,
            n=n,
            runs=runs,
            figure=100 * widths["dr"] / widths["ips"],
            low=0.0,
            high=95.0,
            error=0.5,
        )
    )
    for name, values in off.items():
        bad = name == "both wrong"
        made.append(
            Row(
                what=f"bias of the doubly robust value: {name}",
                world=WORLD,
                n=n,
                runs=runs,
                figure=float(np.mean(values)),
                low=-1.0 if bad else 0.0,
                high=-0.05 if bad else 0.0,
                error=float(np.std(values) / np.sqrt(runs)),
                unit="EUR per customer",
                said="a warning, not a promise kept" if bad else "",
            )
        )
    made.append(
        Row(
            what="bounds without any propensity hold the truth",
            world=WORLD,
            n=n,
            runs=runs,
            figure=coverage(within, runs),
            low=95.0,
            high=100.0,
            said="they also allow for what never happened",
        )
    )
    return made


def _mean(values):
    return mean_money(cluster_sums(values, np.ones(len(values)), None), level=0.95, unit="EUR")


def _bounds_hold(world, stakes, codes) -> bool:
    past, own = stakes.past, np.arange(len(codes))
    agree = codes == past.taken
    low = np.where(agree, past.money, past.low[own, codes])
    high = np.where(agree, past.money, past.high[own, codes])
    found, _ = bounded(stakes, low, high, level=0.95, unit="EUR", reason="")
    money = np.array([[9.0, -1.0], [10.0, 0.0]])
    truth = money[codes, world.would[own, codes]].mean()
    return bool(found.low <= truth <= found.high)


def test_quick(seed):
    hold(rows(200, seed), QUICK)


@pytest.mark.statistics
def test_full():
    hold(rows(FULL_RUNS, FULL_SEED), FULL)
