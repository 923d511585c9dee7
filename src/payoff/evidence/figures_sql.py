"""The figures as SQL that an analyst can read, change and run on a table of his own.

One statement per figure. All share the same steps, each a named query: the rows judged, the outcome
and the money of every action, the action of every policy, and what it earned. Means and standard
errors are those of :mod:`payoff.evidence.interval`; ends are Student's t, whose quantile is written
as its expansion (Abramowitz and Stegun 1964, 26.7.5), because no database has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from scipy import special

from payoff.columns import SCORED_ACTION, SCORED_PART, expected_of, probability_of
from payoff.declare import Decision, Subgroup
from payoff.errors import EvidenceError
from payoff.evidence import sql
from payoff.evidence.evidence import Evidence

__all__ = ["ENGINES", "FIGURES", "Statements"]

#: name -> what one row is
FIGURES: Final[Mapping[str, str]] = {
    "policies": "what each policy earned",
    "comparisons": "the recommended policy less each other one, on the same rows",
    "groups": "each group under the recommended policy",
    "confusion": "each action under each outcome, of each policy",
    "curve": "the value of each threshold on the probability",
}
ENGINES: Final = ("duckdb", "postgres")


class Statements:
    """Writes the figures of one piece of evidence as SQL.

    Parameters
    ----------
    decision
        The declaration the evidence rests on.
    evidence
        Its figures: names of policies, labels of groups, thresholds.
    table
        SQL to select from: a quoted name, or a file as text.
    engine
        ``"duckdb"`` or ``"postgres"``.

    Raises
    ------
    EvidenceError
        ``PAY-E012`` where no statement over rows gives these figures.
    """

    def __init__(
        self, decision: Decision, evidence: Evidence, *, table: str, engine: str = "duckdb"
    ) -> None:
        self.decision, self.evidence = decision, evidence
        self.table, self.engine = table, engine
        predictions = evidence.data.get("predictions") or {}
        self.kind = str(predictions.get("kind", "model"))
        self.columns: Mapping[str, str] = dict(predictions.get("columns", {}))
        if decision.past is not None:
            raise EvidenceError.no_sql(
                "past decisions are weighed by how likely what was done was, and by a model"
            )
        if self.kind == "score":
            raise EvidenceError.no_sql(
                "the score was turned into probabilities by a regression cross-fitted on the rows"
            )
        #: Whether the table says which of its rows judge, as rows scored by their own bundle do.
        self.parted = self.kind == "model"
        self.skipped: dict[str, str] = {}
        self.actions = self._actions()

    # ------------------------------------------------------------------------------- statements

    def figure(self, name: str) -> str:
        """Return one figure as a statement with comments.

        Raises
        ------
        EvidenceError
            ``PAY-E012`` for a name that is no figure, or a figure the evidence does not have.
        """
        if name not in FIGURES:
            raise EvidenceError.no_sql(f"{name!r} is no figure", FIGURES)
        if name == "curve" and "not_measured" in self.evidence.curve:
            raise EvidenceError.no_sql(f"the curve: {self.evidence.curve['not_measured']}", FIGURES)
        if name == "groups" and not self.evidence.declared_subgroups:
            raise EvidenceError.no_sql("no subgroups are declared", FIGURES)
        body = getattr(self, f"_{name}")()
        return "\n".join([*self._head(name), *self._steps(), body]) + ";\n"

    def count(self) -> str:
        """Return a statement that counts the rows judged, as ``n``."""
        last = "counted as (\n  select count(*) as n from worth\n)\nselect n from counted;\n"
        return "\n".join([*self._steps(), last])

    def _head(self, name: str) -> list[str]:
        first = self.evidence.policies[0]
        level = f"{first.value.level * 100:g} %"
        lines = [
            f"{self.decision.title}: {FIGURES[name]}.",
            f"Money is {first.value.unit} ('value') and {first.total.unit} ('total'); positive is "
            "a gain to the owner.",
            f"low and high are the {level} interval by Student's t"
            + (" (normal for the curve)." if name == "curve" else "."),
        ]
        other = sorted(
            {
                f"{p.name} ({p.value.method})"
                for p in self.evidence.policies
                if p.value.method not in ("t", "exact")
            }
        )
        if other and name == "policies":
            lines.append(
                "The evidence gives another interval, which SQL does not compute, or none for: "
                f"{', '.join(other)}."
            )
        lines += [f"Left out: {policy}: {why}." for policy, why in self.skipped.items()]
        return [sql.comment(line) for line in lines]

    # ------------------------------------------------------------------------------- the steps

    def _steps(self) -> list[str]:
        decision = self.decision
        weight = decision.data.weight
        w = f"cast({sql.quoted(weight)} as double precision)" if weight else "1e0"
        where = f"\n  where {sql.quoted(SCORED_PART)} = 'judge'" if self.parted else ""
        number = ", row_number() over () as payoff_row" if decision.data.cluster else ""
        expected = self._expected()
        money = [
            f"    {self._realised(action)} as payoff_money_{k}, {sql.comment(action)}"
            for k, action in enumerate(decision.action_names)
        ]
        money += [
            f"    {e} as payoff_expected_{k}, {sql.comment(action)}"
            for k, (action, e) in enumerate(zip(decision.action_names, expected, strict=False))
        ]
        acted = [
            f"    {action} as payoff_action_{k}, {sql.comment(name)}"
            for k, (name, action) in enumerate(self.actions.items())
        ]
        worth = [
            f"    {self._earned(k)} as payoff_value_{k}, {sql.comment(name)}"
            for k, name in enumerate(self.actions)
        ]
        return [
            "with judged as (  -- the rows that judge: their outcome is known",
            f"  select *, {sql.outcome_of(decision)} as payoff_outcome,",
            f"    {w} as payoff_weight{number}",
            f"  from {self.table}{where}",
            "),",
            "money as (  -- what each action earned under the outcome that happened",
            "  select *,",
            *_last_without_comma(money),
            "  from judged",
            "  where payoff_outcome is not null and payoff_weight > 0",
            "),",
            "acted as (  -- what each policy does",
            "  select *,",
            *_last_without_comma(acted),
            "  from money",
            "),",
            "worth as (  -- and what that earned",
            "  select *,",
            *_last_without_comma(worth),
            "  from acted",
            "),",
        ]

    def _realised(self, action: str) -> str:
        cases = " ".join(
            f"when {sql.literal(o)} then {sql.money(self.decision, action, o)}"
            for o in self.decision.outcome_names
        )
        return f"cast(case payoff_outcome {cases} end as double precision)"

    def _expected(self) -> list[str]:
        if self.kind == "action":
            return []
        if self.kind == "model":
            return [sql.quoted(expected_of(a)) for a in self.decision.action_names]
        return sql.expected(self.decision, sql.probabilities(self.decision, self.columns))

    def _earned(self, k: int) -> str:
        cases = " ".join(
            f"when {sql.literal(a)} then payoff_money_{j}"
            for j, a in enumerate(self.decision.action_names)
        )
        fixed = self._fixed(k)
        less = f" - {sql.number(fixed)}" if fixed else ""
        return f"case payoff_action_{k} {cases} end{less}"

    def _fixed(self, k: int) -> float:
        """Return a policy's fixed costs per unit."""
        policy = self.evidence.policy(list(self.actions)[k])
        return policy.fixed_per_period / self.decision.units_reported

    def _positive(self) -> str:
        """Return the probability of the positive outcome."""
        if self.kind == "model":
            return sql.quoted(probability_of(str(self.decision.positive)))
        return sql.probabilities(self.decision, self.columns)[self.decision.positive_code]

    def _actions(self) -> dict[str, str]:
        """Return policy -> SQL of its action, and note the policies that have none."""
        found = {}
        for policy in self.evidence.policies:
            made, why = self._action(policy.name)
            if why:
                self.skipped[policy.name] = why
            else:
                found[policy.name] = made
        first = self.evidence.policies[0].name
        if first not in found:
            raise EvidenceError.no_sql(f"the policy {first!r}: {self.skipped[first]}")
        return found

    def _action(self, name: str) -> tuple[str, str]:
        """Return SQL of one policy's action, and why there is none."""
        decision = self.decision
        names = [sql.literal(a) for a in decision.action_names]
        simple = {
            "do_nothing": sql.literal(str(decision.do_nothing)),
            "current_rule": sql.rule_of(decision, names) or "",
        }
        simple |= {f"all:{a}": sql.literal(a) for a in decision.action_names}
        if self.kind == "action":
            simple["predicted"] = sql.action_of(decision, self.columns["action"], names)
        elif self.kind == "model":
            simple[self.evidence.policies[0].name] = sql.quoted(SCORED_ACTION)
        if simple.get(name):
            return simple[name], ""
        if decision.limits or any(a.capacity is not None for a in decision.actions):
            return "", "it is cut to its capacity by rank"
        if decision.constraints:
            return "", "it keeps its constraints by prices"
        if name == "expected":
            values = [f"payoff_expected_{k}" for k in range(len(names))]
            return sql.argmax(decision, values, names), ""
        return self._by_threshold(name)

    def _by_threshold(self, name: str) -> tuple[str, str]:
        if name == "threshold" and self.kind != "model":
            return "", "its threshold is tuned crosswise, on folds of the rows"
        curve = self.evidence.curve
        limit = 0.5 if name == "half" else curve.get("threshold_chosen")
        if name not in ("half", "threshold") or limit is None or "action" not in curve:
            return "", "it rests on more than the columns of a row"
        high = str(curve["action"])
        low = next(a for a in self.decision.action_names if a != high)
        reached = f"{self._positive()} >= {sql.number(float(limit))}"
        return f"case when {reached} then {sql.literal(high)} else {sql.literal(low)} end", ""

    # ------------------------------------------------------------------------------- the figures

    def _policies(self) -> str:
        rows = [
            (f"{sql.literal(name)} as policy", f"payoff_value_{k}")
            for k, name in enumerate(self.actions)
        ]
        return self._means(rows, ["policy"], "worth")

    def _comparisons(self) -> str:
        first, *others = self.actions
        rows = [
            (
                f"{sql.literal(first)} as policy, {sql.literal(name)} as against",
                f"payoff_value_0 - payoff_value_{k}",
            )
            for k, name in enumerate(others, start=1)
        ]
        return self._means(rows, ["policy", "against"], "worth")

    def _groups(self) -> str:
        names = list(self.actions)
        reference = str(self.evidence.verdict["reference"])
        if reference not in names:
            raise EvidenceError.no_sql(f"the policy {reference!r}: {self.skipped[reference]}")
        difference = f"payoff_value_0 - payoff_value_{names.index(reference)}"
        rows = []
        for subgroup in self.decision.subgroups:
            label = self._label(subgroup)
            for figure, value in (("value", "payoff_value_0"), ("gain", difference)):
                keys = f"{sql.literal(subgroup.name)} as subgroup, {label} as member"
                rows.append((f"{keys}, {sql.literal(figure)} as figure", value))
        return self._means(rows, ["subgroup", "member", "figure"], "worth")

    def _confusion(self) -> str:
        parts = []
        units = sql.number(self.decision.units_reported)
        best = ", ".join(f"payoff_money_{k}" for k in range(len(self.decision.actions)))
        for k, name in enumerate(self.actions):
            parts.append(
                f"  select {sql.literal(name)} as policy, payoff_action_{k} as action, "
                f"payoff_outcome as outcome,\n    payoff_weight as w, "
                f"payoff_value_{k} + {sql.number(self._fixed(k))} as v, "
                f"greatest({best}) as best\n  from worth"
            )
        return (
            "cases as (\n" + "\n  union all\n".join(parts) + "\n),\n"
            "everyone as (select policy, sum(w) as w from cases group by policy)\n"
            "select policy, action, outcome, count(*) as n,\n"
            "  sum(c.w) / max(e.w) as share,\n"
            f"  sum(c.w) / max(e.w) * {units} as per_period,\n"
            "  sum(c.w * c.v) / sum(c.w) as money_per_unit,\n"
            f"  sum(c.w * c.v) / max(e.w) * {units} as money_per_period,\n"
            f"  sum(c.w * (c.best - c.v)) / max(e.w) * {units} as regret_per_period\n"
            "from cases c join everyone e using (policy)\n"
            "group by policy, action, outcome\norder by policy, action, outcome"
        )

    def _curve(self) -> str:
        curve = self.evidence.curve
        names = list(self.decision.action_names)
        high = names.index(str(curve["action"]))
        points = ", ".join(f"({sql.number(float(t))})" for t in curve["threshold"])
        value = (
            f"case when {self._positive()} >= threshold then payoff_money_{high} "
            f"else payoff_money_{1 - high} end"
        )
        made = self._means(
            [("threshold", value)], ["threshold"], "worth cross join points", normal=True
        )
        return f"points(threshold) as (values {points}),\n{made}"

    def _label(self, subgroup: Subgroup) -> str:
        """Return the group of a row as the evidence labels it; null where it is not known."""
        if subgroup.intersect:
            parts = [
                self._label(next(s for s in self.decision.subgroups if s.name == n))
                for n in subgroup.intersect
            ]
            return "(" + " || ', ' || ".join(parts) + ")"
        found = next(s for s in self.evidence.subgroups if s.name == subgroup.name)
        labels = [g.label for g in found.groups if g.state != "unknown"]
        column = sql.quoted(str(subgroup.column))
        cuts = _cuts(labels)
        if cuts:
            cases = " ".join(
                f"when {column} < {sql.number(c)} then {sql.literal(label)}"
                for c, label in zip(cuts, labels, strict=False)
            )
            known = f"{column} is null or {column} = cast('nan' as double precision)"
            return f"case when {known} then null {cases} else {sql.literal(labels[-1])} end"
        rest = next((label for label in labels if label.startswith("all others (")), None)
        text = f"cast({column} as varchar)"
        if not labels:
            return "cast(null as varchar)"
        cases = " ".join(
            f"when {text} in ({sql.literal(label)}, {sql.literal(label + '.0')}) "
            f"then {sql.literal(label)}"
            for label in labels
            if label != rest
        )
        other = f"when {column} is not null then {sql.literal(rest)}" if rest else ""
        return f"case {cases} {other} end"

    def _means(
        self,
        rows: Sequence[tuple[str, str]],
        keys: Sequence[str],
        source: str,
        *,
        normal: bool = False,
    ) -> str:
        """Return means of values by key, each with its standard error and interval."""
        cluster = self.decision.data.cluster
        unit = ""
        if cluster:  # rows that belong to nobody stand alone
            name = sql.quoted(cluster)
            unit = (
                f"case when {name} is null then 'row ' || payoff_row "
                f"else 'of ' || cast({name} as varchar) end as unit, "
            )
        parts = [
            f"  select {key}, {unit}payoff_weight as w, {value} as v from {source}"
            for key, value in rows
        ]
        by = ", ".join(keys)
        own = ", ".join(f"cases.{k}" for k in keys)
        z = float(special.ndtri(0.5 + self.decision.evidence.level / 2))
        units = sql.number(self.decision.units_reported)
        each = "1 as n, w, w * (v - m) as r, m"
        if cluster:
            each = "unit, count(*) as n, sum(w) as w, sum(w * (v - m)) as r, max(m) as m"
        grouped = f" group by {own}, unit" if cluster else ""
        return "\n".join(
            [
                "cases as (",
                "\n  union all\n".join(parts),
                "),",
                "centre as (",
                f"  select {by}, sum(w * v) / sum(w) as m from cases group by {by}",
                "),",
                "residuals as (  -- of each independent case",
                f"  select {own}, {each}",
                f"  from cases join centre on {_alike(keys)}{grouped}",
                "),",
                "errors as (",
                f"  select {by}, cast(sum(n) as bigint) as n, max(m) as value,",
                "    sqrt(sum(r * r) * cast(count(*) as double precision)",
                "      / nullif(count(*) - 1, 0)) / sum(w) as standard_error,",
                "    nullif(sum(w * w) * sum(w * w) / sum(w * w * w * w) - 1e0, 0e0) as f,",
                f"    {sql.number(z)} as z",
                f"  from residuals group by {by}",
                "),",
                "quantiles as (" + ("" if normal else "  -- Student's t on f degrees of freedom"),
                "  select *,",
                f"    {'z' if normal else _STUDENT} as t",
                "  from errors",
                ")",
                f"select {by}, n, value, standard_error,",
                "  value - t * standard_error as low, value + t * standard_error as high,",
                f"  value * {units} as total, (value - t * standard_error) * {units} as total_low,",
                f"  (value + t * standard_error) * {units} as total_high",
                f"from quantiles order by {by}",
            ]
        )


_STUDENT: Final = (
    "z + (power(z, 3) + z) / (4e0 * f)\n"
    "      + (5e0 * power(z, 5) + 16e0 * power(z, 3) + 3e0 * z) / (96e0 * f * f)\n"
    "      + (3e0 * power(z, 7) + 19e0 * power(z, 5) + 17e0 * power(z, 3) - 15e0 * z)\n"
    "        / (384e0 * power(f, 3))\n"
    "      + (79e0 * power(z, 9) + 776e0 * power(z, 7) + 1482e0 * power(z, 5)\n"
    "        - 1920e0 * power(z, 3) - 945e0 * z) / (92160e0 * power(f, 4))"
)


def _alike(keys: Sequence[str]) -> str:
    """Join on equal keys; a group that is not known is equal to itself."""
    return " and ".join(f"cases.{k} is not distinct from centre.{k}" for k in keys)


def _last_without_comma(lines: Sequence[str]) -> list[str]:
    """Drop the comma of the last column, which stands before its comment."""
    *rest, last = lines
    before, _, after = last.rpartition(", -- ")
    return [*rest, f"{before} -- {after}"]


def _cuts(labels: Sequence[str]) -> list[float]:
    """Return the limits that banded labels name; none where the labels are values.

    Examples
    --------
    >>> _cuts(["below 30", "30 to below 1,000", "1,000 and over"])
    [30.0, 1000.0]
    >>> _cuts(["north", "south"])
    []
    """
    if len(labels) < 2 or not (labels[0].startswith("below ") and labels[-1].endswith(" and over")):
        return []
    ends = [labels[0].removeprefix("below ")]
    ends += [label.partition(" to below ")[2] for label in labels[1:-1]]
    try:
        cuts = [float(e.replace(",", "")) for e in ends]
    except ValueError:
        return []
    return cuts if all(a < b for a, b in itertools.pairwise(cuts)) else []
