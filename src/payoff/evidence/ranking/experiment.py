"""The experiment that would tell what lists bring about: its size, length and what it must detect.

A replay counts what users bought without the list. Only users who are shown one list or another by
chance tell what the list changes. The test compares the mean money of all that users buy, whether
listed or not, between two halves of the users.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.ranking.judged import ListsJudged
from payoff.evidence.ranking.measures import PERIOD_DAYS
from payoff.evidence.wording import about, lasting, quoted, roughly

__all__ = [
    "LONGEST_TEST",
    "POWER",
    "SIGNIFICANCE",
    "USUAL_TEST",
    "experiment",
    "spent",
    "users_needed",
]

POWER: Final = 0.8
SIGNIFICANCE: Final = 0.05
#: The smallest gain looked for, as a share of the gain that the replay shows.
SHARE: Final = 0.5
#: A test of more days than this is not run.
LONGEST_TEST: Final = 365.0
#: Days that a test usually may take.
USUAL_TEST: Final = 90.0
#: What one user's purchases count at most in a capped test: this quantile of what users spend.
CAP: Final = 0.95


def users_needed(
    sd: float, gain: float, *, power: float = POWER, significance: float = SIGNIFICANCE
) -> int:
    """Return the users in each half that find a difference of means with the given power.

    Parameters
    ----------
    sd
        Standard deviation of one user's money.
    gain
        Difference of the means that is to be found.
    power, significance
        Chance of finding it, and of finding one where there is none (two-sided).

    Notes
    -----
    ``n = 2 (z_{1 - alpha / 2} + z_{power})^2 sd^2 / gain^2`` in each half, for equal halves of
    equal variance and means that are normal.

    References
    ----------
    Cohen, J. (1988). Statistical Power Analysis, 2nd edition, 2.4 (two means).
    van Belle, G. (2008). Statistical Rules of Thumb, 2nd edition, 2.1 (16 sd^2 / gain^2).

    Examples
    --------
    >>> users_needed(10.0, 1.0)
    1570
    """
    z = float(special.ndtri(1 - significance / 2) + special.ndtri(power))
    return math.ceil(2 * (z * sd / gain) ** 2)


def experiment(judged: ListsJudged) -> dict[str, Any]:
    """Return the size and the length of a test of the recommended lists against the best simple.

    Returns
    -------
    dict
        ``against``; ``gain`` (per user and in the length of the part: half of what the replay
        shows), ``sd`` of a user's money of all purchases, ``users`` in both halves,
        ``within_part`` (the smallest gain that as many users as were judged would find),
        ``usual`` (``days``, ``users`` who come in them, and the smallest ``gain`` they find),
        ``smaller`` (tests of the same lists by money capped at a quantile, ``cap``, and by the
        share of users with a hit: each with its ``gain``, ``users`` and ``days``),
        ``with_past`` (``share`` of the variance that the number of earlier interactions explains,
        ``users`` when money is adjusted for it), ``days`` at the users of the part, ``by_volume``
        (days at the declared volume), ``power``, ``significance`` and ``sentences``; or
        ``not_measured``.

    Notes
    -----
    The money of a user is taken over a stretch as long as the judging part. A test that runs w
    times as long needs ``1 / w`` of the users, because both the gain and the variance grow with
    the time; so its days are ``days of the part * users needed / users of the part``.

    References
    ----------
    Deng, A. and others (2013). WSDM (CUPED: controlled experiments adjusted for earlier data).
    """
    against = str(judged.verdict["best_trivial"])
    name = judged.policies[0].name
    if against == name:
        return {"not_measured": "there is no other list to test it against"}
    seen = float(np.mean(judged.money(name) - judged.money(against)))
    if seen <= 0:
        return {"not_measured": "the replay shows no gain that a test could be made to find"}
    money = spent(judged)
    sd = float(money.std(ddof=1)) if judged.n > 1 else 0.0
    if sd == 0:
        return {"not_measured": "all users spent the same, so their variance is not known"}
    gain = SHARE * seen
    half = users_needed(sd, gain)
    explained = _explained(money, judged.stakes.known)
    adjusted = users_needed(sd * math.sqrt(1 - explained), gain)
    found: dict[str, Any] = {
        "against": against,
        "gain": gain,
        "gain_share": SHARE,
        "unit": judged.decision.value_unit.replace(f" per {judged.decision.unit}", " per user"),
        "sd": sd,
        "mean": float(money.mean()),
        "users": 2 * half,
        "with_past": {"share": explained, "users": 2 * adjusted},
        "within_part": _findable(sd, judged.n),
        "usual": _usual(judged, sd),
        "smaller": _smaller(judged, against, money),
        "power": POWER,
        "significance": SIGNIFICANCE,
        "days": _days(judged, 2 * half),
        "by_volume": _by_volume(judged, 2 * half),
        "n": judged.n,
    }
    return found | {"sentences": _sentences(judged, found)}


def _findable(sd: float, users: float) -> float:
    """Return the smallest gain that a test of so many users in all finds with the declared power.

    Examples
    --------
    >>> round(_findable(10.0, 2 * 1570), 2)
    1.0
    """
    z = float(special.ndtri(1 - SIGNIFICANCE / 2) + special.ndtri(POWER))
    return 2 * z * sd / math.sqrt(users)


def _usual(judged: ListsJudged, sd: float) -> dict[str, Any]:
    """Return what a test of a usual length would find: the inverse of the size of the test."""
    days = judged.stakes.days
    if not days:
        return _days(judged, 0)
    users = judged.n * USUAL_TEST / days
    return {"days": USUAL_TEST, "users": users, "gain": _findable(sd, users)}


def _smaller(
    judged: ListsJudged, against: str, money: NDArray[np.float64]
) -> dict[str, dict[str, Any]]:
    """Return the tests that need fewer users: by capped money, and by the share with a hit.

    Notes
    -----
    Capped money counts ``min(money, cap)`` of each user. Its gain is half of that between the two
    lists, each list's money capped alike. For the share with a hit ``sd^2 = p (1 - p)`` with the
    mean p of both lists.
    """
    name = judged.policies[0].name
    cap = float(np.quantile(money, CAP))
    own, other = (np.minimum(judged.money(n), cap) for n in (name, against))
    found = {"capped": _test(judged, float(np.minimum(money, cap).std(ddof=1)), own, other)}
    found["capped"] |= {"cap": cap, "quantile": CAP}
    own, other = (
        next((s.hits > 0).astype(np.float64) for s in judged.shown if s.name == n)
        for n in (name, against)
    )
    p = float(np.mean(own) + np.mean(other)) / 2
    found["hit_rate"] = _test(judged, math.sqrt(p * (1 - p)), own, other)
    return found


def _test(
    judged: ListsJudged, sd: float, own: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the size of a test of half the difference that the replay shows in some figure."""
    gain = SHARE * float(np.mean(own - other))
    if gain <= 0 or sd == 0:
        return {"not_measured": "the replay shows no gain in it"}
    users = 2 * users_needed(sd, gain)
    return {"sd": sd, "gain": gain, "users": users, "days": _days(judged, users)}


def spent(judged: ListsJudged) -> NDArray[np.float64]:
    """Return what each user's purchases would have earned if all were listed, float64 (n,)."""
    stakes = judged.stakes
    return np.bincount(
        stakes.pair // stakes.n_items, weights=stakes.hit, minlength=judged.n
    ).astype(np.float64)


def _explained(money: NDArray[np.float64], known: NDArray[np.int64]) -> float:
    """Return the share of the variance that a straight line in earlier interactions explains."""
    before = np.log1p(known.astype(np.float64))
    if before.std() == 0 or money.std() == 0:
        return 0.0
    return float(np.corrcoef(before, money)[0, 1] ** 2)


def _days(judged: ListsJudged, users: int) -> dict[str, Any]:
    days = judged.stakes.days
    if not days:
        return {"not_measured": "the time of the interactions is not a date, or of one moment only"}
    return {"value": days * users / judged.n, "users_per_day": judged.n / days, "part": days}


def _by_volume(judged: ListsJudged, users: int) -> dict[str, Any]:
    decision = judged.decision
    length = PERIOD_DAYS.get(decision.period)
    if decision.volume is None or length is None:
        why = "'volume' is not declared" if decision.volume is None else "a campaign has no length"
        return {"not_measured": why}
    return {"value": length * users / decision.volume, "lists": users}


def _sentences(judged: ListsJudged, found: dict[str, Any]) -> list[str]:
    label = "no list"
    if judged.of(found["against"]).length.any():
        label = quoted(next(p.label for p in judged.policies if p.name == found["against"]))
    own = quoted(judged.policies[0].label)
    days = found["days"]
    rate = f" at {days['users_per_day']:,.0f} users a day" if "value" in days else ""
    said = [
        f"A test would show {own} to one half of the users and {label} to the other, by chance, "
        f"and compare the money of all that they buy. To find a gain of "
        f"{about(found['gain'], found['unit'])} (half of what the replay shows) with {POWER:.0%} "
        f"power at {SIGNIFICANCE:.0%} (two-sided) it takes "
        f"{_takes(found)}{rate}.".replace("%", " %"),
        "Adjusted for how much users did before it takes "
        f"{roughly(found['with_past']['users'])} users.",
    ]
    if "value" in days and days["value"] > LONGEST_TEST:
        said += _too_long(found)
    return said


def _takes(test: dict[str, Any]) -> str:
    """Write the users and the time of a test."""
    days = test["days"]
    long = f", {lasting(days['value'])}" if "value" in days else ""
    return f"{roughly(test['users'])} users{long}"


def _too_long(found: dict[str, Any]) -> list[str]:
    """Say what a test of a usual length finds, and what makes the test smaller."""
    usual, unit = found["usual"], found["unit"]
    times = usual["gain"] / (found["gain"] / SHARE)
    share = usual["gain"] / found["mean"] if found["mean"] > 0 else 0.0
    of = f", {share:.0%} of what a user spends".replace("%", " %") if share else ""
    said = [
        f"Nobody waits that long. In {usual['days']:.0f} days, with "
        f"{roughly(usual['users'])} users that come, a test finds a gain of "
        f"{about(usual['gain'], unit)} or more{of}; the replay shows "
        f"{about(found['gain'] / SHARE, unit)}, so a test finds it only if it is "
        f"{roughly(times)} times as large."
    ]
    smaller = found["smaller"]
    capped, hits = smaller["capped"], smaller["hit_rate"]
    if "users" in capped:
        cap = about(capped["cap"], unit.partition(" per ")[0])
        said.append(
            f"Smaller by a cap: where no user counts for more than {cap} "
            f"({100 * (1 - capped['quantile']):.0f} % spend more), half of the gain that the "
            f"replay then shows takes {_takes(capped)}."
        )
    if "users" in hits:
        said.append(
            "Smaller by another question: whether more users buy something of their list takes "
            f"{_takes(hits)}, to find {hits['gain'] * 100:.2g} in 100 users; it tells that lists "
            "are used, not what they earn."
        )
    return said
