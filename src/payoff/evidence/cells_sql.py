"""Two queries that group rows into cells, and what their columns mean.

The first groups by bin of the score and finds where a threshold would best lie; the second groups
by what every policy does with a row, so that all are judged by the same sums. Both are plain
group-bys of few keys without a branch per row: grouping twice is faster than once by all keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import constant_of, to_sql
from payoff.evidence import sql
from payoff.evidence.cells import SCORED
from payoff.evidence.terms import Terms
from payoff.policy.choose import default_action

__all__ = [
    "ABSENT",
    "APART",
    "BINS",
    "FOLDS",
    "OUTSIDE",
    "Pass",
    "Rows",
    "by_action",
    "by_score",
    "columns_read",
    "edge",
]

#: Bins of the positive probability p, equally wide in its root: bin k begins at (k / 1024)^2. A
#: small probability, where rare and dear events are decided, has narrow bins.
BINS: Final = 1024
#: Up to so many actions bin, action and half fit 16 bits, with room to see a bin too high.
SMALL: Final = 3
#: Outcomes below this number go into the same key as the bin.
_FEW: Final = 16
#: Halves of the rows: each acts by the threshold that is best on the other.
FOLDS: Final = 2
#: Places of the score that say what is wrong with a row's probabilities.
OUTSIDE: Final = -1
ABSENT: Final = -2
APART: Final = -3


@overload
def edge(k: int) -> float: ...
@overload
def edge(k: NDArray[np.int64]) -> NDArray[np.float64]: ...
def edge(k: int | NDArray[np.int64]) -> float | NDArray[np.float64]:
    """Return the probability at which bin k begins.

    Examples
    --------
    >>> edge(0), edge(32), edge(1024)
    (0.0, 0.0009765625, 1.0)
    """
    return (k / BINS) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One query and what it groups by.

    Parameters
    ----------
    text
        The query.
    joint
        A query that counts rows by all groups at once; asked only where a group is small.
    strange
        Queries that count the rows without usable probabilities, each with what is wrong; asked
        only where a bin is none.
    sets
        Name of a grouping -> its keys. ``"score"`` is by bin of the probability, ``"all"`` by
        outcome and actions, the others are by the subgroup they are named after.
    keys
        All keys; ``grouping_id`` of a row has a bit set for each key its grouping leaves out.
    actions
        Number of actions, by which ``packed`` holds bin, action and half in one number.
    """

    text: str
    joint: str
    strange: tuple[tuple[str, int], ...]
    sets: Mapping[str, tuple[str, ...]]
    keys: tuple[str, ...]
    actions: int

    def identity(self, name: str) -> int:
        """Return the ``grouping_id`` of one grouping."""
        kept = self.sets[name]
        bits = "".join("0" if key in kept else "1" for key in self.keys)
        return int(bits, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where the rows are and what in them are the predictions.

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
    careful
        Look at every probability by itself, which is slower: after the engine has refused one.
    complete
        Columns known to have a value in every row.
    outcomes
        Least and largest outcome, where they are known to be whole numbers and none is missing.
    """

    relation: str
    row: str
    types: Mapping[str, str]
    probability: Mapping[str, str]
    action: str | None
    careful: bool = False
    complete: frozenset[str] = frozenset()
    outcomes: tuple[int, int] | None = None


def by_score(decision: Decision, terms: Terms, rows: Rows) -> Pass | None:
    """Return the query by bin of the positive probability; None where there is no such one."""
    made = _Query(decision, terms, rows)
    if not made.binned:
        return None
    return made.query({"score": (*made.always, "packed")}, scored=True)


def by_action(
    decision: Decision, terms: Terms, rows: Rows, *, threshold: Sequence[int] | None
) -> Pass:
    """Return the query by outcome, by what every policy does, and by group.

    Parameters
    ----------
    threshold
        For each half of the rows the bin from which the tuned policy acts, 0 to 1,024; None where
        no threshold can act.
    """
    made = _Query(decision, terms, rows, threshold)
    groups = {s.name: made.group_keys(s.name) for s in decision.subgroups}
    base = made.base_keys()
    sets = {f"group {name}": (*base, *keys) for name, keys in groups.items()}
    return made.query(sets or {"all": base})


def columns_read(decision: Decision, rows: Rows) -> tuple[str, ...]:
    """Return the columns that the queries read."""
    rule = decision.current_rule
    return tuple(
        dict.fromkeys(
            [
                decision.data.outcome,
                *decision.payoffs.columns,
                *(rule.columns if rule else ()),
                *(s.column for s in decision.subgroups if s.column),
                *rows.probability.values(),
                *(c for c in (decision.data.weight, rows.action) if c),
            ]
        )
    )


class _Query:
    """The pieces of the query, from the rows outwards."""

    def __init__(
        self,
        decision: Decision,
        terms: Terms,
        rows: Rows,
        threshold: Sequence[int] | None = None,
    ) -> None:
        self.decision = decision
        self.terms = terms
        self.rows = rows
        self.types = rows.types
        self.probability = rows.probability
        self.weight = decision.data.weight
        self.binned = bool(rows.probability) and len(decision.outcomes) == 2
        self.threshold = threshold
        self.codes = [str(k) for k in range(len(decision.actions))]
        self.always = ("y", *(["live"] if self.weight else []))
        # One column says all: it is checked by its bins, afterwards, and not row by row.
        self.plain = self.binned and len(rows.probability) == 1 and not rows.careful
        # One key is found faster than two, so the outcome goes into that of the bin.
        least, most = rows.outcomes or (-1, -1)
        self.places = (
            most + 1 if self.plain and not self.weight and 0 <= least <= most < _FEW else 0
        )

    def query(self, sets: Mapping[str, tuple[str, ...]], *, scored: bool = False) -> Pass:
        """Put the pieces together.

        Parameters
        ----------
        scored
            By bin of the score: with the half of each row, without third and fourth powers.
        """
        keys = tuple(dict.fromkeys(k for kept in sets.values() for k in kept))
        kept = list(dict.fromkeys(sets.values()))
        grouped = ", ".join(keys)
        identity = "0"
        if len(kept) > 1:
            sets_of = ", ".join("(" + ", ".join(k) + ")" for k in kept)
            grouped = f"grouping sets ({sets_of})"
            identity = f"grouping_id({', '.join(keys)})"
        sums = ",\n  ".join(f"{e} as {n}" for n, e in self.sums(scored=scored).items())
        together = ", ".join([*self.always, *(f"g{k}" for k in range(len(self.simple())))])
        folded = scored or len(set(self.threshold or ())) > 1
        steps = (
            f"with source as (\n  select {self.source(folded=folded)}\n"
            f"  from {self.rows.relation}\n),\n"
            f"read as (\n  select {self.read(folded=folded)}\n  from source\n)"
        )
        acted = f"{steps},\nacted as (\n  select *, {self.acted(scored=scored)}\n  from read\n)"
        if scored and self.places:
            names = ", ".join(self.sums(scored=True))
            text = (
                f"{acted},\nsummed as (\n  select packed as key,\n  {sums}\n"
                f"  from acted\n  group by packed\n)\n"
                f"select 0 as gid, {self._taken_apart()}, {names}\nfrom summed"
            )
        else:
            text = (
                f"{acted}\nselect {identity} as gid, {', '.join(keys)},\n  {sums}\n"
                f"from acted\ngroup by {grouped}"
            )
        joint = f"{steps}\nselect {together}, count(*) as n from read group by {together}"
        return Pass(
            text=text,
            joint=joint,
            strange=self.strange() if scored else (),
            sets=sets,
            keys=keys,
            actions=len(self.codes),
        )

    def strange(self) -> tuple[tuple[str, int], ...]:
        columns = ", ".join(
            f"cast({sql.quoted(c)} as double) as {sql.quoted(c)}" for c in self.probability.values()
        )
        rows = f"(select {columns} from {self.rows.relation})"
        wrong = self._wrong()
        return tuple(
            (f"select count(*) as n from {rows} where {wrong} = {code}", code)
            for code in (ABSENT, OUTSIDE, APART)
        )

    # ---------------------------------------------------------------------------------- keys

    def base_keys(self) -> tuple[str, ...]:
        keys = [*self.always, "own"]
        if self.decision.current_rule is not None:
            keys.append("rule")
        if self.probability and not self.decision.is_binary:
            keys.append("likely")
        if self.threshold is not None:
            keys += ["tuned", "half"]
        if self.probability and not self.plain:
            keys.append("wrong")
        return tuple(keys)

    def simple(self) -> list[str]:
        return [s.name for s in self.decision.subgroups if s.column is not None]

    def group_keys(self, name: str) -> tuple[str, ...]:
        simple = self.simple()
        found = next(s for s in self.decision.subgroups if s.name == name)
        names = found.intersect or (name,)
        return tuple(f"g{simple.index(n)}" for n in names)

    # --------------------------------------------------------------------------------- stages

    def source(self, *, folded: bool) -> str:
        """Select the columns that anything reads; numbers as doubles."""
        decision = self.decision
        rule = decision.current_rule
        exact = {decision.data.outcome, *(s.column for s in decision.subgroups if s.column)}
        # Where money is linear in a column, and nothing else reads it, its sums show what is not
        # a number; likewise the bins of the score.
        as_it_is = set(self.probability.values()) if self.plain else set()
        if {sql.quoted(c) for c in decision.payoffs.columns} == set(self.terms.sql):
            as_it_is |= set(decision.payoffs.columns)
        as_it_is -= {*(rule.columns if rule else ()), str(self.weight)}
        columns = []
        for name in columns_read(decision, self.rows):
            column = sql.quoted(name)
            if name not in exact and self._numeric(name):
                value = f"cast({column} as double)"
                if self.types[name] in ("FLOAT", "DOUBLE") and name not in as_it_is:
                    value = f"nullif({value}, 'nan'::double)"  # not a number is missing
                columns.append(f"{value} as {column}")
            else:
                columns.append(column)
        if folded:
            columns.append(f"{self.rows.row} as {self._row_name()}")
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

    def read(self, *, folded: bool) -> str:
        """Select outcome, groups, weight, terms, probabilities, expected money and today's rule."""
        decision = self.decision
        found = {"y": sql.quoted(decision.data.outcome)}
        for k, name in enumerate(self.simple()):
            found[f"g{k}"] = self._group(name)
        if self.weight:
            w = sql.quoted(self.weight)
            found["w"] = w
            found["live"] = f"coalesce({w} > 0, true)"
        complete = {sql.quoted(c) for c in self.rows.complete if self._numeric(c)}
        for k, term in enumerate(self.terms.sql):
            pivot = sql.number(self.terms.pivot[k])
            value = term if term in complete else f"coalesce({term}, 'nan'::double)"
            found[f"x{k}"] = f"{value} - {pivot}"
        if self.probability:
            prob = self._probabilities()
            found |= {f"p{o}": p for o, p in enumerate(prob)}
            found |= {f"e{a}": e for a, e in enumerate(sql.expected(decision, prob))}
            if not self.plain:
                found["wrong"] = f"cast({self._wrong()} as tinyint)"
        else:
            taken = sql.action_of(decision, str(self.rows.action), self.codes)
            found["own"] = f"coalesce({taken}, -1)"
        rule = sql.rule_of(decision, self.codes)
        if rule is not None:
            found["rule"] = f"cast(coalesce({rule}, -1) as smallint)"
        if folded:
            # Blocks of 4 rows, exchanged in every other 512: either half has rows from everywhere,
            # in whatever order they come. A hash, or shifting the two bits, costs more.
            found["fold"] = f"bit_count({self._row_name()} & {1 << 2 | 1 << 9}) = 1"
        for outcome, best in self._best().items():
            found[f"b{outcome}"] = best
        return ",\n    ".join(f"{expression} as {name}" for name, expression in found.items())

    def _probabilities(self) -> list[str]:
        """Return the probability of each outcome; what is outside 0 to 1 is refused later."""
        if not self.plain:
            return sql.probabilities(self.decision, self.probability)
        ((outcome, column),) = self.probability.items()
        given = sql.quoted(column)
        return [
            given if name == outcome else f"(1e0 - {given})" for name in self.decision.outcome_names
        ]

    def acted(self, *, scored: bool) -> str:
        """Select the action of largest expected money, and the bin of the score."""
        if not self.probability:
            return "0 as nothing"
        actions = [f"e{a}" for a in range(len(self.codes))]
        outcomes = range(len(self.decision.outcomes))
        own = sql.argmax(self.decision, actions, self.codes)
        if len(actions) == 2:  # a comparison costs less than a case
            own = "e1 >= e0" if default_action(self.decision) == 1 else "not e0 >= e1"
            own = f"cast({own} as double)" if scored else own
        positive = f"p{self.decision.positive_code}"
        if scored:
            place = f"floor({self._root(positive)})"
            if not self.plain:
                place = f"(case when wrong < 0 then null else {place} end)"
            packed = f"({place} * {len(self.codes)} + {own}) * {FOLDS} + cast(fold as double)"
            if self.places:
                return f"({packed}) * {self.places} + y as packed"
            # A key of 16 bits needs no hash table. What does not fit is no probability.
            kind = "smallint" if len(self.codes) <= SMALL else "integer"
            return f"try_cast({packed} as {kind}) as packed"
        found = {"own": own if len(actions) == 2 else f"cast({own} as tinyint)"}
        if self.threshold is not None:
            found["tuned"] = self._tuned(positive)
            found["half"] = f"{positive} >= 0.5e0"
        if not self.decision.is_binary:
            cases = " ".join(
                f"when p{o} >= {_most([f'p{j}' for j in outcomes if j != o])} then {o}"
                for o in outcomes
            )
            found["likely"] = f"cast(case {cases} else -1 end as smallint)"
        return ", ".join(f"{expression} as {name}" for name, expression in found.items())

    def _taken_apart(self) -> str:
        """Select outcome and bin of a key that holds both; a bin that is none keeps an outcome."""
        assert self.rows.outcomes is not None
        kind, any_one = self.types[self.decision.data.outcome], self.rows.outcomes[0]
        packed = f"floor(key / {self.places})"
        outcome = f"try_cast(key - {packed} * {self.places} as {kind})"
        return f"coalesce({outcome}, {any_one}) as y, {packed} as packed"

    def _root(self, probability: str) -> str:
        """Return the place of a probability among the bins; the engine refuses one below 0."""
        return f"sqrt({probability}) * {BINS}"

    def _tuned(self, probability: str) -> str:
        """Return whether a row is at or above the threshold of its half."""
        assert self.threshold is not None
        # "Never" is above every probability.
        first, second = (2.0 if k == BINS else edge(k) for k in self.threshold)
        high = f"{probability} >= {sql.number(max(first, second))}"
        if first == second:
            return high
        half = "fold" if second < first else "not fold"
        # Conditions cost less than a threshold computed for each row.
        return f"{high} or ({probability} >= {sql.number(min(first, second))} and {half})"

    def _wrong(self) -> str:
        given = [sql.quoted(c) for c in self.probability.values()]
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
        """Return what the money of the best action is known by, per outcome where it varies.

        Of two actions the distance of their money: ``2 max(a, b) = a + b + |a - b|``, and the sum
        of ``a + b`` is known. Of more, the money itself.
        """
        found = {}
        for o, outcome in enumerate(self.decision.outcome_names):
            factor = self.terms.factor[:, o]
            if not (factor == factor[0]).all():
                cells = [sql.money(self.decision, a, outcome) for a in self.decision.action_names]
                found[o] = self._apart(outcome) if len(cells) == 2 else _most(cells)
        return found

    def _apart(self, outcome: str) -> str:
        """Return how far the money of two actions is apart."""
        one, other = (self.decision.payoffs.cell(a, outcome) for a in self.decision.action_names)
        if constant_of(other.node) == 0:
            return f"abs({to_sql(one.node)})"
        if constant_of(one.node) == 0:
            return f"abs({to_sql(other.node)})"
        return f"abs(({to_sql(one.node)}) - ({to_sql(other.node)}))"

    # ----------------------------------------------------------------------------------- sums

    def sums(self, *, scored: bool) -> dict[str, str]:
        """Return name -> aggregate."""
        weight = ["w"] if self.weight else []
        found = {"n": "count(*)"}
        if weight:
            found |= {f"w{q}": _sum(weight * q) for q in (1, 2, 3, 4)}
            found["bad_weight"] = "sum(case when w >= 0 and w <= 1e15 then 0 else 1 end)"
        powers = (("x", 1), ("y", 2), ("z", 3), ("q", 4)) if weight else (("q", 4),)
        for letter, most in powers:
            if scored and weight and most > SCORED:
                continue
            for degree in range(1, min(most, SCORED if scored else most) + 1):
                for product in self.terms.products(degree):
                    name = f"{letter}_{'_'.join(map(str, product))}"
                    times = most if weight else 0
                    found[name] = _sum(weight * times + [f"x{k}" for k in product])
        if scored:
            found["prob"] = _sum([*weight, f"p{self.decision.positive_code}"])
            return found
        for outcome in self._best():
            found[f"best{outcome}"] = _sum([*weight, f"b{outcome}"])
        return found


def _sum(factors: Sequence[str]) -> str:
    return f"sum({' * '.join(factors)})"


def _most(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"greatest({', '.join(values)})"
