"""The decision as one frozen value, checked when it is made: one that exists can be used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from payoff.declare.automation import Automation, resolved
from payoff.declare.interactions import Recommend, check_recommend
from payoff.declare.limits import Constraint, Limit, check_limits
from payoff.declare.multilabel import MultiLabel, per_label
from payoff.declare.past import Past
from payoff.declare.payoffs import (
    Action,
    Outcome,
    PayoffTable,
    check_name,
    check_number,
    value_key,
)
from payoff.declare.review import with_reviews
from payoff.declare.settings import (
    DEFAULT_CANDIDATES,
    CurrentRule,
    Data,
    EvidenceSettings,
    Predictions,
    Split,
    Subgroup,
    Training,
)
from payoff.declare.text import TextSettings, check_documents
from payoff.errors import DeclarationError, listed

__all__ = ["KINDS", "PERIODS", "Decision", "plural"]

KINDS: Final = ("tabular", "text", "predictions", "recommend")
PERIODS: Final = ("day", "week", "month", "quarter", "year", "campaign")
_CURRENCY: Final = re.compile(r"[A-Z]{3}|[\w$€£¥ .]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision, declared once: the value every later stage starts from.

    Parameters
    ----------
    name
        Short name, used in file names.
    currency, period, volume
        Unit of all money, the period reports speak of, and how many units come up per period. With
        ``volume`` None, money is reported per 1,000 units.
    model_cost
        Money per period that every policy with a model costs, whatever it does.
    do_nothing
        The action that leaves things as they are: the baseline of every report.
    positive
        With two outcomes, the one that scores and thresholds speak of.
    past
        How the rows came about, when they record actions that may have changed what happened.
    automation
        The error rate that must be kept where the model acts by itself.
    multilabel
        Labels of documents that may carry several; the unit is then one label of one document.
    recommend
        Interactions, items, users, stock and list, of a decision of kind ``"recommend"``.

    Raises
    ------
    DeclarationError
        ``PAY-D0xx``, naming the key of ``decision.toml``.

    Examples
    --------
    >>> decision = Decision(
    ...     name="calls",
    ...     currency="EUR",
    ...     outcomes=(Outcome(name="yes", values=(1,)), Outcome(name="no", values=(0,))),
    ...     actions=(Action(name="call"), Action(name="leave")),
    ...     payoffs=PayoffTable.of({"call": {"yes": 9, "no": -1}, "leave": {"yes": 0, "no": 0}}),
    ...     do_nothing="leave",
    ... )
    >>> decision.positive
    'yes'
    """

    name: str
    currency: str
    outcomes: tuple[Outcome, ...]
    actions: tuple[Action, ...]
    payoffs: PayoffTable
    title: str = ""
    kind: str = "tabular"
    unit: str = "case"
    period: str = "month"
    volume: float | None = None
    model_cost: float = 0.0
    owner: str = ""
    approver: str = ""
    review_by: str = ""
    do_nothing: str | None = None
    positive: str | None = None
    data: Data = field(default_factory=Data)
    text: TextSettings = field(default_factory=TextSettings)
    predictions: Predictions = field(default_factory=Predictions)
    subgroups: tuple[Subgroup, ...] = ()
    limits: tuple[Limit, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    current_rule: CurrentRule | None = None
    past: Past | None = None
    automation: Automation | None = None
    multilabel: MultiLabel | None = None
    recommend: Recommend | None = None
    split: Split = field(default_factory=Split)
    training: Training = field(default_factory=Training)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    schema_version: int = 1

    def __post_init__(self) -> None:
        """Check everything that needs more than one part of the declaration."""
        check_name(self.name, "decision.name")
        if not self.title:
            object.__setattr__(self, "title", self.name)
        if self.kind not in KINDS:
            raise DeclarationError.bad_value("decision.kind", self.kind, f"one of {listed(KINDS)}")
        for name, value in per_label(self).items():
            object.__setattr__(self, name, value)
        usual = DEFAULT_CANDIDATES.get(self.kind, ())
        if usual and self.training.candidates == DEFAULT_CANDIDATES["tabular"]:
            object.__setattr__(self, "training", replace(self.training, candidates=usual))
        if not _CURRENCY.fullmatch(self.currency):
            raise DeclarationError.bad_value(
                "decision.currency", self.currency, "a currency such as 'EUR' (up to 12 characters)"
            )
        if self.period not in PERIODS:
            raise DeclarationError.bad_value(
                "decision.period", self.period, f"one of {listed(PERIODS)}"
            )
        if self.volume is not None:
            check_number(
                self.volume,
                "decision.volume",
                "how many units come up per period, above 0",
                low=1e-9,
                high=1e15,
            )
        self._check_names()
        self._check_table()
        self._check_references()
        check_recommend(self)
        if self.automation is not None:
            found = resolved(self.automation, self.actions, self.past)
            object.__setattr__(self, "automation", found)

    def _check_names(self) -> None:
        for key, names in (
            ("outcomes", [o.name for o in self.outcomes]),
            ("actions", [a.name for a in self.actions]),
            ("subgroups", [s.name for s in self.subgroups]),
        ):
            seen: dict[str, str] = {}
            for name in names:
                if name.casefold() in seen:
                    raise DeclarationError.duplicate(key, seen[name.casefold()], key, name)
                seen[name.casefold()] = name
        for key, count in (("outcomes", len(self.outcomes)), ("actions", len(self.actions))):
            if count < 2:
                raise DeclarationError.bad_value(
                    key, count, f"at least two {key}; with one there is nothing to decide"
                )
            if count > 1000:
                raise DeclarationError.bad_value(key, count, f"at most 1,000 {key}")
        values: dict[str, str] = {}
        for outcome in self.outcomes:
            for value in outcome.values:
                if values.setdefault(value_key(value), outcome.name) != outcome.name:
                    raise DeclarationError.duplicate(
                        f"outcomes.{outcome.name}", value, "values of outcomes"
                    )

    def _check_table(self) -> None:
        actions, outcomes = self.action_names, self.outcome_names
        table = with_reviews(self.payoffs, self.actions, outcomes)
        object.__setattr__(self, "payoffs", table)
        for action, outcome in self.payoffs.cells:
            if action not in actions:
                raise DeclarationError.unknown_name("payoffs", action, "action", actions)
            if outcome not in outcomes:
                raise DeclarationError.unknown_name(
                    f"payoffs.{action}", outcome, "outcome", outcomes
                )
        for action in actions:
            for outcome in outcomes:
                if (action, outcome) not in self.payoffs.cells:
                    raise DeclarationError.missing_cell(action, outcome)
        if self.data.outcome in self.payoffs.columns:
            raise DeclarationError.bad_value(
                "payoffs",
                self.data.outcome,
                "money that does not read the outcome column",
                "The table has one column per outcome already; write the money of each cell",
            )

    def _check_references(self) -> None:
        if self.do_nothing is not None and self.do_nothing not in self.action_names:
            raise DeclarationError.unknown_name(
                "decision.do_nothing", self.do_nothing, "action", self.action_names
            )
        if self.positive is not None and self.positive not in self.outcome_names:
            raise DeclarationError.unknown_name(
                "decision.positive", self.positive, "outcome", self.outcome_names
            )
        if self.positive is None:
            object.__setattr__(self, "positive", self.outcomes[0].name)
        names = [s.name for s in self.subgroups]
        simple = [s.name for s in self.subgroups if not s.intersect]
        for number, subgroup in enumerate(self.subgroups):
            for other in subgroup.intersect:
                if other not in simple:
                    raise DeclarationError.unknown_name(
                        f"subgroups[{number}].intersect",
                        other,
                        "simple subgroup",
                        [n for n in names if n in simple],
                    )
        columns = (g.column for g in self.subgroups)
        check_documents(self.kind, self.data.text, self.text, columns, self.past)
        for outcome in self.predictions.probability:
            if outcome not in self.outcome_names:
                raise DeclarationError.unknown_name(
                    "predictions.probability", outcome, "outcome", self.outcome_names
                )
        if self.current_rule is not None:
            self._check_rule(self.current_rule)
        check_limits(
            self.limits,
            self.constraints,
            actions=self.action_names,
            simple=simple,
            volume=self.volume,
            capped=[a.name for a in self.actions if a.capacity is not None],
            do_nothing=self.do_nothing,
        )
        self._check_costs()
        if self.past is not None:
            self._check_past(self.past)
        for action in self.actions:
            limit = action.capacity
            if limit is not None and limit.per_period is not None and self.volume is None:
                raise DeclarationError.bad_value(
                    f"actions.{action.name}.capacity",
                    limit.per_period,
                    "'volume' in [decision], to know which share of units this is",
                    "Add 'volume', or use 'capacity_share'",
                )

    def _check_costs(self) -> None:
        key = "decision.model_cost"
        need = "money per period, a number from 0 up"
        check_number(self.model_cost, key, need, low=0, high=1e15)
        fixed = {f"actions.{a.name}.fixed_cost": a.fixed_cost for a in self.actions}
        for where, money in {key: self.model_cost, **fixed}.items():
            if money and self.volume is None:
                raise DeclarationError.bad_value(
                    where,
                    money,
                    "'volume' in [decision], to spread a cost per period over its units",
                    "Add 'volume', or leave fixed costs out",
                )

    def _check_rule(self, rule: CurrentRule) -> None:
        for number, case in enumerate(rule.cases):
            if case.then not in self.action_names:
                raise DeclarationError.unknown_name(
                    f"current_rule.cases[{number}].then", case.then, "action", self.action_names
                )
        if rule.otherwise is not None and rule.otherwise not in self.action_names:
            raise DeclarationError.unknown_name(
                "current_rule.otherwise", rule.otherwise, "action", self.action_names
            )
        if rule.column is None and self.data.outcome in rule.columns:
            raise DeclarationError.bad_value(
                "current_rule.cases",
                self.data.outcome,
                "columns known when the decision is due",
                "The outcome is not known yet when the rule acts",
            )
        for column in rule.columns:
            if column in self.data.known_later:
                raise DeclarationError.bad_value(
                    "current_rule",
                    column,
                    "columns known when the decision is due",
                    f"{column} is declared as known later",
                )

    def _check_past(self, past: Past) -> None:
        past.check_names(self.action_names)
        for column in past.columns:
            if column in self.data.roles or column in self.data.known_later:
                raise DeclarationError.bad_value(
                    "past", column, "a column of its own, with no other role"
                )
            if column in (self.data.features or ()):
                raise DeclarationError.bad_value(
                    "data.features",
                    column,
                    "columns known before the action was taken",
                    f"{column} says what was done; remove it from 'features'",
                )

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the actions, in order of declaration: the code of an action is its place."""
        return tuple(a.name for a in self.actions)

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Names of the outcomes, in order of declaration: the code of an outcome is its place."""
        return tuple(o.name for o in self.outcomes)

    @property
    def learnt_as(self) -> str:
        """What kind of model learns it: the kind of the decision, or ``"multilabel"``."""
        return self.kind if self.multilabel is None else "multilabel"

    @property
    def carried_code(self) -> int:
        """Place of the outcome that a document carries the label, of ``[multilabel]``."""
        flags = [[value_key(v) for v in o.values] for o in self.outcomes]
        return flags.index(["true"])

    @property
    def positive_code(self) -> int:
        """Place of the positive outcome."""
        return self.outcome_names.index(str(self.positive))

    @property
    def is_binary(self) -> bool:
        """Whether there are two outcomes and two actions: the case with one threshold."""
        return len(self.outcomes) == 2 and len(self.actions) == 2

    @property
    def units_reported(self) -> float:
        """Units that reported money is for: the volume of a period, or 1,000."""
        return float(self.volume) if self.volume is not None else 1000.0

    @property
    def money_unit(self) -> str:
        """Unit of reported totals, such as ``EUR per month`` or ``EUR per 1,000 customers``."""
        if self.volume is None:
            return f"{self.currency} per 1,000 {plural(self.unit)}"
        return f"{self.currency} per {self.period}"

    @property
    def value_unit(self) -> str:
        """Unit of money per unit, such as ``EUR per customer``."""
        return f"{self.currency} per {self.unit}"

    def action_label(self, name: str) -> str:
        """Return the words of an action for the report."""
        return next(a.label for a in self.actions if a.name == name)

    @property
    def columns_needed(self) -> tuple[str, ...]:
        """Columns that money, rule, roles and subgroups read (features not included)."""
        found = dict.fromkeys(self.data.roles)
        found.update(dict.fromkeys(self.payoffs.columns))
        if self.current_rule:
            found.update(dict.fromkeys(self.current_rule.columns))
        if self.past:
            found.update(dict.fromkeys(self.past.columns))
        found.update(dict.fromkeys(s.column for s in self.subgroups if s.column))
        return tuple(found)

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the subgroups that limits and constraints speak of."""
        named = {x.subgroup for x in self.limits} | {x.subgroup for x in self.constraints}
        return tuple(s.name for s in self.subgroups if s.name in named)

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Columns that say which group's limits and constraints a unit falls under."""
        named = self.group_names
        return tuple(
            dict.fromkeys(s.column for s in self.subgroups if s.name in named and s.column)
        )

    @property
    def reviewer(self) -> str | None:
        """The action for what the model should not decide: of [automation], or the first review."""
        if self.automation is not None:
            return self.automation.otherwise
        return next((a.name for a in self.actions if a.review is not None), None)

    @property
    def automatic(self) -> tuple[str, ...]:
        """The actions that need no person: all but the reviews and :attr:`reviewer`."""
        return tuple(a.name for a in self.actions if a.review is None and a.name != self.reviewer)

    def capacity_share(self, action: Action) -> float | None:
        """Return the share of units an action can reach, or None when it is not limited."""
        if action.capacity is None:
            return None
        if action.capacity.share is not None:
            return float(action.capacity.share)
        return min(1.0, float(action.capacity.per_period or 0) / float(self.volume or 1))


def plural(noun: str) -> str:
    """Return the plural of the unit's noun.

    Examples
    --------
    >>> plural("customer"), plural("enquiry"), plural("box")
    ('customers', 'enquiries', 'boxes')
    """
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")
