"""The impact ratio: how often a group is acted on, beside the largest group."""

from __future__ import annotations

import math
from typing import Any, Final

from scipy import special

from payoff.evidence.evidence import Estimate

__all__ = ["FOUR_FIFTHS", "impact_ratio"]

#: The screen of the US Uniform Guidelines (1978): a reason to look, not a verdict.
FOUR_FIFTHS: Final = 0.8


def impact_ratio(
    group: tuple[float, float],
    reference: tuple[float, float],
    *,
    level: float,
    n: int,
) -> Estimate:
    """Return the share acted on in a group over that in the reference group.

    Parameters
    ----------
    group, reference
        Share acted on and (effective) number of rows.
    level
        Confidence level.
    n
        Rows of the group, for the record.

    Notes
    -----
    With a of m acted on in the group and b of r in the reference, the interval is
    ``exp(log(((a + .5) / (m + .5)) / ((b + .5) / (r + .5))) +- z se)`` with
    ``se^2 = 1/(a+.5) - 1/(m+.5) + 1/(b+.5) - 1/(r+.5)``, defined when nobody is acted on in the
    group. The value is the plain ratio. Where the half shifts the interval off the value, which it
    can with a handful of cases, the interval is stretched to hold it.

    References
    ----------
    Walter, S. D. (1975). The distribution of Levin's measure of attributable risk. Biometrika 62.
    Pettigrew, H. M., Gart, J. J., Thomas, D. G. (1986). The bias and higher cumulants of the
    logarithm of a binomial variate. Biometrika 73.

    Examples
    --------
    >>> e = impact_ratio((0.2, 100), (0.4, 200), level=0.95, n=100)
    >>> round(e.value, 6), round(e.low, 3), round(e.high, 3)
    (0.5, 0.333, 0.774)
    """
    (p, m), (q, r) = group, reference
    made: dict[str, Any] = {"level": level, "unit": "ratio", "n": n, "n_clusters": round(m)}
    if q <= 0:
        return Estimate(
            value=None,
            low=None,
            high=None,
            method="none",
            reason="nobody is acted on in the reference group",
            **made,
        )
    a, b = p * m + 0.5, q * r + 0.5
    variance = 1 / a - 1 / (m + 0.5) + 1 / b - 1 / (r + 0.5)
    if variance <= 0:
        return Estimate(
            value=p / q,
            low=None,
            high=None,
            method="none",
            reason="everybody is acted on in both groups, so chance cannot be seen",
            **made,
        )
    centre = math.log(a / (m + 0.5)) - math.log(b / (r + 0.5))
    half = float(special.ndtri(0.5 + level / 2)) * math.sqrt(variance)
    low, high = math.exp(centre - half), math.exp(centre + half)
    return Estimate(
        value=p / q,
        low=min(low, p / q),
        high=max(high, p / q),
        method="log-ratio",
        **made,
    )
