"""Automation at a guaranteed error rate: the ``[automation]`` table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from payoff.declare.past import Past
from payoff.declare.payoffs import Action, check_number
from payoff.errors import DeclarationError, listed

__all__ = ["Automation", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """Act automatically only where the model is sure enough; everything else goes elsewhere.

    Parameters
    ----------
    max_error
        Largest share of automated units that may be acted on wrongly, above 0 and at most 0.5.
    confidence
        How sure that must be, 0.5 to 0.9999.
    otherwise
        The action for all other units; the only review where one is declared.

    Examples
    --------
    >>> Automation(max_error=0.02).confidence
    0.95
    """

    max_error: float
    confidence: float = 0.95
    otherwise: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_number(
            self.max_error, "automation.max_error", "a share from 0.0001 to 0.5", low=1e-4, high=0.5
        )
        check_number(
            self.confidence,
            "automation.confidence",
            "a probability from 0.5 to 0.9999",
            low=0.5,
            high=0.9999,
        )


def resolved(automation: Automation, actions: Iterable[Action], past: Past | None) -> Automation:
    """Return the table with ``otherwise`` filled in, checked against the declaration.

    Raises
    ------
    DeclarationError
        ``PAY-D004`` without an action to fall back on, ``PAY-D006``, ``PAY-D007``.

    Examples
    --------
    >>> from payoff.declare.review import Review
    >>> ask = Action(name="ask", review=Review(cost="4", errors={}))
    >>> actions = (Action(name="pay"), Action(name="block"), ask)
    >>> resolved(Automation(max_error=0.02), actions, None).otherwise
    'ask'
    """
    actions = tuple(actions)
    names = [a.name for a in actions]
    reviews = [a.name for a in actions if a.review is not None]
    otherwise = automation.otherwise
    if otherwise is None:
        if len(reviews) != 1:
            raise DeclarationError.missing_key(
                "automation.otherwise",
                "the action for whatever is not automated"
                + (f"; there are {len(reviews)} reviews" if reviews else "; no action is a review"),
                f'otherwise = "{(reviews or names)[-1]}"',
            )
        otherwise = reviews[0]
    if otherwise not in names:
        raise DeclarationError.unknown_name("automation.otherwise", otherwise, "action", names)
    automatic = [a.name for a in actions if a.name != otherwise and a.review is None]
    if len(automatic) < 2:
        raise DeclarationError.bad_value(
            "automation.otherwise",
            otherwise,
            "at least two other actions that are no review",
            "An error is an automatic action where another automatic one was right, so one alone "
            f"({listed(automatic)}) could never be wrong: declare what would be right instead, or "
            "leave [automation] out",
        )
    if past is not None:
        raise DeclarationError.bad_value(
            "automation",
            "beside [past]",
            "rows that show what is right for each of them",
            "Where acting changes what happens, or outcomes are missing under some actions, no row "
            "tells whether its action was an error, so no error rate can be guaranteed; remove one "
            "of the two tables",
        )
    return replace(automation, otherwise=otherwise)
