"""What other lists would have earned, from lists that were shown by chance and logged so.

A list i_1..i_k was shown to a user x; the log holds, for each item of it, the chance ``pi_i(x)``
that it stood in the list at all (its propensity) and what it earned, ``r_i``. If what an item earns
depends neither on the other items nor on its place, a new list L(x) earns ``sum_{i in L(x)} r_i``
on average, and

    V = 1/n sum_users sum_{i shown and in L(x)} r_i / pi_i(x)

is unbiased for it: ``E[[i shown] r_i / pi_i] = pi_i E[r_i] / pi_i``, item by item, as long as every
item of L(x) could have been shown (``pi_i > 0``). No product over places is needed, which is what
makes whole lists hopeless to weigh: only single items need chances, not lists.

The self-normalised variant divides by the weights seen, ``V' = K sum w r / sum w`` with
``w = 1 / pi`` of the items matched and K the items of a new list that could have been shown: biased
by an order of 1/n, and mostly less spread, because shares of money are bounded by what was seen.

Items that the log could never have shown are not estimated at all: they earn between the least and
the most that any place may earn, and the answer is then a pair of bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from payoff.clusters import cluster_sums
from payoff.errors import EvidenceError, percent
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import mean_money
from payoff.evidence.ranking.wording import in_users
from payoff.evidence.wording import money

__all__ = ["ListLog", "LoggedValue", "lists_value"]

Floats = NDArray[np.float64]
#: Logged lists that tell as much as fewer evenly weighted ones than this are worth a word.
_FEW: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListLog:
    """Lists that were shown, the chance each item had, and what came of it.

    Parameters
    ----------
    shown
        Items of n logged lists, (n, k), -1 after the end.
    propensity
        Chance (n, k) that each logged item stood in its list, in (0, 1].
    reward
        Money (n, k) that each place earned, misses as they are declared.
    user
        Who was shown each list, (n,): lists of one user are one case. None: each is its own.
    """

    shown: ArrayLike
    propensity: ArrayLike
    reward: ArrayLike
    user: ArrayLike | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedValue:
    """What new lists would have earned per list, from a log.

    Parameters
    ----------
    value
        By inverse propensities; of the items that the log could have shown.
    self_normalised
        The same divided by the weights seen.
    logged
        What the logged lists earned.
    difference
        ``self_normalised`` minus ``logged``, paired list by list.
    bounds
        Least and most that the new lists may have earned with the items the log could never have
        shown, each end with the interval; the ends of ``self_normalised`` where there are none.
    unsupported
        Share of the places of new lists that hold such items.
    effective
        Evenly weighted lists that would tell as much: ``(sum w)^2 / sum w^2`` over users.
    balance
        Mean weight over its expectation, 1 where propensities are right.
    sentences
        What a reader can repeat.
    """

    value: Estimate
    self_normalised: Estimate
    logged: Estimate
    difference: Estimate
    bounds: tuple[float, float] | None
    unsupported: float
    effective: float
    balance: Estimate
    sentences: tuple[str, ...]


def lists_value(
    log: ListLog,
    new: ArrayLike,
    support: ArrayLike,
    *,
    place: tuple[float, float],
    unit: str,
    level: float = 0.95,
) -> LoggedValue:
    """Estimate the money of new lists from logged ones.

    Parameters
    ----------
    log
        The logged lists.
    new
        Items of the new list for the user and moment of each logged one, (n, j), -1 after the end.
    support
        Chance (n, j) that the log would have shown each item of the new list; 0 where it never
        could.
    place
        Least and most that one place may earn, for items that the log could never have shown.
    unit
        Unit of the figures, such as ``"EUR per list"``.

    Raises
    ------
    EvidenceError
        ``PAY-E031`` when arrays do not fit together, or an item was shown that had no chance to be.

    Notes
    -----
    With ``s_u = sum w r`` and ``w_u = sum w`` of a list and K_u its supported items, the
    self-normalised figure is ``mean(K) R`` with ``R = sum s / sum w``; its interval is that of the
    mean of ``K (s_u - R w_u) / mean(w) + R K_u`` over users (the delta method).

    References
    ----------
    Horvitz, D. G. and Thompson, D. J. (1952). JASA 47. Li, S., Abbasi-Yadkori, Y. and others
    (2018). Offline evaluation of ranking policies with click models. KDD. Swaminathan, A. and
    Joachims, T. (2015). The self-normalized estimator for counterfactual learning. NeurIPS.

    Examples
    --------
    Two lists of one item each; the new list wants item 0, which is shown half of the time.

    >>> log = ListLog(shown=[[0], [1]], propensity=[[0.5], [0.5]], reward=[[3.0], [1.0]])
    >>> wanted, could = [[0], [0]], [[0.5], [0.5]]
    >>> found = lists_value(log, wanted, could, place=(0.0, 5.0), unit="EUR per list")
    >>> found.value.value, found.self_normalised.value, found.effective
    (3.0, 3.0, 1.0)
    """
    sums = _Sums.of(log, new, support)
    n = len(sums.s)
    cases = None if log.user is None else np.unique(np.asarray(log.user), return_inverse=True)[1]
    if cases is not None and len(cases) != n:
        raise EvidenceError.bad_lists("user", f"{len(cases):,}", f"{n:,}, one for each list")

    def worth(values: Floats, identical: str = "", of: str = unit) -> Estimate:
        found = mean_money(
            cluster_sums(values, np.ones(len(values)), cases),
            level=level,
            unit=of,
            identical=identical,
        )
        return replace(found, reason=in_users(found.reason))

    total = float(sums.w.sum())
    supported = float(sums.k.mean())
    if total > 0:
        rate = float(sums.s.sum()) / total
        linear = supported * (sums.s - rate * sums.w) / float(sums.w.mean()) + rate * sums.k
        value, own = worth(sums.s), worth(linear)
        difference = worth(linear - sums.logged)
        weight = cluster_sums(sums.w, np.ones(len(sums.w)), cases).s
        effective = float(weight.sum() ** 2 / (weight @ weight))
    else:
        value = own = difference = _unknown(worth(sums.s))
        effective = 0.0
    balance = worth(sums.w - sums.k, of="weight") if supported else _unknown(worth(sums.s))
    if balance.value is not None:
        balance = _moved(balance, 1 / supported, 1.0)
    empty = float(sums.missing.mean())
    bounds = None
    if own.low is not None and own.high is not None:
        bounds = (own.low + empty * place[0], own.high + empty * place[1])
    unsupported = float(sums.missing.sum() / max(sums.k.sum() + sums.missing.sum(), 1))
    found = LoggedValue(
        value=value,
        self_normalised=own,
        logged=worth(sums.logged),
        difference=difference,
        bounds=bounds,
        unsupported=unsupported,
        effective=effective,
        balance=balance,
        sentences=(),
    )
    return replace(found, sentences=tuple(_sentences(found, n)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Sums of each logged list, float64 (n,): weighted money, weights, money, items by support."""

    s: Floats
    w: Floats
    logged: Floats
    k: Floats
    missing: Floats

    @classmethod
    def of(cls, log: ListLog, new: ArrayLike, support: ArrayLike) -> _Sums:
        """Check what was given, and match the items shown with those of the new lists."""
        items, wanted = np.asarray(log.shown), np.asarray(new)
        chance = np.asarray(log.propensity, dtype=np.float64)
        earned = np.asarray(log.reward, dtype=np.float64)
        could = np.asarray(support, dtype=np.float64)
        if items.ndim != 2 or not items.shape == chance.shape == earned.shape or not len(items):
            got = f"{items.shape}, {chance.shape}, {earned.shape}"
            raise EvidenceError.bad_lists(
                "shown, propensity, reward", got, "one shape (n, k), n > 0"
            )
        if wanted.shape != could.shape or len(wanted) != len(items):
            got = f"{wanted.shape}, {could.shape}"
            raise EvidenceError.bad_lists("new, support", got, f"one shape ({len(items)}, j)")
        there, ask = items >= 0, wanted >= 0
        if not ((chance > 0) & (chance <= 1))[there].all():
            raise EvidenceError.bad_lists(
                "propensity", "a shown item with a chance outside (0, 1]", "the chance it had"
            )
        if not ((could >= 0) & (could <= 1))[ask].all() or not np.isfinite(earned[there]).all():
            raise EvidenceError.bad_lists(
                "support, reward", "numbers that are no chances or no money", "0 to 1, and finite"
            )
        known = np.where(could > 0, wanted, -2)
        matched = there & (items[:, :, None] == known[:, None, :]).any(axis=2)
        weight = np.where(matched, 1 / np.where(there, chance, 1.0), 0.0)
        money_of = np.where(there, earned, 0.0)
        return cls(
            s=np.asarray((weight * money_of).sum(axis=1)),
            w=np.asarray(weight.sum(axis=1)),
            logged=np.asarray(money_of.sum(axis=1)),
            k=(ask & (could > 0)).sum(axis=1).astype(np.float64),
            missing=(ask & (could == 0)).sum(axis=1).astype(np.float64),
        )


def _unknown(found: Estimate) -> Estimate:
    return replace(
        found,
        value=None,
        low=None,
        high=None,
        method="none",
        reason="no logged list holds an item that the new lists would show",
    )


def _moved(found: Estimate, factor: float, by: float) -> Estimate:
    """Return ``factor * estimate + by``."""

    def at(x: float | None) -> float | None:
        return None if x is None else x * factor + by

    return replace(found, value=at(found.value), low=at(found.low), high=at(found.high))


def _sentences(found: LoggedValue, n: int) -> list[str]:
    if found.self_normalised.value is None:
        return [f"What the new lists would earn cannot be said: {found.value.reason}."]
    said = [
        f"The new lists would have earned {money(found.self_normalised)} on items that the log "
        f"could have shown; the logged ones earned {money(found.logged)}. {n:,} logged lists tell "
        f"as much as {found.effective:,.0f} that show the new items for certain."
    ]
    if found.unsupported > 0:
        rest = ""
        if found.bounds is not None:
            currency, _, per = found.self_normalised.unit.partition(" per ")
            low, high = (f"{end:,.4g}" for end in found.bounds)
            rest = f" With them the lists are worth between {low} and {high} {currency} per {per}."
        said.append(
            f"{percent(found.unsupported)} of the places of the new lists hold items that the log "
            f"could never have shown; nothing is known of these.{rest}"
        )
    if found.effective < _FEW:
        said.append("That is too little to decide by: leave more places to chance, or log longer.")
    ends = found.balance.low, found.balance.high
    if ends[0] is not None and ends[1] is not None and not ends[0] <= 1 <= ends[1]:
        said.append(
            f"The weights average {found.balance.value:.2f} where 1 is expected, beyond chance: "
            "the chances in the log do not fit what was shown."
        )
    said.append(
        "All of this takes an item to earn the same whatever stands beside it and in which place."
    )
    return said
