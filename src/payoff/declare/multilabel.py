"""Documents that carry several labels at once: the ``[multilabel]`` table.

Each label of each document is then one yes/no decision with money of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from payoff.declare.payoffs import check_number, value_key
from payoff.declare.settings import frozen_map
from payoff.errors import DeclarationError, listed, said

if TYPE_CHECKING:
    from payoff.declare.decision import Decision

__all__ = ["EMPTY", "OTHERS", "MultiLabel", "per_label"]

EMPTY: Final = ("none", "unknown")
OTHERS: Final = ("refuse", "ignore")
_MOST: Final = 200
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabel:
    """Which labels a document may carry, and where the rows say which it does.

    Parameters
    ----------
    names
        The labels that are decided about; of ``columns`` the keys.
    columns
        Label -> its column of true and false, where each label has one. Without, the outcome column
        lists the labels of a document.
    separator
        What stands between two labels in the outcome column; a list in square brackets is read too.
    empty
        What an empty cell means: ``"none"`` of the labels, or ``"unknown"`` yet. It must be said
        where there is such a cell.
    others
        ``"refuse"`` or ``"ignore"`` labels in the outcome column that are not among ``names``.
    column
        Name under which money, rules and subgroups read the label.
    documents
        Documents that come up per period: ``volume`` is so many times the labels.

    Examples
    --------
    >>> MultiLabel(names=("card", "fee")).column
    'label'
    """

    names: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    separator: str = ";"
    empty: str = ""
    others: str = "refuse"
    column: str = "label"
    documents: float | None = None

    def __post_init__(self) -> None:
        """Check the names and choices."""
        object.__setattr__(self, "columns", frozen_map(self.columns))
        if self.columns and self.names and self.names != tuple(self.columns):
            raise DeclarationError.bad_value(
                "multilabel",
                said("both 'names' and 'columns'"),
                "either, not both",
                "The keys of 'columns' are the names",
            )
        if self.columns:
            object.__setattr__(self, "names", tuple(self.columns))
        for name in self.names:
            if not value_key(name) or len(name) > _LONGEST:
                raise DeclarationError.bad_value(
                    "multilabel.names", name, f"labels of 1 to {_LONGEST} characters"
                )
            if [value_key(n) for n in self.names].count(value_key(name)) > 1:
                raise DeclarationError.duplicate("multilabel.names", name, "labels")
        if not 2 <= len(self.names) <= _MOST:
            raise DeclarationError.bad_value(
                "multilabel.names",
                len(self.names),
                f"2 to {_MOST} labels",
                "Name each label that is decided about; for one, declare a plain decision",
            )
        twice = [c for c in self.columns.values() if list(self.columns.values()).count(c) > 1]
        if twice:
            raise DeclarationError.duplicate("multilabel.columns", twice[0], "columns")
        if not self.separator.strip() and self.separator not in (" ", "\t", "\n"):
            raise DeclarationError.bad_value(
                "multilabel.separator", self.separator, "what stands between labels, such as ';'"
            )
        if self.empty and self.empty not in EMPTY:
            raise DeclarationError.bad_value(
                "multilabel.empty", self.empty, f"one of {listed(EMPTY)}"
            )
        if self.others not in OTHERS:
            raise DeclarationError.bad_value(
                "multilabel.others", self.others, f"one of {listed(OTHERS)}"
            )
        if self.documents is not None:
            check_number(
                self.documents,
                "multilabel.documents",
                "how many documents come up per period, above 0",
                low=1e-9,
                high=1e12,
            )


def per_label(decision: Decision) -> dict[str, Any]:
    """Return the fields of a declaration that follow from its labels, once it was checked.

    The unit is one label of one document, and ``volume`` counts those.

    Raises
    ------
    DeclarationError
        ``PAY-D006``.
    """
    labels = decision.multilabel
    if labels is None:
        return {}
    _check(decision, labels)
    found: dict[str, Any] = {}
    if decision.unit == "case":
        found["unit"] = "label"
    if labels.documents is not None:
        volume = labels.documents * len(labels.names)
        if decision.volume not in (None, volume):
            raise DeclarationError.bad_value(
                "decision.volume",
                decision.volume,
                f"{volume:,.10g}, which is 'documents' of [multilabel] times "
                f"{len(labels.names)} labels",
                "Leave 'volume' out",
            )
        found["volume"] = volume
    elif decision.volume is not None:
        raise DeclarationError.bad_value(
            "decision.volume",
            decision.volume,
            "'documents' in [multilabel] instead",
            "A unit is one label of one document; say how many documents come up per period, and "
            "payoff counts the labels",
        )
    return found


def _check(decision: Decision, labels: MultiLabel) -> None:
    data = decision.data
    if decision.kind != "text":
        raise DeclarationError.bad_value(
            "multilabel",
            said(f"kind = '{decision.kind}'"),
            "kind = 'text' in [decision]",
            "Only documents carry several labels; make one decision per label of other rows",
        )
    values = sorted(value_key(v) for o in decision.outcomes for v in o.values)
    if values != ["false", "true"]:
        raise DeclarationError.bad_value(
            "outcomes",
            values,
            "two outcomes with the values true (the document carries the label) and false",
            "Write, for example, carries = true and lacks = false in [outcomes]; money that "
            f'differs by label reads the column {labels.column!r}: "case when {labels.column} = '
            f"'{labels.names[0]}' then 9 else 1 end\"",
        )
    taken = {*data.roles, *data.text, *data.exclude, *data.known_later, *labels.columns.values()}
    if labels.column in taken - {data.outcome} or labels.column == data.outcome:
        raise DeclarationError.bad_value(
            "multilabel.column",
            labels.column,
            "a name that no column of the rows has",
            "payoff puts the label of each row there; choose another name",
        )
    for column in labels.columns.values():
        if column in {*data.roles, *data.text, *data.known_later, *(data.features or ())}:
            raise DeclarationError.bad_value(
                "multilabel.columns",
                column,
                "columns of labels that have no other role",
                "A label is what is to be found out; it is no feature",
            )
    rule = decision.current_rule
    if rule is not None and rule.column is not None:
        raise DeclarationError.bad_value(
            "current_rule.column",
            rule.column,
            "cases, because one column cannot say what was done about each label",
            f"Write the rule as cases; conditions may read {labels.column!r}",
        )
    if decision.past is not None:
        raise DeclarationError.bad_value(
            "past",
            said("beside [multilabel]"),
            "rows whose outcomes were recorded whatever was done",
            "Take [past] out, or make one decision per label",
        )
