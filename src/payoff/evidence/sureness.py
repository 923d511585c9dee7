"""How sure, and why: what the intervals of the two headline figures rest on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payoff.clusters import Sums, standard_error
from payoff.errors import percent
from payoff.evidence.diagnosis import Diagnosis, diagnose
from payoff.evidence.evidence import Estimate
from payoff.evidence.judged import Judged
from payoff.evidence.measured import Measured
from payoff.evidence.wording import money, quoted
from payoff.evidence.worth import all_constant, case_sums

__all__ = ["design_effect", "intervals", "intervals_told"]


def intervals(judged: Judged) -> dict[str, Any]:
    """Diagnose the recommended policy's value and its gain over the best policy without a model.

    Returns
    -------
    dict
        ``level``; ``figures``: for each of the two its ``name`` (``"value"``, ``"gain"``),
        ``against``, ``total`` (an estimate, money per period), ``diagnosis`` (the fields of
        :class:`~payoff.evidence.diagnosis.Diagnosis`), ``design_effect`` and
        ``effective_rows`` (rows drawn alone and with equal weights that would tell as much);
        ``sentences``.
    """
    own = judged.policies[0]
    figures = [_figure(judged, "value", None, judged.own, own.total)]
    best = str(judged.verdict["best_trivial"])
    against = next((c for c in judged.comparisons if c.against == best), None)
    if against is not None:
        figures.append(
            _figure(judged, "gain", best, judged.own - judged.best_trivial, against.total)
        )
    return intervals_told(judged, figures, clustered=judged.stakes.clustered)


def intervals_told(
    judged: Measured, figures: list[dict[str, Any]], *, clustered: bool
) -> dict[str, Any]:
    """Return the section of figures that are diagnosed; see :func:`intervals`."""
    return {
        "level": judged.decision.evidence.level,
        "figures": figures,
        "sentences": _sentences(judged, figures, clustered=clustered),
    }


def design_effect(
    values: NDArray[np.float64], weight: NDArray[np.float64], sums: Sums
) -> float | None:
    """Return the variance of the mean over that of as many rows drawn alone with equal weight.

    ``deff = se^2 / (s^2 / n)`` with ``s^2`` the weighted variance of the rows (Kish 1965); None
    where the rows do not vary.

    Examples
    --------
    >>> from payoff.clusters import cluster_sums
    >>> twice = np.repeat([0.0, 1.0, 5.0], 2)
    >>> sums = cluster_sums(twice, np.ones(6), np.repeat([0, 1, 2], 2))
    >>> round(design_effect(twice, np.ones(6), sums), 2)  # 2, but for n - 1 against C - 1
    2.5
    """
    n, total = sums.n, float(weight.sum())
    if n < 2 or total <= 0:
        return None
    variance = float(weight @ (values - sums.mean) ** 2) / total * n / (n - 1)
    return standard_error(sums) ** 2 * n / variance if variance > 0 else None


def _figure(
    judged: Judged,
    name: str,
    against: str | None,
    values: NDArray[np.float64],
    total: Estimate,
) -> dict[str, Any]:
    sums = case_sums(judged.stakes, values)
    found = diagnose(
        sums,
        constant=all_constant(judged.decision, judged.stakes),
        identical=total.reason if total.method == "exact" else "",
    )
    effect = design_effect(values, judged.stakes.weight, sums)
    facts = asdict(found)
    if total.method == "none":  # refused for this, or for an outcome that was never seen
        facts |= {"method": "none", "because": total.reason}
    return {
        "name": name,
        "against": against,
        "total": asdict(total),
        "diagnosis": facts,
        "design_effect": effect,
        "effective_rows": sums.n / effect if effect else None,
    }


def _sentences(judged: Measured, figures: list[dict[str, Any]], *, clustered: bool) -> list[str]:
    """Return what a manager can repeat: how sure the gain is, and what that rests on."""
    last = figures[-1]
    found = Diagnosis(**last["diagnosis"])
    total = Estimate(**last["total"])
    result = f"The result is {money(total)}"
    if last["name"] == "gain":
        label = quoted(next(p.label for p in judged.policies if p.name == last["against"]))
        behind = total.value is not None and total.value < 0
        result = (
            f"{label} is ahead by {money(total.turned())}"
            if behind
            else f"The gain over {label} is {money(total)}"
        )
    said = []
    if found.method == "none":
        said.append(
            f"{result}, and how far chance could have moved that cannot be said: {found.because}."
        )
    elif found.method == "exact":
        said.append(f"{result} for certain: {found.because}.")
    else:
        cases = _cases(found, clustered=clustered, least=bool(last.get("differing_at_least")))
        said.append(f"{result}. That rests on {found.rows:,} rows judged, of which {cases}.")
    top = found.largest_percent or 0.0
    if found.method != "exact" and top > 0.25 and found.independent >= 200:
        said.append(
            f"The largest 1 % of cases hold {top * 100:.0f} % of the money moved, the "
            f"largest one {percent(found.largest or 0.0)}."
        )
    effective = last["effective_rows"]
    if clustered and effective and found.method in ("t", "score"):
        said.append(
            f"Rows that belong together count once: {found.rows:,} rows tell as much as "
            f"{effective:,.0f} unrelated ones."
        )
    return said


def _cases(found: Diagnosis, *, clustered: bool, least: bool) -> str:
    what = f"{'at least ' if least else ''}{found.differing:,} decide it"
    if clustered:
        what = f"{found.differing:,} of {found.independent:,} independent cases decide it"
    return what + (
        f", most of it by a few: they tell no more than {found.paying:,.0f} of one size would"
        if found.paying < 0.5 * found.differing
        else ""
    )
