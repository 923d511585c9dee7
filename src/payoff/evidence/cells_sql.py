"""The one pass: a query that groups rows into cells, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from payoff.declare import Decision
from payoff.evidence import sql
from payoff.evidence.terms import Terms

__all__ = ["ABSENT", "APART", "BINS", "FOLDS", "OUTSIDE", "Pass", "pass_over"]

#: Bins of the positive probability; edges are k / 4096, so 0.5 is one of them.
BINS: Final = 4096
#: Halves of the rows: each acts by the threshold that is best on the other.
FOLDS: Final = 2
#: Places of the score that say what is wrong with a row's probabilities.
OUTSIDE: Final = -1
ABSENT: Final = -2
APART: Final = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One query, its groupings and the sums it returns.

    Parameters
    ----------
    text
        The query.
    joint
        A query that counts rows by all groups at once; asked only where a group is small.
    sets
        Name of a grouping -> its keys. ``"score"`` is by bin of the probability, ``"all"`` by
        outcome and actions, the others are by the subgroup they are named after.
    keys
        All keys; ``grouping_id`` of a row has a bit set for each key its grouping leaves out.
    values
        Subgroup -> keys whose values make its groups.
    """

    text: str
    joint: str
    sets: Mapping[str, tuple[str, ...]]
    keys: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]

    def identity(self, name: str) -> int:
        """Return the ``grouping_id`` of one grouping."""
        kept = self.sets[name]
        bits = "".join("0" if key in kept else "1" for key in self.keys)
        return int(bits, 2)


def pass_over(
    decision: Decision,
    terms: Terms,
    *,
    relation: str,
    row: str,
    types: Mapping[str, str],
    probability: Mapping[str, str],
    action: str | None,
) -> Pass:
    """Return the query that groups rows into cells.

    Parameters
    ----------
    relation, row
        What to select from, and SQL of the row's number.
    types
        Column -> DuckDB type.
    probability
        Outcome -> column; empty where only actions are known.
    action
        Column of the actions taken; None with probabilities.
    """
    made = _Query(decision, terms, types, probability, action)
    groups = {s.name: made.group_keys(s.name) for s in decision.subgroups}
    base = made.base_keys()
    sets: dict[str, tuple[str, ...]] = {}
    if made.binned:
        sets["score"] = (*made.always, "score", "own", *(["fold"] if made.folded else []))
    for name, keys in groups.items():
        sets[f"group {name}"] = (*base, *keys)
    if not groups:
        sets["all"] = base
    keys = tuple(dict.fromkeys(k for kept in sets.values() for k in kept))
    grouped = ", ".join(f"({', '.join(kept)})" for kept in dict.fromkeys(sets.values()))
    sums = ",\n  ".join(f"{e} as {n}" for n, e in made.sums().items())
    simple = [f"g{k}" for k in range(len(made.simple()))]
    together = ", ".join([*made.always, *simple])
    steps = (
        f"with source as (\n  select {made.source(row)}\n  from {relation}\n),\n"
        f"read as (\n  select {made.read()}\n  from source\n)"
    )
    text = (
        f"{steps},\nacted as (\n  select *, {made.acted()}\n  from read\n)\n"
        f"select grouping_id({', '.join(keys)}) as gid, {', '.join(keys)},\n  {sums}\n"
        f"from acted\ngroup by grouping sets ({grouped})"
    )
    joint = f"{steps}\nselect {together}, count(*) as n from read group by {together}"
    return Pass(text=text, joint=joint, sets=sets, keys=keys, values=groups)


class _Query:
    """The pieces of the query, from the rows outwards."""

    def __init__(
        self,
        decision: Decision,
        terms: Terms,
        types: Mapping[str, str],
        probability: Mapping[str, str],
        action: str | None,
    ) -> None:
        self.decision = decision
        self.terms = terms
        self.types = types
        self.probability = probability
        self.action = action
        self.weight = decision.data.weight
        self.binned = bool(probability) and len(decision.outcomes) == 2
        self.folded = bool(probability) and decision.is_binary
        self.codes = [str(k) for k in range(len(decision.actions))]
        self.always = ("y", *(["live"] if self.weight else []))

    # ---------------------------------------------------------------------------------- keys

    def base_keys(self) -> tuple[str, ...]:
        keys = [*self.always, "own"]
        if self.decision.current_rule is not None:
            keys.append("rule")
        if self.probability and not self.decision.is_binary:
            keys.append("likely")
        if self.probability and not self.binned:
            keys.append("score")
        return tuple(keys)

    def simple(self) -> list[str]:
        return [s.name for s in self.decision.subgroups if s.column is not None]

    def group_keys(self, name: str) -> tuple[str, ...]:
        simple = self.simple()
        found = next(s for s in self.decision.subgroups if s.name == name)
        names = found.intersect or (name,)
        return tuple(f"g{simple.index(n)}" for n in names)

    # --------------------------------------------------------------------------------- stages

    def source(self, row: str) -> str:
        """Select the columns that anything reads; numbers as doubles."""
        decision = self.decision
        needed = dict.fromkeys([decision.data.outcome, *decision.payoffs.columns])
        rule = decision.current_rule
        needed |= dict.fromkeys(rule.columns if rule else ())
        needed |= dict.fromkeys(s.column for s in decision.subgroups if s.column)
        needed |= dict.fromkeys(self.probability.values())
        needed |= dict.fromkeys(c for c in (self.weight, self.action) if c)
        exact = {decision.data.outcome, *(s.column for s in decision.subgroups if s.column)}
        columns = []
        for name in needed:
            column = sql.quoted(name)
            if name not in exact and self._numeric(name):
                value = f"cast({column} as double)"
                if self.types[name] in ("FLOAT", "DOUBLE"):
                    value = f"nullif({value}, 'nan'::double)"  # not a number is missing
                columns.append(f"{value} as {column}")
            else:
                columns.append(column)
        if self.folded:
            columns.append(f"{row} as {self._row_name()}")
        return ", ".join(columns)

    def _row_name(self) -> str:
        name = "row number"
        while name in self.types:
            name += "_"
        return sql.quoted(name)

    def _numeric(self, name: str) -> bool:
        return self.types[name].split("(")[0] not in ("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP")

    def _double(self, name: str) -> str:
        return f"cast({sql.quoted(name)} as double)" if self._numeric(name) else sql.quoted(name)

    def read(self) -> str:
        """Select outcome, groups, weight, terms, probabilities, expected money and today's rule."""
        decision = self.decision
        found = {"y": sql.quoted(decision.data.outcome)}
        for k, name in enumerate(self.simple()):
            found[f"g{k}"] = self._group(name)
        if self.weight:
            w = sql.quoted(self.weight)
            found["w"] = w
            found["live"] = f"coalesce({w} > 0, true)"
        for k, term in enumerate(self.terms.sql):
            pivot = sql.number(self.terms.pivot[k])
            found[f"x{k}"] = f"coalesce({term}, 'nan'::double) - {pivot}"
        if self.probability:
            prob = sql.probabilities(decision, self.probability)
            found |= {f"p{o}": p for o, p in enumerate(prob)}
            found |= {f"e{a}": e for a, e in enumerate(sql.expected(decision, prob))}
            found["wrong"] = self._wrong()
        else:
            found["own"] = f"coalesce({sql.action_of(decision, str(self.action), self.codes)}, -1)"
        rule = sql.rule_of(decision, self.codes)
        if rule is not None:
            found["rule"] = f"cast(coalesce({rule}, -1) as smallint)"
        if self.folded:
            # Knuth's multiplicative hash: neighbouring rows fall into either half.
            found["fold"] = f"cast((({self._row_name()} * 2654435761) >> 17) & 1 as utinyint)"
        for outcome, best in self._best().items():
            found[f"b{outcome}"] = best
        return ",\n    ".join(f"{expression} as {name}" for name, expression in found.items())

    def acted(self) -> str:
        """Select the action of largest expected money, and the bin of the score."""
        if not self.probability:
            return "0 as nothing"
        actions = [f"e{a}" for a in range(len(self.codes))]
        outcomes = range(len(self.decision.outcomes))
        found = {"own": f"cast({sql.argmax(self.decision, actions, self.codes)} as smallint)"}
        place = f"least(floor(p{self.decision.positive_code} * {BINS}), {BINS - 1})"
        score = place if self.binned else "0"
        found["score"] = f"cast(case when wrong < 0 then wrong else {score} end as smallint)"
        if not self.decision.is_binary:
            cases = " ".join(
                f"when p{o} >= {_most([f'p{j}' for j in outcomes if j != o])} then {o}"
                for o in outcomes
            )
            found["likely"] = f"cast(case {cases} else -1 end as smallint)"
        return ", ".join(f"{expression} as {name}" for name, expression in found.items())

    def _wrong(self) -> str:
        given = [sql.quoted(c) for c in self.probability.values()]
        if self.binned and len(given) == 1:  # neither a missing value nor NaN is within
            p = given[0]
            return f"case when {p} >= -1e-9 and {p} <= 1e0 + 1e-9 then 0 else {OUTSIDE} end"
        blank = " or ".join(f"{c} is null or not isfinite({c})" for c in given)
        rest = []
        if len(given) < len(self.decision.outcomes):
            rest = [f"(1e0 - ({' + '.join(given)}))"]
        outside = " or ".join(f"{c} < -1e-9 or {c} > 1e0 + 1e-9" for c in [*given, *rest])
        total = " + ".join([*given, *rest])
        return (
            f"case when {blank} then {ABSENT} when {outside} then {OUTSIDE} "
            f"when abs({total} - 1e0) > 1e-3 then {APART} else 0 end"
        )

    def _group(self, name: str) -> str:
        subgroup = next(s for s in self.decision.subgroups if s.name == name)
        column = sql.quoted(str(subgroup.column))
        if not subgroup.bands:
            return column
        value = self._double(str(subgroup.column))
        passed = " + ".join(f"cast({value} >= {sql.number(b)} as smallint)" for b in subgroup.bands)
        return f"case when {column} is null or isnan({value}) then -1 else {passed} end"

    def _best(self) -> dict[int, str]:
        """Return, per outcome under which it is no linear form, the money of the best action."""
        found = {}
        for o, outcome in enumerate(self.decision.outcome_names):
            factor = self.terms.factor[:, o]
            if not (factor == factor[0]).all():
                cells = [sql.money(self.decision, a, outcome) for a in self.decision.action_names]
                found[o] = _most(cells)
        return found

    # ----------------------------------------------------------------------------------- sums

    def sums(self) -> dict[str, str]:
        """Return name -> aggregate."""
        weight = ["w"] if self.weight else []
        found = {"n": "count(*)"}
        if weight:
            found |= {f"w{q}": _sum(weight * q) for q in (1, 2, 3, 4)}
            found["bad_weight"] = "sum(case when w >= 0 and w <= 1e15 then 0 else 1 end)"
        powers = (("x", 1), ("y", 2), ("z", 3), ("q", 4)) if weight else (("q", 4),)
        for letter, most in powers:
            for degree in range(1, most + 1):
                for product in self.terms.products(degree):
                    name = f"{letter}_{'_'.join(map(str, product))}"
                    times = most if weight else 0
                    found[name] = _sum(weight * times + [f"x{k}" for k in product])
        if self.binned:
            found["prob"] = _sum([*weight, f"p{self.decision.positive_code}"])
        for outcome in self._best():
            found[f"best{outcome}"] = _sum([*weight, f"b{outcome}"])
        return found


def _sum(factors: Sequence[str]) -> str:
    return f"sum({' * '.join(factors)})"


def _most(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"greatest({', '.join(values)})"
