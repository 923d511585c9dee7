"""Money in the sentences of checks and sections."""

from __future__ import annotations

from payoff.evidence.evidence import Estimate

__all__ = ["amount", "money", "quoted", "short"]


def money(estimate: Estimate) -> str:
    """Write an estimate for a check's sentence.

    Examples
    --------
    >>> money(
    ...     Estimate(
    ...         value=1234.5,
    ...         low=1000.0,
    ...         high=1500.0,
    ...         level=0.95,
    ...         unit="EUR per month",
    ...         n=9,
    ...         n_clusters=9,
    ...         method="t",
    ...     )
    ... )
    'EUR 1,234 per month (95 % interval 1,000 to 1,500)'
    """
    if estimate.value is None:
        return f"not estimable ({estimate.reason})"
    text = amount(estimate.value, estimate.unit)
    if estimate.low is not None and estimate.high is not None:
        text += f" ({estimate.level * 100:g} % interval {short(estimate.low)} to "
        text += f"{short(estimate.high)})"
    return text


def quoted(label: str) -> str:
    """Quote a label as the documents do."""
    return f"“{label}”"


def amount(value: float, unit: str) -> str:
    """Write money before its "per ...".

    Examples
    --------
    >>> amount(0.5, "EUR per customer")
    'EUR 0.5 per customer'
    """
    currency, per, rest = unit.partition(" per ")
    return f"{currency} {short(value)}{per}{rest}"


def short(value: float) -> str:
    """Write a number for a sentence: whole from 1,000 up, else four digits.

    Examples
    --------
    >>> short(1234.5), short(0.25)
    ('1,234', '0.25')
    """
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
    return text.replace("-", "\u2212")  # the sign, not the hyphen
