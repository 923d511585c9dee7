"""The payoff table as a linear form in few SQL terms, so that few sums hold all its money.

``amount - 5``, ``amount / 2`` and ``-5`` are all linear in ``amount``: the sums of ``amount``, of
its square and of its cube give the sums of all three. What is not linear is a term of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import Binary, Node, Number, Unary, constant_of, to_sql

__all__ = ["Terms", "linear", "terms_of"]


def linear(node: Node) -> tuple[float, dict[str, float]]:
    """Return the constant of an expression, and SQL term -> factor.

    Examples
    --------
    >>> from payoff.declare.expression import parse
    >>> linear(parse("3 * (amount - 5) / 2"))
    (-7.5, {'"amount"': 1.5})
    >>> linear(parse("a * b"))
    (0.0, {'("a" * "b")': 1.0})
    """
    if isinstance(node, Number):
        return node.value, {}
    if isinstance(node, Unary) and node.operator == "-":
        return _scaled(linear(node.operand), -1.0)
    if isinstance(node, Binary) and node.operator in "+-":
        constant, found = linear(node.left)
        other, more = _scaled(linear(node.right), 1.0 if node.operator == "+" else -1.0)
        for term, factor in more.items():
            found[term] = found.get(term, 0.0) + factor
        return constant + other, found
    if isinstance(node, Binary) and node.operator == "*":
        for one, rest in ((node.left, node.right), (node.right, node.left)):
            factor, varies = linear(one)
            if not varies:
                return _scaled(linear(rest), factor)
    if isinstance(node, Binary) and node.operator == "/":
        divisor, varies = linear(node.right)
        if not varies and divisor != 0:
            return _scaled(linear(node.left), 1.0 / divisor)
    return 0.0, {to_sql(node): 1.0}


def _scaled(found: tuple[float, dict[str, float]], by: float) -> tuple[float, dict[str, float]]:
    return found[0] * by, {term: factor * by for term, factor in found[1].items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """Money of action a under outcome o is ``constant[a, o] + factor[a, o] @ terms``.

    Parameters
    ----------
    sql
        The K terms as SQL.
    constant
        float64 (n_actions, n_outcomes).
    factor
        float64 (n_actions, n_outcomes, K).
    pivot
        float64 (K,), a usual value of each term: sums are of ``term - pivot``, so that squares do
        not lose their digits where money varies little around a large value.
    """

    sql: tuple[str, ...]
    constant: NDArray[np.float64]
    factor: NDArray[np.float64]
    pivot: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of terms."""
        return len(self.sql)

    def pivoted(self, pivot: Sequence[float]) -> Terms:
        """Return the same money as a form in ``term - pivot``."""
        usual = np.asarray(pivot, dtype=np.float64)
        constant = self.constant + self.factor @ (usual - self.pivot)
        return Terms(sql=self.sql, constant=constant, factor=self.factor, pivot=usual)

    def used(self, outcome: int) -> tuple[int, ...]:
        """Return the terms that money under one outcome reads."""
        return tuple(np.flatnonzero(np.any(self.factor[:, outcome] != 0, axis=0)).tolist())

    def products(self, degree: int) -> list[tuple[int, ...]]:
        """Return the products of terms whose sums are needed, each as ascending places of terms.

        Only terms that money reads under one and the same outcome are ever multiplied.
        """
        found: set[tuple[int, ...]] = set()
        for outcome in range(self.factor.shape[1]):
            found |= set(itertools.combinations_with_replacement(self.used(outcome), degree))
        return sorted(found)


def terms_of(decision: Decision) -> Terms:
    """Return the linear form of a decision's payoff table."""
    actions, outcomes = decision.action_names, decision.outcome_names
    constant = np.zeros((len(actions), len(outcomes)))
    factors: dict[tuple[int, int], dict[str, float]] = {}
    names: dict[str, None] = {}
    for (a, action), (o, outcome) in itertools.product(enumerate(actions), enumerate(outcomes)):
        node = decision.payoffs.cell(action, outcome).node
        fixed = constant_of(node)
        constant[a, o], factors[a, o] = (fixed, {}) if fixed is not None else linear(node)
        names.update(dict.fromkeys(factors[a, o]))
    place = {name: k for k, name in enumerate(names)}
    factor = np.zeros((len(actions), len(outcomes), len(place)))
    for (a, o), found in factors.items():
        for name, value in found.items():
            factor[a, o, place[name]] = value
    return Terms(sql=tuple(place), constant=constant, factor=factor, pivot=np.zeros(len(place)))
