"""What could be otherwise, one thing at a time: each payoff, and the cost of each action.

With the actions of every policy held, the value of policy k is a straight line in any one payoff:
``V_k(u) = V_k + (u - u0) s_k``, with ``s_k`` the units per period that k sends into the cell. For a
cell that is an expression the lever is a factor on its money, and ``s_k`` is the cell's money. Two
policies change places at ``u* = u0 - (V_own - V_k) / (s_own - s_k)``, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare.expression import constant_of
from payoff.evidence.measured import Measured
from payoff.evidence.options import Options
from payoff.policy.best import default_action

__all__ = ["Lever", "Reach", "levers_of", "reach"]

MOST_LEVERS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lever:
    """One thing that could be otherwise.

    Parameters
    ----------
    kind
        ``"payoff"``: a constant cell; ``"factor"``: the money of an expression cell times a factor;
        ``"cost"``: what taking an action costs beyond what is declared.
    action, outcome
        Names; no outcome for ``"cost"``.
    now
        Its present value: money per unit, 1 for a factor, 0 for a cost.
    slope
        float64 (k,), change of each option's money per period when it goes up by one.
    """

    kind: str
    action: str
    outcome: str | None
    now: float
    slope: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Between which changes one option stays best; the option that takes over beyond each end.

    None at an end: nothing takes over on that side. ``empty`` when it is best nowhere.
    """

    low: float | None
    high: float | None
    below: int | None
    above: int | None
    empty: bool


def reach(value: NDArray[np.float64], slope: NDArray[np.float64], others: Iterable[int]) -> Reach:
    """Return the changes over which option 0 earns at least as much as each of the others.

    Parameters
    ----------
    value, slope
        float64 (k,), present values and slopes; ``value + change * slope`` are compared.

    Examples
    --------
    >>> reach(np.array([10.0, 4.0]), np.array([-2.0, 0.0]), [1])
    Reach(low=None, high=3.0, below=None, above=1, empty=False)
    """
    low, high = -np.inf, np.inf
    below = above = None
    empty = False
    for k in others:
        lead, gain = float(value[0] - value[k]), float(slope[0] - slope[k])
        if gain == 0:
            empty |= lead < 0
            continue
        change = -lead / gain
        if gain > 0 and change > low:
            low, below = change, k
        elif gain < 0 and change < high:
            high, above = change, k
    return Reach(
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
        below=below,
        above=above,
        empty=bool(empty or low > high),
    )


def levers_of(judged: Measured, options: Options) -> list[Lever]:
    """Return the levers that move the lead of the recommended policy, the strongest first.

    Strength is how much the lead over the best policy without a model moves when the payoff moves
    by its own size; a payoff of 0 counts by the mean size of the others. With two actions, a 0 of
    the default action is left out: only differences between the actions matter. Where acting
    changes what happens, outcomes under a policy are not seen: only the cost of actions is left.
    """
    decision = judged.decision
    by_outcome = not judged.why_not_by_outcome
    cells = [{(c.action, c.outcome): c for c in p.cells} for p in options.policies]
    found: list[Lever] = []
    for action in decision.action_names:
        used = [
            next((u.per_period for u in p.actions if u.action == action), 0.0)
            for p in options.policies
        ]
        slope = -np.array(used)
        found.append(Lever(kind="cost", action=action, outcome=None, now=0.0, slope=slope))
        for outcome in decision.outcome_names if by_outcome else ():
            if decision.payoffs.cell(action, outcome).derived:
                continue  # the row of a review follows from the others; it is held
            here = [c[action, outcome] for c in cells]
            constant = constant_of(decision.payoffs.cell(action, outcome).node)
            found.append(
                Lever(
                    kind="factor" if constant is None else "payoff",
                    action=action,
                    outcome=outcome,
                    now=1.0 if constant is None else constant,
                    slope=np.array(
                        [c.money_per_period if constant is None else c.per_period for c in here]
                    ),
                )
            )
    sizes = [abs(x.now) for x in found if x.kind == "payoff" and x.now]
    typical = float(np.mean(sizes)) if sizes else 1.0
    against = options.simple or tuple(range(1, len(options.names)))

    def strength(lever: Lever) -> float:
        size = abs(lever.now) if lever.kind == "factor" or lever.now else typical
        return size * max((abs(float(lever.slope[0] - lever.slope[k])) for k in against), default=0)

    idle = decision.action_names[default_action(decision)]
    twice = len(decision.action_names) == 2  # there, a 0 of the default mirrors the other action
    found = [
        x for x in found if not (x.action == idle and (x.kind == "cost" or (twice and x.now == 0)))
    ]
    moving = [x for x in found if strength(x) > 0]
    moving.sort(key=lambda x: -strength(x))
    return moving[:MOST_LEVERS]
