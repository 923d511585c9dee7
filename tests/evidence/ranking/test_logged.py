"""Logged lists: by hand, unbiased by enumeration, coverage by simulation, and what no log tells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from payoff.errors import EvidenceError
from payoff.evidence.ranking.logged import ListLog, lists_value

M, K = 12, 3
RATE = np.random.default_rng(7).random((4, M)) ** 2  # chance that taste t buys item i
PRICE = np.random.default_rng(8).lognormal(1, 0.6, M)


def value(shown, propensity, reward, new, support, user=None):
    log = ListLog(shown=shown, propensity=propensity, reward=reward, user=user)
    return lists_value(log, new, support, place=(0.0, 10.0), unit="EUR per list")


def test_by_hand():
    # List 1 showed item 0 (chance 0.5, earned 8) and 1; list 2 showed 1 and 2 (0.25, earned 4).
    found = value(
        [[0, 1], [1, 2]],
        [[0.5, 1.0], [1.0, 0.25]],
        [[8.0, 100.0], [100.0, 4.0]],
        [[0, 2], [2, 0]],
        [[0.5, 0.25], [0.25, 0.5]],
    )
    assert found.value.value == pytest.approx((8 / 0.5 + 4 / 0.25) / 2)
    assert found.self_normalised.value == pytest.approx(2 * (16 + 16) / (2 + 4))
    assert found.logged.value == pytest.approx((108 + 104) / 2)
    assert found.effective == pytest.approx(36 / 20)
    assert found.balance.value == pytest.approx((2 + 4) / 2 / 2)
    assert found.unsupported == 0.0


def test_unbiased_over_every_list_that_could_be_shown():
    """Enumerate all pairs of four items, shown with unequal chances: the mean is the truth."""
    pairs = list(itertools.combinations(range(4), 2))
    chance = np.arange(1, 7) / 21
    inclusion = [sum(c for c, p in zip(chance, pairs, strict=True) if i in p) for i in range(4)]
    earns = np.array([1.0, 10.0, 100.0, 1000.0])
    mean = 0.0
    for c, p in zip(chance, pairs, strict=True):
        found = value(
            [p],
            [[inclusion[i] for i in p]],
            [earns[list(p)]],
            [[0, 3]],
            [[inclusion[0], inclusion[3]]],
        )
        mean += c * (found.value.value or 0.0)
    assert mean == pytest.approx(earns[0] + earns[3])


def logged(n, rng, explore=0.8, wrong=1.0, per_user=1):
    """Show popular lists with one place left to chance, as the server does, and log it."""
    taste = np.repeat(rng.integers(0, 4, n // per_user), per_user)
    n = len(taste)
    base = np.tile(np.argsort(-RATE.mean(axis=0))[:K], (n, 1))
    shown = base.copy()
    turned = rng.random(n) < explore
    place = rng.integers(0, K, n)
    others = np.argsort(-RATE.mean(axis=0))[K:]
    shown[turned, place[turned]] = rng.choice(others, turned.sum())
    in_base = np.isin(np.arange(M), base[0])
    chance = np.where(in_base, 1 - explore / K, explore / (M - K))
    # One user's mood moves all of his lists alike.
    mood = np.repeat(rng.random(n // per_user) < 0.5, per_user)
    buys = rng.random((n, K)) < RATE[taste[:, None], shown] * np.where(mood, 1.5, 0.5)[:, None]
    reward = np.where(buys, PRICE[shown], -0.1)
    new = np.argsort(-RATE * PRICE, axis=1)[:, :K][taste]
    user = np.repeat(np.arange(n // per_user), per_user)
    return shown, chance[shown] * wrong, reward, new, chance[new], user


def truth():
    """Return what the new lists earn on average, by arithmetic; chances above 1 are cut."""
    total = 0.0
    for t in range(4):
        for i in np.argsort(-RATE[t] * PRICE)[:K]:
            p = np.mean([min(1.0, RATE[t, i] * f) for f in (0.5, 1.5)])
            total += p * PRICE[i] - 0.1 * (1 - p)
    return total / 4


@pytest.mark.parametrize("per_user", [1, 4])
def test_intervals_hold_the_truth(per_user):
    """Nominal 95 %, lists of one user being one case, in both variants."""
    rng, true = np.random.default_rng(3), truth()
    held = {"value": [], "self_normalised": []}
    for _ in range(200):
        shown, chance, reward, new, support, user = logged(2000, rng, per_user=per_user)
        found = value(shown, chance, reward, new, support, user=user)
        for name, inside in held.items():
            e = getattr(found, name)
            inside.append(e.low <= true <= e.high)
    for inside in held.values():
        assert 0.91 <= np.mean(inside) <= 0.99


def test_self_normalising_is_nearer_to_the_truth():
    rng, true = np.random.default_rng(5), truth()
    errors = np.array(
        [
            [getattr(found, name).value - true for name in ("value", "self_normalised")]
            for found in (value(*logged(1500, rng)[:5]) for _ in range(100))
        ]
    )
    mean, spread = errors.mean(axis=0), errors.std(axis=0)
    assert np.abs(mean).max() < 4 * spread.max() / 10
    assert spread[1] < spread[0]


def test_wrong_chances_are_noticed():
    rng = np.random.default_rng(6)
    right, wrong = value(*logged(4000, rng)[:5]), value(*logged(4000, rng, wrong=0.5)[:5])
    assert right.balance.low <= 1 <= right.balance.high
    assert not any("do not fit" in s for s in right.sentences)
    assert any("do not fit" in s for s in wrong.sentences)


def test_items_that_were_never_shown_are_bounded_not_guessed():
    shown, chance, reward, new, support, _ = logged(2000, np.random.default_rng(9))
    gone = support.copy()
    gone[:, 0] = 0.0
    full, found = (value(shown, chance, reward, new, s) for s in (support, gone))
    assert found.unsupported == pytest.approx(1 / 3)
    assert found.bounds[1] - found.bounds[0] >= 10.0
    assert "could never have shown" in found.sentences[1]
    assert full.bounds == (full.self_normalised.low, full.self_normalised.high)
    rest = value(shown, chance, reward, new[:, 1:], support[:, 1:])
    assert found.value.value == pytest.approx(rest.value.value)
    assert found.bounds[0] == pytest.approx(rest.self_normalised.low)


def test_nothing_in_common_has_no_value():
    found = value([[0]], [[1.0]], [[5.0]], [[1]], [[0.0]])
    assert found.value.value is None
    assert found.self_normalised.reason
    assert found.effective == 0.0
    assert found.unsupported == 1.0


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        ({"propensity": [[0.0]]}, "the chance it had"),
        ({"propensity": [[1.5]]}, "the chance it had"),
        ({"reward": [[np.nan]]}, "finite"),
        ({"reward": [[1.0, 2.0]]}, "one shape (n, k)"),
        ({"support": [[2.0]]}, "0 to 1"),
        ({"new": [[0], [1]]}, "one shape (1, j)"),
        ({"user": [1, 2]}, "one for each list"),
    ],
)
def test_logs_that_do_not_fit_are_refused(changed, needs):
    log = {
        "shown": [[0]],
        "propensity": [[0.5]],
        "reward": [[1.0]],
        "new": [[0]],
        "support": [[0.5]],
    }
    with pytest.raises(EvidenceError, match="PAY-E031") as error:
        value(**{**log, **changed})
    assert needs in str(error.value)
