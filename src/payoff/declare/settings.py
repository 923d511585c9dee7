"""Where the rows are, who they are about, what is done today, and how the work is to be done."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from payoff.declare import expression
from payoff.declare.expression import Node
from payoff.declare.payoffs import check_number
from payoff.errors import DeclarationError, ExpressionError, listed, said

__all__ = [
    "DEFAULT_CANDIDATES",
    "PARTS",
    "SPLITS",
    "Case",
    "CurrentRule",
    "Data",
    "EvidenceSettings",
    "Predictions",
    "Split",
    "Subgroup",
    "Training",
]

PARTS: Final = ("fit", "choose", "judge")
#: Models tried where none are named, by kind of decision.
DEFAULT_CANDIDATES: Final = {
    "tabular": ("logistic", "scorecard", "lightgbm"),
    "text": ("tfidf", "embeddings", "tfidf+embeddings"),
    "recommend": (
        "item_neighbours",
        "ease",
        "low_rank_ease",
        "als",
        "next_item",
        "content",
        "blend",
    ),
}
SPLITS: Final = ("auto", "time", "cluster", "random", "last")


def frozen_map(values: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """A way of splitting units for the report: a column, bands of a number, or an intersection.

    Parameters
    ----------
    name
        Heading in the report.
    column
        Column whose values are the groups.
    bands
        Ascending limits; ``(30, 45)`` makes "below 30", "30 to below 45" and "45 and over".
    intersect
        Names of other subgroups whose combinations are the groups.
    """

    name: str
    column: str | None = None
    bands: tuple[float, ...] = ()
    intersect: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the three forms do not contradict each other."""
        key = f"subgroups.{self.name}"
        if not self.name or len(self.name) > 80:
            raise DeclarationError.bad_value(f"{key}.name", self.name, "1 to 80 characters")
        if (self.column is None) == (not self.intersect):
            raise DeclarationError.bad_value(
                key,
                said("both" if self.intersect else "neither"),
                "either 'column' (with or without 'bands') or 'intersect'",
                "Give a subgroup one column, or the names of the subgroups it combines",
            )
        if self.bands and self.intersect:
            raise DeclarationError.bad_value(
                f"{key}.bands", self.bands, "bands on a subgroup with a column"
            )
        if self.intersect and len(set(self.intersect)) < 2:
            raise DeclarationError.bad_value(
                f"{key}.intersect", self.intersect, "the names of at least two other subgroups"
            )
        for low, high in itertools.pairwise(self.bands):
            if not low < high:
                raise DeclarationError.bad_value(
                    f"{key}.bands", list(self.bands), "limits in ascending order, each once"
                )
        for limit in self.bands:
            check_number(limit, f"{key}.bands", "finite numbers", low=-1e300, high=1e300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the current rule: when the condition holds, take the action."""

    when: str
    then: str

    @property
    def node(self) -> Node:
        """The parsed condition."""
        return expression.parse(self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRule:
    """What is done today: cases tried in order, or a column that recorded the action taken."""

    label: str = "Today's rule"
    cases: tuple[Case, ...] = ()
    otherwise: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        """Check that one form is given and every condition reads."""
        if (self.column is None) == (not self.cases and self.otherwise is None):
            raise DeclarationError.bad_value(
                "current_rule",
                said("both" if self.cases else "neither"),
                "either 'cases' with 'otherwise', or 'column'",
                "Write the rule as conditions, or name the column that holds the action taken",
            )
        if self.cases and self.otherwise is None:
            raise DeclarationError.missing_key(
                "current_rule.otherwise",
                "the action where no condition holds",
                'otherwise = "leave"',
            )
        for number, case in enumerate(self.cases):
            try:
                node = case.node
            except ExpressionError as error:
                raise error.within(f"key current_rule.cases[{number}].when") from None
            if isinstance(node, expression.Number | expression.Text | expression.Null):
                raise DeclarationError.bad_value(
                    f"current_rule.cases[{number}].when", case.when, "a condition, true or false"
                )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule reads."""
        if self.column is not None:
            return (self.column,)
        found: dict[str, None] = {}
        for case in self.cases:
            found.update(dict.fromkeys(expression.columns_of(case.node)))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Where the rows are and what their columns mean.

    Parameters
    ----------
    source
        A file or pattern of files; or None with ``query``.
    query, database
        SQL, and the DuckDB file or ``postgresql://`` address it runs on.
    outcome
        Column with what happened; empty where it is not known yet.
    unit_id, cluster, time, weight, part
        Columns: name of the row, who the rows belong to (resampled together), when the decision was
        due, sample weight, and the part (fit, choose, judge) when the user splits the data.
    text
        Columns that hold documents; a decision of kind ``"text"`` has at least one.
    features
        Columns a model may use; None means all that are not excluded or given another role.
    exclude, known_later
        Column -> reason. Excluded columns are never features. Columns known later (an amount that
        arrives with the outcome) are not features either, but money may depend on them.
    """

    source: str | None = None
    query: str | None = None
    database: str | None = None
    outcome: str = "outcome"
    unit_id: str | None = None
    cluster: str | None = None
    time: str | None = None
    weight: str | None = None
    part: str | None = None
    text: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    exclude: Mapping[str, str] = field(default_factory=dict)
    known_later: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the mappings and check the roles against each other."""
        object.__setattr__(self, "exclude", frozen_map(self.exclude))
        object.__setattr__(self, "known_later", frozen_map(self.known_later))
        if self.source is not None and self.query is not None:
            raise DeclarationError.bad_value(
                "data.query", self.query, "either 'source' or 'query', not both"
            )
        for name, reason in {**self.exclude, **self.known_later}.items():
            if not reason.strip():
                table = "exclude" if name in self.exclude else "known_later"
                raise DeclarationError.bad_value(
                    f"data.{table}.{name}",
                    reason,
                    "the reason, in words",
                    "Write why the column may not be used; the report repeats it",
                )
        self._check_text()
        for name in self.features or ():
            if name in self.exclude or name in self.known_later or name == self.outcome:
                raise DeclarationError.bad_value(
                    "data.features",
                    name,
                    "columns that are neither the outcome nor excluded",
                    "Remove it from 'features', or from 'exclude' or 'known_later'",
                )
        if self.outcome in self.exclude or self.outcome in self.known_later:
            raise DeclarationError.bad_value(
                "data.exclude",
                self.outcome,
                "columns other than the outcome",
                "The outcome is never a feature; remove it here",
            )

    def _check_text(self) -> None:
        for name in self.text:
            if self.text.count(name) > 1:
                raise DeclarationError.duplicate("data.text", name, "text columns")
            if name in self.roles or name in self.exclude or name in self.known_later:
                raise DeclarationError.bad_value(
                    "data.text",
                    name,
                    "columns without another role, neither excluded nor known later",
                    "A column is either a document or what it is declared as elsewhere",
                )

    @property
    def roles(self) -> dict[str, str]:
        """Column -> role, for the columns that have one besides feature."""
        roles = {self.outcome: "the outcome"}
        for column, role in (
            (self.unit_id, "the unit's id"),
            (self.cluster, "the cluster"),
            (self.time, "the time"),
            (self.weight, "the weight"),
            (self.part, "the part"),
        ):
            if column is not None:
                roles.setdefault(column, role)
        return roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Columns of predictions made elsewhere: probabilities, one score, or the action itself."""

    probability: Mapping[str, str] = field(default_factory=dict)
    score: str | None = None
    action: str | None = None

    def __post_init__(self) -> None:
        """Copy the mapping."""
        object.__setattr__(self, "probability", frozen_map(self.probability))


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How rows get their part; shares of fit, choose and judge rows.

    Interactions may also be cut at ``choose_from`` and ``judge_from`` and end before
    ``judge_until``: dates such as ``"2026-05-01"``, or numbers where time is one.
    """

    method: str = "auto"
    fit: float = 0.5
    choose: float = 0.2
    judge: float = 0.3
    choose_from: str | float | None = None
    judge_from: str | float | None = None
    judge_until: str | float | None = None

    def __post_init__(self) -> None:
        """Check the shares."""
        if self.method not in SPLITS:
            raise DeclarationError.bad_value(
                "split.method", self.method, f"one of {listed(SPLITS)}"
            )
        for name in PARTS:
            check_number(
                getattr(self, name),
                f"split.{name}",
                "a share above 0 and below 1",
                low=0.01,
                high=0.98,
            )
        if abs(self.fit + self.choose + self.judge - 1) > 1e-6:
            raise DeclarationError.bad_value(
                "split", [self.fit, self.choose, self.judge], "three shares that sum to 1"
            )
        if (self.choose_from is None) != (self.judge_from is None) or (
            self.judge_until is not None and self.judge_from is None
        ):
            raise DeclarationError.bad_value(
                "split",
                said("only some of the moments"),
                "'choose_from' and 'judge_from' together",
                "Without both, the parts are cut by shares",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How models are searched: candidates by name, folds of the cross-fitting, seed."""

    candidates: tuple[str, ...] = DEFAULT_CANDIDATES["tabular"]
    folds: int = 5
    calibration: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.candidates:
            raise DeclarationError.bad_value(
                "training.candidates", [], "at least one candidate, such as 'logistic'"
            )
        if len(set(self.candidates)) < len(self.candidates):
            twice = next(c for c in self.candidates if self.candidates.count(c) > 1)
            raise DeclarationError.duplicate("training.candidates", twice, "candidates")
        for key, value, low, high in (
            ("training.folds", self.folds, 2, 50),
            ("training.seed", self.seed, 0, 2**63 - 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int):
                raise DeclarationError.wrong_type(key, value, f"a whole number, {low} to {high}")
            if not low <= value <= high:
                raise DeclarationError.bad_value(key, value, f"a whole number, {low} to {high}")
        known = ("auto", "raw", "sigmoid", "isotonic")
        if self.calibration not in known:
            raise DeclarationError.bad_value(
                "training.calibration", self.calibration, f"one of {listed(known)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """Confidence level of intervals, smallest subgroup shown, and the loss that may be risked.

    Parameters
    ----------
    smallest_denominator
        Fewest rows a rate of a subgroup rests on.
    margin
        Money per period by which the policy may be worse than what it is compared with and still
        count as no worse; None when that is not asked.
    """

    level: float = 0.95
    smallest_group: int = 30
    smallest_denominator: int = 5
    margin: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_number(self.level, "evidence.level", "a level from 0.5 to 0.999", low=0.5, high=0.999)
        check_number(
            self.smallest_group,
            "evidence.smallest_group",
            "a whole number from 2 up",
            low=2,
            high=1e9,
        )
        check_number(
            self.smallest_denominator,
            "evidence.smallest_denominator",
            "a whole number from 1 up",
            low=1,
            high=1e9,
        )
        if self.margin is not None:
            check_number(
                self.margin, "evidence.margin", "money per period, from 0 up", low=0, high=1e15
            )
