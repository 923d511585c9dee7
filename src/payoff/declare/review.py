"""Human review as an action: its money is derived from its cost and its error rates.

A reviewer sees the case and takes the right action for what is true of it, except that with the
declared error rate he takes another. So the row of the payoff table follows from the other rows,
``U(review, o) = -cost + (1 - e_o) U(right_o, o) + e_o U(wrong_o, o)``, and is written as an
expression over the same columns: everything downstream reads it like any other row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from payoff.declare import expression
from payoff.declare.expression import constant_of
from payoff.declare.payoffs import Action, Cell, PayoffTable, check_number
from payoff.errors import DeclarationError, ExpressionError, listed, percent

if TYPE_CHECKING:
    from payoff.declare.decision import Decision

__all__ = ["Review", "taken_by", "with_reviews"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person does who looks at the case before it is decided.

    Parameters
    ----------
    cost
        Money one review costs: a positive number, or an expression over columns.
    errors
        Outcome -> share of reviewed units of that outcome that the reviewer gets wrong, 0 to 1.
    right, wrong
        Outcome -> action taken by a reviewer who is right, or wrong. Where not named, ``right`` is
        the action of the largest money under the outcome, when constants tell, and ``wrong`` the
        only other action that is no review, or the first of several of the same constant money.
    """

    cost: str
    errors: Mapping[str, float] = field(default_factory=dict)
    right: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the mappings."""
        for name in ("errors", "right", "wrong"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


def with_reviews(
    table: PayoffTable, actions: Iterable[Action], outcomes: tuple[str, ...]
) -> PayoffTable:
    """Return the table with the row of every review action derived anew.

    Raises
    ------
    DeclarationError
        ``PAY-D006`` for a review that also has a row of its own, or whose error rates or actions
        cannot be used; ``PAY-D007`` for an undeclared name; ``PAY-D004`` for a missing error rate.

    Examples
    --------
    >>> from payoff.declare.payoffs import Action, PayoffTable
    >>> table = PayoffTable.of(
    ...     {"block": {"fraud": 0, "fine": -30}, "pay": {"fraud": -100, "fine": 0}}
    ... )
    >>> review = Action(name="ask", review=Review(cost="4", errors={"fraud": 0.1, "fine": 0.02}))
    >>> actions = (Action(name="block"), Action(name="pay"), review)
    >>> found = with_reviews(table, actions, ("fraud", "fine"))
    >>> found.cell("ask", "fraud").money, found.cell("ask", "fine").money
    ('-14', '-4.6')
    """
    actions = tuple(actions)
    reviews = {a.name: a.review for a in actions if a.review is not None}
    if not reviews:
        return table
    kept = {key: cell for key, cell in table.cells.items() if not cell.derived}
    for (action, outcome), cell in kept.items():
        if action in reviews:
            raise DeclarationError.bad_value(
                f"payoffs.{action}.{outcome}",
                cell.money,
                f"no row of its own: the money of {action!r} follows from actions.{action}.review",
                "Remove the row, or remove 'review' and write the money yourself",
            )
    plain = tuple(a.name for a in actions if a.review is None)
    made = {
        (name, outcome): _derived(name, review, outcome, kept, plain)
        for name, review in reviews.items()
        for outcome in _checked(name, review, outcomes)
    }
    return PayoffTable(cells={**kept, **made})


def taken_by(decision: Decision, action: str, outcome: str) -> tuple[str, str]:
    """Return what a reviewer takes who is right, and who is wrong, of a unit of an outcome."""
    review = next(a.review for a in decision.actions if a.name == action)
    if review is None:
        raise ValueError(f"{action!r} is no review")
    key = f"actions.{action}.review"
    plain = tuple(a.name for a in decision.actions if a.review is None)
    cells = decision.payoffs.cells
    right = _right(key, review, outcome, cells, plain)
    return right, _wrong(key, review, outcome, right, cells, plain)


def _checked(action: str, review: Review, outcomes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the outcomes, after checking what the review says of them."""
    key = f"actions.{action}.review"
    try:
        cost = constant_of(expression.parse(review.cost))
    except ExpressionError as error:
        raise error.within(f"key {key}.cost") from None
    if cost is not None and not 0 <= cost < 1e200:
        raise DeclarationError.bad_value(
            f"{key}.cost",
            review.cost,
            "what one review costs, a positive number",
            "Write the cost without a sign; payoff subtracts it",
        )
    for name in ("errors", "right", "wrong"):
        for outcome in getattr(review, name):
            if outcome not in outcomes:
                raise DeclarationError.unknown_name(f"{key}.{name}", outcome, "outcome", outcomes)
    for outcome in outcomes:
        if outcome not in review.errors:
            raise DeclarationError.missing_key(
                f"{key}.errors.{outcome}",
                f"how often a reviewer is wrong when the outcome is {outcome!r}",
                f"{outcome} = 0.05",
            )
        check_number(
            review.errors[outcome], f"{key}.errors.{outcome}", "a share from 0 to 1", low=0, high=1
        )
    return outcomes


def _derived(
    action: str,
    review: Review,
    outcome: str,
    cells: Mapping[tuple[str, str], Cell],
    plain: tuple[str, ...],
) -> Cell:
    """Return one cell of the derived row."""
    key = f"actions.{action}.review"
    right = _right(key, review, outcome, cells, plain)
    wrong = _wrong(key, review, outcome, right, cells, plain)
    error = review.errors[outcome]
    terms = [(Decimal(-1), review.cost)]
    for share, name in ((1 - Decimal(repr(error)), right), (Decimal(repr(error)), wrong)):
        if (name, outcome) not in cells:
            raise DeclarationError.missing_cell(name, outcome)
        if share:
            terms.append((share, cells[name, outcome].money))
    words = f"a reviewer takes {right!r}" if error < 1 else ""
    if error > 0:
        words += f"{', ' if words else 'a reviewer takes '}{wrong!r} {percent(error)} of the time"
    return Cell(
        money=_sum(terms), source=f"derived: {words}; a review costs {review.cost}", derived=True
    )


def _right(
    key: str,
    review: Review,
    outcome: str,
    cells: Mapping[tuple[str, str], Cell],
    plain: tuple[str, ...],
) -> str:
    named = review.right.get(outcome)
    if named is not None:
        return _named(f"{key}.right.{outcome}", named, plain)
    money = {a: constant_of(cells[a, outcome].node) for a in plain if (a, outcome) in cells}
    known = {a: m for a, m in money.items() if m is not None}
    best = [a for a, m in known.items() if m == max(known.values())]
    if len(known) < len(plain) or len(best) != 1:
        raise DeclarationError.missing_key(
            f"{key}.right",
            f"the action a reviewer takes who sees that the outcome is {outcome!r}; the money "
            "under it names no single best action",
            f'right = {{ {outcome} = "{plain[0] if plain else "pay"}" }}',
        )
    return best[0]


def _wrong(
    key: str,
    review: Review,
    outcome: str,
    right: str,
    cells: Mapping[tuple[str, str], Cell],
    plain: tuple[str, ...],
) -> str:
    named = review.wrong.get(outcome)
    if named is not None:
        return _named(f"{key}.wrong.{outcome}", named, plain)
    others = [a for a in plain if a != right]
    money = {constant_of(cells[a, outcome].node) for a in others if (a, outcome) in cells}
    if len(others) == 1 or (len(money) == 1 and None not in money):
        return others[0]  # the only one, or all of them cost the same
    raise DeclarationError.missing_key(
        f"{key}.wrong",
        f"the action a reviewer takes by mistake when the outcome is {outcome!r}, one of "
        f"{listed(others)}",
        f'wrong = {{ {outcome} = "{others[0] if others else "pay"}" }}',
    )


def _named(key: str, name: str, plain: tuple[str, ...]) -> str:
    if name not in plain:
        raise DeclarationError.unknown_name(key, name, "action that is no review", plain)
    return name


def _sum(terms: Iterable[tuple[Decimal, str]]) -> str:
    """Write a sum of shares times money: constants added exactly, the rest as an expression."""
    constant, shares = Decimal(0), dict[str, Decimal]()
    for share, text in terms:
        value = constant_of(expression.parse(text))
        if value is None:
            shares[text] = shares.get(text, Decimal(0)) + share
        else:
            constant += share * Decimal(repr(value))
    written = [_term(share, text) for text, share in shares.items() if share]
    if not written:
        return _plain(constant)
    if not constant:
        return " + ".join(written)
    return f"{' + '.join(written)} {'-' if constant < 0 else '+'} {_plain(abs(constant))}"


def _term(share: Decimal, text: str) -> str:
    return f"({text})" if share == 1 else f"{_plain(share)} * ({text})"


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
