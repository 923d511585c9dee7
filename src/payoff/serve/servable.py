"""What a bundle must offer to be served, stated as types so that the server depends on no more.

:class:`payoff.bundle.Bundle` is one such value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from payoff.declare import Decision

__all__ = [
    "REMARKS",
    "Contract",
    "Field",
    "Items",
    "Recommends",
    "Row",
    "Servable",
    "Themes",
    "unit_field",
]

Row = Mapping[str, Any]
#: What a decision may say beside its action: see :func:`payoff.policy.answer.remarks`.
REMARKS: Final = ("label", "automated", "sure", "why_not", "familiar", "familiarity")


class Field(Protocol):
    """One field that a row may have."""

    @property
    def name(self) -> str:
        """Name of the column."""
        ...

    @property
    def type(self) -> str:
        """``"number"``, ``"category"``, ``"date"``, ``"boolean"`` or ``"text"``."""
        ...

    @property
    def role(self) -> str:
        """Who reads it: ``"feature"``, ``"money"``, ``"rule"``, ``"subgroup"`` or ``"label"``."""
        ...

    @property
    def required(self) -> bool:
        """Whether a row without it is refused."""
        ...

    @property
    def longest(self) -> int:
        """Characters of the longest text seen in training; 0 for other types."""
        ...

    @property
    def limit(self) -> int:
        """Characters of the longest text that is taken; 0 for other types."""
        ...

    @property
    def low(self) -> float | None:
        """Smallest number seen in training."""
        ...

    @property
    def high(self) -> float | None:
        """Largest number seen in training."""
        ...

    @property
    def first(self) -> str | None:
        """Earliest date seen in training, as ISO text."""
        ...

    @property
    def last(self) -> str | None:
        """Latest date seen in training, as ISO text."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """Values seen in training, most frequent first."""
        ...

    @property
    def n_categories(self) -> int:
        """How many different values were seen."""
        ...


class Contract(Protocol):
    """The fields a row may have."""

    @property
    def fields(self) -> Sequence[Field]:
        """Every field, in the model's order."""
        ...

    def check(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return what is wrong with the rows; an empty list means they can be decided."""
        ...

    def unusual(self, rows: Sequence[Row]) -> list[list[str]]:
        """Return, per row, what was not seen in training; the row can be decided all the same."""
        ...


class Themes(Protocol):
    """What the documents of a decision speak of."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each theme."""
        ...


class Servable(Protocol):
    """A bundle that can decide."""

    @property
    def id(self) -> str:
        """Digest of the bundle."""
        ...

    @property
    def decision(self) -> Decision:
        """The declaration."""
        ...

    @property
    def contract(self) -> Contract:
        """The fields a row may have."""
        ...

    @property
    def themes(self) -> Themes | None:
        """Themes of the documents, named in each answer; None where none were learnt."""
        ...

    def prepare(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return rows as they may be kept: redacted, and one per label where none is named."""
        ...

    def one(self, row: Row) -> Row:
        """Return one prepared row to be explained."""
        ...

    def decide(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Decide rows that fit the contract, in order."""
        ...

    def explain(self, row: Row) -> dict[str, Any]:
        """Explain the decision about one row that fits the contract."""
        ...


class Items(Protocol):
    """The items that lists are made of."""

    @property
    def labels(self) -> Any:
        """Ids."""
        ...

    @property
    def attributes(self) -> Any:
        """A table with one row for each item: what filters may read."""
        ...


class Recommends(Protocol):
    """A bundle that answers with lists; :class:`payoff.bundle.RecommendBundle` is one."""

    @property
    def id(self) -> str:
        """Digest of the bundle."""
        ...

    @property
    def decision(self) -> Decision:
        """The declaration."""
        ...

    @property
    def items(self) -> Items:
        """What lists are made of."""
        ...

    @property
    def histories_until(self) -> str:
        """The newest interaction that lists are made from."""
        ...

    @property
    def evidence_until(self) -> str:
        """The newest interaction when they were judged."""
        ...

    def recommend(self, **asked: Any) -> dict[str, Any]:
        """Answer one question with a list."""
        ...


def unit_field(bundle: Servable) -> str | None:
    """Return the column that names the unit, or None when there is none or the model reads it.

    It is no part of the contract, because nothing is computed from it; a row may carry it so that
    the answer says which unit it is about.
    """
    name = bundle.decision.data.unit_id
    return None if name in {f.name for f in bundle.contract.fields} else name
