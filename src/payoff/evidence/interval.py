"""Intervals for mean money: paired, weighted, cluster-aware, skew-aware, no loop over resamples.

The figure is a ratio of sums over independent clusters, ``m = sum_c s_c / sum_c w_c`` with
``s_c = sum_i w_i v_i``; its standard error is the linearised
``se^2 = C/(C-1) * sum_c (s_c - m w_c)^2 / (sum_c w_c)^2`` over C clusters (rows, where none is
declared). The interval is Student's t. When the money is skewed to one side so strongly that t
would miss on that side, each end is the wider of t and bootstrap-t (Hall 1992). With too few rows
that differ from the commonest value it is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.evidence.evidence import Estimate
from payoff.rng import generator

__all__ = ["FEWEST_DIFFERENT", "Sums", "cluster_sums", "mean_money", "share", "wilson"]

#: Fewer clusters than this whose money differs from the commonest: no interval is honest.
FEWEST_DIFFERENT: Final = 10
#: Skewness / sqrt(C) above which the t interval's one-sided error leaves 2.5 % by about 0.5 points.
_SKEW_LIMIT: Final = 0.06
#: Third moments of the two tails within this ratio: mixed tails, where bootstrap-t does worse.
_ONE_SIDED: Final = 4.0
_RESAMPLES: Final = 1999
_MOST_CELLS: Final = 3_000
_TAIL: Final = 4_000
_ALL_EXACT: Final = 12_000


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of each independent cluster: weighted value s, weight w; and the rows behind them."""

    s: NDArray[np.float64]
    w: NDArray[np.float64]
    n: int


def cluster_sums(
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
) -> Sums:
    """Add up rows by cluster; rows of weight 0 and empty clusters leave no trace.

    Parameters
    ----------
    value, weight
        float64 (n,), money per unit and units each row stands for.
    cluster
        int64 (n,) codes, or None when every row is its own cluster.
    """
    if cluster is None:
        kept = weight > 0
        if kept.all():
            return Sums(value * weight, weight, len(value))
        return Sums((value * weight)[kept], weight[kept], int(kept.sum()))
    s = np.bincount(cluster, weights=value * weight).astype(np.float64)
    w = np.bincount(cluster, weights=weight).astype(np.float64)
    kept = w > 0
    return Sums(s[kept], w[kept], int((weight > 0).sum()))


def mean_money(sums: Sums, *, level: float, unit: str, seed: int, identical: str = "") -> Estimate:
    """Estimate a mean with the interval that fits its distribution, or say why there is none.

    Parameters
    ----------
    sums
        Cluster sums from :func:`cluster_sums`.
    level
        Confidence level, such as 0.95.
    unit
        Unit of the figure.
    seed
        Root seed; all figures of one judging use the same named stream.
    identical
        Sentence that says why every row has the same value *by construction* (a constant, or two
        policies that act alike); without it, equal rows are no evidence of certainty and get none.

    References
    ----------
    Hall, P. (1992). The Bootstrap and Edgeworth Expansion. Springer, ch. 3.

    Examples
    --------
    >>> sums = cluster_sums(np.arange(100.0), np.ones(100), None)
    >>> e = mean_money(sums, level=0.95, unit="EUR", seed=0)
    >>> e.method, e.value, round(e.low, 3)
    ('t', 49.5, 43.743)
    """
    if len(sums.s) == 0 or sums.w.sum() <= 0:
        mean, method, ends, reason = None, "none", None, "there are no rows"
    else:
        mean = float(sums.s.sum() / sums.w.sum())
        method, ends, reason = _interval(sums, mean, level, seed, identical)
    low, high = ends or (None, None)
    return Estimate(
        value=mean,
        low=low,
        high=high,
        level=level,
        unit=unit,
        n=sums.n,
        n_clusters=len(sums.s),
        method=method,
        reason=reason,
    )


def _interval(
    sums: Sums, mean: float, level: float, seed: int, identical: str
) -> tuple[str, tuple[float, float] | None, str]:
    """Return the method, the interval (None when refused) and the reason."""
    n = len(sums.s)
    residual = sums.s - mean * sums.w
    scale = max(float(np.abs(sums.s).max()), 1e-300)
    if float(np.abs(residual).max()) <= 1e-12 * scale or not np.any(sums.s):
        if identical:
            return "exact", (mean, mean), identical
        return (
            "none",
            None,
            "all rows judged have the same value, so its variation cannot be seen",
        )
    different = _different(sums)
    if different < FEWEST_DIFFERENT:
        return (
            "none",
            None,
            f"only {different} of {n:,} independent cases differ from the commonest value; an "
            f"interval needs at least {FEWEST_DIFFERENT}",
        )
    error = _standard_error(residual, sums.w)
    t = float(special.stdtrit(n - 1, 0.5 + level / 2))
    if not _needs_bootstrap(residual):
        return "t", (mean - t * error, mean + t * error), ""
    quantiles = _bootstrap_t(sums, mean, level, seed)
    if quantiles is None:
        return (
            "none",
            None,
            "a few rows carry nearly all the money, so resampling says nothing reliable",
        )
    # A sample can look one-sided by chance, so each end is the wider of bootstrap-t and t.
    low, high = min(quantiles[0], -t), max(quantiles[1], t)
    return "bootstrap-t", (mean - high * error, mean - low * error), ""


def _standard_error(residual: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    n = len(residual)
    return math.sqrt(float(residual @ residual) * n / (n - 1)) / float(w.sum())


def _different(sums: Sums) -> int:
    """Count clusters whose value is not the commonest one (exactly, up to rounding)."""
    ratio = np.divide(sums.s, sums.w)
    if len(ratio) > 200_000:  # the count only matters when it is small
        ratio = ratio[:: len(ratio) // 100_000]
    _, counts = np.unique(ratio, return_counts=True)
    return int(len(ratio) - counts.max()) if counts.max() < len(ratio) else len(sums.s)


def _needs_bootstrap(residual: NDArray[np.float64]) -> bool:
    """Whether the residuals are skewed to one side beyond what t stands."""
    n = len(residual)
    scale = math.sqrt(float(residual @ residual) / n)
    z = residual / scale
    cubes = z * z * z
    up = float(cubes[cubes > 0].sum())
    down = -float(cubes[cubes < 0].sum())
    if abs(up - down) / n / math.sqrt(n) <= _SKEW_LIMIT:
        return False
    return max(up, down) >= _ONE_SIDED * min(up, down)


def _bootstrap_t(sums: Sums, mean: float, level: float, seed: int) -> tuple[float, float] | None:
    """Return the quantiles of (m* - m) / se* over resamples; None where too many have no se*."""
    rng = generator(seed, "bootstrap")
    columns = np.stack([sums.s, sums.w, sums.s**2, sums.s * sums.w, sums.w**2], axis=1)
    totals = _resampled(columns, sums.s - mean * sums.w, rng)
    s, w, ss, sw, ww = totals.T
    n = len(sums.s)
    with np.errstate(all="ignore"):
        m = s / w
        squares = ss - 2 * m * sw + m * m * ww
        errors = np.sqrt(np.maximum(squares, 0) * n / (n - 1)) / w
        t = (m - mean) / errors
    good = np.isfinite(t) & (errors > 1e-12 * np.abs(m))
    if good.mean() < 0.99:
        return None
    low, high = np.quantile(t[good], [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _resampled(
    columns: NDArray[np.float64], residual: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return column sums of resamples, float64 (resamples, 5).

    Few different rows: multinomial counts of the cells, exact whatever n is. Up to 12,000 rows:
    rows are drawn. Beyond: the 4,000 rows of largest residual are drawn exactly, and the sum of the
    many others, none of them large, is drawn from its normal limit.
    """
    n = len(columns)
    if n <= 200_000:
        cells, counts = np.unique(columns[:, :2], axis=0, return_counts=True)
        if len(cells) <= _MOST_CELLS and len(cells) < n / 4:
            s, w = cells.T
            wide = np.stack([s, w, s**2, s * w, w**2], axis=1)
            drawn = rng.multinomial(n, counts / n, size=_RESAMPLES)
            return np.asarray(drawn @ wide, dtype=np.float64)
    if n <= _ALL_EXACT:
        return _drawn(columns, np.full(_RESAMPLES, n), rng)
    order = np.argpartition(-np.abs(residual), _TAIL)
    tail, body = columns[order[:_TAIL]], columns[order[_TAIL:]]
    in_tail = rng.binomial(n, _TAIL / n, size=_RESAMPLES)
    in_body = n - in_tail
    centre = body.mean(axis=0)
    scale = np.maximum(np.abs(body).max(axis=0), 1e-300)
    spread = np.cov((body / scale).T)
    noise = rng.multivariate_normal(np.zeros(5), spread, size=_RESAMPLES, method="eigh") * scale
    rest = in_body[:, None] * centre + np.sqrt(in_body)[:, None] * noise
    return np.asarray(_drawn(tail, in_tail, rng) + rest, dtype=np.float64)


def _drawn(
    columns: NDArray[np.float64], sizes: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sum ``sizes[b]`` rows drawn with replacement, for each resample b, in blocks."""
    n = len(columns)
    out = np.empty((len(sizes), columns.shape[1]))
    block = max(1, 4_000_000 // max(n, 1))
    for start in range(0, len(sizes), block):
        chunk = sizes[start : start + block]
        which = np.repeat(np.arange(len(chunk)), chunk) * n
        picks = which + rng.integers(0, n, size=int(chunk.sum()))
        counts = np.bincount(picks, minlength=len(chunk) * n).reshape(len(chunk), n)
        out[start : start + block] = counts @ columns
    return out


def wilson(p: float, n: float, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    JASA 22.

    Examples
    --------
    >>> low, high = wilson(0.0, 10, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.0, 0.2775)
    """
    z = float(special.ndtri(0.5 + level / 2))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return low, high


def share(
    hit: NDArray[np.bool_],
    weight: NDArray[np.float64],
    cluster: NDArray[np.int64] | None,
    *,
    level: float,
) -> Estimate:
    """Estimate a share with Wilson's interval on the effective number of independent rows.

    With weights or clusters n is replaced by ``p (1 - p) / se^2``; without, it is n itself.
    """
    sums = cluster_sums(hit.astype(np.float64), weight, cluster)
    total = float(sums.w.sum())
    p, low, high = None, None, None
    if total > 0:
        p = min(max(float(sums.s.sum()) / total, 0.0), 1.0)
        effective = total**2 / float(sums.w @ sums.w)
        if 0 < p < 1 and len(sums.s) > 1:
            error = _standard_error(sums.s - p * sums.w, sums.w)
            if error > 0 and (cluster is not None or float(np.ptp(weight)) > 0):
                effective = min(p * (1 - p) / error**2, float(sums.n))
        low, high = wilson(p, effective, level)
    return Estimate(
        value=p,
        low=low,
        high=high,
        level=level,
        unit="share",
        n=sums.n,
        n_clusters=len(sums.s),
        method="none" if p is None else "wilson",
        reason="there are no rows" if p is None else "",
    )
