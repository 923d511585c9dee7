"""What is known of past decisions: which action was taken, how it came about, what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from payoff.declare.payoffs import check_number, value_key
from payoff.errors import DeclarationError

__all__ = ["Past"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How the rows came about: the action each got, by chance or by a rule.

    Parameters
    ----------
    action
        Column with the action taken.
    values
        Action -> value of that column; an action that is left out stands there under its own name.
    randomised
        Whether chance alone chose the action.
    shares
        Action -> probability with which chance chose it; measured on the rows when left out.
    propensity
        Column with the probability with which the action taken was chosen.
    outcomes_known
        Actions under which the outcome was recorded; empty means under all of them.

    Raises
    ------
    DeclarationError
        ``PAY-D006`` when the parts contradict each other.

    Examples
    --------
    >>> past = Past(action="segment", randomised=True, values={"mens": "Mens E-Mail"})
    >>> past.how, past.selected
    ('randomised', False)
    >>> Past(action="granted", outcomes_known=("grant",)).selected
    True
    """

    action: str
    values: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    randomised: bool = False
    shares: Mapping[str, float] = field(default_factory=dict)
    propensity: str | None = None
    outcomes_known: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Copy the mappings and check the parts against each other."""
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "shares", MappingProxyType(dict(self.shares)))
        if self.randomised and self.propensity is not None:
            raise DeclarationError.bad_value(
                "past.propensity",
                self.propensity,
                "either 'randomised' or 'propensity'",
                "With probabilities that differ from row to row, name their column and leave "
                "'randomised' out",
            )
        if self.shares and not self.randomised:
            raise DeclarationError.bad_value(
                "past.shares", dict(self.shares), "'randomised = true' beside it"
            )
        for name, share in self.shares.items():
            check_number(
                share,
                f"past.shares.{name}",
                "a share above 0 and up to 1",
                low=1e-9,
                high=1.0,
            )
        if self.shares and abs(sum(self.shares.values()) - 1) > 1e-6:
            raise DeclarationError.bad_value(
                "past.shares", dict(self.shares), "shares of all actions, which sum to 1"
            )
        keys = [value_key(v) for v in self.values.values()]
        if len(set(keys)) < len(keys):
            raise DeclarationError.bad_value(
                "past.values", dict(self.values), "one value of the column for each action"
            )

    @property
    def how(self) -> str:
        """``"randomised"``, ``"given"`` (a propensity column) or ``"modelled"``."""
        if self.randomised:
            return "randomised"
        return "given" if self.propensity is not None else "modelled"

    @property
    def selected(self) -> bool:
        """Whether outcomes are known only where some action was taken, and nothing was random."""
        return bool(self.outcomes_known) and self.how == "modelled"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it reads."""
        return (self.action,) if self.propensity is None else (self.action, self.propensity)

    def check_names(self, actions: Sequence[str]) -> None:
        """Refuse names that are not declared actions.

        Raises
        ------
        DeclarationError
            ``PAY-D007`` for an unknown action, ``PAY-D006`` where shares leave one out.
        """
        for key, names in (
            ("past.values", tuple(self.values)),
            ("past.shares", tuple(self.shares)),
            ("past.outcomes_known", self.outcomes_known),
        ):
            for name in names:
                if name not in actions:
                    raise DeclarationError.unknown_name(key, name, "action", actions)
        missing = [a for a in actions if a not in self.shares] if self.shares else []
        if missing:
            raise DeclarationError.bad_value(
                "past.shares", dict(self.shares), f"a share for {missing[0]!r} too"
            )
